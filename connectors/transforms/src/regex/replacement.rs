//! Replacements with references to groups (`Matcher.replaceFirst`).

use super::{JavaRegex, TooManySteps};

/// What stands in the place of a match. Mistakes in it are found when it is used, as Java finds them.
#[derive(Debug)]
pub struct Replacement {
    text: Vec<char>,
}

/// Why nothing was replaced: the class of Java's exception and its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplaceError {
    Argument(String),
    NoGroup(usize),
    TooManySteps,
}

impl From<TooManySteps> for ReplaceError {
    fn from(_: TooManySteps) -> Self {
        ReplaceError::TooManySteps
    }
}

impl Replacement {
    pub fn new(text: &str) -> Self {
        Replacement {
            text: text.chars().collect(),
        }
    }

    /// The text with its first match replaced.
    pub fn replace_first(&self, regex: &JavaRegex, text: &str) -> Result<String, ReplaceError> {
        let Ok(found) = regex.anywhere.captures(text) else {
            return Err(ReplaceError::TooManySteps);
        };
        let Some(captures) = found else {
            return Ok(text.to_owned());
        };
        let Some(all) = captures.get(0) else {
            return Ok(text.to_owned());
        };
        let mut out = text[..all.start()].to_owned();
        let group = |number: usize| captures.get(number).map_or("", |group| group.as_str());
        self.expand(regex, group, &mut out)?;
        out.push_str(&text[all.end()..]);
        Ok(out)
    }

    fn expand<'t>(
        &self,
        regex: &JavaRegex,
        group: impl Fn(usize) -> &'t str,
        out: &mut String,
    ) -> Result<(), ReplaceError> {
        let mut rest = self.text.as_slice();
        while let [first, after @ ..] = rest {
            rest = match first {
                '\\' => {
                    let [escaped, after @ ..] = after else {
                        return Err(argument("character to be escaped is missing"));
                    };
                    out.push(*escaped);
                    after
                }
                '$' => {
                    let (number, after) = reference(regex, after)?;
                    out.push_str(group(number));
                    after
                }
                plain => {
                    out.push(*plain);
                    after
                }
            };
        }
        Ok(())
    }
}

/// The group that is named behind a `$`, and what comes after.
fn reference<'t>(regex: &JavaRegex, text: &'t [char]) -> Result<(usize, &'t [char]), ReplaceError> {
    match text {
        [] => Err(argument("Illegal group reference: group index is missing")),
        ['{', after @ ..] => named(regex, after),
        [digit, after @ ..] if digit.is_ascii_digit() => {
            let mut number = *digit as usize - '0' as usize;
            if number > regex.groups {
                return Err(ReplaceError::NoGroup(number));
            }
            let mut after = after;
            // More digits belong to it as long as there is such a group.
            while let [digit, next @ ..] = after
                && let Some(digit) = digit.to_digit(10)
                && number * 10 + digit as usize <= regex.groups
            {
                number = number * 10 + digit as usize;
                after = next;
            }
            Ok((number, after))
        }
        [..] => Err(argument("Illegal group reference")),
    }
}

fn named<'t>(regex: &JavaRegex, text: &'t [char]) -> Result<(usize, &'t [char]), ReplaceError> {
    let length = text.iter().take_while(|c| c.is_ascii_alphanumeric()).count();
    let name: String = text[..length].iter().collect();
    if name.is_empty() {
        return Err(argument("named capturing group has 0 length name"));
    }
    if text.get(length) != Some(&'}') {
        return Err(argument("named capturing group is missing trailing '}'"));
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(argument(&format!(
            "capturing group name {{{name}}} starts with digit character"
        )));
    }
    match regex.names.get(&name) {
        Some(number) => Ok((*number, &text[length + 1..])),
        None => Err(argument(&format!("No group with name {{{name}}}"))),
    }
}

fn argument(message: &str) -> ReplaceError {
    ReplaceError::Argument(message.to_owned())
}
