//! What the configuration says of single columns: which are captured, how they are masked, and which make the key.

use caisson_sdk::settings::Settings;
use regex::Regex;

use super::filters::{Patterns, Selection, compile, split};
use crate::error::{Error, Result};
use crate::mask::{Algorithm, Mask, Strategy};

/// All of it.
#[derive(Clone, Debug)]
pub struct Columns {
    selection: Selection,
    masks: Vec<(Patterns, Rule)>,
    /// Tables, and the expressions of their key columns in order.
    keys: Vec<(Regex, Vec<Regex>)>,
    source_types: Patterns,
    source_datatypes: Patterns,
}

/// A mask before the length of its column is known.
#[derive(Clone, Debug)]
enum Rule {
    Asterisks(usize),
    Truncate(usize),
    Hash {
        algorithm: Algorithm,
        salt: String,
        strategy: Strategy,
    },
}

const MASK: &str = "column.mask.with.";
const TRUNCATE: &str = "column.truncate.to.";
const HASH: &str = "column.mask.hash.";

impl Columns {
    pub fn read(settings: &Settings) -> Result<Self> {
        let list = |key: &str| settings.given(key).unwrap_or_default();
        let selection = Selection::parse(
            ("column.include.list", settings.given("column.include.list")),
            ("column.exclude.list", settings.given("column.exclude.list")),
        )?;
        let mut masks = Vec::new();
        for (key, value) in &settings.config().entries {
            if let Some(rule) = rule(key)? {
                masks.push((Patterns::parse(key, value)?, rule));
            }
        }
        Ok(Columns {
            selection,
            masks,
            keys: key_columns(list("message.key.columns"))?,
            source_types: Patterns::parse("column.propagate.source.type", list("column.propagate.source.type"))?,
            source_datatypes: Patterns::parse(
                "datatype.propagate.source.type",
                list("datatype.propagate.source.type"),
            )?,
        })
    }

    /// `name` is `schema.table.column`.
    pub fn takes(&self, name: &str) -> bool {
        self.selection.takes(name)
    }

    /// How the texts of a column are hidden. Later rules win.
    pub fn mask(&self, name: &str, length: i32) -> Option<Mask> {
        let (_, rule) = self.masks.iter().rev().find(|(patterns, _)| patterns.matches(name))?;
        Some(match rule {
            Rule::Asterisks(count) => Mask::Asterisks(*count),
            Rule::Truncate(length) => Mask::Truncate(*length),
            Rule::Hash {
                algorithm,
                salt,
                strategy,
            } => Mask::Hash {
                algorithm: *algorithm,
                salt: salt.clone(),
                strategy: *strategy,
                length: usize::try_from(length).unwrap_or(usize::MAX),
            },
        })
    }

    /// The columns of a table's key, if the configuration names them; in its order.
    pub fn key_of<'c>(&self, table: &str, columns: impl Iterator<Item = &'c str> + Clone) -> Option<Vec<&'c str>> {
        let (_, wanted) = self.keys.iter().find(|(pattern, _)| pattern.is_match(table))?;
        let mut key = Vec::new();
        for pattern in wanted {
            for column in columns.clone() {
                if pattern.is_match(column) && !key.contains(&column) {
                    key.push(column);
                }
            }
        }
        Some(key)
    }

    /// Whether the schema of a column tells its type in the database.
    pub fn tells_source_type(&self, table: &str, column: &str, type_name: &str) -> bool {
        (!self.source_types.is_empty() && self.source_types.matches(&format!("{table}.{column}")))
            || (!self.source_datatypes.is_empty()
                && (self.source_datatypes.matches(&format!("{table}.{type_name}"))
                    || self.source_datatypes.matches(type_name)))
    }
}

/// The mask that a key stands for, if it is such a key.
fn rule(key: &str) -> Result<Option<Rule>> {
    let count = |text: &str| {
        text.strip_suffix(".chars")
            .and_then(|count| count.parse::<usize>().ok())
            .ok_or_else(|| Error::config(format!("{key}: a number of characters is expected before .chars")))
    };
    if let Some(rest) = key.strip_prefix(MASK) {
        return Ok(Some(Rule::Asterisks(count(rest)?)));
    }
    if let Some(rest) = key.strip_prefix(TRUNCATE) {
        return Ok(Some(Rule::Truncate(count(rest)?)));
    }
    let Some(rest) = key.strip_prefix(HASH) else {
        return Ok(None);
    };
    let (strategy, rest) = match rest.strip_prefix("v2.") {
        Some(rest) => (Strategy::Text, rest),
        None => (Strategy::Serialized, rest.strip_prefix("v1.").unwrap_or(rest)),
    };
    let (name, salt) = rest
        .split_once(".with.salt.")
        .ok_or_else(|| Error::config(format!("{key}: it has to be column.mask.hash.ALGORITHM.with.salt.SALT")))?;
    let algorithm = Algorithm::parse(name).ok_or_else(|| {
        Error::config(format!(
            "{key}: {name} is not supported; use MD5, SHA-1, SHA-256, SHA-384 or SHA-512"
        ))
    })?;
    Ok(Some(Rule::Hash {
        algorithm,
        salt: salt.to_owned(),
        strategy,
    }))
}

const KEY: &str = "message.key.columns";

fn invalid_key(entry: &str) -> Error {
    Error::config(format!(
        r"The '{KEY}' value is invalid: {entry} has an invalid format (expecting '^\s*([^:]+):([^:,]+(,[^:,]+)*)\s*$')"
    ))
}

/// `schema.table:a,b;other.*:c`.
fn key_columns(text: &str) -> Result<Vec<(Regex, Vec<Regex>)>> {
    let entry = |entry: String| {
        let (table, columns) = entry.rsplit_once(':').ok_or_else(|| invalid_key(&entry))?;
        let columns: Vec<Regex> = split(columns, ',')
            .iter()
            .map(|column| compile(KEY, column))
            .collect::<Result<_>>()?;
        if columns.is_empty() {
            return Err(invalid_key(&entry));
        }
        Ok((compile(KEY, table.trim())?, columns))
    };
    split(text, ';').into_iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn masks_are_read_from_their_keys() {
        assert!(matches!(
            rule("column.mask.with.6.chars").unwrap(),
            Some(Rule::Asterisks(6))
        ));
        assert!(matches!(
            rule("column.truncate.to.2.chars").unwrap(),
            Some(Rule::Truncate(2))
        ));
        assert!(matches!(
            rule("column.mask.hash.v2.SHA-256.with.salt.Cza.x").unwrap(),
            Some(Rule::Hash { salt, strategy: Strategy::Text, .. }) if salt == "Cza.x"
        ));
        assert!(rule("column.include.list").unwrap().is_none());
        for wrong in [
            "column.mask.with.x.chars",
            "column.truncate.to.2",
            "column.mask.hash.MD5",
            "column.mask.hash.X.with.salt.y",
        ] {
            assert!(rule(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn key_columns_have_an_order() {
        let keys = key_columns("public.t:b,a; .*\\.other:id").unwrap();
        assert_eq!(keys.len(), 2);
        assert_eq!(keys[0].1.len(), 2);
        assert!(key_columns("t").is_err());
        assert!(key_columns("t:").is_err());
    }
}
