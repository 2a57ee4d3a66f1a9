//! Signals: rows that a person, or the connector itself, inserts into the table of `signal.data.collection`.

use std::collections::HashMap;

use caisson_sdk::serde_json::{self, Value as Json};

use crate::catalog::{TableInfo, TableName};
use crate::config::filters::{self, split};

/// What a row of the table asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    Execute(Execute),
    /// A snapshot for which the stream stops until it is complete; its filters are whole statements.
    Block(Execute),
    /// Of these tables, or of all.
    Stop(Option<Vec<String>>),
    Pause,
    Resume,
    Log(String),
    /// This connector's own marks in the stream, with their ids.
    WindowOpen(String),
    WindowClose(String),
}

/// A snapshot to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Execute {
    /// That of the signal.
    pub id: String,
    /// Regular expressions of tables.
    pub tables: Vec<String>,
    /// Conditions on rows, each with the expression of its tables; `None`: all.
    pub filters: Vec<(Option<String>, String)>,
    /// A column to go by instead of the key.
    pub surrogate: Option<String>,
}

/// Longer data are none of ours.
const MOST_BYTES: usize = 1 << 20;

impl Signal {
    /// Reads a row of the table; an error says what is wrong with it.
    pub fn parse(id: &str, kind: &str, data: Option<&str>) -> Result<Self, String> {
        match kind {
            "snapshot-window-open" => return Ok(Signal::WindowOpen(id.to_owned())),
            "snapshot-window-close" => return Ok(Signal::WindowClose(id.to_owned())),
            _ => {}
        }
        let text = data.map(str::trim).filter(|text| !text.is_empty()).unwrap_or("{}");
        if text.len() > MOST_BYTES {
            return Err(format!("its data are longer than {MOST_BYTES} bytes"));
        }
        let data: Json = serde_json::from_str(text).map_err(|error| format!("its data are no JSON: {error}"))?;
        match kind {
            "execute-snapshot" if is_blocking(&data) => execute(id, &data).map(Signal::Block),
            "execute-snapshot" => {
                incremental(&data)?;
                execute(id, &data).map(Signal::Execute)
            }
            "stop-snapshot" => {
                incremental(&data)?;
                Ok(Signal::Stop(texts(data.get("data-collections"))))
            }
            "pause-snapshot" => incremental(&data).map(|()| Signal::Pause),
            "resume-snapshot" => incremental(&data).map(|()| Signal::Resume),
            "log" => match data.get("message").and_then(Json::as_str) {
                Some(message) => Ok(Signal::Log(message.to_owned())),
                None => Err("its data have no message".into()),
            },
            other => Err(format!("its type {other} is not supported")),
        }
    }
}

impl Execute {
    /// The tables that it means among the known ones, expression by expression, each with its filter.
    pub fn tables(&self, known: &HashMap<TableName, TableInfo>) -> Vec<(TableName, Option<String>)> {
        let mut found: Vec<(TableName, Option<String>)> = Vec::new();
        for pattern in &self.tables {
            let Ok(regex) = filters::compile("data-collections", pattern) else {
                caisson_sdk::warn!("a signal names tables by what is no regular expression"; expression = pattern);
                continue;
            };
            let mut tables: Vec<&TableName> = known.keys().filter(|name| regex.is_match(&name.to_string())).collect();
            tables.sort();
            // One that is not known is found out when its turn comes: marks stand around its place all the same.
            let unknown = pattern.split_once('.').map(|(schema, table)| TableName {
                schema: schema.to_owned(),
                table: table.to_owned(),
            });
            if tables.is_empty() {
                caisson_sdk::warn!("a signal asks for a snapshot of tables that are not captured"; tables = pattern);
                tables.extend(&unknown);
            }
            for table in tables {
                if !found.iter().any(|(other, _)| other == table) {
                    found.push((table.clone(), self.filter(table)));
                }
            }
        }
        found
    }

    fn filter(&self, table: &TableName) -> Option<String> {
        let applies = |(of, _): &&(Option<String>, String)| match of {
            None => true,
            Some(of) => filters::compile("filter", of).is_ok_and(|of| of.is_match(&table.to_string())),
        };
        self.filters.iter().find(applies).map(|(_, filter)| filter.clone())
    }
}

fn execute(id: &str, data: &Json) -> Result<Execute, String> {
    let Some(tables) = texts(data.get("data-collections")).filter(|tables| !tables.is_empty()) else {
        return Err("its data have no data-collections".into());
    };
    let text = |value: &Json, name: &str| value.get(name).and_then(Json::as_str).map(str::to_owned);
    let mut filters = Vec::new();
    for condition in data
        .get("additional-conditions")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
    {
        match (text(condition, "data-collection"), text(condition, "filter")) {
            (Some(table), Some(filter)) if !filter.trim().is_empty() => filters.push((Some(table), filter)),
            _ => return Err("each of its additional-conditions needs a data-collection and a filter".into()),
        }
    }
    // Its name before: for all tables.
    filters.extend(
        text(data, "additional-condition")
            .filter(|filter| !filter.trim().is_empty())
            .map(|filter| (None, filter)),
    );
    Ok(Execute {
        id: id.to_owned(),
        tables,
        filters,
        surrogate: text(data, "surrogate-key").filter(|column| !column.trim().is_empty()),
    })
}

fn is_blocking(data: &Json) -> bool {
    let kind = data.get("type").and_then(Json::as_str);
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case("blocking"))
}

/// Of what goes on beside the stream, whose type is this one if none is said.
fn incremental(data: &Json) -> Result<(), String> {
    match data.get("type").and_then(Json::as_str) {
        None => Ok(()),
        Some(kind) if kind.eq_ignore_ascii_case("incremental") => Ok(()),
        Some(kind) => Err(format!(
            "its snapshot has the unknown type {kind}; there are incremental and blocking ones"
        )),
    }
}

/// A list of texts; a text with commas is one, too.
fn texts(value: Option<&Json>) -> Option<Vec<String>> {
    match value? {
        Json::Array(items) => Some(
            items
                .iter()
                .filter_map(Json::as_str)
                .map(|item| item.trim().to_owned())
                .filter(|item| !item.is_empty())
                .collect(),
        ),
        Json::String(text) => Some(split(text, ',')),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_people_insert_is_read() {
        let data = r#"{"data-collections": ["public.stock"], "type": "incremental",
            "additional-conditions": [{"data-collection": "public.stock", "filter": "qty > 60"}]}"#;
        let expected = Execute {
            id: "1".into(),
            tables: vec!["public.stock".into()],
            filters: vec![(Some("public.stock".into()), "qty > 60".into())],
            surrogate: None,
        };
        assert_eq!(
            Signal::parse("1", "execute-snapshot", Some(data)),
            Ok(Signal::Execute(expected))
        );
        let data = r#"{"data-collections": "public.a,public.b", "type": "BLOCKING"}"#;
        let expected = Execute {
            id: "1".into(),
            tables: vec!["public.a".into(), "public.b".into()],
            ..Execute::default()
        };
        assert_eq!(
            Signal::parse("1", "execute-snapshot", Some(data)),
            Ok(Signal::Block(expected))
        );
        assert_eq!(Signal::parse("1", "stop-snapshot", None), Ok(Signal::Stop(None)));
        assert_eq!(
            Signal::parse("1", "log", Some(r#"{"message":"m"}"#)),
            Ok(Signal::Log("m".into()))
        );
        assert_eq!(
            Signal::parse("7-open", "snapshot-window-open", None),
            Ok(Signal::WindowOpen("7-open".into()))
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (kind, data) in [
            ("execute-snapshot", None),
            ("execute-snapshot", Some("no json")),
            ("execute-snapshot", Some(r#"{"data-collections": []}"#)),
            (
                "execute-snapshot",
                Some(r#"{"data-collections": ["a"], "type": "partial"}"#),
            ),
            (
                "execute-snapshot",
                Some(r#"{"data-collections": ["a"], "additional-conditions": [1]}"#),
            ),
            ("log", Some("{}")),
            ("schema-changes", Some("{}")),
            ("", None),
        ] {
            assert!(Signal::parse("1", kind, data).is_err(), "{kind} {data:?}");
        }
    }
}
