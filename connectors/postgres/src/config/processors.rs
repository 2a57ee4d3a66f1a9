//! `post.processors`: what is done to records before they are given out.

use super::filters::{Selection, split};
use super::reader::Reader;
use crate::error::{Error, Result};

/// Selects columns again that have no value in the stream.
#[derive(Clone, Debug)]
pub struct Reselect {
    /// By `schema.table:column`.
    pub columns: Selection,
    /// Those that the server has not sent.
    pub unavailable: bool,
    /// Those that are null.
    pub nulls: bool,
    /// Rows are found by the key of the record instead of that of the table.
    pub by_event_key: bool,
    pub on_failure: ReselectFailure,
}

/// `reselect.error.handling.mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReselectFailure {
    Warn,
    Fail,
}

const KEY: &str = "post.processors";
const CLASS: &str = "io.debezium.processors.reselect.ReselectColumnsPostProcessor";

pub fn read(reader: &Reader<'_>) -> Result<Vec<Reselect>> {
    split(reader.text(KEY).unwrap_or_default(), ',')
        .iter()
        .map(|name| processor(reader, name))
        .collect()
}

fn processor(reader: &Reader<'_>, name: &str) -> Result<Reselect> {
    let given = |key: &str| {
        let value = reader.settings.given(&format!("{name}.{key}"));
        value.map(str::trim).filter(|value| !value.is_empty())
    };
    match given("type") {
        Some(CLASS) => {}
        Some(other) => {
            return Err(Error::config(format!(
                "The '{KEY}' value is invalid: {name} is of {other}, which is not supported; use {CLASS}"
            )));
        }
        None => {
            return Err(Error::config(format!(
                "The '{KEY}' value is invalid: {name} has no type; set {name}.type"
            )));
        }
    }
    let flag = |key: &str, default: bool| match given(key) {
        None => Ok(default),
        Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        Some(text) => Err(wrong(name, key, text, "true or false")),
    };
    let (include, exclude) = ("reselect.columns.include.list", "reselect.columns.exclude.list");
    let mode = "reselect.error.handling.mode";
    Ok(Reselect {
        columns: match given(include) {
            Some(list) => Selection::parse((include, Some(list)), (exclude, None))?,
            None => Selection::parse((include, None), (exclude, given(exclude)))?,
        },
        unavailable: flag("reselect.unavailable.values", true)?,
        nulls: flag("reselect.null.values", true)?,
        by_event_key: flag("reselect.use.event.key", false)?,
        on_failure: match given(mode).map(str::to_ascii_lowercase).as_deref() {
            None | Some("warn") => ReselectFailure::Warn,
            Some("fail") => ReselectFailure::Fail,
            Some(other) => return Err(wrong(name, mode, other, "warn or fail")),
        },
    })
}

fn wrong(name: &str, key: &str, value: &str, expected: &str) -> Error {
    Error::config(format!(
        "The '{KEY}' value is invalid: {name}.{key} is {value}, and has to be {expected}"
    ))
}
