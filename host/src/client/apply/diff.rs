//! What two configurations differ in.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::client::screen::line;

/// Keys and values; a value may be null.
pub type Config = BTreeMap<String, Option<String>>;

/// In place of a value that is nobody's business.
const HIDDEN: &str = "[hidden]";

/// A key whose value is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub key: String,
    pub edit: Edit,
    /// Its values are not shown.
    pub secret: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    Added(Option<String>),
    Removed(Option<String>),
    Changed { from: Option<String>, to: Option<String> },
}

/// By key.
pub fn diff(stored: &Config, wanted: &Config, is_secret: impl Fn(&str) -> bool) -> Vec<Change> {
    let mut keys: Vec<&String> = stored.keys().chain(wanted.keys()).collect();
    keys.sort();
    keys.dedup();
    let change = |key: &String| {
        let edit = match (stored.get(key), wanted.get(key)) {
            (Some(from), Some(to)) if from == to => return None,
            (Some(from), Some(to)) => Edit::Changed {
                from: from.clone(),
                to: to.clone(),
            },
            (None, Some(to)) => Edit::Added(to.clone()),
            (Some(from), None) => Edit::Removed(from.clone()),
            (None, None) => return None,
        };
        Some(Change {
            key: key.clone(),
            edit,
            secret: is_secret(key),
        })
    };
    keys.into_iter().filter_map(change).collect()
}

impl Change {
    /// One line.
    pub fn render(&self) -> String {
        let (sign, values) = match &self.edit {
            Edit::Added(to) => ('+', self.shown(to)),
            Edit::Removed(from) => ('-', self.shown(from)),
            Edit::Changed { from, to } => ('~', format!("{} -> {}", self.shown(from), self.shown(to))),
        };
        format!("{sign} {}: {values}", line(&self.key))
    }

    pub fn to_json(&self) -> Value {
        let value = |value: &Option<String>| match value {
            Some(_) if self.secret => Value::from(HIDDEN),
            value => Value::from(value.clone()),
        };
        match &self.edit {
            Edit::Added(to) => json!({"key": self.key, "edit": "added", "to": value(to)}),
            Edit::Removed(from) => json!({"key": self.key, "edit": "removed", "from": value(from)}),
            Edit::Changed { from, to } => {
                json!({"key": self.key, "edit": "changed", "from": value(from), "to": value(to)})
            }
        }
    }

    fn shown(&self, value: &Option<String>) -> String {
        match value {
            None => "null".to_owned(),
            Some(_) if self.secret => HIDDEN.to_owned(),
            Some(text) if text.is_empty() => "\"\"".to_owned(),
            Some(text) => line(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(entries: &[(&str, &str)]) -> Config {
        let entry = |(key, value): &(&str, &str)| {
            let value = (*value != "null").then(|| (*value).to_owned());
            ((*key).to_owned(), value)
        };
        entries.iter().map(entry).collect()
    }

    fn check(stored: &[(&str, &str)], wanted: &[(&str, &str)], expected: &[&str]) {
        let changes = diff(&config(stored), &config(wanted), |key| key.ends_with("password"));
        let lines: Vec<String> = changes.iter().map(Change::render).collect();
        assert_eq!(lines, expected);
        let json: Vec<String> = changes.iter().map(|change| change.to_json().to_string()).collect();
        assert!(!json.concat().contains("secret"), "{json:?}");
    }

    #[test]
    fn keys_are_added_removed_and_changed_and_what_is_the_same_is_not_told() {
        check(
            &[("a", "1"), ("b", "2"), ("same", "x"), ("z", "null")],
            &[("b", "3"), ("c", ""), ("same", "x"), ("z", "null")],
            &["- a: 1", "~ b: 2 -> 3", "+ c: \"\""],
        );
        check(&[("a", "1")], &[("a", "1")], &[]);
        check(&[("a", "null")], &[("a", "1\n2")], &["~ a: null -> 1\\n2"]);
    }

    #[test]
    fn secrets_are_told_to_change_and_not_shown() {
        check(
            &[
                ("a.password", "secret1"),
                ("b.password", "secret2"),
                ("d.password", "secret"),
            ],
            &[
                ("a.password", "secret3"),
                ("c.password", "secret4"),
                ("d.password", "null"),
            ],
            &[
                "~ a.password: [hidden] -> [hidden]",
                "- b.password: [hidden]",
                "+ c.password: [hidden]",
                "~ d.password: [hidden] -> null",
            ],
        );
    }
}
