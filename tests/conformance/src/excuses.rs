//! Vectors that may fail, one by one, with the reason.

use crate::report::Outcome;

/// A struct has the schema that stands beside it and no other: there is no way to make the input.
const OWN_SCHEMA: &str = "a struct does not carry a schema of its own, so it cannot differ from its context's";
/// There is one type for bytes.
const BUFFER: &str = "the message names java.nio.HeapByteBuffer, which is bytes like any others here";
/// There is one type for numbers of any length.
const BIG_INTEGER: &str = "java.math.BigInteger is a decimal without places here, and goes by that name";

/// A class of the Java library is unknown here like any other class that nobody has.
const JAVA_CLASS: &str = "java.lang.String is no class of this world, so it cannot be one of the wrong kind";
/// The regular expressions are Rust's.
const REGEX: &str = "what is wrong with a regular expression is said in the words of another library than Java's";

/// By id.
const EXCUSES: &[(&str, &str)] = &[
    ("chain/config/18", REGEX),
    ("chain/config/3", JAVA_CLASS),
    ("converter-binary/from/IntegerConverter-other/15", BUFFER),
    ("converter-binary/from/ShortConverter-other/15", BUFFER),
    ("converter-json/from/envelope/mismatch/50", OWN_SCHEMA),
    ("converter-json/from/envelope/present-optional/16", OWN_SCHEMA),
    ("converter-json/from/plain/metadata/8", OWN_SCHEMA),
    ("converter-json/from/plain/mismatch/49", OWN_SCHEMA),
    ("converter-json/from/plain/present-optional/16", OWN_SCHEMA),
    ("converter-simple-header/from/schemaless-odd/7", OWN_SCHEMA),
    ("converter-simple-header/from/schemaless-odd/8", OWN_SCHEMA),
    ("converter-string/from/schemaless-odd/7", OWN_SCHEMA),
    ("converter-string/from/schemaless-odd/8", OWN_SCHEMA),
    ("schema/structPut/87", OWN_SCHEMA),
    ("schema/validate/mismatch/50", OWN_SCHEMA),
    ("schema/validate/null/78", OWN_SCHEMA),
    ("values/convertToString/128", OWN_SCHEMA),
    ("values/inferSchema/32", OWN_SCHEMA),
    ("values/inferSchema/33", OWN_SCHEMA),
    ("converter-json/from/plain/schemaless-odd/6", BIG_INTEGER),
    ("transform-flatten/unsupported-key/1", BIG_INTEGER),
    ("transform-flatten/unsupported/2", BIG_INTEGER),
    ("transform-maskfield/replacement-big/2", BIG_INTEGER),
    ("transform-maskfield/replacement-big/6", BIG_INTEGER),
    ("values/convertToDecimal/42", BIG_INTEGER),
    ("values/convertToMap/31", BIG_INTEGER),
    ("values/convertToStruct/31", BIG_INTEGER),
];

/// Turns the failure of an excused vector into an excuse, and the success of one into a failure, so that the list
/// stays true.
pub(crate) fn apply(id: &str, outcome: Outcome) -> Outcome {
    let Some((_, reason)) = EXCUSES.iter().find(|(excused, _)| *excused == id) else {
        return outcome;
    };
    match outcome {
        Outcome::Failed(_) => Outcome::Excused(reason),
        Outcome::Passed => Outcome::Failed("passes, but is in the list of excuses".to_owned()),
        other @ (Outcome::Excused(_) | Outcome::Skipped(_)) => other,
    }
}
