//! What a call can be told to do: a word, and for some an argument behind a colon.

use std::fs::{self, File, OpenOptions};
use std::io::Write;

use caisson_api::frame::{Frame, FrameBuilder, NewRecord, Role};

use crate::caisson::connect::types::{Error, ErrorKind, Failure, PartitionOffset, TopicPartition};
use crate::caisson::connect::{connector_context, log, metrics, offsets, sink_context};

fn error(kind: ErrorKind, message: impl Into<String>) -> Error {
    Error {
        kind,
        message: message.into(),
        detail: Some("of the probe".into()),
        retry_after_ms: Some(5),
    }
}

/// What was found out, as the only thing that every call can return.
pub fn report(found: impl Into<String>) -> Result<Vec<u8>, Error> {
    Err(error(ErrorKind::Fatal, found))
}

fn found<T>(result: std::io::Result<T>, shown: impl FnOnce(T) -> String) -> Result<Vec<u8>, Error> {
    match result {
        Ok(value) => report(format!("ok: {}", shown(value))),
        Err(error) => report(format!("denied: {:?}: {error}", error.kind())),
    }
}

pub fn perform(command: &str) -> Result<Vec<u8>, Error> {
    let (word, argument) = command.split_once(':').unwrap_or((command, ""));
    let number = || argument.parse::<usize>().unwrap_or(0);
    match word {
        "ok" => Ok(Vec::new()),
        "error" => Err(error(
            match argument {
                "retriable" => ErrorKind::Retriable,
                "data" => ErrorKind::Data,
                "config" => ErrorKind::Config,
                "unsupported" => ErrorKind::Unsupported,
                _ => ErrorKind::Fatal,
            },
            "the probe was told to fail",
        )),
        "panic" => panic!("the probe panics"),
        "exit" => std::process::exit(number() as i32),
        "spin" => loop {
            std::hint::black_box(());
        },
        "fill" => fill(number()),
        "recurse" => report(recurse(1).to_string()),
        "sleep" => {
            std::thread::sleep(std::time::Duration::from_millis(number() as u64));
            Ok(Vec::new())
        }
        "memory" => report(take_memory(number()).to_string()),
        "output" => Ok(vec![7; number()]),
        "long-error" => report("x".repeat(number())),
        "handles" => hoard(argument),
        "stdin" => {
            let mut line = String::new();
            found(std::io::stdin().read_line(&mut line), |_| line.clone())
        }
        _ => say(word, argument)
            .or_else(|| crate::network::perform(word, argument))
            .or_else(|| crate::requests::perform(word, argument))
            .or_else(|| files(word, argument))
            .unwrap_or_else(|| world(word, argument)),
    }
}

/// Logs, streams and metrics.
fn say(word: &str, argument: &str) -> Option<Result<Vec<u8>, Error>> {
    let number = || argument.parse::<usize>().unwrap_or(0);
    match word {
        "stdout" => (0..number()).for_each(|i| println!("line {i} of the probe")),
        "stderr" => eprintln!("{argument}"),
        "long-line" => println!("{}", "y".repeat(number())),
        "control" => println!("red \x1b[31m \r bell \x07 {argument}"),
        "log" => (0..number())
            .for_each(|i| log::write(log::Level::Info, &format!("entry {i}"), &[("i".into(), i.to_string())])),
        "series" => (0..number()).for_each(|i| metrics::set("gauge", &[("i".into(), i.to_string())], 1.0)),
        "count" => metrics::add("probed", &[], number() as u64),
        _ => return None,
    }
    Some(Ok(Vec::new()))
}

fn files(word: &str, argument: &str) -> Option<Result<Vec<u8>, Error>> {
    Some(match word {
        "read" => found(fs::read_to_string(argument), |text| text),
        "write" => found(fs::write(argument, "written"), |()| String::new()),
        "append" => {
            let opened = OpenOptions::new().create(true).append(true).open(argument);
            found(opened.and_then(|mut file| file.write_all(b"more\n")), |()| {
                String::new()
            })
        }
        // A hundred megabytes, and back again.
        "bulk" => {
            let piece = vec![b'x'; 64 << 10];
            let written =
                File::create(argument).and_then(|mut file| (0..1_600).try_for_each(|_| file.write_all(&piece)));
            found(written, |()| String::new())
        }
        "bulk-read" => found(fs::read(argument), |bytes| bytes.len().to_string()),
        "read-write" => {
            let opened = OpenOptions::new().read(true).write(true).open(argument);
            found(opened.and_then(|mut file| file.write_all(b"over")), |()| String::new())
        }
        "stat" => found(fs::metadata(argument), |data| data.len().to_string()),
        "list" => found(fs::read_dir(argument), |entries| entries.count().to_string()),
        "remove" => found(fs::remove_file(argument), |()| String::new()),
        "mkdir" => found(fs::create_dir(argument), |()| String::new()),
        "rename" => found(fs::rename(argument, format!("{argument}.moved")), |()| String::new()),
        "link" => found(fs::hard_link(argument, format!("{argument}.linked")), |()| {
            String::new()
        }),
        "truncate" => {
            let opened = File::open(argument);
            found(opened.and_then(|file| file.set_len(0)), |()| String::new())
        }
        _ => return None,
    })
}

/// What lies around the instance.
fn world(word: &str, argument: &str) -> Result<Vec<u8>, Error> {
    match word {
        "env" => report(format!("{:?}", std::env::vars().collect::<Vec<_>>())),
        "args" => report(format!("{:?}", std::env::args().collect::<Vec<_>>())),
        "connect" => found(std::net::TcpStream::connect(argument), |_| "connected".into()),
        "listen" => found(std::net::TcpListener::bind(argument), |_| "listens".into()),
        "udp" => found(std::net::UdpSocket::bind("0.0.0.0:0"), |_| "bound".into()),
        // The smallest step that either clock makes.
        "clock" => {
            let start = std::time::Instant::now();
            let mut steps: Vec<std::time::Duration> = Vec::new();
            while steps.len() < 3 {
                let passed = start.elapsed();
                if steps.last().is_none_or(|last| *last < passed) && !passed.is_zero() {
                    steps.push(passed);
                }
            }
            let wall = std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap();
            report(format!("{steps:?} {}", wall.subsec_nanos() % 1_000_000))
        }
        "offsets" => match offsets::get(&[argument.to_owned()]) {
            Ok(all) => report(format!("{all:?}")),
            Err(error) => report(format!("refused: {}", error.message)),
        },
        "reconfigure" => {
            connector_context::request_task_reconfiguration();
            Ok(Vec::new())
        }
        "raise" => {
            connector_context::raise_error(argument, None);
            Ok(Vec::new())
        }
        "assignment" => {
            let all = sink_context::assignment();
            report(
                all.iter()
                    .map(|own| format!("{}-{}", own.topic, own.partition))
                    .collect::<Vec<_>>()
                    .join(","),
            )
        }
        "requests" => {
            let own = TopicPartition {
                topic: "t".into(),
                partition: 1,
            };
            sink_context::pause(std::slice::from_ref(&own));
            sink_context::resume(std::slice::from_ref(&own));
            sink_context::rewind(&[PartitionOffset {
                topic: "t".into(),
                partition: 1,
                offset: 7,
            }]);
            sink_context::request_commit();
            sink_context::report(&[sink_context::LateFailure {
                topic: "t".into(),
                partition: 1,
                offset: 3,
                message: "late".into(),
            }]);
            Ok(Vec::new())
        }
        "pauses" => {
            let own = vec![
                TopicPartition {
                    topic: "t".into(),
                    partition: 1
                };
                1_000
            ];
            loop {
                sink_context::pause(&own);
            }
        }
        other => report(format!("the probe does not know {other}")),
    }
}

fn recurse(depth: u64) -> u64 {
    let mut frame = [depth; 64];
    std::hint::black_box(&mut frame);
    if frame[0] == 0 {
        0
    } else {
        1 + recurse(depth + 1) + frame[63]
    }
}

fn take_memory(bytes: usize) -> usize {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    let mut taken = 0;
    while taken < bytes {
        kept.push(vec![1; 1 << 20]);
        taken += 1 << 20;
    }
    std::hint::black_box(&kept).len()
}

/// Bulk copies, which the engine cannot interrupt in the middle.
fn fill(bytes: usize) -> ! {
    let mut memory = vec![0_u8; bytes];
    loop {
        memory.fill(std::hint::black_box(1));
        std::hint::black_box(&mut memory);
    }
}

fn hoard(path: &str) -> Result<Vec<u8>, Error> {
    for opened in 0.. {
        match File::open(path) {
            Ok(file) => std::mem::forget(file),
            Err(error) => return report(format!("after {opened}: {error}")),
        }
    }
    Ok(Vec::new())
}

fn broken(what: impl std::fmt::Debug) -> Error {
    error(ErrorKind::Data, format!("{what:?}"))
}

/// Visits every record and reads one byte of each value.
pub fn walk(batch: &[u8]) -> Result<u64, Error> {
    let frame = Frame::parse(batch).map_err(broken)?;
    let first = |value: Option<&[u8]>| value.and_then(|value| value.first()).copied().unwrap_or(0);
    Ok(std::hint::black_box(
        frame.records().map(|record| u64::from(first(record.value))).sum(),
    ))
}

/// Builds a new batch of the same records.
pub fn copy(batch: &[u8]) -> Result<Vec<u8>, Error> {
    let frame = Frame::parse(batch).map_err(broken)?;
    let mut builder = FrameBuilder::new(Role::Transform);
    builder.begin(frame.encodings(), frame.len());
    for (origin, record) in (0..).zip(frame.records()) {
        let topic = builder.topic(record.topic).map_err(broken)?;
        let new = NewRecord {
            topic,
            origin,
            timestamp: record.timestamp,
            partition: record.partition,
            offset: record.offset,
            key: record.key,
            value: record.value,
            ..NewRecord::default()
        };
        builder.push(&new).map_err(broken)?;
    }
    Ok(builder.take())
}

/// The records whose value holds the text.
pub fn rejected(batch: &[u8], text: &str) -> Result<Vec<Failure>, Error> {
    let frame = Frame::parse(batch).map_err(broken)?;
    let has_text = |value: Option<&[u8]>| value.is_some_and(|value| String::from_utf8_lossy(value).contains(text));
    let failure = |(index, _)| Failure {
        index,
        kind: ErrorKind::Data,
        message: format!("the probe rejects {text}"),
    };
    Ok((0..)
        .zip(frame.records())
        .filter(|(_, record)| has_text(record.value))
        .map(failure)
        .collect())
}

thread_local! {
    static REMEMBERED: std::cell::RefCell<Vec<sink_context::LateFailure>> = const { std::cell::RefCell::new(Vec::new()) };
    static CALLS: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// Keeps in mind where the records are whose value holds the text.
pub fn remember(batch: &[u8], text: &str) -> Result<(), Error> {
    let frame = Frame::parse(batch).map_err(broken)?;
    for failure in rejected(batch, text)? {
        let record = frame.record(failure.index as usize);
        let late = sink_context::LateFailure {
            topic: record.topic.to_owned(),
            partition: record.partition.unwrap_or_default(),
            offset: record.offset.unwrap_or_default(),
            message: format!("the probe rejects {text} late"),
        };
        REMEMBERED.with_borrow_mut(|all| all.push(late));
    }
    Ok(())
}

/// Reports what it keeps in mind.
pub fn report_remembered() {
    let all = REMEMBERED.take();
    if !all.is_empty() {
        sink_context::report(&all);
    }
}

/// Fails so many calls with an error that may pass.
pub fn ask_patience(calls: &str) -> Result<(), Error> {
    let call = CALLS.get() + 1;
    CALLS.set(call);
    if call <= calls.parse().unwrap_or(0) {
        return Err(error(ErrorKind::Retriable, "the probe asks for patience"));
    }
    Ok(())
}
