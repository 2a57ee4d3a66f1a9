//! `caisson offsets`.

use anyhow::Context;
use caisson_rest::Remote;
use serde_json::Value;

use super::apply::documents::read;
use super::connection::{of_connector, patiently, remote};
use super::screen::{Table, line, show, show_json, text};
use crate::cli::{OffsetsAction, OffsetsArguments, Output};

pub async fn run(arguments: &OffsetsArguments) -> anyhow::Result<()> {
    let worker = remote(&arguments.worker)?;
    let path = of_connector(&arguments.name, "/offsets");
    match &arguments.action {
        None | Some(OffsetsAction::Get) => {
            let offsets = worker.get(&path).await?;
            match arguments.output.form {
                Output::Json => show_json(&offsets),
                Output::Table => show(&table(&offsets).render()),
            }
        }
        Some(OffsetsAction::Reset) => {
            let answer = patiently(async || worker.delete(&path).await).await?;
            show(&format!("{}\n", line(&text(&answer["message"]))))
        }
        Some(OffsetsAction::Set { file }) => set(&worker, &path, file).await,
    }
}

/// What stands in the file is sent as it is, so that numbers keep their digits.
async fn set(worker: &Remote, path: &str, file: &std::path::Path) -> anyhow::Result<()> {
    let (name, bytes) = read(file)?;
    serde_json::from_slice::<&serde_json::value::RawValue>(&bytes).with_context(|| format!("{name} is no JSON"))?;
    let answer = patiently(async || worker.patch(path, &bytes).await).await?;
    show(&format!("{}\n", line(&text(&answer["message"]))))
}

/// Offsets in topics have columns of their own, others are JSON.
fn table(offsets: &Value) -> Table {
    let entries = offsets["offsets"].as_array().map_or(&[][..], Vec::as_slice);
    let in_topics = |entry: &Value| entry["partition"]["kafka_topic"].is_string();
    if !entries.is_empty() && entries.iter().all(in_topics) {
        let mut table = Table::new(&["TOPIC", "PARTITION", "OFFSET"]);
        for entry in entries {
            let (partition, offset) = (&entry["partition"], &entry["offset"]);
            table.row(vec![
                text(&partition["kafka_topic"]),
                text(&partition["kafka_partition"]),
                text(&offset["kafka_offset"]),
            ]);
        }
        return table;
    }
    let mut table = Table::new(&["PARTITION", "OFFSET"]);
    for entry in entries {
        table.row(vec![text(&entry["partition"]), text(&entry["offset"])]);
    }
    table
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn offsets_of_sinks_have_columns_and_those_of_sources_are_json() {
        let of_sink = json!({"offsets": [{"partition": {"kafka_topic": "t", "kafka_partition": 3}, "offset": {"kafka_offset": 7}}]});
        assert_eq!(
            table(&of_sink).render(),
            "TOPIC   PARTITION   OFFSET\nt       3           7\n"
        );
        let of_source = json!({"offsets": [{"partition": {"filename": "a b"}, "offset": {"position": 4}}]});
        assert_eq!(
            table(&of_source).render(),
            "PARTITION            OFFSET\n{\"filename\":\"a b\"}   {\"position\":4}\n"
        );
        assert_eq!(table(&Value::Null).render(), "PARTITION   OFFSET\n");
    }
}
