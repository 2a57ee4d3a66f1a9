//! The cells of a row as the server sends them: texts, wherever they lie.

use std::ops::Range;

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Null,
    /// A large value that an update did not touch, so that the server does not send it.
    Unchanged,
    /// Where the text lies in the row's bytes.
    Text(Range<usize>),
}

/// A row: its cells, and the bytes they lie in.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    pub cells: &'a [Cell],
    pub bytes: &'a [u8],
}

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    Null,
    Unchanged,
    Text(&'a [u8]),
}

impl<'a> Row<'a> {
    /// A cell; one beyond the end is null.
    #[inline]
    pub fn get(&self, index: usize) -> Content<'a> {
        match self.cells.get(index) {
            Some(Cell::Text(range)) => Content::Text(self.bytes.get(range.clone()).unwrap_or_default()),
            Some(Cell::Unchanged) => Content::Unchanged,
            Some(Cell::Null) | None => Content::Null,
        }
    }
}

/// A row that owns its bytes: one that has to wait.
#[derive(Clone, Debug, Default)]
pub struct OwnedRow {
    pub cells: Vec<Cell>,
    pub bytes: Vec<u8>,
}

impl OwnedRow {
    pub fn as_row(&self) -> Row<'_> {
        Row {
            cells: &self.cells,
            bytes: &self.bytes,
        }
    }
}

/// Cuts a line of COPY's text format into cells. Where the line has escapes, the texts lie in `plain` afterwards and the
/// answer is true; otherwise they lie in the line itself.
pub fn cut_copy_line(line: &[u8], cells: &mut Vec<Cell>, plain: &mut Vec<u8>) -> bool {
    cells.clear();
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    if memchr::memchr(b'\\', line).is_none() {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\t', line) {
            cells.push(Cell::Text(start..end));
            start = end + 1;
        }
        cells.push(Cell::Text(start..line.len()));
        return false;
    }
    plain.clear();
    for field in line.split(|byte| *byte == b'\t') {
        if field == b"\\N" {
            cells.push(Cell::Null);
            continue;
        }
        let start = plain.len();
        unescape(field, plain);
        cells.push(Cell::Text(start..plain.len()));
    }
    true
}

fn unescape(field: &[u8], out: &mut Vec<u8>) {
    let mut rest = field;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let Some(escaped) = rest.get(at + 1) else {
            out.push(b'\\');
            return;
        };
        out.push(match escaped {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            other => *other,
        });
        rest = &rest[at + 2..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &[u8]) -> Vec<Option<String>> {
        let (mut cells, mut plain) = (Vec::new(), Vec::new());
        let moved = cut_copy_line(line, &mut cells, &mut plain);
        let row = Row {
            cells: &cells,
            bytes: if moved { &plain } else { line },
        };
        (0..cells.len())
            .map(|index| match row.get(index) {
                Content::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
                Content::Null | Content::Unchanged => None,
            })
            .collect()
    }

    #[test]
    fn lines_of_copy_are_cut_and_unescaped() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(texts(b"1\tabc\t\n"), [text("1"), text("abc"), text("")]);
        assert_eq!(
            texts(b"\\N\ta\\tb\\\\c\\n\\r\\b\\f\\v\t\\\\N\n"),
            [None, text("a\tb\\c\n\r\u{8}\u{c}\u{b}"), text("\\N")]
        );
        assert_eq!(texts(b"\n"), [text("")]);
        assert_eq!(texts(b"open\\"), [text("open\\")]);
    }
}
