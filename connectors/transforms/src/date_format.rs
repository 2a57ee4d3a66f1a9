//! `java.text.SimpleDateFormat`, lenient as it is by default, in US English and UTC.

mod calendar;
mod names;
mod parse;
mod pattern;
#[cfg(test)]
mod tests;
mod write;

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

pub use pattern::PatternError;

use pattern::Item;
use write::Latest;

/// A compiled pattern.
#[derive(Debug)]
pub struct DateFormat {
    pattern: String,
    items: Vec<Item>,
    /// Years of two digits are those of the hundred years that begin here, in milliseconds and as a year.
    century: (i64, i64),
    latest: RefCell<Latest>,
}

impl DateFormat {
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::at(pattern, now.as_millis() as i64)
    }

    /// For a pattern made at a time, which decides what years of two digits mean.
    pub fn at(pattern: &str, now: i64) -> Result<Self, PatternError> {
        Ok(DateFormat {
            pattern: pattern.to_owned(),
            items: pattern::compile(pattern)?,
            century: calendar::years_before(now, 80),
            latest: RefCell::default(),
        })
    }

    /// The pattern itself (`toPattern`).
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Appends the text of a moment, in milliseconds since the epoch.
    pub fn write(&self, millis: i64, out: &mut String) {
        self.latest.borrow_mut().write(&self.items, millis, out);
    }

    /// The moment that a text stands for; what is behind the part that the pattern describes does not matter.
    pub fn parse(&self, text: &str) -> Option<i64> {
        parse::parse(&self.items, self.century, text)
    }
}
