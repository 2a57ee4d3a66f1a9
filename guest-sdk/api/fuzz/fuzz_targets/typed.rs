//! Any bytes as a typed value under any schema: the text of a schema, a zero byte, the value. What can be decoded is
//! encoded again, and has to come back.

#![no_main]

use caisson_api::schema::Schema;
use caisson_api::typed::{decode, encode};
use libfuzzer_sys::fuzz_target;

#[path = "../../tests/support/exercise.rs"]
#[allow(dead_code)]
mod exercise;

fuzz_target!(|input: &[u8]| {
    let at = input.iter().position(|byte| *byte == 0).unwrap_or(input.len());
    let (text, bytes) = (&input[..at], input.get(at + 1..).unwrap_or_default());
    let schema = std::str::from_utf8(text)
        .ok()
        .and_then(|text| Schema::from_json(text).ok());
    exercise::typed(schema.as_ref(), bytes);
    if let Ok(value) = decode(schema.as_ref(), bytes) {
        let mut again = Vec::new();
        if encode(schema.as_ref(), &value, &mut again).expect("what was decoded can be encoded") {
            let value = format!("{value:?}");
            assert_eq!(
                format!(
                    "{:?}",
                    decode(schema.as_ref(), &again).expect("what was encoded can be decoded")
                ),
                value
            );
        }
    }
});
