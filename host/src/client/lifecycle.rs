//! `caisson delete|pause|resume|stop|restart`.

use caisson_rest::{Remote, RemoteError};
use serde_json::Value;

use super::complain;
use super::connection::{of_connector, patiently, remote};
use super::screen::{line, show, text};
use crate::cli::{NamesArguments, RestartArguments};

pub async fn delete(arguments: &NamesArguments) -> anyhow::Result<()> {
    each(arguments, "deleted", async |worker: &Remote, name: &str| {
        worker.delete(&of_connector(name, "")).await
    })
    .await
}

pub async fn pause(arguments: &NamesArguments) -> anyhow::Result<()> {
    put(arguments, "/pause", "pausing").await
}

pub async fn resume(arguments: &NamesArguments) -> anyhow::Result<()> {
    put(arguments, "/resume", "resuming").await
}

pub async fn stop(arguments: &NamesArguments) -> anyhow::Result<()> {
    put(arguments, "/stop", "stopping").await
}

async fn put(arguments: &NamesArguments, resource: &str, done: &str) -> anyhow::Result<()> {
    each(arguments, done, async |worker: &Remote, name: &str| {
        worker.put_nothing(&of_connector(name, resource)).await
    })
    .await
}

/// Asks for each connector. One that cannot be done leaves the others alone; the first failure is the command's.
async fn each(
    arguments: &NamesArguments,
    done: &str,
    ask: impl AsyncFn(&Remote, &str) -> Result<Value, RemoteError>,
) -> anyhow::Result<()> {
    let worker = remote(&arguments.worker)?;
    let mut failed: Option<anyhow::Error> = None;
    for name in &arguments.names {
        match patiently(async || ask(&worker, name).await).await {
            Ok(_) => show(&format!("{done} {}\n", line(name)))?,
            Err(error) if failed.is_none() => failed = Some(error.into()),
            Err(error) => complain(&error.into()),
        }
    }
    failed.map_or(Ok(()), Err)
}

/// A connector is restarted with its tasks, for that is what people mean by it; Kafka Connect's own default is without.
pub async fn restart(arguments: &RestartArguments) -> anyhow::Result<()> {
    let worker = remote(&arguments.worker)?;
    let name = &arguments.name;
    let path = match arguments.task {
        Some(task) => of_connector(name, &format!("/tasks/{task}/restart")),
        None => of_connector(
            name,
            &format!("/restart?includeTasks=true&onlyFailed={}", arguments.failed),
        ),
    };
    let status = patiently(async || worker.post(&path, "application/json", &[]).await).await?;
    let what = match arguments.task {
        Some(task) => format!("task {task}"),
        None => restarting(&status),
    };
    show(&format!("restarting {}: {what}\n", line(name)))
}

/// What of a connector is to be restarted, by the status that the worker answers with.
fn restarting(status: &Value) -> String {
    let is_restarting = |status: &Value| status["state"] == "RESTARTING";
    let connector = is_restarting(&status["connector"]).then(|| "connector".to_owned());
    let tasks = status["tasks"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|task| is_restarting(task));
    let tasks = tasks.map(|task| format!("task {}", text(&task["id"])));
    let all: Vec<String> = connector.into_iter().chain(tasks).collect();
    match all.is_empty() {
        true => "nothing has to be".to_owned(),
        false => line(&all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_restarted_is_told() {
        let status = json!({
            "connector": {"state": "RESTARTING"},
            "tasks": [{"id": 0, "state": "RUNNING"}, {"id": 1, "state": "RESTARTING"}],
        });
        assert_eq!(restarting(&status), "connector, task 1");
        assert_eq!(restarting(&Value::Null), "nothing has to be");
    }
}
