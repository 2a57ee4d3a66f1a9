//! `java.util.regex`: expressions as Java reads them, run by an engine with look-around and back references.
//!
//! An expression is parsed as Java parses it, with Java's messages, and written anew for the engine, in which nothing
//! depends on how the two differ. What the engine cannot do is refused by name.

mod class;
mod node;
mod parse;
mod property;
mod replacement;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;

use fancy_regex::RegexBuilder;

pub use replacement::{ReplaceError, Replacement};

/// An expression that is compared with short texts, such as topics.
#[derive(Debug)]
pub struct JavaRegex {
    /// Matches the whole of a text.
    whole: fancy_regex::Regex,
    /// Finds the first match anywhere.
    anywhere: fancy_regex::Regex,
    groups: usize,
    names: BTreeMap<String, usize>,
}

/// Steps back after which an expression is given up: a hostile one would otherwise take forever.
const BACKTRACK_LIMIT: usize = 1_000_000;
/// Bytes that a compiled expression may take.
const SIZE_LIMIT: usize = 10 << 20;

/// Why an expression is none. The text is that of `PatternSyntaxException`, or says what is not supported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegexError(String);

impl std::fmt::Display for RegexError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RegexError {}

/// An expression that was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManySteps;

impl std::fmt::Display for TooManySteps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the regular expression was given up after {BACKTRACK_LIMIT} steps back"
        )
    }
}

impl JavaRegex {
    pub fn new(pattern: &str) -> Result<Self, RegexError> {
        let parsed = parse::parse(pattern)?;
        let written = write::write(&parsed.node)?;
        let build = |text: &str| {
            RegexBuilder::new(text)
                .backtrack_limit(BACKTRACK_LIMIT)
                .delegate_size_limit(SIZE_LIMIT)
                .build()
                .map_err(|error| RegexError(format!("{pattern} is not supported: {error}")))
        };
        Ok(JavaRegex {
            whole: build(&format!(r"\A(?:{written})\z"))?,
            anywhere: build(&written)?,
            groups: parsed.groups,
            names: parsed.names,
        })
    }

    /// Whether the whole text matches (`Matcher.matches`).
    pub fn matches(&self, text: &str) -> Result<bool, TooManySteps> {
        self.whole.is_match(text).map_err(|_| TooManySteps)
    }
}
