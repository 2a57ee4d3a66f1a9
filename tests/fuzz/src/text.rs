//! Texts that people write: properties files, and headers whose type is guessed.

use caisson_api::values;
use caisson_convert::{Converter, SimpleHeaderConverter};

/// A properties file.
pub fn properties(bytes: &[u8]) {
    if let Ok(given) = caisson_config::properties::parse(bytes, "fuzz.properties") {
        // What was read names each key once.
        let mut names: Vec<_> = given.iter().map(|(name, _)| name.to_owned()).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}

/// A header: read, and what came of it written and read once more.
pub fn headers(bytes: &[u8]) {
    let converter = SimpleHeaderConverter;
    let (schema, value) = converter.to_connect("t", Some(bytes)).unwrap();
    let _ = values::infer_schema(&value);
    let mut out = Vec::new();
    if converter.from_connect("t", schema.as_ref(), &value, &mut out).unwrap() {
        converter.to_connect("t", Some(&out)).unwrap();
    }
}
