//! Java's regular expressions as configurations use them: matched against a whole name.
//!
//! What the two languages write alike means the same here. Java's look-around, back references, atomic groups and
//! possessive quantifiers are refused with the reason: matching stays linear in time, whatever a tenant writes.

use std::fmt;

use regex::{Regex, RegexBuilder};

/// Bytes of a compiled expression.
const MAX_SIZE: usize = 1 << 20;

/// A regular expression that a whole text has to match.
#[derive(Clone)]
pub struct Pattern {
    source: String,
    regex: Regex,
}

/// Why a text is no regular expression that can be used here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(String);

impl Pattern {
    pub fn new(source: &str) -> Result<Pattern, PatternError> {
        if let Some(construct) = unsupported(source) {
            return Err(PatternError(format!("{construct} not supported")));
        }
        // On its own first, as `a)(b` would be good inside the group.
        let build = |text: &str| {
            RegexBuilder::new(text)
                .size_limit(MAX_SIZE)
                .dfa_size_limit(MAX_SIZE)
                .build()
                .map_err(|error| PatternError(reason(&error)))
        };
        build(source)?;
        Ok(Pattern {
            source: source.to_owned(),
            regex: build(&format!(r"\A(?:{source})\z"))?,
        })
    }

    /// Whether all of the text matches.
    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.source
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "/{}/", self.source)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Pattern {}

/// What Java understands and this does not, by name.
fn unsupported(source: &str) -> Option<&'static str> {
    let mut characters = source.char_indices().peekable();
    let mut in_class = 0_u32;
    while let Some((index, character)) = characters.next() {
        let rest = &source[index..];
        match character {
            '\\' => match characters.next() {
                Some((_, '1'..='9')) if in_class == 0 => return Some("a back reference is"),
                Some((_, 'k')) if in_class == 0 => return Some("a named back reference is"),
                Some((_, 'G')) => return Some("the end of the previous match (\\G) is"),
                Some(_) | None => {}
            },
            '[' => in_class += 1,
            ']' => in_class = in_class.saturating_sub(1),
            '(' if in_class == 0 => {
                if ["(?=", "(?!"].iter().any(|start| rest.starts_with(start)) {
                    return Some("look-ahead is");
                }
                if ["(?<=", "(?<!"].iter().any(|start| rest.starts_with(start)) {
                    return Some("look-behind is");
                }
                if rest.starts_with("(?>") {
                    return Some("an atomic group is");
                }
            }
            '*' | '+' | '?' | '}' if in_class == 0 && rest[character.len_utf8()..].starts_with('+') => {
                return Some("a possessive quantifier is");
            }
            _ => {}
        }
    }
    None
}

/// The last line of the library's text, which is a drawing of several lines.
fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(limit) => format!("needs more than {limit} bytes when compiled"),
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_the_text_has_to_match() {
        let pattern = Pattern::new("a|b.*").unwrap();
        assert!(pattern.matches("a") && pattern.matches("bcd"));
        assert!(!pattern.matches("ab") && !pattern.matches("xa"));
    }

    #[test]
    fn what_only_java_knows_is_refused_by_name() {
        for (source, part) in [
            ("(?=a)b", "look-ahead"),
            ("(a)\\1", "back reference"),
            ("a*+", "possessive"),
        ] {
            let error = Pattern::new(source).unwrap_err().to_string();
            assert!(error.contains(part), "{source}: {error}");
        }
        assert!(Pattern::new("[*+]").is_ok());
    }

    #[test]
    fn a_broken_or_huge_expression_is_an_error() {
        for source in ["(", "a)(b", "[", "*", "(((a{1000}){1000}){1000})"] {
            assert!(Pattern::new(source).is_err(), "{source}");
        }
    }
}
