//! Text cut at `: , { } [ ] "`, unless a backslash stands before them.

/// Gives tokens one after the other, and can step back.
pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
    /// A token that was looked at and not taken yet.
    next: Option<&'a str>,
}

impl<'a> Tokens<'a> {
    pub fn new(text: &'a str) -> Self {
        Tokens {
            text,
            at: 0,
            next: None,
        }
    }

    pub fn text(&self) -> &'a str {
        self.text
    }

    pub fn has_next(&self) -> bool {
        self.next.is_some() || self.at < self.text.len()
    }

    /// The place before the next token, for [`Tokens::rewind_to`].
    pub fn mark(&self) -> usize {
        self.at - self.next.map_or(0, str::len)
    }

    pub fn rewind_to(&mut self, mark: usize) {
        self.at = mark;
        self.next = None;
    }

    /// The next token; empty at the end.
    pub fn take(&mut self) -> &'a str {
        self.next.take().unwrap_or_else(|| self.cut())
    }

    /// The next `count` tokens as one text, if there are so many.
    pub fn take_many(&mut self, count: usize) -> Option<&'a str> {
        let start = self.mark();
        for _ in 0..count {
            if !self.has_next() {
                self.rewind_to(start);
                return None;
            }
            self.take();
        }
        Some(&self.text[start..self.at])
    }

    /// Takes the next token if it is `expected`, but for white space in front of it and around it.
    pub fn take_if(&mut self, expected: &str) -> bool {
        let mut token = match self.next {
            Some(token) => token,
            None if self.has_next() => self.cut(),
            None => return false,
        };
        while trim(token).is_empty() && self.at < self.text.len() {
            token = self.cut();
        }
        let is_expected = trim(token) == expected;
        self.next = if is_expected { None } else { Some(token) };
        is_expected
    }

    fn cut(&mut self) -> &'a str {
        let start = self.at;
        let mut escaped = false;
        for (offset, byte) in self.text.as_bytes()[start..].iter().enumerate() {
            match byte {
                b'\\' => escaped = !escaped,
                b':' | b',' | b'{' | b'}' | b'[' | b']' | b'"' if !escaped => {
                    self.at = start + offset.max(1);
                    return &self.text[start..self.at];
                }
                _ => escaped = false,
            }
        }
        self.at = self.text.len();
        &self.text[start..]
    }
}

/// `String.trim`: everything up to the space goes.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(|c| c <= ' ')
}
