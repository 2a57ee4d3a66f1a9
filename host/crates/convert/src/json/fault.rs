//! What is wrong with a JSON text, and where.

/// A fault in JSON text: byte position and description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub at: usize,
    pub kind: FaultKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// The text ended inside of something.
    End(&'static str),
    /// A character that may not stand here, and what may.
    Unexpected(&'static str),
    /// A bare word other than `true`, `false` and `null`.
    Token,
    /// A control character inside a string.
    Control,
    Escape,
    Utf8,
    Depth,
    /// Longer than Jackson accepts: what, and how long it may be.
    Length(&'static str, usize),
    /// A number whose exponent no `BigDecimal` can have.
    Exponent,
}

impl Fault {
    /// The text of the exception that Jackson throws, or what comes near to it.
    pub fn message(&self, bytes: &[u8]) -> String {
        let what = match &self.kind {
            FaultKind::End(within) => format!("Unexpected end-of-input {within}"),
            FaultKind::Unexpected(expected) => format!("Unexpected character ({}): {expected}", self.character(bytes)),
            FaultKind::Token => format!(
                "Unrecognized token '{}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or \
                 'false')",
                self.token(bytes)
            ),
            FaultKind::Control => format!(
                "Illegal unquoted character ((CTRL-CHAR, code {})): has to be escaped using backslash to be included in \
                 string value",
                bytes.get(self.at).copied().unwrap_or_default()
            ),
            FaultKind::Escape => "Unrecognized character escape".to_owned(),
            FaultKind::Utf8 => format!(
                "Invalid UTF-8 byte 0x{:02x}",
                bytes.get(self.at).copied().unwrap_or_default()
            ),
            FaultKind::Depth => "Document nesting depth (1001) exceeds the maximum allowed (1000, from \
                 `StreamReadConstraints.getMaxNestingDepth()`)"
                .to_owned(),
            FaultKind::Length(what, limit) => {
                format!("{what} exceeds the maximum allowed ({limit})")
            }
            FaultKind::Exponent => "Malformed numeric value: exponent out of range".to_owned(),
        };
        let (line, column) = self.place(bytes);
        format!("{what}\n at [line: {line}, column: {column}]")
    }

    /// The class of Jackson's that stands for this fault.
    pub fn class(&self) -> &'static str {
        match self.kind {
            FaultKind::End(_) => "com.fasterxml.jackson.core.io.JsonEOFException",
            FaultKind::Depth | FaultKind::Length(..) => "com.fasterxml.jackson.core.exc.StreamConstraintsException",
            FaultKind::Unexpected(_)
            | FaultKind::Token
            | FaultKind::Control
            | FaultKind::Escape
            | FaultKind::Utf8
            | FaultKind::Exponent => "com.fasterxml.jackson.core.JsonParseException",
        }
    }

    fn character(&self, bytes: &[u8]) -> String {
        let rest = bytes.get(self.at..).unwrap_or_default();
        let head = rest.get(..4.min(rest.len())).unwrap_or_default();
        match String::from_utf8_lossy(head).chars().next() {
            Some(character) if (character as u32) < 0x20 => {
                format!("(CTRL-CHAR, code {})", character as u32)
            }
            Some(character) => format!("'{character}' (code {})", character as u32),
            None => "end".to_owned(),
        }
    }

    /// The bare word at the fault, cut at 256 characters as Jackson does.
    fn token(&self, bytes: &[u8]) -> String {
        let rest = bytes.get(self.at..).unwrap_or_default();
        let head = String::from_utf8_lossy(rest.get(..1024.min(rest.len())).unwrap_or_default()).into_owned();
        let word: String = head
            .chars()
            .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$'))
            .collect();
        match word.char_indices().nth(256) {
            Some((end, _)) => format!("{}...", &word[..end]),
            None => word,
        }
    }

    fn place(&self, bytes: &[u8]) -> (usize, usize) {
        let before = &bytes[..self.at.min(bytes.len())];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        (line, before.len() - start + 1)
    }
}
