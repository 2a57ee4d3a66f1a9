//! A request's path as segments, with the refusals of Kafka Connect's server (Jetty): whatever could mean two things
//! to two programs is no path.

/// The decoded segments of a path; none if it is refused (400). A trailing slash and path parameters (`;a=b`) are
/// dropped, plain dot segments are resolved.
pub fn segments(path: &str) -> Option<Vec<String>> {
    let inner = path.strip_prefix('/')?;
    let mut segments: Vec<String> = Vec::new();
    let mut parts = inner.split('/').peekable();
    while let Some(part) = parts.next() {
        let part = part.split(';').next().unwrap_or_default();
        let decoded = decode(part)?;
        match decoded.as_str() {
            // Empty in the middle is ambiguous; at the end it is the trailing slash.
            "" if parts.peek().is_some() => return None,
            "" => {}
            "." | ".." if part.contains('%') => return None,
            "." => {}
            ".." => drop(segments.pop()?),
            _ => segments.push(decoded),
        }
    }
    Some(segments)
}

fn decode(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        let escaped = byte == b'%';
        let byte = if escaped {
            hex(rest.next()?)? << 4 | hex(rest.next()?)?
        } else {
            byte
        };
        let ambiguous = byte == b'\\' || byte.is_ascii_control() || escaped && (byte == b'/' || byte == b'%');
        if ambiguous {
            return None;
        }
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()
}

pub(crate) fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// A name as the last segment of a path, for `Location`: as Java's `UriBuilder` writes it.
pub fn encode(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    let bytes = name.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let keep = byte.is_ascii_alphanumeric()
            || b"-._~!$&'()*+,;=:@/".contains(byte)
            || *byte == b'%' && is_escape(&bytes[at..]);
        if keep {
            encoded.push(char::from(*byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn is_escape(bytes: &[u8]) -> bool {
    bytes.len() >= 3 && bytes[1..3].iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: &[&str]) {
        let expected: Vec<String> = expected.iter().map(|segment| (*segment).to_owned()).collect();
        assert_eq!(segments(path), Some(expected), "{path}");
    }

    #[test]
    fn paths_are_split_and_decoded() {
        check("/", &[]);
        check("/connectors/", &["connectors"]);
        check("/connectors/a%20b+c/config", &["connectors", "a b+c", "config"]);
        check("/connectors/%C3%BC:@!$&'()*,=", &["connectors", "ü:@!$&'()*,="]);
        check("/connectors/a;b=c;d", &["connectors", "a"]);
        check("/a/./b/../c", &["a", "c"]);
    }

    #[test]
    fn ambiguous_paths_are_refused() {
        let paths = [
            "//connectors",
            "/connectors//a",
            "/a%2Fb",
            "/a%2fb",
            "/a%5Cb",
            "/a%25",
            "/a%09",
            "/a%00",
            "/a%7F",
            "/a%zz",
            "/a%",
            "/a%4",
            "/a%ff",
            "/%2e%2e/health",
            "/..",
            "*",
            "",
        ];
        for path in paths {
            assert_eq!(segments(path), None, "{path}");
        }
    }

    #[test]
    fn location_is_encoded_as_java_does() {
        assert_eq!(encode("a b"), "a%20b");
        assert_eq!(encode("ün+:@!$&'()*,="), "%C3%BCn+:@!$&'()*,=");
        assert_eq!(encode("50%"), "50%25");
        assert_eq!(encode("{a}"), "%7Ba%7D");
    }
}
