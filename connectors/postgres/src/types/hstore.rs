//! The extension hstore: `"k1"=>"v1", "k2"=>NULL`.

use super::java;

/// Keys and values, in the order in which Java's `HashMap` would give them.
pub fn parse(text: &[u8]) -> Option<Vec<(String, Option<String>)>> {
    let mut rest = text;
    let mut pairs: Vec<(String, Option<String>)> = Vec::new();
    while !rest.is_empty() {
        let key = quoted(&mut rest)?;
        rest = rest.strip_prefix(b"=>")?;
        let value = match rest.strip_prefix(b"NULL") {
            Some(after) => {
                rest = after;
                None
            }
            None => Some(quoted(&mut rest)?),
        };
        pairs.push((key, value));
        match rest.strip_prefix(b", ") {
            Some(after) if !after.is_empty() => rest = after,
            Some(_) => return None,
            None if rest.is_empty() => {}
            None => return None,
        }
    }
    let order = java::hash_map_order(pairs.iter().map(|(key, _)| key.as_str()));
    Some(
        order
            .into_iter()
            .map(|index| std::mem::take(&mut pairs[index]))
            .collect(),
    )
}

fn quoted(rest: &mut &[u8]) -> Option<String> {
    let mut text = rest.strip_prefix(b"\"")?;
    let mut plain = Vec::new();
    loop {
        let at = memchr::memchr2(b'"', b'\\', text)?;
        plain.extend_from_slice(&text[..at]);
        if text[at] == b'"' {
            *rest = &text[at + 1..];
            return String::from_utf8(plain).ok();
        }
        plain.push(*text.get(at + 1)?);
        text = &text[at + 2..];
    }
}

/// The JSON text of such a map.
pub fn to_json(pairs: &[(String, Option<String>)]) -> String {
    let mut out = String::from("{");
    for (index, (key, value)) in pairs.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_string(&mut out, key);
        out.push(':');
        match value {
            Some(value) => write_string(&mut out, value),
            None => out.push_str("null"),
        }
    }
    out.push('}');
    out
}

/// As Jackson writes it: only what has to be is escaped.
fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => out.push_str(&format!("\\u{:04X}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn maps_become_json_in_javas_order() {
        for (text, json) in [
            ("", "{}"),
            (
                r#""k1"=>"v1", "k3"=>NULL, "k 2"=>"v\"2""#,
                r#"{"k1":"v1","k3":null,"k 2":"v\"2"}"#,
            ),
            ("\"é\"=>\"日本\"", "{\"é\":\"日本\"}"),
            ("\"a\"=>\"\u{1}\n\"", "{\"a\":\"\\u0001\\n\"}"),
        ] {
            assert_eq!(to_json(&parse(text.as_bytes()).unwrap()), json);
        }
    }

    #[test]
    fn garbage_is_none() {
        for text in [
            "a=>b",
            "\"a\"",
            "\"a\"=>",
            "\"a\"=>\"b\",",
            "\"a\"=>\"b\", ",
            "\"a\"=>b",
            "\"a",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
