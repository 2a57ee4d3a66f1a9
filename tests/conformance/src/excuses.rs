//! Vectors that may fail, and why.
//!
//! A few inputs hold what no value of this data model can be. What comes of them is excused where it differs, and only
//! there. Anything else has to be in the list, one by one, with its reason.

use serde_json::Value as Json;

use crate::report::Outcome;

/// By id: what this project does otherwise on purpose. A vector that passes must not be in it.
const EXCUSES: &[(&str, &str)] = &[("chain/config/3", JAVA_CLASS)];

/// A class of the Java library is unknown here like any other class that nobody has.
const JAVA_CLASS: &str = "java.lang.String is no class of this world, so it cannot be one of the wrong kind";

/// Tags of the notation that have no type of their own here.
const FOREIGN: &[(&str, &str)] = &[
    ("bytebuffer", "a java.nio.ByteBuffer is bytes like any others here"),
    (
        "bigint",
        "a java.math.BigInteger is a decimal without places here, and goes by that name",
    ),
    ("java", "an object outside the data model"),
];

/// A struct has the schema that stands beside it and no other.
const OWN_SCHEMA: &str = "a struct does not carry a schema of its own, so it cannot differ from its context's";

/// Turns the failure of an excused vector into an excuse, and the success of a listed one into a failure, so that the
/// list stays true.
pub fn excused(id: &str, input: &Json, outcome: Outcome) -> Outcome {
    let listed = EXCUSES.iter().find(|(excused, _)| *excused == id);
    match (outcome, listed) {
        (Outcome::Failed(_), Some((_, reason))) => Outcome::Excused(reason),
        (Outcome::Passed, Some(_)) => Outcome::Failed("passes, but is in the list of excuses".to_owned()),
        (Outcome::Failed(difference), None) => match foreign(input) {
            Some(reason) => Outcome::Excused(reason),
            None => Outcome::Failed(difference),
        },
        (other, _) => other,
    }
}

/// Why an input cannot be built as it was, if it cannot.
fn foreign(input: &Json) -> Option<&'static str> {
    match input {
        Json::Object(members) => {
            if members.contains_key("struct") && members.contains_key("schema") {
                return Some(OWN_SCHEMA);
            }
            let tagged = FOREIGN.iter().find(|(tag, _)| members.contains_key(*tag));
            tagged
                .map(|(_, reason)| *reason)
                .or_else(|| members.values().find_map(foreign))
        }
        Json::Array(items) => items.iter().find_map(foreign),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_be_built_is_excused() {
        let failed = || Outcome::Failed("it differs".to_owned());
        let own =
            serde_json::json!({"data": {"value": {"list": [{"struct": {"x": null}, "schema": {"type": "struct"}}]}}});
        let plain = serde_json::json!({"data": {"schema": {"type": "struct"}, "value": {"struct": {"x": null}}}});
        assert_eq!(excused("x/1", &own, failed()), Outcome::Excused(OWN_SCHEMA));
        assert_eq!(excused("x/1", &own, Outcome::Passed), Outcome::Passed);
        assert_eq!(excused("x/1", &plain, failed()), failed());
    }
}
