//! The characters of an expression, and the place at which Java would say that something is wrong.

use super::super::RegexError;

/// All methods move as those of the same names in `java.util.regex.Pattern` do, because messages name the place. Beyond
/// the end there are zeros.
#[derive(Debug)]
pub struct Scan {
    pattern: Vec<char>,
    cursor: usize,
    /// White space and comments mean nothing.
    pub comments: bool,
}

impl Scan {
    pub fn new(pattern: &str) -> Self {
        Scan {
            pattern: unquoted(pattern),
            cursor: 0,
            comments: false,
        }
    }

    fn get(&self, index: usize) -> char {
        self.pattern.get(index).copied().unwrap_or('\0')
    }

    /// The character so many places on.
    pub fn at(&self, distance: usize) -> char {
        self.get(self.cursor + distance)
    }

    pub fn is_at_end(&self) -> bool {
        self.cursor == self.pattern.len()
    }

    pub fn is_beyond(&self) -> bool {
        self.cursor >= self.pattern.len()
    }

    /// The current character.
    pub fn peek(&mut self) -> char {
        self.past_blanks();
        self.at(0)
    }

    /// The next character, which becomes the current one.
    pub fn next(&mut self) -> char {
        self.cursor += 1;
        self.peek()
    }

    /// The next character, whatever blanks mean.
    pub fn next_escaped(&mut self) -> char {
        self.cursor += 1;
        self.at(0)
    }

    /// The current character; the one behind it becomes the current one.
    pub fn read(&mut self) -> char {
        self.past_blanks();
        self.cursor += 1;
        self.get(self.cursor - 1)
    }

    /// The character behind the current one; the one behind that becomes the current one.
    pub fn skip(&mut self) -> char {
        self.cursor += 2;
        self.get(self.cursor - 1)
    }

    pub fn unread(&mut self) {
        self.cursor = self.cursor.saturating_sub(1);
    }

    fn past_blanks(&mut self) {
        if !self.comments {
            return;
        }
        loop {
            while matches!(self.at(0), '\t'..='\r' | ' ') {
                self.cursor += 1;
            }
            if self.at(0) != '#' {
                return;
            }
            while !self.is_beyond() && !matches!(self.at(0), '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}') {
                self.cursor += 1;
            }
        }
    }

    /// As many characters as come before another, which is passed too; `None` if it does not come.
    pub fn until(&mut self, end: char) -> Option<String> {
        let rest = self.pattern.get(self.cursor..)?;
        let length = rest.iter().position(|c| *c == end)?;
        let text = rest[..length].iter().collect();
        self.cursor += length + 1;
        Some(text)
    }

    /// Whether what is left may open another group; it only says when not to look further.
    pub fn opens_more(&self) -> bool {
        let rest = self.pattern.get(self.cursor..).unwrap_or_default();
        rest.contains(&'(')
    }

    pub fn go_to_end(&mut self) {
        self.cursor = self.pattern.len() + 1;
    }

    /// As `PatternSyntaxException` describes a mistake: what, where, and a mark below the place.
    pub fn error(&self, what: &str) -> RegexError {
        let pattern: String = self.pattern.iter().collect();
        // Before the first character there is no place.
        let Some(index) = self.cursor.checked_sub(1) else {
            return RegexError(format!("{what}\n{pattern}"));
        };
        let mut text = format!("{what} near index {index}\n{pattern}");
        if index < pattern.encode_utf16().count() {
            text.push('\n');
            let blank = |c: &char| if *c == '\t' { '\t' } else { ' ' };
            text.extend(self.pattern.iter().take(index).map(blank));
            text.push('^');
        }
        RegexError(text)
    }
}

/// With what stands between `\Q` and `\E` escaped, as Java does before all else.
fn unquoted(pattern: &str) -> Vec<char> {
    if !pattern.contains("\\Q") {
        return pattern.chars().collect();
    }
    let mut out = Vec::new();
    let mut quoted = false;
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        if quoted {
            if let Some(behind) = rest.strip_prefix("\\E") {
                quoted = false;
                rest = behind;
                continue;
            }
            if c.is_ascii() && !c.is_ascii_alphanumeric() {
                out.push('\\');
            }
            out.push(c);
            rest = after;
        } else if let Some(behind) = rest.strip_prefix("\\Q") {
            quoted = true;
            rest = behind;
        } else if c == '\\' {
            // An escaped backslash begins no quote.
            out.push(c);
            out.extend(after.chars().next());
            rest = after
                .get(after.chars().next().map_or(0, char::len_utf8)..)
                .unwrap_or_default();
        } else {
            out.push(c);
            rest = after;
        }
    }
    out
}
