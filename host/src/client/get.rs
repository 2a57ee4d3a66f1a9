//! `caisson get`.

use caisson_rest::{Remote, RemoteError};
use serde_json::{Map, Value};

use super::connection::{of_connector, remote};
use super::screen::{Table, printable, show, show_json, text};
use crate::cli::{GetArguments, Output};

pub async fn run(arguments: &GetArguments) -> anyhow::Result<()> {
    let worker = remote(&arguments.worker)?;
    match (&arguments.name, arguments.output.form) {
        (None, Output::Json) => show_json(&Value::Array(connectors(&worker).await?)),
        (None, Output::Table) => show(&overview(&connectors(&worker).await?).render()),
        (Some(name), Output::Json) => show_json(&connector(&worker, name).await?),
        (Some(name), Output::Table) => show(&details(&connector(&worker, name).await?)),
    }
}

/// All connectors by name, each as `GET /connectors/NAME` has it, and its status as one more member. `apply` takes that.
pub async fn connectors(worker: &Remote) -> Result<Vec<Value>, RemoteError> {
    let all = worker.get("/connectors?expand=info&expand=status").await?;
    let Value::Object(all) = all else {
        let url = worker.url().to_owned();
        return Err(RemoteError::NoWorker { url });
    };
    let mut connectors: Vec<(String, Value)> = all.into_iter().collect();
    connectors.sort_by(|(one, _), (other, _)| one.cmp(other));
    let joined = |(name, mut views): (String, Value)| joined(&name, views["info"].take(), views["status"].take());
    Ok(connectors
        .into_iter()
        .filter(|(_, views)| views.is_object())
        .map(joined)
        .collect())
}

async fn connector(worker: &Remote, name: &str) -> Result<Value, RemoteError> {
    let info = worker.get(&of_connector(name, "")).await?;
    let status = match worker.get(&of_connector(name, "/status")).await {
        // It was created a moment ago.
        Err(RemoteError::Refused { status: 404, .. }) => Value::Null,
        status => status?,
    };
    Ok(joined(name, info, status))
}

fn joined(name: &str, info: Value, status: Value) -> Value {
    let mut members = match info {
        Value::Object(members) => members,
        _ => Map::from_iter([("name".to_owned(), name.into())]),
    };
    members.insert("status".to_owned(), status);
    members.into()
}

fn tasks(connector: &Value) -> &[Value] {
    connector["status"]["tasks"].as_array().map_or(&[], Vec::as_slice)
}

/// `1/2`: so many tasks run of so many.
fn running(connector: &Value) -> String {
    let tasks = tasks(connector);
    let count = |state: &str| tasks.iter().filter(|task| task["state"] == state).count();
    let failed = match count("FAILED") {
        0 => String::new(),
        failed => format!(", {failed} FAILED"),
    };
    format!("{}/{}{failed}", count("RUNNING"), tasks.len())
}

/// A line for each connector.
pub fn overview(connectors: &[Value]) -> Table {
    let mut table = Table::new(&["NAME", "TYPE", "STATE", "TASKS", "WORKER"]);
    for connector in connectors {
        let state = &connector["status"]["connector"];
        table.row(vec![
            text(&connector["name"]),
            text(&connector["type"]),
            text(&state["state"]),
            running(connector),
            text(&state["worker_id"]),
        ]);
    }
    table
}

/// A connector, its tasks, and what failed.
fn details(connector: &Value) -> String {
    let state = &connector["status"]["connector"];
    let mut facts = Table::untitled();
    for (what, value) in [
        ("Name", &connector["name"]),
        ("Type", &connector["type"]),
        ("Class", &connector["config"]["connector.class"]),
        ("Version", &state["version"]),
        ("State", &state["state"]),
        ("Worker", &state["worker_id"]),
    ] {
        facts.row(vec![what.to_owned(), text(value)]);
    }
    let mut told = facts.render();
    let mut table = Table::new(&["TASK", "STATE", "WORKER", "VERSION"]);
    for task in tasks(connector) {
        table.row(
            ["id", "state", "worker_id", "version"]
                .map(|member| text(&task[member]))
                .to_vec(),
        );
    }
    told.push('\n');
    told.push_str(&table.render());
    trace(&mut told, "connector", state);
    for task in tasks(connector) {
        trace(&mut told, &format!("task {}", text(&task["id"])), task);
    }
    told
}

fn trace(told: &mut String, who: &str, status: &Value) {
    let Some(trace) = status["trace"].as_str().filter(|trace| !trace.is_empty()) else {
        return;
    };
    told.push_str(&format!("\nTrace of {}:\n", printable(who)));
    for line in printable(trace).lines() {
        told.push_str(&format!("  {line}\n"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn failed() -> Value {
        let status = json!({
            "connector": {"state": "RUNNING", "worker_id": "w:1", "version": "1"},
            "tasks": [{"id": 0, "state": "RUNNING", "worker_id": "w:1"}, {"id": 1, "state": "FAILED", "worker_id": "w:2", "trace": "why\n\tat x"}],
        });
        joined(
            "c",
            json!({"name": "c", "type": "sink", "config": {"connector.class": "S"}}),
            status,
        )
    }

    #[test]
    fn a_list_has_a_line_for_each_and_counts_tasks() {
        let created = joined("new", json!({"name": "new", "type": "source"}), Value::Null);
        let odd = joined("odd", json!("no object"), json!(["no status"]));
        assert_eq!(
            overview(&[failed(), created, odd]).render(),
            "NAME   TYPE     STATE     TASKS           WORKER\n\
             c      sink     RUNNING   1/2, 1 FAILED   w:1\n\
             new    source   -         0/0             -\n\
             odd    -        -         0/0             -\n"
        );
    }

    #[test]
    fn one_is_shown_with_tasks_and_traces() {
        let told = details(&failed());
        assert!(told.starts_with("Name      c\nType      sink\nClass     S\n"), "{told}");
        assert!(
            told.ends_with("1      FAILED    w:2      -\n\nTrace of task 1:\n  why\n  \tat x\n"),
            "{told}"
        );
    }
}
