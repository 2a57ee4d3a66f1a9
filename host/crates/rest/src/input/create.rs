//! The body of `POST /connectors`.

use caisson_model::TargetState;

use super::Unreadable;
use super::jackson::{TextMap, members, text, text_map, value};

const CLASS: &str = "org.apache.kafka.connect.runtime.rest.entities.CreateConnectorRequest";

/// A connector to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateRequest {
    /// Without what Java's `trim` takes off; empty if it is missing.
    pub name: String,
    pub config: TextMap,
    pub initial_state: Option<TargetState>,
}

/// Reads the body.
pub fn parse_create(body: &[u8]) -> Result<CreateRequest, Unreadable> {
    let missing = |what: &str| Unreadable(format!("The request has no {what}"));
    let raw = value(body)?.ok_or_else(|| missing("body"))?;
    let (mut name, mut config, mut initial_state) = (None, None, None);
    for (member, raw) in members(raw, CLASS)? {
        match member.as_str() {
            "name" => name = text(raw)?,
            "config" if raw == "null" => config = None,
            "config" => config = Some(text_map(raw)?),
            "initial_state" => initial_state = text(raw)?.map(|word| target_state(&word)).transpose()?,
            _ => return Err(unrecognised(&member)),
        }
    }
    let name = name.unwrap_or_default().trim_matches(|c| c <= ' ').to_owned();
    Ok(CreateRequest {
        name,
        config: config.ok_or_else(|| missing("connector configuration"))?,
        initial_state,
    })
}

fn target_state(word: &str) -> Result<TargetState, Unreadable> {
    match word.to_uppercase().as_str() {
        "RUNNING" => Ok(TargetState::Started),
        "PAUSED" => Ok(TargetState::Paused),
        "STOPPED" => Ok(TargetState::Stopped),
        other => Err(Unreadable(format!(
            "Cannot construct instance of `{CLASS}$InitialState`, problem: No enum constant {CLASS}.InitialState.{other}"
        ))),
    }
}

fn unrecognised(member: &str) -> Unreadable {
    Unreadable(format!(
        "Unrecognized field \"{member}\" (class {CLASS}), not marked as ignorable (3 known properties: \"name\", \"initial_state\", \"config\"])"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(body: &str) -> Result<CreateRequest, Unreadable> {
        parse_create(body.as_bytes())
    }

    #[test]
    fn name_is_trimmed_and_state_in_any_case() {
        let request = create(r#"{"name": "  c\t\u0000", "config": {"a": 1}, "initial_state": "Paused"}"#).unwrap();
        assert_eq!(request.name, "c");
        assert_eq!(request.initial_state, Some(TargetState::Paused));
        assert_eq!(request.config["a"], Some("1".to_owned()));
    }

    #[test]
    fn missing_name_and_state_are_nothing() {
        let request = create(r#"{"name": null, "config": {}, "initial_state": null}"#).unwrap();
        assert_eq!((request.name.as_str(), request.initial_state), ("", None));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let bodies = [
            "",
            "null",
            "{}",
            "[]",
            "5",
            "\"a\"",
            r#"{"name": "c"}"#,
            r#"{"config": null}"#,
            r#"{"config": "a"}"#,
            r#"{"config": []}"#,
            r#"{"name": {}, "config": {}}"#,
            r#"{"config": {}, "colour": "red"}"#,
            r#"{"config": {}, "initial_state": "HALTED"}"#,
        ];
        for body in bodies {
            assert!(create(body).is_err(), "{body}");
        }
    }
}
