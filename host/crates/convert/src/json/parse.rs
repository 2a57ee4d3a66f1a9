//! The grammar of JSON as Jackson reads it, in one pass over the bytes.
//!
//! What the text becomes is up to a [`Builder`]: nothing (validation), a tree, or a schemaless value. Deviations from
//! the standard are Kafka Connect's: leading zeros are accepted, and whatever follows the first value is ignored.
//! General parsers keep neither these nor the digits of numbers, on which the type depends, and at the size of records
//! they are no faster.

mod number;

use super::fault::{Fault, FaultKind};
use super::text::{Text, find_special};

/// Jackson's `StreamReadConstraints`.
pub(crate) const MAX_DEPTH: usize = 1000;
const MAX_STRING: usize = 20_000_000;
const MAX_NAME: usize = 50_000;

/// Makes something of the values that the parser meets.
pub(crate) trait Builder<'a> {
    type Value;
    type Array;
    type Object;

    fn null(&mut self) -> Self::Value;
    fn boolean(&mut self, value: bool) -> Self::Value;
    fn number(&mut self, number: Number<'a>) -> Self::Value;
    fn string(&mut self, text: Text<'a>) -> Self::Value;
    fn begin_array(&mut self) -> Self::Array;
    fn element(&mut self, array: &mut Self::Array, value: Self::Value);
    fn end_array(&mut self, array: Self::Array) -> Self::Value;
    fn begin_object(&mut self) -> Self::Object;
    fn member(&mut self, object: &mut Self::Object, name: Text<'a>, value: Self::Value);
    fn end_object(&mut self, object: Self::Object) -> Self::Value;
}

/// A number as it stands in the text, and what the pass over its digits has found out already.
#[derive(Clone, Copy, Debug)]
pub struct Number<'a> {
    pub text: &'a str,
    /// All digits as one number, sign left out; only right if there are at most 18.
    value: u64,
    /// How many digits there are, up to 255.
    count: u8,
    /// How many of the digits stand behind the point, up to 255.
    fraction: u8,
    form: NumberForm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NumberForm {
    Integral,
    Fraction,
    Exponent,
}

impl Number<'_> {
    /// Without fraction and exponent.
    pub fn is_integral(&self) -> bool {
        self.form == NumberForm::Integral
    }

    pub fn is_negative(&self) -> bool {
        self.text.starts_with('-')
    }

    /// All digits as one number, sign left out, if there are at most 18.
    pub fn digits(&self) -> Option<u64> {
        (self.count <= 18).then_some(self.value)
    }

    /// The digits, and how many of them stand behind the point, if there are few of them and no exponent.
    pub fn plain_digits(&self) -> Option<(u64, u8)> {
        (self.form != NumberForm::Exponent && self.count <= 18).then_some((self.value, self.fraction))
    }
}

pub(crate) struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// Set when the text has an oddity that strict readers of JSON would refuse: a leading zero.
    pub lenient: bool,
    /// Set where there is white space.
    spaced: bool,
}

impl<'a> Parser<'a> {
    pub fn new(text: &'a str) -> Self {
        Parser {
            text,
            at: 0,
            lenient: false,
            spaced: false,
        }
    }

    /// Where the parser stands: after [`Parser::document`], behind the first value.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Reads the first value; `None` if there is nothing but white space.
    pub fn document<B: Builder<'a>>(&mut self, builder: &mut B) -> Result<Option<B::Value>, Fault> {
        let Some(first) = self.skip_space() else {
            return Ok(None);
        };
        let value = self.value(builder, first, 0)?;
        if first == b'-' || first.is_ascii_digit() {
            self.check_root_space()?;
        }
        Ok(Some(value))
    }

    /// Reads a value inside of an object that the caller takes apart by itself.
    pub fn next_value<B: Builder<'a>>(&mut self, builder: &mut B) -> Result<B::Value, Fault> {
        let Some(first) = self.skip_space() else {
            return Err(self.end("within/between Object entries"));
        };
        self.value(builder, first, 1)
    }

    /// As [`Parser::next_value`], of a value at which the parser stands. False also where there is white space in it.
    pub fn next_exact(&mut self, builder: &mut super::exact::Exact) -> Result<bool, Fault> {
        self.spaced = false;
        let exact = self.next_value(builder)?;
        Ok(exact && !self.spaced)
    }

    /// Reads the name of a member, at whose quote the parser stands.
    pub fn name(&mut self) -> Result<Text<'a>, Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("was expecting double-quote to start field name"));
        }
        self.at += 1;
        self.string(MAX_NAME, "Name length")
    }

    /// Steps over `byte` and white space around it, or stays.
    pub fn expect(&mut self, byte: u8) -> Option<()> {
        if self.skip_space() != Some(byte) {
            return None;
        }
        self.at += 1;
        self.skip_space();
        Some(())
    }

    /// Steps over the name of a member and its colon, if it is written without escapes.
    pub fn member(&mut self, name: &str) -> Option<()> {
        let rest = self
            .text
            .get(self.at..)?
            .strip_prefix('"')?
            .strip_prefix(name)?
            .strip_prefix('"')?;
        self.at = self.text.len() - rest.len();
        self.expect(b':')
    }

    /// Steps over a text that stands here, and white space behind it, or stays. The start of the text.
    #[inline]
    pub fn literal(&mut self, text: &str) -> Option<usize> {
        let start = self.at;
        let rest = self.text.as_bytes().get(start..)?;
        if !rest.starts_with(text.as_bytes()) {
            return None;
        }
        self.at += text.len();
        self.skip_space();
        Some(start)
    }

    /// Steps over text whose grammar is known.
    pub fn step(&mut self, length: usize) {
        self.at += length;
    }

    /// A number at the root has to be followed by white space.
    fn check_root_space(&self) -> Result<(), Fault> {
        match self.peek() {
            None | Some(b' ' | b'\t' | b'\r' | b'\n') => Ok(()),
            Some(_) => Err(self.unexpected("Expected space separating root-level values")),
        }
    }

    fn value<B: Builder<'a>>(&mut self, builder: &mut B, first: u8, depth: usize) -> Result<B::Value, Fault> {
        match first {
            b'"' => {
                self.at += 1;
                let text = self.string(MAX_STRING, "String value length")?;
                Ok(builder.string(text))
            }
            b'{' => self.object(builder, depth + 1),
            b'[' => self.array(builder, depth + 1),
            b'-' | b'0'..=b'9' => self.number(first).map(|number| builder.number(number)),
            b't' => self.word("true").map(|()| builder.boolean(true)),
            b'f' => self.word("false").map(|()| builder.boolean(false)),
            b'n' => self.word("null").map(|()| builder.null()),
            _ => Err(self.no_value(first, depth)),
        }
    }

    fn object<B: Builder<'a>>(&mut self, builder: &mut B, depth: usize) -> Result<B::Value, Fault> {
        self.enter(depth)?;
        let mut object = builder.begin_object();
        let mut next = self.skip_space();
        if next == Some(b'}') {
            self.at += 1;
            return Ok(builder.end_object(object));
        }
        loop {
            match next {
                Some(b'"') => self.at += 1,
                Some(_) => {
                    return Err(self.unexpected("was expecting double-quote to start field name"));
                }
                None => return Err(self.end("within/between Object entries")),
            }
            let name = self.string(MAX_NAME, "Name length")?;
            match self.skip_space() {
                Some(b':') => self.at += 1,
                Some(_) => {
                    return Err(self.unexpected("was expecting a colon to separate field name and value"));
                }
                None => return Err(self.end("within/between Object entries")),
            }
            let Some(first) = self.skip_space() else {
                return Err(self.end("within/between Object entries"));
            };
            let value = self.value(builder, first, depth)?;
            builder.member(&mut object, name, value);
            match self.skip_space() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(builder.end_object(object));
                }
                Some(_) => {
                    return Err(self.unexpected("was expecting comma to separate Object entries"));
                }
                None => return Err(self.end("expected close marker for Object")),
            }
            next = self.skip_space();
        }
    }

    fn array<B: Builder<'a>>(&mut self, builder: &mut B, depth: usize) -> Result<B::Value, Fault> {
        self.enter(depth)?;
        let mut array = builder.begin_array();
        let mut next = self.skip_space();
        if next == Some(b']') {
            self.at += 1;
            return Ok(builder.end_array(array));
        }
        loop {
            let Some(first) = next else {
                return Err(self.end("within/between Array entries"));
            };
            let value = self.value(builder, first, depth)?;
            builder.element(&mut array, value);
            match self.skip_space() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(builder.end_array(array));
                }
                Some(_) => {
                    return Err(self.unexpected("was expecting comma to separate Array entries"));
                }
                None => return Err(self.end("expected close marker for Array")),
            }
            next = self.skip_space();
        }
    }

    /// Steps over the opening bracket. The limit keeps a hostile text from using up the stack.
    fn enter(&mut self, depth: usize) -> Result<(), Fault> {
        if depth > MAX_DEPTH {
            return Err(self.fault(FaultKind::Depth));
        }
        self.at += 1;
        Ok(())
    }

    /// Reads a string whose opening quote is behind, up to and with its closing quote.
    fn string(&mut self, limit: usize, what: &'static str) -> Result<Text<'a>, Fault> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at = find_special(bytes, self.at);
            match bytes.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.fault(FaultKind::Control)),
                None => return Err(self.end("in a string: was expecting closing quote")),
            }
        }
        let raw = self.text.get(start..self.at).unwrap_or_default();
        self.at += 1;
        if raw.len() > limit {
            return Err(self.fault(FaultKind::Length(what, limit)));
        }
        Ok(Text { raw, escaped })
    }

    #[cold]
    fn escape(&mut self) -> Result<(), Fault> {
        let bytes = self.text.as_bytes();
        match bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                for offset in 2..6 {
                    match bytes.get(self.at + offset) {
                        Some(digit) if digit.is_ascii_hexdigit() => {}
                        Some(_) => {
                            self.at += offset;
                            return Err(self.unexpected("expected a hex-digit for character escape sequence"));
                        }
                        None => return Err(self.end("in character escape sequence")),
                    }
                }
                self.at += 6;
            }
            Some(_) => return Err(self.fault(FaultKind::Escape)),
            None => return Err(self.end("in character escape sequence")),
        }
        Ok(())
    }

    fn word(&mut self, word: &'static str) -> Result<(), Fault> {
        let rest = &self.text[self.at..];
        let follower = rest.strip_prefix(word).map(|rest| rest.chars().next());
        match follower {
            Some(Some(next)) if is_identifier(next) => Err(self.fault(FaultKind::Token)),
            Some(_) => {
                self.at += word.len();
                Ok(())
            }
            None => Err(self.fault(FaultKind::Token)),
        }
    }

    #[cold]
    fn no_value(&self, first: u8, depth: usize) -> Fault {
        if first.is_ascii_alphabetic() || first >= 0x80 || first == b'_' || first == b'$' {
            return self.fault(FaultKind::Token);
        }
        if depth == 0 && (first == b'}' || first == b']') {
            return self.unexpected("no open Array or Object to close");
        }
        self.unexpected(
            "expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
        )
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no white space; the parser then stands at it.
    #[inline]
    fn skip_space(&mut self) -> Option<u8> {
        loop {
            match self.peek() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => {
                    self.spaced = true;
                    self.at += 1;
                }
                other => return other,
            }
        }
    }

    #[cold]
    fn fault(&self, kind: FaultKind) -> Fault {
        Fault { at: self.at, kind }
    }

    #[cold]
    fn unexpected(&self, expected: &'static str) -> Fault {
        self.fault(FaultKind::Unexpected(expected))
    }

    #[cold]
    fn end(&self, within: &'static str) -> Fault {
        self.fault(FaultKind::End(within))
    }
}

/// `Character.isJavaIdentifierPart`, near enough for the character behind a word.
fn is_identifier(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$'
}
