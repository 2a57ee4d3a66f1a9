//! Which tables and columns are meant: regular expressions as Debezium reads them, matching whole names, whatever the case.

use regex::{Regex, RegexBuilder};

use crate::error::{Error, Result};

/// Memory of one compiled expression.
const REGEX_BYTES: usize = 4 << 20;

/// A list of expressions.
#[derive(Clone, Debug, Default)]
pub struct Patterns(Vec<Regex>);

impl Patterns {
    /// Separated by commas; a comma that belongs to an expression has a backslash before it.
    pub fn parse(key: &str, text: &str) -> Result<Self> {
        split(text, ',')
            .iter()
            .map(|pattern| compile(key, pattern))
            .collect::<Result<_>>()
            .map(Patterns)
    }

    pub fn matches(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern.is_match(name))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The place of the first expression that matches.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|pattern| pattern.is_match(name))
    }
}

/// One expression that has to match a whole name.
pub fn compile(key: &str, pattern: &str) -> Result<Regex> {
    RegexBuilder::new(&format!("^(?:{pattern})$"))
        .case_insensitive(true)
        .size_limit(REGEX_BYTES)
        .build()
        .map_err(|error| {
            let reason = error.to_string();
            let reason = reason
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ")
                .to_owned();
            Error::config(format!(
                "The '{key}' value is invalid: A comma-separated list of valid regular expressions is expected, but \
                 {pattern} is none: {reason}"
            ))
        })
}

/// The items of a list, trimmed, without the empty ones; a backslash takes a separator's meaning away.
pub fn split(text: &str, separator: char) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let item = items.last_mut().expect("there is one from the beginning");
        if c == '\\' && chars.peek() == Some(&separator) {
            item.push(separator);
            chars.next();
        } else if c == separator {
            items.push(String::new());
        } else {
            item.push(c);
        }
    }
    items
        .into_iter()
        .map(|item| item.trim().to_owned())
        .filter(|item| !item.is_empty())
        .collect()
}

/// Names that are in, or those that are not out.
#[derive(Clone, Debug)]
pub enum Selection {
    All,
    Include(Patterns),
    Exclude(Patterns),
}

impl Selection {
    pub fn parse(include: (&str, Option<&str>), exclude: (&str, Option<&str>)) -> Result<Self> {
        let filled = |text: Option<&'_ str>| text.map(str::to_owned).filter(|text| !text.trim().is_empty());
        match (filled(include.1), filled(exclude.1)) {
            (Some(_), Some(_)) => Err(Error::config(format!(
                "The '{}' value is invalid: \"{}\" is already specified",
                exclude.0, include.0
            ))),
            (Some(text), None) => Patterns::parse(include.0, &text).map(Selection::Include),
            (None, Some(text)) => Patterns::parse(exclude.0, &text).map(Selection::Exclude),
            (None, None) => Ok(Selection::All),
        }
    }

    pub fn takes(&self, name: &str) -> bool {
        match self {
            Selection::All => true,
            Selection::Include(patterns) => patterns.matches(name),
            Selection::Exclude(patterns) => !patterns.matches(name),
        }
    }
}

/// The tables that are captured.
#[derive(Clone, Debug)]
pub struct Tables {
    pub schemas: Selection,
    pub tables: Selection,
    /// `signal.data.collection`: captured whatever the lists say.
    pub signal: Option<String>,
    pub builtin: Builtin,
}

/// What becomes of the catalogue's own tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Builtin {
    Ignored,
    Captured,
}

impl Tables {
    /// The place of a table in `table.include.list`, by which snapshots are ordered.
    pub fn position(&self, table: &str) -> usize {
        match &self.tables {
            Selection::Include(patterns) => patterns.position(table).unwrap_or(usize::MAX),
            Selection::All | Selection::Exclude(_) => 0,
        }
    }

    pub fn takes(&self, schema: &str, table: &str) -> bool {
        let name = format!("{schema}.{table}");
        if self.signal.as_deref() == Some(name.as_str()) {
            return true;
        }
        let own = matches!(schema, "pg_catalog" | "information_schema" | "pg_toast") || schema.starts_with("pg_temp");
        if own && self.builtin == Builtin::Ignored {
            return false;
        }
        self.schemas.takes(schema) && self.tables.takes(&name)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn expressions_match_whole_names_whatever_the_case() {
        let patterns = Patterns::parse("k", "public.customers, other\\.(a|b)").unwrap();
        assert!(patterns.matches("PUBLIC.Customers"));
        assert!(patterns.matches("other.b"));
        assert!(!patterns.matches("public.customers2"));
        assert!(!patterns.matches("x.public.customers"));
        assert_eq!(patterns.position("other.a"), Some(1));
    }

    #[test]
    fn commas_in_expressions_are_escaped() {
        assert_eq!(split(r"a{1\,2}, b,,c ", ','), ["a{1,2}", "b", "c"]);
        assert!(split("", ',').is_empty());
    }

    #[test]
    fn what_is_no_expression_is_named() {
        let error = Patterns::parse("table.include.list", "a(").unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("The 'table.include.list' value is invalid: A comma-separated list of valid regular"),
            "{error}"
        );
    }

    #[test]
    fn tables_are_chosen_by_both_lists() {
        let tables = Tables {
            schemas: Selection::parse(("i", None), ("e", Some("secret"))).unwrap(),
            tables: Selection::parse(("i", Some("public\\..*")), ("e", None)).unwrap(),
            signal: Some("ops.signal".into()),
            builtin: Builtin::Ignored,
        };
        assert!(tables.takes("public", "t"));
        assert!(!tables.takes("secret", "t"));
        assert!(!tables.takes("other", "t"));
        assert!(tables.takes("ops", "signal"));
        assert!(!tables.takes("pg_catalog", "pg_class"));
        assert!(Selection::parse(("i", Some("a")), ("e", Some("b"))).is_err());
    }
}
