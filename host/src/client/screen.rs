//! What is printed: tables for people, JSON for programs.

use std::io::{ErrorKind, Write};

use serde_json::Value;

/// Prints text. That nobody reads on is no failure: `caisson get | head` is fine.
pub fn show(text: &str) -> anyhow::Result<()> {
    is_read(text).map(drop)
}

/// Prints text, and says whether there is still somebody who reads: else it is time to end.
pub fn is_read(text: &str) -> anyhow::Result<bool> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error.into()),
    }
}

pub fn show_json(value: &Value) -> anyhow::Result<()> {
    show(&format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// A member's text, or a dash.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A text in which nothing moves the cursor or changes the terminal, on one line.
pub fn line(text: &str) -> String {
    printable(text).replace('\n', "\\n").replace('\t', "\\t")
}

/// As [`line`], with its lines.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.replace("\r\n", "\n").chars() {
        match character {
            '\n' | '\t' => shown.push(character),
            other if other.is_control() => shown.extend(other.escape_default()),
            other => shown.push(other),
        }
    }
    shown
}

/// The beginning of a text, if it is longer than so many characters.
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// Columns that are as wide as what is in them.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(titles: &[&str]) -> Self {
        Table {
            rows: vec![titles.iter().map(|title| (*title).to_owned()).collect()],
        }
    }

    /// A table that needs no titles.
    pub fn untitled() -> Self {
        Table { rows: Vec::new() }
    }

    /// One row, with a cell for each title.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells.iter().map(|cell| line(cell)).collect());
    }

    pub fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let wide = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| width(cell)).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..columns).map(wide).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (cell, wide) in row.iter().zip(&widths) {
                line.push_str(cell);
                line.push_str(&" ".repeat(wide - width(cell) + 3));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

fn width(cell: &str) -> usize {
    cell.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let mut table = Table::new(&["NAME", "STATE"]);
        table.row(vec!["é".to_owned(), "RUNNING".to_owned()]);
        table.row(vec!["a long name".to_owned(), String::new()]);
        assert_eq!(
            table.render(),
            "NAME          STATE\né             RUNNING\na long name\n"
        );
    }

    #[test]
    fn what_a_worker_says_cannot_drive_the_terminal() {
        assert_eq!(line("a\u{1b}[2J\r\nb\t\u{7}"), "a\\u{1b}[2J\\nb\\t\\u{7}");
        assert_eq!(printable("a\r\n\tb\rc"), "a\n\tb\\rc");
        assert_eq!((cut("äöü", 2), cut("äö", 2)), ("äö…".to_owned(), "äö".to_owned()));
    }
}
