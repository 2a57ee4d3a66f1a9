//! What the log says of a record that failed.

use caisson_api::Value;
use caisson_config::ConnectorKind;
use caisson_convert::column::write_json;
use caisson_model::ErrorLog;
use caisson_task::errors::{Polled, Subject, sentence};
use serde_json::Value as Json;

use super::failure::{Built, Message, config, outcome, stage, task, throwable};
use crate::Outcome;
use crate::notation::{self, Unbuildable};

pub fn replay(input: &Json, expect: &Json) -> Outcome {
    match line(input) {
        Ok((logged, message)) => outcome(expect["logged"] == logged && expect["message"] == message, || {
            format!("logged {logged}: {message}")
        }),
        Err(Unbuildable(what)) => Outcome::Skipped(what),
    }
}

fn line(input: &Json) -> Built<(bool, String)> {
    let record = &input["record"];
    let is_source = record["kind"] == "source";
    // Without topics there is no sink.
    let settings = config(input, ConnectorKind::Source)?.errors.log;
    let message = match is_source {
        true => Message::read(&Json::Null)?,
        false => Message::read(record)?,
    };
    let subject = match is_source {
        true => Subject::Polled(Box::new(polled(record)?)),
        false => Subject::Consumed(message.consumed(record)),
    };
    let shown = match input["config"]["errors.log.include.messages"].as_str() {
        Some("true") => Some(&subject),
        _ => None,
    };
    let logged = settings != ErrorLog::Off && throwable(&input["exception"]).is_some();
    let text = sentence(&task(input), stage(input)?, input["class"].as_str(), shown);
    Ok((logged, text))
}

fn polled(json: &Json) -> Built<Polled> {
    let (record, _) = notation::record(json)?;
    let text = |name: &str| {
        let members = json[name].as_object().into_iter().flatten();
        let entry = |(key, value): (&String, &Json)| Ok((Value::from(key.clone()), notation::value(value, None)?));
        let map = Value::Map(members.map(entry).collect::<Built<_>>()?);
        let mut text = Vec::new();
        write_json(None, &map, "", &mut text).map_err(|error| Unbuildable(error.to_string()))?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    };
    Ok(Polled {
        record,
        source: Some((text("sourcePartition")?, text("sourceOffset")?)),
    })
}
