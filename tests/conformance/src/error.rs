//! Errors: what is expected and what was thrown.

use serde_json::Value as Json;

use crate::report::Outcome;

/// An error as an implementation gives it: class and message, then its causes, outermost first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thrown {
    pub phase: Option<&'static str>,
    pub chain: Vec<(String, String)>,
}

impl From<&caisson_convert::ConvertError> for Thrown {
    fn from(error: &caisson_convert::ConvertError) -> Self {
        let link = |error: &caisson_convert::ConvertError| (error.class.name().to_owned(), error.message.clone());
        let chain = std::iter::once(link(error)).chain(error.causes().map(link)).collect();
        Thrown { phase: None, chain }
    }
}

impl Thrown {
    /// An error of a plugin, in a phase of its life.
    pub fn by_plugin(phase: &'static str, error: &caisson_api::Error) -> Self {
        let cause = |cause: &caisson_api::Cause| {
            let message = cause.message.clone().unwrap_or_default();
            (cause.class.clone().into_owned(), message)
        };
        let outer = (error.class().to_owned(), error.message.clone());
        Thrown {
            phase: Some(phase),
            chain: std::iter::once(outer).chain(error.causes().iter().map(cause)).collect(),
        }
    }
}

/// What a vector expects: a result, or an error.
#[derive(Clone, Copy, Debug)]
pub enum Expected<'a> {
    Result(&'a Json),
    Error(&'a Json),
}

impl<'a> Expected<'a> {
    pub fn of(expect: &'a Json) -> Self {
        match expect.get("error") {
            Some(error) => Expected::Error(error),
            None => Expected::Result(expect),
        }
    }
}

/// Compares class and message of Kafka's own exceptions, in their order; of others there has to be an error.
pub fn check_error(expected: &Json, thrown: &Thrown) -> Outcome {
    let phase = expected["phase"].as_str();
    if let (Some(expected), Some(thrown)) = (phase, thrown.phase)
        && (expected == "configure") != (thrown == "configure")
    {
        return Outcome::Failed(format!("an error in phase {thrown} in the place of {expected}"));
    }
    let text = |json: &Json, name: &str| json[name].as_str().unwrap_or_default().to_owned();
    let link = |json: &Json| (text(json, "class"), text(json, "message"));
    if !is_kafka(&text(expected, "class")) {
        return Outcome::Passed;
    }
    let causes = expected["causes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let wanted: Vec<_> = std::iter::once(link(expected)).chain(causes.iter().map(link)).collect();
    let wanted: Vec<_> = wanted.iter().filter(|(class, _)| is_kafka(class)).collect();
    let given: Vec<_> = thrown.chain.iter().filter(|(class, _)| is_kafka(class)).collect();
    let same = wanted.len() == given.len()
        && wanted
            .iter()
            .zip(&given)
            .all(|(a, b)| a.0 == b.0 && matches(&a.1, &b.1));
    if same {
        Outcome::Passed
    } else {
        Outcome::Failed(format!("expected {wanted:?}, got {given:?}"))
    }
}

fn is_kafka(class: &str) -> bool {
    class.starts_with("org.apache.kafka.")
}

/// Messages that repeat another library's are free.
fn matches(expected: &str, given: &str) -> bool {
    expected.starts_with("com.fasterxml.") || expected.starts_with("java.") || same_text(expected, given)
}

/// The same text, but for the identity of objects, which is nobody's business.
pub fn same_text(expected: &str, given: &str) -> bool {
    const IDENTITY: &str = "@IDENTITY";
    let mut rest = given;
    let mut parts = expected.split(IDENTITY);
    let Some(after_first) = parts.next().and_then(|first| rest.strip_prefix(first)) else {
        return false;
    };
    rest = after_first;
    for part in parts {
        let identity = rest
            .strip_prefix('@')
            .map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
        let Some(after) = identity.and_then(|rest| rest.strip_prefix(part)) else {
            return false;
        };
        rest = after;
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_matches_any_other() {
        assert!(matches("convert [B@IDENTITY (class [B)", "convert [B@1f2e (class [B)"));
        assert!(!matches("convert [B@IDENTITY (class [B)", "convert [B (class [B)"));
        assert!(matches("same", "same") && !matches("same", "other"));
    }
}
