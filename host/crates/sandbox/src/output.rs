//! What a guest says, by its log import or its standard streams, as bounded lines of the worker's log.
//!
//! A guest cannot fill a disk (lines a second, bytes in a line), nor write anything into a terminal or a log file that
//! looks like another line (control characters are escaped). What is dropped is counted, and the count is reported.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use caisson_model::Limits;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::Label;

mod stdout;
pub(crate) use stdout::WorkerStdout;

/// Bytes that a guest may hand over in one write.
const WRITE_PERMIT: usize = 64 << 10;
/// Lines of standard error that are remembered, to be shown below a trap.
const TAIL: usize = 20;

/// Where a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Log,
    Stdout,
    Stderr,
}

impl Stream {
    fn as_str(self) -> &'static str {
        match self {
            Stream::Log => "log",
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        }
    }
}

/// The severity of a line (`log.level` of the contract).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// The log of one instance.
pub(crate) struct GuestLog {
    label: Label,
    line_limit: usize,
    /// Shared between the log import and the streams that the guest opened; held for one line.
    inner: Mutex<Inner>,
}

struct Inner {
    bucket: Bucket,
    dropped: u64,
    dropped_unreported: u64,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    tail: VecDeque<String>,
}

/// Lines that may be written now; refills evenly over a second.
struct Bucket {
    tokens: f64,
    rate: f64,
    last: Instant,
}

impl Bucket {
    fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.last).as_secs_f64();
        self.tokens = (self.tokens + passed * self.rate).min(self.rate);
        self.last = now;
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

impl GuestLog {
    pub(crate) fn new(label: Label, limits: &Limits) -> Arc<Self> {
        let rate = f64::from(limits.log_lines.max(1));
        Arc::new(GuestLog {
            label,
            line_limit: limits.log_line,
            inner: Mutex::new(Inner {
                bucket: Bucket {
                    tokens: rate,
                    rate,
                    last: Instant::now(),
                },
                dropped: 0,
                dropped_unreported: 0,
                stdout: Vec::new(),
                stderr: Vec::new(),
                tail: VecDeque::new(),
            }),
        })
    }

    /// Whether the worker keeps lines of this level at all.
    pub(crate) fn enabled(level: Level) -> bool {
        match level {
            Level::Trace => tracing::enabled!(target: "guest", tracing::Level::TRACE),
            Level::Debug => tracing::enabled!(target: "guest", tracing::Level::DEBUG),
            Level::Info => tracing::enabled!(target: "guest", tracing::Level::INFO),
            Level::Warn => tracing::enabled!(target: "guest", tracing::Level::WARN),
            Level::Error => tracing::enabled!(target: "guest", tracing::Level::ERROR),
        }
    }

    /// A line of the log import.
    pub(crate) fn write(&self, level: Level, message: &str, fields: &[(String, String)]) {
        if !Self::enabled(level) {
            return;
        }
        let mut text = escaped(message, self.line_limit);
        for (name, value) in fields {
            if text.len() >= self.line_limit {
                break;
            }
            let room = self.line_limit - text.len();
            text.push_str(&format!(" {}={}", escaped(name, room), escaped(value, room)));
        }
        self.line(&mut self.lock(), level, Stream::Log, &text);
    }

    pub(crate) fn stream(self: &Arc<Self>, stream: Stream) -> LineStream {
        LineStream {
            log: self.clone(),
            stream,
        }
    }

    /// Lines dropped so far.
    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// The last lines of standard error, where a panic leaves its message.
    pub(crate) fn tail(&self) -> Option<String> {
        let inner = self.lock();
        let unfinished = (!inner.stderr.is_empty()).then(|| escaped_bytes(&inner.stderr, self.line_limit));
        let lines: Vec<String> = inner.tail.iter().cloned().chain(unfinished).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// At the end of an instance: lines without an end, and how many were dropped.
    pub(crate) fn flush(&self) {
        let mut inner = self.lock();
        for (stream, level) in [(Stream::Stdout, Level::Info), (Stream::Stderr, Level::Warn)] {
            let rest = std::mem::take(match stream {
                Stream::Stderr => &mut inner.stderr,
                Stream::Stdout | Stream::Log => &mut inner.stdout,
            });
            if !rest.is_empty() {
                self.line(&mut inner, level, stream, &escaped_bytes(&rest, self.line_limit));
            }
        }
        self.report_dropped(&mut inner);
    }

    fn bytes(&self, stream: Stream, bytes: &[u8]) {
        let mut inner = self.lock();
        let level = match stream {
            Stream::Stderr => Level::Warn,
            Stream::Stdout | Stream::Log => Level::Info,
        };
        let mut rest = bytes;
        while !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte == b'\n');
            let (piece, after) = match end {
                Some(end) => (&rest[..end], &rest[end + 1..]),
                None => (rest, &rest[rest.len()..]),
            };
            rest = after;
            let buffer = match stream {
                Stream::Stderr => &mut inner.stderr,
                Stream::Stdout | Stream::Log => &mut inner.stdout,
            };
            // What is beyond the limit of a line is dropped while it arrives, so that no line is ever held in full.
            let room = self.line_limit.saturating_sub(buffer.len());
            buffer.extend_from_slice(&piece[..piece.len().min(room + 1)]);
            if end.is_some() {
                let line = std::mem::take(buffer);
                let text = escaped_bytes(&line, self.line_limit);
                if stream == Stream::Stderr {
                    inner.tail.push_back(text.clone());
                    if inner.tail.len() > TAIL {
                        inner.tail.pop_front();
                    }
                }
                self.line(&mut inner, level, stream, &text);
            }
        }
    }

    fn line(&self, inner: &mut Inner, level: Level, stream: Stream, text: &str) {
        if !inner.bucket.take(Instant::now()) {
            inner.dropped += 1;
            inner.dropped_unreported += 1;
            return;
        }
        self.report_dropped(inner);
        let connector = &*self.label.connector;
        let task = self.label.task;
        let stream = stream.as_str();
        match level {
            Level::Trace => tracing::trace!(target: "guest", connector, task, stream, "{text}"),
            Level::Debug => tracing::debug!(target: "guest", connector, task, stream, "{text}"),
            Level::Info => tracing::info!(target: "guest", connector, task, stream, "{text}"),
            Level::Warn => tracing::warn!(target: "guest", connector, task, stream, "{text}"),
            Level::Error => tracing::error!(target: "guest", connector, task, stream, "{text}"),
        }
    }

    fn report_dropped(&self, inner: &mut Inner) {
        let lines = std::mem::take(&mut inner.dropped_unreported);
        if lines > 0 {
            let connector = &*self.label.connector;
            let task = self.label.task;
            tracing::warn!(target: "guest", connector, task, lines, "lines of the guest were dropped (sandbox.log.lines)");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for GuestLog {
    fn drop(&mut self) {
        self.flush();
    }
}

/// At most `limit` bytes of `text`, with no control character but the tab.
fn escaped(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit));
    for c in text.chars() {
        if out.len() >= limit {
            out.push('…');
            break;
        }
        // Beside the control characters, those that reorder text on a terminal.
        if (c.is_control() && c != '\t')
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

fn escaped_bytes(bytes: &[u8], limit: usize) -> String {
    let line = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    escaped(&String::from_utf8_lossy(line), limit)
}

/// A standard stream of a guest that ends in the log.
#[derive(Clone)]
pub(crate) struct LineStream {
    log: Arc<GuestLog>,
    stream: Stream,
}

impl IsTerminal for LineStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LineStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for LineStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.log.bytes(self.stream, bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for LineStream {
    async fn ready(&mut self) {}
}

#[wasmtime_wasi::async_trait]
impl OutputStream for LineStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.log.bytes(self.stream, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_PERMIT)
    }
}
