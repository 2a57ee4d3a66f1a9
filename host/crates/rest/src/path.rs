//! A request's path as segments, with the refusals of Kafka Connect's server (Jetty): whatever could mean two things
//! to two programs is no path.

/// One segment of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// As it was written, without path parameters. Resources are found by this: an escaped name of one is not that one.
    pub raw: String,
    /// What it stands for.
    pub text: String,
}

/// The segments of a path; none if it is refused (400). A trailing slash and path parameters (`;a=b`) are dropped. Dot
/// segments are names like others, but must not lead out of the root.
pub fn segments(path: &str) -> Option<Vec<Segment>> {
    let inner = path.strip_prefix('/')?;
    let mut segments: Vec<Segment> = Vec::new();
    let mut depth = 0_usize;
    let mut parts = inner.split('/').peekable();
    while let Some(part) = parts.next() {
        let (raw, parameters) = part.split_once(';').map_or((part, false), |(raw, _)| (raw, true));
        let text = decode(raw)?;
        let dots = matches!(text.as_str(), "." | "..");
        if dots && (parameters || raw.contains('%')) {
            return None;
        }
        match text.as_str() {
            // Empty in the middle is ambiguous; at the end it is the trailing slash.
            "" if parts.peek().is_some() => return None,
            "" => continue,
            ".." => depth = depth.checked_sub(1)?,
            "." => {}
            _ => depth += 1,
        }
        segments.push(Segment {
            raw: raw.to_owned(),
            text,
        });
    }
    Some(segments)
}

fn decode(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(Some(byte).filter(|byte| is_plain(*byte))?);
            continue;
        }
        let byte = hex(rest.next()?)? << 4 | hex(rest.next()?)?;
        if b"/%\\".contains(&byte) || byte.is_ascii_control() {
            return None;
        }
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()
}

/// Whether a byte may stand in a path without being escaped (RFC 3986).
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte)
}

pub(crate) fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// A name as the last segment of a path, for `Location`: as Java's `UriBuilder` writes it.
pub fn encode(name: &str) -> String {
    let name = name.strip_prefix('/').unwrap_or(name);
    let mut encoded = String::with_capacity(name.len());
    let bytes = name.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let keep = is_plain(*byte) || b";/".contains(byte) || *byte == b'%' && is_escape(&bytes[at..]);
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
        let texts: Vec<String> = segments(path)
            .unwrap()
            .into_iter()
            .map(|segment| segment.text)
            .collect();
        assert_eq!(texts, expected, "{path}");
    }

    #[test]
    fn paths_are_split_and_decoded() {
        check("/", &[]);
        check("/;x", &[]);
        check("/connectors/", &["connectors"]);
        check("/connectors/a%20b+c/config", &["connectors", "a b+c", "config"]);
        check("/connectors/%C3%BC:@!$&'()*,=", &["connectors", "ü:@!$&'()*,="]);
        check("/connectors/a;b=c;d/config;e", &["connectors", "a", "config"]);
    }

    #[test]
    fn dot_segments_are_names_within_the_root() {
        check("/connectors/.", &["connectors", "."]);
        check("/connectors/..", &["connectors", ".."]);
        for path in [
            "/..",
            "/connectors/../..",
            "/./..",
            "/a/..;/b",
            "/.;x",
            "/%2e%2e/health",
            "/a/.%2e",
        ] {
            assert_eq!(segments(path), None, "{path}");
        }
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
            "/a|b",
            "/a{b}",
            "/a[b]",
            "/a^b",
            "/a\"b",
            "/ü",
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
        assert_eq!(encode("/a"), "a");
    }
}
