//! The demo's two files: the one that is written, and the one that is watched.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The file that the source reads.
pub struct Input {
    file: File,
    /// Lines written so far.
    pub lines: u64,
}

impl Input {
    pub fn create(path: &Path) -> Result<Self> {
        // Appending, so that lines which others add are not overwritten.
        let file = File::options()
            .create(true)
            .append(true)
            .open(path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { file, lines: 0 })
    }

    /// Appends one line and returns it.
    pub fn line(&mut self) -> Result<String> {
        self.lines += 1;
        let line = format!("order {} by ada@example.org", self.lines);
        writeln!(self.file, "{line}")?;
        Ok(line)
    }

    /// Appends many lines of 100 bytes, the line's end included.
    pub fn burst(&mut self, lines: u64) -> Result<()> {
        let mut writer = BufWriter::with_capacity(1 << 18, &self.file);
        for _ in 0..lines {
            self.lines += 1;
            writeln!(writer, "{:<63} order {:>10} by ada@example.org", "", self.lines)?;
        }
        writer.flush()?;
        Ok(())
    }
}

/// The file that the sink writes.
pub struct Output {
    path: PathBuf,
    file: Option<File>,
    /// Complete lines seen so far.
    pub lines: u64,
    /// The newest of them.
    pub last: String,
    rest: Vec<u8>,
}

impl Output {
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            file: None,
            lines: 0,
            last: String::new(),
            rest: Vec::new(),
        }
    }

    /// Looks at what was added; false if nothing was.
    pub fn read(&mut self) -> Result<bool> {
        if self.file.is_none() {
            self.file = File::open(&self.path).ok();
        }
        let Some(file) = &mut self.file else { return Ok(false) };
        let before = self.rest.len();
        file.take(16 << 20)
            .read_to_end(&mut self.rest)
            .with_context(|| format!("cannot read {}", self.path.display()))?;
        let moved = self.rest.len() > before;
        if let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') {
            let complete = &self.rest[..end];
            self.lines += 1 + complete.iter().filter(|byte| **byte == b'\n').count() as u64;
            let last = complete.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            self.last = String::from_utf8_lossy(last).into_owned();
            self.rest.drain(..=end);
        }
        Ok(moved)
    }
}
