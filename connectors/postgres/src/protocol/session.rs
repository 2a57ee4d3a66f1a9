//! One connection to a server.

use std::ops::Range;
use std::time::{Duration, Instant};

use caisson_sdk::net::{Connection, Received};

use super::auth::{Authentication, Step};
use super::fields::Fields;
use super::inbox::Inbox;
use super::target::{SslMode, Target};
use crate::error::{Error, Result, ServerError};

/// Bytes asked for at a time. A snapshot reads as many as come.
const CHUNK: usize = 256 << 10;
/// How long a query that has to be answered at once may take. Below what the worker gives one call.
const PATIENCE: Duration = Duration::from_secs(25);

/// What the connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Sql,
    Replication,
}

/// A message that is not looked after in here; bodies are read with [`Session::body`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    RowDescription(Range<usize>),
    DataRow(Range<usize>),
    CopyOut,
    CopyBoth,
    CopyData(Range<usize>),
    CopyDone,
    /// The command's tag.
    Complete,
    /// The server waits for the next query.
    Ready,
}

/// The answer to a query, all as text.
#[derive(Debug, Default)]
pub struct Rows {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Option<String>>>,
}

impl Rows {
    /// The first column of the first row.
    pub fn single(&self) -> Option<&str> {
        self.rows.first()?.first()?.as_deref()
    }

    /// A column of a row; null and absent are `None`.
    pub fn get(&self, row: usize, column: usize) -> Option<&str> {
        self.rows.get(row)?.get(column)?.as_deref()
    }
}

/// An open, authenticated connection.
pub struct Session {
    connection: Connection,
    inbox: Inbox,
    /// Whether the answer to a query is still on its way.
    busy: bool,
    interrupted: bool,
    /// As `server_version_num`: 150018.
    version: u32,
}

/// Settings that give values the texts this connector reads.
const SETTINGS: [(&str, &str); 6] = [
    ("client_encoding", "UTF8"),
    ("DateStyle", "ISO, MDY"),
    ("IntervalStyle", "iso_8601"),
    ("TimeZone", "UTC"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
];

impl Session {
    /// Connects and logs in. `application` is how the server lists the connection.
    pub fn open(target: &Target, mode: Mode, application: &str) -> Result<Self> {
        match target.ssl {
            // The server's no to a connection in the open comes with the login.
            SslMode::Allow => match Self::login(Self::connect(target)?, target, mode, application) {
                Err(Error::Server(refusal)) if refusal.code == "28000" => {
                    let connection = Self::connect_tls(target)?.ok_or(Error::Server(refusal))?;
                    Self::login(connection, target, mode, application)
                }
                opened => opened,
            },
            SslMode::Disable => Self::login(Self::connect(target)?, target, mode, application),
            SslMode::Prefer => match Self::connect_tls(target)? {
                Some(connection) => Self::login(connection, target, mode, application),
                None => Self::login(Self::connect(target)?, target, mode, application),
            },
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => {
                let connection = Self::connect_tls(target)?.ok_or_else(|| {
                    Error::config(
                        "the server does not support TLS, which database.sslmode demands: turn ssl on at the server, or \
                         choose prefer or disable",
                    )
                })?;
                Self::login(connection, target, mode, application)
            }
        }
    }

    fn connect(target: &Target) -> Result<Connection> {
        Ok(Connection::connect(&target.host, target.port)?)
    }

    /// `None`: the server has no TLS.
    fn connect_tls(target: &Target) -> Result<Option<Connection>> {
        let terms = target.tls()?;
        let mut connection = Self::connect(target)?;
        connection.send(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])?;
        let answer = match connection.receive(1, PATIENCE)? {
            Received::Bytes(answer) => answer,
            Received::Nothing => return Err(slow("the answer to the request for TLS")),
            Received::Closed => return Err(Error::Closed(" when asked for TLS")),
            Received::Interrupted => return Err(interrupted()),
        };
        match answer.as_slice() {
            b"S" => {
                connection.start_tls(&terms).map_err(|mut error| {
                    if error.message.contains("not trusted") {
                        error.message.push_str(
                            ": name the certificate of its authority in database.sslrootcert, or choose a \
                             database.sslmode that does not verify (require)",
                        );
                    }
                    Error::Net(error)
                })?;
                Ok(Some(connection))
            }
            b"N" => Ok(None),
            _ => Err(Error::Protocol(
                "it answers the request for TLS with something else".into(),
            )),
        }
    }

    fn login(connection: Connection, target: &Target, mode: Mode, application: &str) -> Result<Self> {
        let mut session = Session {
            connection,
            inbox: Inbox::default(),
            busy: true,
            interrupted: false,
            version: 0,
        };
        session.connection.send(&startup(target, mode, application))?;
        let end = Instant::now() + PATIENCE;
        let mut authentication = Authentication::default();
        loop {
            let Some((tag, body)) = session.take_raw(end)? else {
                return Err(slow("the login"));
            };
            match tag {
                b'R' => match authentication.step(session.inbox.body(body), target)? {
                    Step::Answer(answer) => session.connection.send(&answer)?,
                    Step::Wait | Step::Done => {}
                },
                b'S' => session.parameter(body)?,
                b'E' => return Err(server_error(session.inbox.body(body))),
                b'Z' => break,
                // Notices, and the key that cancels queries.
                _ => {}
            }
        }
        session.busy = false;
        Ok(session)
    }

    fn parameter(&mut self, body: Range<usize>) -> Result<()> {
        let mut fields = Fields::new(self.inbox.body(body));
        if fields.text()? == "server_version" {
            self.version = version_number(fields.text()?);
        }
        Ok(())
    }

    /// As `server_version_num`.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Whether the last wait ended because the worker wants the call to return.
    pub fn was_interrupted(&self) -> bool {
        self.interrupted
    }

    /// The next message whatever it is, waiting until `end`.
    fn take_raw(&mut self, end: Instant) -> Result<Option<(u8, Range<usize>)>> {
        loop {
            if let Some(message) = self.inbox.take()? {
                return Ok(Some(message));
            }
            let wait = end.saturating_duration_since(Instant::now());
            if !self.receive(wait)? && (self.interrupted || Instant::now() >= end) {
                return Ok(None);
            }
        }
    }

    /// Waits for bytes; false if none came.
    fn receive(&mut self, wait: Duration) -> Result<bool> {
        self.interrupted = false;
        match self.connection.receive(CHUNK, wait)? {
            Received::Bytes(bytes) => {
                self.inbox.push(bytes);
                Ok(true)
            }
            Received::Nothing => Ok(false),
            Received::Closed => Err(Error::Closed("")),
            Received::Interrupted => {
                self.interrupted = true;
                Ok(false)
            }
        }
    }

    /// The next message of interest, waiting at most for `wait`. An error of the server is returned as one; the session
    /// can be used on.
    pub fn next(&mut self, wait: Duration) -> Result<Option<Message>> {
        // What is here already costs no look at the clock.
        if let Some((tag, body)) = self.inbox.take()?
            && let Some(message) = self.message(tag, body)?
        {
            return Ok(Some(message));
        }
        let end = Instant::now() + wait;
        while let Some((tag, body)) = self.take_raw(end)? {
            if let Some(message) = self.message(tag, body)? {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    fn message(&mut self, tag: u8, body: Range<usize>) -> Result<Option<Message>> {
        Ok(Some(match tag {
            b'T' => Message::RowDescription(body),
            b'D' => Message::DataRow(body),
            b'H' => Message::CopyOut,
            b'W' => Message::CopyBoth,
            b'd' => Message::CopyData(body),
            b'c' => Message::CopyDone,
            b'C' => Message::Complete,
            b'Z' => {
                self.busy = false;
                Message::Ready
            }
            b'E' => return Err(server_error(self.inbox.body(body))),
            b'S' => {
                self.parameter(body)?;
                return Ok(None);
            }
            // Notices, notifications, empty queries.
            b'N' | b'A' | b'I' => return Ok(None),
            other => {
                return Err(Error::Protocol(format!(
                    "a message of the unknown kind {:?}",
                    other as char
                )));
            }
        }))
    }

    pub fn body(&self, range: Range<usize>) -> &[u8] {
        self.inbox.body(range)
    }

    /// Whether messages may be there that were received and not taken.
    pub fn has_more(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// Sends a query whose answer is then taken with [`Session::next`].
    pub fn send_query(&mut self, sql: &str) -> Result<()> {
        self.settle()?;
        let mut message = vec![b'Q'];
        message.extend_from_slice(&(sql.len() as u32 + 5).to_be_bytes());
        message.extend_from_slice(sql.as_bytes());
        message.push(0);
        self.connection.send(&message)?;
        self.busy = true;
        Ok(())
    }

    /// What is left of the answer to a query that failed.
    fn settle(&mut self) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        while self.busy {
            match self.next(end.saturating_duration_since(Instant::now())) {
                Ok(Some(_)) | Err(Error::Server(_)) => {}
                Ok(None) if self.interrupted => return Err(interrupted()),
                Ok(None) => return Err(slow("the end of an answer")),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Asks and waits for the whole answer.
    pub fn query(&mut self, sql: &str) -> Result<Rows> {
        self.send_query(sql)?;
        let mut rows = Rows::default();
        if self.answer(&mut rows, PATIENCE)? {
            Ok(rows)
        } else if self.interrupted {
            Err(interrupted())
        } else {
            Err(slow("a query"))
        }
    }

    /// Takes what has come of the answer to a query; true once it is whole.
    pub fn answer(&mut self, rows: &mut Rows, wait: Duration) -> Result<bool> {
        let end = Instant::now() + wait;
        loop {
            match self.next(end.saturating_duration_since(Instant::now()))? {
                Some(Message::RowDescription(body)) => {
                    rows.columns = columns(self.inbox.body(body))?;
                    rows.rows.clear();
                }
                Some(Message::DataRow(body)) => rows.rows.push(row(self.inbox.body(body))?),
                Some(Message::Ready | Message::CopyBoth) => return Ok(true),
                Some(Message::Complete | Message::CopyData(_) | Message::CopyDone | Message::CopyOut) => {}
                None => return Ok(false),
            }
        }
    }

    /// Sends what belongs to a running COPY.
    pub fn send_copy_data(&mut self, data: &[u8]) -> Result<()> {
        let mut message = vec![b'd'];
        message.extend_from_slice(&(data.len() as u32 + 4).to_be_bytes());
        message.extend_from_slice(data);
        self.connection.send(&message)?;
        Ok(())
    }

    /// Says goodbye, as far as that is possible.
    pub fn close(mut self) {
        let _ = self.connection.send(&[b'X', 0, 0, 0, 4]);
    }
}

fn slow(what: &str) -> Error {
    Error::Slow {
        what: what.to_owned(),
        seconds: PATIENCE.as_secs(),
    }
}

fn interrupted() -> Error {
    Error::Net(caisson_sdk::api::Error::retriable("interrupted").with_retry_after_ms(0))
}

fn startup(target: &Target, mode: Mode, application: &str) -> Vec<u8> {
    let mut message = vec![0, 0, 0, 0, 0, 3, 0, 0];
    let mut pair = |name: &str, value: &str| {
        for text in [name, value] {
            message.extend_from_slice(text.as_bytes());
            message.push(0);
        }
    };
    pair("user", &target.user);
    pair("database", &target.database);
    pair("application_name", application);
    if mode == Mode::Replication {
        pair("replication", "database");
    }
    for (name, value) in SETTINGS {
        pair(name, value);
    }
    message.push(0);
    let length = message.len() as u32;
    message[..4].copy_from_slice(&length.to_be_bytes());
    message
}

/// `15.18 (Debian 15.18-1)` as 150018; the numbering of versions before 10 is not needed any more.
fn version_number(text: &str) -> u32 {
    let mut parts = text.split(|c: char| !c.is_ascii_digit());
    let mut part = || parts.next().and_then(|part| part.parse::<u32>().ok()).unwrap_or(0);
    let (major, minor) = (part(), part());
    major.saturating_mul(10_000).saturating_add(minor)
}

fn columns(body: &[u8]) -> Result<Vec<String>> {
    let mut fields = Fields::new(body);
    let count = fields.count16()?;
    let mut columns = Vec::new();
    for _ in 0..count {
        columns.push(fields.text()?.to_owned());
        fields.bytes(18)?;
    }
    Ok(columns)
}

fn row(body: &[u8]) -> Result<Vec<Option<String>>> {
    let mut fields = Fields::new(body);
    let count = fields.count16()?;
    let mut row = Vec::new();
    for _ in 0..count {
        row.push(match fields.length32()? {
            None => None,
            Some(length) => Some(String::from_utf8_lossy(fields.bytes(length)?).into_owned()),
        });
    }
    Ok(row)
}

fn server_error(body: &[u8]) -> Error {
    let mut error = ServerError::default();
    let mut fields = Fields::new(body);
    while let Ok(kind) = fields.byte() {
        if kind == 0 {
            break;
        }
        let Ok(text) = fields.text() else { break };
        let text = text.to_owned();
        match kind {
            b'V' => error.severity = text,
            b'S' if error.severity.is_empty() => error.severity = text,
            b'C' => error.code = text,
            b'M' => error.message = text,
            b'D' => error.detail = Some(text),
            b'H' => error.hint = Some(text),
            _ => {}
        }
    }
    Error::Server(Box::new(error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn versions_are_numbers() {
        assert_eq!(version_number("15.18 (Debian 15.18-0+deb12u1)"), 150_018);
        assert_eq!(version_number("17beta1"), 170_000);
        assert_eq!(version_number("rubbish"), 0);
        assert_eq!(version_number("99999999999.1"), 1);
    }

    #[test]
    fn errors_are_read_as_far_as_they_go() {
        let Error::Server(error) = server_error(b"SFATAL\0VFATAL\0C28P01\0Mno\0Dd\0Hh\0\0") else {
            panic!()
        };
        assert_eq!(error.to_string(), "no (28P01); d; h");
        for garbage in [&b""[..], b"S", b"Sx", b"\xff\xff\0", b"Mabc"] {
            assert!(matches!(server_error(garbage), Error::Server(_)));
        }
    }

    #[test]
    fn rows_that_lie_about_their_length_are_refused() {
        assert_eq!(
            row(b"\0\x02\0\0\0\x01a\xff\xff\xff\xff").unwrap(),
            [Some("a".into()), None]
        );
        for garbage in [&b"\0"[..], b"\0\x01", b"\0\x01\0\0\0\x05ab", b"\0\x01\xff\xff\xff\xfe"] {
            assert!(row(garbage).is_err(), "{garbage:?}");
        }
        assert!(columns(b"\0\x01ab").is_err());
    }
}
