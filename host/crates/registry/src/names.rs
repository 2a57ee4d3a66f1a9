//! Names that schemas outside of Kafka Connect allow.

/// What a name becomes with `scrub.invalid.names`: as `URLEncoder` writes it, with an underscore for what is still not
/// allowed.
pub fn scrub(name: &str) -> String {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut out = String::with_capacity(name.len());
    if name.bytes().all(is_good) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        return name.to_owned();
    }
    for byte in name.bytes() {
        if is_good(byte) {
            out.push(char::from(byte));
        } else if matches!(byte, b'-' | b'.' | b'*' | b' ') {
            out.push('_');
        } else {
            out.push_str(&format!("_{byte:02X}"));
        }
    }
    if out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert(0, 'x');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_those_that_avro_allows() {
        for (name, scrubbed) in [
            ("abc_2", "abc_2"),
            ("a b-c", "a_b_c"),
            ("2b", "x2b"),
            ("a:b", "a_3Ab"),
            ("ü", "_C3_BC"),
            ("", ""),
        ] {
            assert_eq!(scrub(name), scrubbed);
        }
    }
}
