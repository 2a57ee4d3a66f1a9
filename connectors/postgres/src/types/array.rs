//! Arrays as the server writes them: `{1,NULL,"a \"b\""}`.

/// The elements of an array; `None` is null, or an array in an array: the original has no values for those. `plain` gets the
/// texts of the others.
pub struct Elements {
    /// Where each text lies in `plain`.
    pub ranges: Vec<Option<std::ops::Range<usize>>>,
    pub plain: Vec<u8>,
}

/// Cuts an array into elements. `None`: it is none.
pub fn parse(text: &[u8]) -> Option<Elements> {
    if !matches!(text.first(), Some(b'{' | b'[')) {
        return vector(text);
    }
    let mut rest = match text.first()? {
        // Bounds other than the usual ones: `[2:3]={a,b}`.
        b'[' => &text[memchr::memchr(b'=', text)? + 1..],
        _ => text,
    };
    rest = rest.strip_prefix(b"{")?.strip_suffix(b"}")?;
    let mut elements = Elements {
        ranges: Vec::new(),
        plain: Vec::with_capacity(rest.len()),
    };
    if rest.is_empty() {
        return Some(elements);
    }
    loop {
        rest = elements.element(rest)?;
        match rest.split_first() {
            None => return Some(elements),
            Some((b',', after)) => rest = after,
            Some(_) => return None,
        }
    }
}

/// `oidvector` and `int2vector`: numbers with spaces in between.
fn vector(text: &[u8]) -> Option<Elements> {
    let is_number = |word: &&[u8]| word.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-');
    let mut elements = Elements {
        ranges: Vec::new(),
        plain: Vec::with_capacity(text.len()),
    };
    for word in text.split(|byte| *byte == b' ').filter(|word| !word.is_empty()) {
        if !is_number(&word) {
            return None;
        }
        let start = elements.plain.len();
        elements.plain.extend_from_slice(word);
        elements.ranges.push(Some(start..elements.plain.len()));
    }
    Some(elements)
}

impl Elements {
    /// Reads one element; returns what follows.
    fn element<'a>(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        let start = self.plain.len();
        match text.first() {
            Some(b'"') => {
                let rest = self.quoted(&text[1..])?;
                self.ranges.push(Some(start..self.plain.len()));
                Some(rest)
            }
            Some(b'{') => {
                self.ranges.push(None);
                behind(text)
            }
            _ => {
                let end = memchr::memchr(b',', text).unwrap_or(text.len());
                let bare = &text[..end];
                if bare.is_empty() {
                    return None;
                }
                if bare == b"NULL" {
                    self.ranges.push(None);
                } else {
                    self.plain.extend_from_slice(bare);
                    self.ranges.push(Some(start..self.plain.len()));
                }
                Some(&text[end..])
            }
        }
    }

    fn quoted<'a>(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        let mut rest = text;
        loop {
            let at = memchr::memchr2(b'"', b'\\', rest)?;
            self.plain.extend_from_slice(&rest[..at]);
            if rest[at] == b'"' {
                return Some(&rest[at + 1..]);
            }
            self.plain.push(*rest.get(at + 1)?);
            rest = &rest[at + 2..];
        }
    }
}

/// What follows an array that the text begins with.
fn behind(text: &[u8]) -> Option<&[u8]> {
    let (mut depth, mut quoted, mut at) = (0_usize, false, 0);
    loop {
        match (text.get(at)?, quoted) {
            (b'\\', _) => at += 1,
            (b'"', _) => quoted = !quoted,
            (b'{', false) => depth += 1,
            (b'}', false) => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return text.get(at..);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn elements(text: &str) -> Option<Vec<Option<String>>> {
        let elements = parse(text.as_bytes())?;
        let own = |range: &Option<std::ops::Range<usize>>| {
            range
                .clone()
                .map(|range| String::from_utf8(elements.plain[range].to_vec()).unwrap())
        };
        Some(elements.ranges.iter().map(own).collect())
    }

    #[test]
    fn elements_are_bare_or_quoted_or_null() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(elements("{}").unwrap(), []);
        assert_eq!(elements("{1,-2,NULL}").unwrap(), [text("1"), text("-2"), None]);
        assert_eq!(
            elements(r#"{a,"b c","d,\"e\"",NULL,"","NULL","\\"}"#).unwrap(),
            [
                text("a"),
                text("b c"),
                text("d,\"e\""),
                None,
                text(""),
                text("NULL"),
                text("\\")
            ]
        );
        assert_eq!(elements("[2:3]={x,y}").unwrap(), [text("x"), text("y")]);
    }

    #[test]
    fn arrays_in_arrays_are_null() {
        assert_eq!(elements("{{1},{2}}").unwrap(), [None, None]);
        assert_eq!(elements(r#"{{{"}\"{",a},{b,c}}}"#).unwrap(), [None]);
    }

    #[test]
    fn vectors_have_spaces() {
        assert_eq!(elements("1 -2").unwrap(), [Some("1".into()), Some("-2".into())]);
        assert!(elements("").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_array_is_none() {
        for text in [
            "a", "{", "}", "1 a", "{{1}", "{{1}}}", "{{1}x}", "{{\"}}", "{{\\", "{,}", "{1,}", "{\"a}", "{\"a\"b}",
            "[1:2]", "{\"a\\",
        ] {
            assert_eq!(elements(text), None, "{text}");
        }
    }
}
