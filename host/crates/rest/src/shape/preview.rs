//! The JSON of a preview. A payload that is bytes stands as the text that it is, or else in Base64, as in the request.

use caisson_api::value::base64;
use caisson_model::preview::{
    Fault, Flow, Outcome, Payload, Preview, Shown, Step, StepName, StepResult, Stopped, Tried,
};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The answer's text. Values keep the digits that they have.
pub fn preview(preview: &Preview) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Answer {
        r#type: match preview.flow {
            Flow::Source => "source",
            Flow::Sink => "sink",
        },
        connector_class: preview.class.as_deref(),
        task_config: preview.task_config.as_ref(),
        tolerance: if preview.tolerant { "all" } else { "none" },
        records: preview.records.iter().map(tried).collect(),
        plugin_errors: preview.plugin.iter().map(fault).collect(),
        stopped: preview.stopped.map(|stopped| match stopped {
            Stopped::Time => "time",
            Stopped::Output => "output",
            Stopped::Failure => "failure",
        }),
    })
}

#[derive(Serialize)]
struct Answer<'a> {
    r#type: &'static str,
    connector_class: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_config: Option<&'a std::collections::BTreeMap<String, Option<String>>>,
    tolerance: &'static str,
    records: Vec<TriedJson<'a>>,
    plugin_errors: Vec<Value>,
    stopped: Option<&'static str>,
}

#[derive(Serialize)]
struct TriedJson<'a> {
    topic: &'a str,
    partition: Option<i32>,
    offset: Option<i64>,
    outcome: &'static str,
    steps: Vec<StepJson<'a>>,
}

#[derive(Serialize)]
struct StepJson<'a> {
    step: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'a str>,
    result: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    records: Vec<Members>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Value>,
}

/// Members in their order, some of them JSON as it came.
type Members = std::collections::BTreeMap<&'static str, Box<RawValue>>;

fn tried(tried: &Tried) -> TriedJson<'_> {
    TriedJson {
        topic: &tried.topic,
        partition: tried.partition,
        offset: tried.offset,
        outcome: match tried.outcome() {
            Outcome::Passed => "passed",
            Outcome::NotPut => "not put",
            Outcome::Dropped => "dropped",
            Outcome::Failed => "failed",
        },
        steps: tried.steps.iter().map(step).collect(),
    }
}

fn step(step: &Step) -> StepJson<'_> {
    let (name, alias, class) = match &step.name {
        StepName::Converters => ("converters", None, None),
        StepName::Transform { alias, class } => ("transform", Some(alias.as_str()), Some(class.as_str())),
        StepName::Put => ("put", None, None),
    };
    StepJson {
        step: name,
        alias,
        class,
        result: match step.result {
            StepResult::Done => "done",
            StepResult::Changed => "changed",
            StepResult::Unchanged => "unchanged",
            StepResult::Dropped => "dropped",
            StepResult::Failed => "failed",
            StepResult::NotCalled => "not called",
        },
        records: step.records.iter().map(shown).collect(),
        errors: step.faults.iter().map(fault).collect(),
    }
}

fn shown(record: &Shown) -> Members {
    let headers: Vec<Members> = record
        .headers
        .iter()
        .map(|(name, value)| {
            let mut members = Members::from([("name", raw(&Value::from(name.as_str())))]);
            payload(&mut members, ["value", "value_schema", "value_base64"], value);
            members
        })
        .collect();
    let mut members = Members::from([
        ("topic", raw(&Value::from(record.topic.as_str()))),
        ("partition", raw(&Value::from(record.partition))),
        ("timestamp", raw(&Value::from(record.timestamp))),
        ("headers", raw(&headers)),
    ]);
    payload(&mut members, ["key", "key_schema", "key_base64"], &record.key);
    payload(&mut members, ["value", "value_schema", "value_base64"], &record.value);
    members
}

fn payload(members: &mut Members, [name, schema_name, base64_name]: [&'static str; 3], payload: &Payload) {
    match payload {
        Payload::Null => {
            members.insert(name, raw(&Value::Null));
        }
        Payload::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => {
                members.insert(name, raw(&Value::from(text)));
            }
            Err(_) => {
                members.insert(base64_name, raw(&Value::from(base64::encode(bytes))));
            }
        },
        Payload::Value { json, schema } => {
            members.insert(name, written(json));
            if let Some(schema) = schema {
                members.insert(schema_name, written(schema));
            }
        }
    }
}

/// JSON as it was written; a text in which a secret was replaced may be none any more.
fn written(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap_or_else(|_| raw(&Value::from(json)))
}

fn raw(value: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// The words of the headers of dead letters, without their prefix.
fn fault(fault: &Fault) -> Value {
    json!({
        "stage": fault.stage,
        "class.name": fault.class,
        "exception.class.name": fault.exception_class,
        "exception.message": fault.message,
        "exception.stacktrace": fault.stack_trace,
        "class": fault.kind,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_text_where_they_can_be_and_values_keep_their_digits() {
        let record = |payload: Payload| Shown {
            topic: "t".to_owned(),
            partition: None,
            timestamp: Some(1),
            key: Payload::Bytes(vec![0xff]),
            value: payload,
            headers: vec![("h".to_owned(), Payload::Null)],
        };
        let step = |records| Step {
            name: StepName::Converters,
            result: StepResult::Done,
            records,
            faults: Vec::new(),
        };
        let value = Payload::Value {
            json: r#"{"n":12345678901234567890.10}"#.to_owned(),
            schema: Some(r#"{"type":"struct"}"#.to_owned()),
        };
        let tried = Tried {
            topic: "t".to_owned(),
            partition: Some(0),
            offset: Some(7),
            steps: vec![
                step(vec![record(value)]),
                step(vec![record(Payload::Bytes(b"text".to_vec()))]),
            ],
        };
        let answer = preview(&Preview {
            flow: Flow::Sink,
            class: None,
            tolerant: true,
            task_config: Some([("task.class".to_owned(), Some("c".to_owned()))].into()),
            plugin: Vec::new(),
            records: vec![tried],
            stopped: None,
        });
        let text = String::from_utf8(answer.unwrap()).unwrap();
        for part in [
            r#"{"type":"sink","connector_class":null,"task_config":{"task.class":"c"},"tolerance":"all","records":[{"topic":"t","partition":0,"offset":7,"outcome":"passed""#,
            r#""value":{"n":12345678901234567890.10},"value_schema":{"type":"struct"}"#,
            r#""key_base64":"/w==""#,
            r#""headers":[{"name":"h","value":null}]"#,
            r#""value":"text""#,
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
