//! The configuration keys of the connector, one table in three parts. Names, types, defaults and order are Debezium's.

use caisson_sdk::api::config::{Importance, Key, Type, Width};

mod connector;
mod events;
mod postgres;

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub name: &'static str,
    kind: Type,
    default: Option<&'static str>,
    importance: Importance,
    width: Width,
    display: &'static str,
    documentation: &'static str,
    /// What a form may offer.
    pub choices: &'static [&'static str],
}

const fn row(
    name: &'static str,
    kind: Type,
    default: Option<&'static str>,
    importance: Importance,
    width: Width,
    display: &'static str,
    documentation: &'static str,
) -> Row {
    Row {
        name,
        kind,
        default,
        importance,
        width,
        display,
        documentation,
        choices: &[],
    }
}

impl Row {
    const fn choices(mut self, choices: &'static [&'static str]) -> Self {
        self.choices = choices;
        self
    }
}

/// All rows with their group and their place in it.
pub fn rows() -> impl Iterator<Item = (&'static str, i32, &'static Row)> {
    let groups: [(&str, &'static [Row]); 3] = [
        ("Postgres", &postgres::ROWS),
        ("Connector", &connector::ROWS),
        ("Events", &events::ROWS),
    ];
    groups.into_iter().flat_map(|(group, rows)| {
        rows.iter()
            .zip(ORDER_FROM..)
            .map(move |(row, order)| (group, order, row))
    })
}

/// Places in a group are counted from here.
const ORDER_FROM: i32 = 1;

/// The definitions for the manifest.
pub fn definitions() -> impl Iterator<Item = Key> {
    rows().map(|(group, order, row)| {
        let key = Key::new(row.name, row.kind)
            .importance(row.importance)
            .documentation(row.documentation)
            .group(group, order)
            .width(row.width)
            .display(row.display);
        let key = match row.name {
            "schema.include.list" => key.dependents(["table.include.list"]),
            _ => key,
        };
        match row.default {
            Some(default) => key.default(default),
            None => key.optional(),
        }
    })
}
