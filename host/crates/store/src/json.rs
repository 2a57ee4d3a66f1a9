//! JSON as Kafka Connect's internal `JsonConverter` writes it, byte for byte: no spaces, members in their order, only
//! what must be escaped escaped, and control characters with upper-case hexadecimal digits. Keys of offsets are looked
//! up by their exact bytes, so this is part of a format.

use std::io;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{CharEscape, Formatter, Serializer};

/// The compact text of a value.
pub fn compact(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    let mut serializer = Serializer::with_formatter(&mut bytes, Jackson);
    value
        .serialize(&mut serializer)
        .expect("a JSON value always serialises into memory");
    bytes
}

struct Jackson;

impl Formatter for Jackson {
    fn write_char_escape<W: ?Sized + io::Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        let short: &[u8] = match escape {
            CharEscape::Quote => b"\\\"",
            CharEscape::ReverseSolidus => b"\\\\",
            CharEscape::Solidus => b"/",
            CharEscape::Backspace => b"\\b",
            CharEscape::FormFeed => b"\\f",
            CharEscape::LineFeed => b"\\n",
            CharEscape::CarriageReturn => b"\\r",
            CharEscape::Tab => b"\\t",
            CharEscape::AsciiControl(byte) => return write!(writer, "\\u{byte:04X}"),
        };
        writer.write_all(short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_compact_and_escaped_as_jackson_does() {
        let value: Value =
            serde_json::from_str(" { \"b\" : [1, 2.5, null], \"a\" : \"\\u000b\\u0001\\n/é\\u00e9\\\"\" } ").unwrap();
        let text = String::from_utf8(compact(&value)).unwrap();
        assert_eq!(text, "{\"b\":[1,2.5,null],\"a\":\"\\u000B\\u0001\\n/éé\\\"\"}");
    }
}
