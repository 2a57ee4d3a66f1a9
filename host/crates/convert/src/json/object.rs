//! A JSON object whose members stay text until somebody asks for one: between converter and converter most of a value
//! is neither looked at nor changed.
//!
//! A member may stay text only where it would be written as it was read. All others become values at once, so that what
//! is written is the same as if all had been values.

use caisson_api::{Error, Members, Value};

use super::encode::write_schemaless;
use super::exact::Exact;
use super::layout::Layout;
use super::parse::Parser;
use super::plain::{FEW, PlainBuilder, Seen};
use super::source::plain_text;
use super::text::{has_wide, write_string};
use crate::ConvertError;

/// An object in a text.
#[derive(Debug)]
pub struct JsonObject<'t> {
    text: &'t str,
    /// Elsewhere, for objects are moved often.
    parts: Box<Parts>,
}

/// The memory of an object, for the next one.
#[derive(Debug, Default)]
pub struct ObjectParts(Option<Box<Parts>>);

#[derive(Debug, Default)]
struct Parts {
    entries: Vec<Entry>,
    /// Names and texts that do not stand in the text, one behind the other.
    made: String,
    values: Vec<Value>,
    /// The names of the object before.
    layout: Layout,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    name: Name,
    content: Content,
}

/// A name and where it stands.
#[derive(Clone, Copy, Debug)]
enum Name {
    /// In the text, between quotes and without escapes.
    Read(Span),
    /// In [`Parts::made`].
    Made(Span),
}

#[derive(Clone, Copy, Debug)]
enum Content {
    /// Text that is written as it was read.
    Text(Span),
    /// The text that a value is, in [`Parts::made`]; as it is meant, without escapes.
    Made(Span),
    /// A place in [`Parts::values`].
    Value(u32),
}

#[derive(Clone, Copy, Debug)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Texts are shorter than 4 GiB.
    fn new(start: usize, end: usize) -> Self {
        Span {
            start: start as u32,
            end: end as u32,
        }
    }

    fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl<'t> JsonObject<'t> {
    /// Finds the members. `None` is whatever is no object, or not quite good: the converter says what of it.
    pub fn read(bytes: &'t [u8], parts: &mut ObjectParts) -> Option<Self> {
        let text = plain_text(bytes).filter(|text| u32::try_from(text.len()).is_ok())?;
        if has_wide(bytes) {
            // It is not written as it was read.
            return None;
        }
        let mut object = JsonObject {
            text,
            parts: parts.0.take().unwrap_or_default(),
        };
        match object.find_members() {
            Some(()) => Some(object),
            None => {
                *parts = object.into_parts();
                None
            }
        }
    }

    fn find_members(&mut self) -> Option<()> {
        let mut parser = Parser::new(self.text);
        // None as long as the names are those of the object before, all of which are different.
        let mut seen = None;
        parser.expect(b'{')?;
        if parser.expect(b'}').is_some() {
            return Some(());
        }
        loop {
            let next = self.parts.entries.len();
            let known = match seen {
                None => self.parts.layout.step_over(next, &mut parser),
                Some(_) => None,
            };
            let name = match known {
                Some((start, end)) => Name::Read(Span::new(start, end)),
                None => self.read_name(&mut parser)?,
            };
            let start = parser.position();
            let exact = parser.next_exact(&mut Exact).ok()?;
            let span = Span::new(start, parser.position());
            let content = match exact {
                true => Content::Text(span),
                false => Content::Value(self.read_value(span)),
            };
            let earlier = match known {
                Some(_) => None,
                None => {
                    let seen = seen.get_or_insert_with(|| self.seen());
                    seen.insert(self.text_of(name), next, |wanted| self.find_among(FEW, wanted))
                }
            };
            match earlier {
                Some(place) => self.parts.entries[place].content = content,
                None => self.parts.entries.push(Entry { name, content }),
            }
            if parser.expect(b',').is_none() {
                // What follows the object is nobody's business.
                parser.expect(b'}')?;
                break;
            }
        }
        if seen.is_some() {
            self.remember_layout();
        }
        Some(())
    }

    fn read_name(&mut self, parser: &mut Parser<'t>) -> Option<Name> {
        let raw = parser.name().ok()?;
        parser.expect(b':')?;
        Some(match raw.escaped {
            false => Name::Read(self.span(raw.raw)),
            true => Name::Made(self.make(&raw.decode())),
        })
    }

    /// The names that there are.
    fn seen(&self) -> Seen {
        let mut seen = Seen::default();
        for (place, entry) in self.parts.entries.iter().enumerate() {
            seen.insert(self.text_of(entry.name), place, |_| None);
        }
        seen
    }

    fn remember_layout(&mut self) {
        let mut layout = std::mem::take(&mut self.parts.layout);
        let names = self.parts.entries.iter().map(|entry| match entry.name {
            Name::Read(span) => self.text.get(span.range()),
            // It is written in another way.
            Name::Made(_) => None,
        });
        layout.remember(names);
        self.parts.layout = layout;
    }

    /// Where a part of the text stands in it.
    fn span(&self, part: &str) -> Span {
        let start = part.as_ptr() as usize - self.text.as_ptr() as usize;
        Span::new(start, start + part.len())
    }

    fn make(&mut self, text: &str) -> Span {
        let start = self.parts.made.len();
        self.parts.made.push_str(text);
        Span::new(start, self.parts.made.len())
    }

    #[inline]
    fn made(&self, span: Span) -> &str {
        self.parts.made.get(span.range()).unwrap_or_default()
    }

    fn read_value(&mut self, span: Span) -> u32 {
        let text = self.text.get(span.range()).unwrap_or_default();
        // Its grammar is known to be good.
        let value = Parser::new(text).document(&mut PlainBuilder).ok().flatten();
        self.keep(value.unwrap_or_default())
    }

    /// Its place.
    fn keep(&mut self, value: Value) -> u32 {
        self.parts.values.push(value);
        (self.parts.values.len() - 1) as u32
    }

    #[inline]
    fn text_of(&self, name: Name) -> &str {
        match name {
            Name::Read(span) => self.text.get(span.range()).unwrap_or_default(),
            Name::Made(span) => self.made(span),
        }
    }

    #[inline]
    fn find_among(&self, first: usize, wanted: &str) -> Option<usize> {
        let mut entries = self.parts.entries.iter().take(first);
        entries.position(|entry| self.is(entry.name, wanted))
    }

    #[inline]
    fn is(&self, name: Name, wanted: &str) -> bool {
        let (bytes, span) = match name {
            Name::Read(span) => (self.text.as_bytes(), span),
            Name::Made(span) => (self.parts.made.as_bytes(), span),
        };
        let wanted = wanted.as_bytes();
        // Names of one length mostly differ in their first byte, which is looked at without a call.
        span.len() == wanted.len()
            && bytes
                .get(span.range())
                .is_some_and(|name| name.first() == wanted.first() && name == wanted)
    }

    /// Appends the object as JSON.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), ConvertError> {
        out.reserve(self.text.len());
        out.push(b'{');
        let mut run: Option<Span> = None;
        for (place, entry) in self.parts.entries.iter().enumerate() {
            let as_read = self.as_read(entry);
            run = match (run, as_read) {
                // Two bytes that are neither of them can only have a comma between them.
                (Some(run), Some(next)) if run.end + 1 == next.start => Some(Span { end: next.end, ..run }),
                (run, next) => {
                    self.copy(run, out);
                    if place > 0 {
                        out.push(b',');
                    }
                    if next.is_none() {
                        self.write_entry(entry, out)?;
                    }
                    next
                }
            };
        }
        self.copy(run, out);
        out.push(b'}');
        Ok(())
    }

    /// Name and value, where they still stand in the text as they would be written.
    #[inline]
    fn as_read(&self, entry: &Entry) -> Option<Span> {
        match (entry.name, entry.content) {
            // A quote and a colon lie between them.
            (Name::Read(name), Content::Text(value)) if name.end + 2 == value.start => Some(Span {
                start: name.start - 1,
                end: value.end,
            }),
            (Name::Read(_) | Name::Made(_), Content::Text(_) | Content::Made(_) | Content::Value(_)) => None,
        }
    }

    #[inline]
    fn copy(&self, span: Option<Span>, out: &mut Vec<u8>) {
        let text = span.and_then(|span| self.text.get(span.range()));
        out.extend_from_slice(text.unwrap_or_default().as_bytes());
    }

    fn write_entry(&self, entry: &Entry, out: &mut Vec<u8>) -> Result<(), ConvertError> {
        match entry.name {
            // With the quotes that it has.
            Name::Read(Span { start, end }) => self.copy(
                Some(Span {
                    start: start - 1,
                    end: end + 1,
                }),
                out,
            ),
            Name::Made(span) => write_string(out, self.made(span)),
        }
        out.push(b':');
        match entry.content {
            Content::Text(span) => self.copy(Some(span), out),
            Content::Made(span) => write_string(out, self.made(span)),
            Content::Value(place) => write_schemaless(out, &self.parts.values[place as usize])?,
        }
        Ok(())
    }

    /// The whole as a value.
    pub fn into_value(mut self) -> Value {
        let mut entries = Vec::with_capacity(self.parts.entries.len());
        for place in 0..self.parts.entries.len() {
            let value = std::mem::take(self.value(place));
            entries.push((Value::from(self.name(place)), value));
        }
        Value::Map(entries)
    }

    /// Its memory, for the next one.
    pub fn into_parts(self) -> ObjectParts {
        let mut parts = self.parts;
        parts.entries.clear();
        parts.made.clear();
        parts.values.clear();
        ObjectParts(Some(parts))
    }
}

impl Members for JsonObject<'_> {
    fn len(&self) -> usize {
        self.parts.entries.len()
    }

    fn check_names(&self) -> Result<(), Error> {
        Ok(())
    }

    fn name(&self, place: usize) -> &str {
        self.text_of(self.parts.entries[place].name)
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.find_among(usize::MAX, name)
    }

    fn value(&mut self, place: usize) -> &mut Value {
        let index = match self.parts.entries[place].content {
            Content::Text(span) => self.read_value(span),
            Content::Made(span) => self.keep(Value::from(self.made(span))),
            Content::Value(index) => index,
        };
        self.parts.entries[place].content = Content::Value(index);
        &mut self.parts.values[index as usize]
    }

    fn is_text(&self, place: usize) -> bool {
        match self.parts.entries[place].content {
            Content::Text(span) => self.text.as_bytes().get(span.start as usize) == Some(&b'"'),
            Content::Made(_) => true,
            Content::Value(index) => matches!(self.parts.values[index as usize], Value::String(_)),
        }
    }

    fn write_text(&mut self, place: usize, write: &mut dyn FnMut(&mut String)) {
        let start = self.parts.made.len();
        write(&mut self.parts.made);
        let text = Span::new(start, self.parts.made.len());
        self.parts.entries[place].content = Content::Made(text);
    }

    fn push(&mut self, name: &str, value: Value) {
        let (name, content) = (Name::Made(self.make(name)), Content::Value(self.keep(value)));
        self.parts.entries.push(Entry { name, content });
    }

    fn push_text(&mut self, name: &str, text: &str) {
        let (name, content) = (Name::Made(self.make(name)), Content::Made(self.make(text)));
        self.parts.entries.push(Entry { name, content });
    }

    fn rename(&mut self, place: usize, name: &str) {
        self.parts.entries[place].name = Name::Made(self.make(name));
    }

    fn absorb(&mut self, place: usize, from: usize) {
        let Entry { content, .. } = self.parts.entries.remove(from);
        self.parts.entries[place].content = content;
    }

    fn remove(&mut self, place: usize) {
        self.parts.entries.remove(place);
    }

    fn retain(&mut self, keep: &mut dyn FnMut(&str) -> bool) {
        let mut entries = std::mem::take(&mut self.parts.entries);
        entries.retain(|entry| keep(self.text_of(entry.name)));
        self.parts.entries = entries;
    }
}
