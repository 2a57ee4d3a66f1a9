//! Numbered lines that a thread appends to a file for as long as a test likes, and whether they all came through.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Lines appended each few milliseconds: some twenty thousand a second.
const CHUNK: u64 = 200;

/// A writer that runs until it is finished.
pub struct Load {
    /// Set once, by `finish`.
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<u64>>,
}

impl Load {
    /// Starts to append `line 0`, `line 1`, ... to a new file.
    pub fn begin(path: &Path) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let mut file = File::create(path).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        let stop = done.clone();
        let thread = std::thread::spawn(move || {
            let mut next = 0;
            while !stop.load(Ordering::Relaxed) {
                let lines: String = (next..next + CHUNK).map(|number| format!("line {number}\n")).collect();
                file.write_all(lines.as_bytes()).expect("room for the load");
                next += CHUNK;
                std::thread::sleep(Duration::from_millis(10));
            }
            next
        });
        Self {
            done,
            thread: Some(thread),
        }
    }

    /// Stops writing and says how many lines there are.
    pub fn finish(mut self) -> u64 {
        self.done.store(true, Ordering::Relaxed);
        self.thread
            .take()
            .and_then(|thread| thread.join().ok())
            .expect("the load has written its lines")
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
    }
}

/// What of a load is in a file.
#[derive(Debug, PartialEq, Eq)]
pub struct Received {
    /// Different lines of the load.
    pub distinct: u64,
    /// Lines that were there before.
    pub repeated: u64,
    /// Lines that the load never wrote, such as halves of one.
    pub foreign: Vec<String>,
}

impl Received {
    /// Looks at a file of lines.
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let mut seen = std::collections::HashSet::new();
        let mut received = Self {
            distinct: 0,
            repeated: 0,
            foreign: Vec::new(),
        };
        for line in text.lines() {
            // A write that a kill cut short has no line end: the line after it, which is whole, runs on behind.
            let (cut, whole) = line.rfind("line ").map_or((line, ""), |at| line.split_at(at));
            if !cut.is_empty() {
                received.foreign.push(line.to_owned());
            }
            match whole
                .strip_prefix("line ")
                .and_then(|number| number.parse::<u64>().ok())
            {
                Some(number) if seen.insert(number) => received.distinct += 1,
                Some(_) => received.repeated += 1,
                None => {}
            }
        }
        received
    }
}
