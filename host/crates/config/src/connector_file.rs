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

/// Connectors of one file.
const MAX_CONNECTORS: usize = 10_000;

/// Reads the bytes of a file with one connector; `file` is its name for error texts.
pub fn parse(bytes: &[u8], file: &str) -> Result<ConnectorFile, Error> {
    parse_named(bytes, file, None)
}

/// Reads a file that may also be a JSON array of several connectors. `name` is for a configuration that has none.
pub fn parse_all(bytes: &[u8], file: &str, name: Option<&str>) -> Result<Vec<ConnectorFile>, Error> {
    if first(bytes) != Some(b'[') {
        return Ok(vec![parse_named(bytes, file, name)?]);
    }
    check_size(bytes, file)?;
    let fail = |reason: String| Error::ConnectorFile {
        file: file.to_owned(),
        reason,
    };
    let elements: Vec<&RawValue> = serde_json::from_slice(bytes).map_err(|error| fail(error.to_string()))?;
    if elements.len() > MAX_CONNECTORS {
        return Err(Error::TooLarge {
            file: file.to_owned(),
            what: "connectors",
            limit: MAX_CONNECTORS,
        });
    }
    let read = |(index, raw): (usize, &&RawValue)| {
        parse_json(raw.get().as_bytes(), name).map_err(|reason| fail(format!("element {index}: {reason}")))
    };
    elements.iter().enumerate().map(read).collect()
}

fn parse_named(bytes: &[u8], file: &str, name: Option<&str>) -> Result<ConnectorFile, Error> {
    check_size(bytes, file)?;
    let connector = if first(bytes) == Some(b'{') || file.to_ascii_lowercase().ends_with(".json") {
        parse_json(bytes, name)
    } else {
        flat(properties::parse(bytes, file)?, name)
    };
    connector.map_err(|reason| Error::ConnectorFile {
        file: file.to_owned(),
        reason,
    })
}

fn first(bytes: &[u8]) -> Option<u8> {
    bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

fn check_size(bytes: &[u8], file: &str) -> Result<(), Error> {
    if bytes.len() <= properties::MAX_BYTES {
        return Ok(());
    }
    Err(Error::TooLarge {
        file: file.to_owned(),
        what: "bytes",
        limit: properties::MAX_BYTES,
    })
}

/// Something with a configuration inside, or a configuration itself.
fn parse_json(bytes: &[u8], name: Option<&str>) -> Result<ConnectorFile, String> {
    let outer: Members = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let Some(config) = outer.get("config").filter(|config| config.starts_with('{')) else {
        return flat(outer.scalars()?, name);
    };
    let config: Members = serde_json::from_str(config).map_err(|error| format!("in config: {error}"))?;
    let config = config.scalars()?;
    let text = |member: &str| match outer.get(member) {
        None => Ok(None),
        Some(raw) => scalar(member, raw),
    };
    let outside = text("name")?;
    let state = text("initial_state")?.map_or(Ok(TargetState::Started), |word| initial_state(&word))?;
    Ok(ConnectorFile {
        initial_state: state,
        ..flat(config, outside.as_deref().or(name))?
    })
}

/// A configuration, and a name from outside of it.
fn flat(mut config: Given, outside: Option<&str>) -> Result<ConnectorFile, String> {
    let inside = config.get("name");
    if let (Some(outside), Some(inside)) = (outside, inside)
        && outside != inside
    {
        return Err(format!("the name is {outside} outside and {inside} inside config"));
    }
    let name = outside.or(inside).ok_or_else(no_name)?.to_owned();
    config.set("name", Some(name.clone()));
    Ok(ConnectorFile {
        name,
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
    fn a_file_may_hold_several_and_a_name_may_come_from_outside() {
        let text = br#"[{"name":"a","config":{"k":1}}, {"name":"b"}]"#;
        let names: Vec<String> = parse_all(text, "c", None)
            .unwrap()
            .into_iter()
            .map(|file| file.name)
            .collect();
        assert_eq!(names, ["a", "b"]);
        for text in [
            "k=v",
            r#"{"k":"v"}"#,
            r#"{"config":{"k":"v"}}"#,
            r#"{"name":"n","k":"v"}"#,
        ] {
            let files = parse_all(text.as_bytes(), "c", Some("n")).unwrap();
            let config = &files[0].config;
            assert_eq!(
                (files[0].name.as_str(), config.get("name"), config.get("k")),
                ("n", Some("n"), Some("v"))
            );
        }
        for (text, name) in [
            ("[{}]", None),
            ("[1]", None),
            ("[{\"name\":\"a\"}", None),
            ("name=m", Some("n")),
            (r#"[{"name":"m"}]"#, Some("n")),
        ] {
            assert!(parse_all(text.as_bytes(), "c", name).is_err(), "{text}");
        }
        assert_eq!(parse_all(b"[]", "c", None).unwrap(), []);
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
            let _ = parse_all(&bytes, "c", Some("n"));
        }

        #[test]
        fn no_likely_json_panics(text in "[\\[\\]{}\",:a-c0-9\\\\ nulltrue]{0,120}") {
            let _ = parse(format!("{{{text}").as_bytes(), "c");
            let _ = parse_all(format!("[{{{text}").as_bytes(), "c", None);
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
