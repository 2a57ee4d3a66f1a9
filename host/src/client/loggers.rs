//! `caisson logs`.

use caisson_rest::Remote;
use serde_json::{Map, Value, json};

use super::connection::{patiently, remote};
use super::screen::{Table, line, show, show_json, text};
use crate::cli::{LogsArguments, Output};

pub async fn run(arguments: &LogsArguments) -> anyhow::Result<()> {
    let worker = remote(&arguments.worker)?;
    let of = |logger: &str| format!("/admin/loggers/{}", Remote::segment(logger));
    let Some(logger) = &arguments.logger else {
        return print(worker.get("/admin/loggers").await?, arguments.output.form);
    };
    let Some(level) = &arguments.level else {
        let found = worker.get(&of(logger)).await?;
        return print(Map::from_iter([(logger.clone(), found)]).into(), arguments.output.form);
    };
    let scope = if arguments.worker_only { "worker" } else { "cluster" };
    let path = format!("{}?scope={scope}", of(logger));
    let body = json!({"level": level});
    let set = patiently(async || worker.put(&path, &body).await).await?;
    // A worker that knows no scopes, or was asked for itself alone, says which loggers it has set.
    let where_to = match set.as_array() {
        Some(loggers) => format!("on this worker ({} loggers)", loggers.len()),
        None => "on all workers".to_owned(),
    };
    show(&format!(
        "{}: {} {where_to}\n",
        line(logger),
        line(&level.to_ascii_uppercase())
    ))
}

fn print(loggers: Value, form: Output) -> anyhow::Result<()> {
    match form {
        Output::Json => show_json(&loggers),
        Output::Table => show(&table(&loggers).render()),
    }
}

fn table(loggers: &Value) -> Table {
    let mut table = Table::new(&["LOGGER", "LEVEL", "SET AT"]);
    for (name, logger) in loggers.as_object().into_iter().flatten() {
        table.row(vec![
            name.clone(),
            text(&logger["level"]),
            text(&logger["last_modified"]),
        ]);
    }
    table
}
