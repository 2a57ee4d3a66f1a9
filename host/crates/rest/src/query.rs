//! Query parameters.

use crate::path::hex;

/// The parameters of a request, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    pub fn parse(text: Option<&str>) -> Query {
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        };
        Query(
            text.unwrap_or_default()
                .split('&')
                .filter(|pair| !pair.is_empty())
                .map(pair)
                .collect(),
        )
    }

    pub fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    /// All but one, encoded again.
    pub fn without(&self, name: &str) -> Vec<String> {
        let others = self.0.iter().filter(|(other, _)| other != name);
        others
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect()
    }

    /// A flag: `true` in any case; anything else counts as false. The default is for a flag that is not there.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.first(name)
            .map_or(default, |value| value.eq_ignore_ascii_case("true"))
    }
}

/// Everything but what no URL gives a meaning to.
fn encode(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// Decodes what can be decoded; a stray percent sign stands for itself.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = match bytes[at..] {
            [b'%', high, low, ..] => hex(high).zip(hex(low)),
            _ => None,
        };
        match (escape, bytes[at]) {
            (Some((high, low)), _) => {
                decoded.push(high << 4 | low);
                at += 2;
            }
            (None, b'+') => decoded.push(b' '),
            (None, byte) => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_repeat() {
        let query = Query::parse(Some("expand=status&expand=a%20b+c&x&&y=%zz%"));
        assert_eq!(query.all("expand").collect::<Vec<_>>(), ["status", "a b c"]);
        assert_eq!(query.first("x"), Some(""));
        assert_eq!(query.first("y"), Some("%zz%"));
        assert_eq!(query.first("z"), None);
    }

    #[test]
    fn flags_are_true_or_not() {
        let query = Query::parse(Some("a=TRUE&b=maybe&c="));
        assert!(query.flag("a", false) && !query.flag("b", true) && !query.flag("c", true) && query.flag("d", true));
    }
}
