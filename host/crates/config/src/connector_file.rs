//! A connector's configuration as a file on the command line gives it: Java properties, a flat JSON object, or what
//! `POST /connectors` takes (`{"name", "config", "initial_state"}`).

use std::fmt;

use caisson_model::TargetState;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::Error;
use crate::given::Given;
use crate::properties;

/// A connector to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorFile {
    pub name: String,
    pub config: Given,
    pub initial_state: TargetState,
}

/// Reads the bytes of a file; `file` is its name for error texts.
pub fn parse(bytes: &[u8], file: &str) -> Result<ConnectorFile, Error> {
    if bytes.len() > properties::MAX_BYTES {
        return Err(Error::TooLarge {
            file: file.to_owned(),
            what: "bytes",
            limit: properties::MAX_BYTES,
        });
    }
    let fail = |reason: String| Error::ConnectorFile {
        file: file.to_owned(),
        reason,
    };
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    let connector = if first == Some(&b'{') || file.to_ascii_lowercase().ends_with(".json") {
        parse_json(bytes).map_err(fail)?
    } else {
        flat(properties::parse(bytes, file)?).map_err(fail)?
    };
    Ok(connector)
}

/// Something with a configuration inside, or a configuration itself.
fn parse_json(bytes: &[u8]) -> Result<ConnectorFile, String> {
    let outer: Members = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let Some(config) = outer.get("config").filter(|config| config.starts_with('{')) else {
        return flat(outer.scalars()?);
    };
    let config: Members = serde_json::from_str(config).map_err(|error| format!("in config: {error}"))?;
    let mut config = config.scalars()?;
    let text = |member: &str| match outer.get(member) {
        None => Ok(None),
        Some(raw) => scalar(member, raw),
    };
    let name = match text("name")? {
        Some(name) => name,
        None => config.get("name").ok_or_else(no_name)?.to_owned(),
    };
    if let Some(other) = config.get("name").filter(|other| *other != name) {
        return Err(format!("the name is {name} outside and {other} inside config"));
    }
    config.set("name", Some(name.clone()));
    Ok(ConnectorFile {
        name,
        config,
        initial_state: text("initial_state")?.map_or(Ok(TargetState::Started), |word| initial_state(&word))?,
    })
}

fn flat(config: Given) -> Result<ConnectorFile, String> {
    Ok(ConnectorFile {
        name: config.get("name").ok_or_else(no_name)?.to_owned(),
        config,
        initial_state: TargetState::Started,
    })
}

fn no_name() -> String {
    "it is missing the mandatory 'name' configuration".to_owned()
}

/// `initial_state` of a request.
pub fn initial_state(word: &str) -> Result<TargetState, String> {
    match word.to_ascii_uppercase().as_str() {
        "RUNNING" => Ok(TargetState::Started),
        "PAUSED" => Ok(TargetState::Paused),
        "STOPPED" => Ok(TargetState::Stopped),
        _ => Err(format!(
            "initial_state is {word}, it must be one of RUNNING, PAUSED, STOPPED"
        )),
    }
}

/// The members of a JSON object in order, values as they are written.
struct Members(Vec<(String, Box<RawValue>)>);

impl Members {
    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(own, _)| own == name)
            .map(|(_, raw)| raw.get())
    }

    /// A configuration: text, numbers and booleans are text, null stays null.
    fn scalars(self) -> Result<Given, String> {
        self.0
            .into_iter()
            .map(|(name, raw)| {
                let value = scalar(&name, raw.get())?;
                Ok((name, value))
            })
            .collect()
    }
}

/// Numbers keep the digits they were written with.
fn scalar(name: &str, raw: &str) -> Result<Option<String>, String> {
    match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw)
            .map(Some)
            .map_err(|error| format!("{name}: {error}")),
        Some(b'{' | b'[') => Err(format!("the value of {name} must be text, a number or a boolean")),
        Some(b'n') | None => Ok(None),
        Some(_) => Ok(Some(raw.to_owned())),
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object with the connector's configuration")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                    if members.len() > properties::MAX_ENTRIES {
                        return Err(serde::de::Error::custom("too many members"));
                    }
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &[(&str, Option<&str>)]) -> ConnectorFile {
        let file = parse(text.as_bytes(), "c").unwrap();
        let config: Vec<_> = file.config.iter().collect();
        assert_eq!(config, expected);
        file
    }

    #[test]
    fn properties_and_flat_json_are_the_same() {
        let expected = [("name", Some("c")), ("tasks.max", Some("1"))];
        check("name=c\ntasks.max=1\n", &expected);
        check(r#" {"name": "c", "tasks.max": 1}"#, &expected);
    }

    #[test]
    fn scalars_become_text_and_null_stays() {
        check(
            r#"{"name":"c","a":1.50,"b":true,"d":null,"e":1e3}"#,
            &[
                ("name", Some("c")),
                ("a", Some("1.50")),
                ("b", Some("true")),
                ("d", None),
                ("e", Some("1e3")),
            ],
        );
    }

    #[test]
    fn a_request_has_name_and_state_outside() {
        let text = r#"{"name":"c","config":{"a":"b"},"initial_state":"PAUSED","more":[{}]}"#;
        let file = check(text, &[("a", Some("b")), ("name", Some("c"))]);
        assert_eq!((file.name.as_str(), file.initial_state), ("c", TargetState::Paused));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, part) in [
            ("a=b", "'name'"),
            ("{}", "'name'"),
            ("{\"name\":\"c\",\"a\":{}}", "value of a"),
            ("{\"name\":\"c\",", "EOF"),
            (r#"{"name":"c","config":{"name":"d"}}"#, "outside"),
            (r#"{"name":"c","config":{},"initial_state":"gone"}"#, "RUNNING"),
        ] {
            let error = parse(text.as_bytes(), "connector.txt").unwrap_err().to_string();
            assert!(
                error.contains(part) && error.contains("connector.txt"),
                "{text}: {error}"
            );
        }
        let deep = format!("{{\"name\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(parse(deep.as_bytes(), "deep.json").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes, "c.json");
            let _ = parse(&bytes, "c.properties");
        }

        #[test]
        fn no_likely_json_panics(text in "[\\[\\]{}\",:a-c0-9\\\\ nulltrue]{0,120}") {
            let _ = parse(format!("{{{text}").as_bytes(), "c");
        }

        #[test]
        fn any_flat_object_comes_back(pairs in proptest::collection::btree_map(".{0,12}", ".{0,12}", 0..8)) {
            let mut object = serde_json::Map::new();
            object.insert("name".into(), "c".into());
            object.extend(pairs.iter().filter(|(name, _)| *name != "name" && *name != "config").map(|(n, v)| (n.clone(), v.clone().into())));
            let text = serde_json::Value::Object(object.clone()).to_string();
            let file = parse(text.as_bytes(), "c").unwrap();
            for (name, value) in &object {
                prop_assert_eq!(file.config.get(name), value.as_str());
            }
        }
    }
}
