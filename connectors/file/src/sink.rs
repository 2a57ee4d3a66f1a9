//! `FileStreamSink`: each record becomes a line of a file, or of standard output.

use std::{fs, io};

use caisson_sdk::api::value::java::write_java_string;
use caisson_sdk::prelude::*;
use caisson_sdk::{info, warn};

use crate::file_of;
use crate::output::Output;
use crate::pending::Pending;

/// The job: as many tasks as are wanted, all writing to the one file.
#[derive(Debug)]
pub struct FileStreamSink;

impl SinkConnector for FileStreamSink {
    type Task = FileStreamSinkTask;

    fn plugin() -> Plugin {
        Plugin::new(
            "org.apache.kafka.connect.file.FileStreamSinkConnector",
            // Who knows the class by this name expects the version that Kafka Connect has of it.
            caisson_sdk::api::KAFKA_CONNECT,
        )
        .alias("FileStreamSinkConnector")
        .alias("FileStreamSink")
        .documentation("Appends the value of each record to a file, as a line.")
        .key(
            Key::new("file", Type::String)
                .optional()
                .importance(Importance::High)
                .documentation("Path of the file to append to. Without it, lines go to standard output."),
        )
        .value_encoding(Encoding::Connect)
        .ability(Ability::AltersOffsets)
        .write("${file}")
        .write("-")
    }

    fn start(settings: &Settings, _: &ConnectorContext) -> Result<Self, Error> {
        match file_of(settings) {
            Some(file) => info!("starting file sink connector writing to {file}"),
            None => info!("starting file sink connector writing to standard output"),
        }
        Ok(FileStreamSink)
    }

    fn alter_offsets(_: &Settings, _: &[SinkOffsetChange]) -> Result<bool, Error> {
        // Offsets are kept in Kafka alone, and any of them will do.
        Ok(true)
    }
}

#[derive(Debug)]
enum Target {
    File { file: Output, path: String },
    Stdout(io::Stdout),
}

/// Appends to one file.
#[derive(Debug)]
pub struct FileStreamSinkTask {
    target: Target,
    lines: Pending,
    /// The batch that could not be written in full: its lines are in `lines` already when it comes again.
    failed: Option<BatchName>,
    text: String,
}

/// Enough of a batch to know it again.
#[derive(Clone, Debug, PartialEq, Eq)]
struct BatchName {
    len: usize,
    first: (String, Option<i32>, Option<i64>),
    last: (String, Option<i32>, Option<i64>),
}

impl BatchName {
    fn of(records: &Records<'_>) -> Option<Self> {
        let name = |record: RecordView<'_>| (record.topic().to_string(), record.partition(), record.offset());
        let last = records.len().checked_sub(1)?;
        Some(BatchName {
            len: records.len(),
            first: name(records.get(0)),
            last: name(records.get(last)),
        })
    }
}

impl SinkTask for FileStreamSinkTask {
    fn start(settings: &Settings, _: &SinkContext) -> Result<Self, Error> {
        let target = match file_of(settings) {
            Some(path) => Target::File {
                file: open(path)?,
                path: path.to_string(),
            },
            None => Target::Stdout(io::stdout()),
        };
        let alone = settings.given("tasks.max").is_none_or(|tasks| tasks.trim() == "1");
        Ok(FileStreamSinkTask {
            target,
            lines: Pending::new(alone),
            failed: None,
            text: String::new(),
        })
    }

    fn put(&mut self, records: &Records<'_>) -> Result<(), Error> {
        let name = BatchName::of(records);
        if self.failed.is_none() || self.failed != name {
            // What an earlier batch left is written before this one is taken, so that it cannot grow without end.
            self.write()?;
            for record in records {
                self.add(&record);
            }
        }
        self.failed = name;
        self.write()?;
        self.failed = None;
        Ok(())
    }

    fn pre_commit(&mut self, _: &[PartitionOffset]) -> Result<Option<Vec<PartitionOffset>>, Error> {
        match self.write() {
            Ok(()) => Ok(None),
            Err(error) => {
                // An error would have the worker read again what is written already. So nothing is committed for now,
                // and the next records wait.
                warn!("offsets are not committed yet: {error}");
                Ok(Some(Vec::new()))
            }
        }
    }

    fn stop(&mut self) {
        if let Err(error) = self.write() {
            warn!("{error}");
        }
    }
}

fn open(path: &str) -> Result<Output, Error> {
    if fs::metadata(path).is_ok_and(|metadata| metadata.is_dir()) {
        return Err(Error::fatal(format!(
            "file {path} is a directory: set the configuration 'file' to the path of a file that the worker may write"
        )));
    }
    Output::open(path).map_err(|error| {
        Error::fatal(format!(
            "Couldn't find or create file '{path}' for FileStreamSinkTask: {error}"
        ))
    })
}

impl FileStreamSinkTask {
    fn add(&mut self, record: &RecordView<'_>) {
        let lines = self.lines.bytes();
        match record.value_text() {
            Some(text) => lines.extend_from_slice(text.as_bytes()),
            None => match record.value() {
                Ok(value) => {
                    self.text.clear();
                    write_java_string(record.value_schema().map(|schema| &**schema), &value, &mut self.text);
                    lines.extend_from_slice(self.text.as_bytes());
                }
                Err(error) => return record.fail(error),
            },
        }
        lines.push(b'\n');
    }

    /// Writes what is not written yet. After an error the rest is kept for the next time.
    fn write(&mut self) -> Result<(), Error> {
        let written = match &mut self.target {
            Target::File { file, .. } => self.lines.write_to(file),
            Target::Stdout(stdout) => self.lines.write_to(stdout),
        };
        written.map_err(|error| self.cannot_write(&error))
    }

    fn cannot_write(&self, error: &io::Error) -> Error {
        let left = self.lines.left();
        let (what, remedy) = match &self.target {
            Target::File { path, .. } => (
                format!("file {path}"),
                "make room on its disk or see to its permissions",
            ),
            Target::Stdout(_) => ("standard output".to_string(), "see to whatever reads it"),
        };
        Error::retriable(format!(
            "{what} cannot be written: {error}; {left} bytes wait and no offsets are committed meanwhile: {remedy}"
        ))
    }
}
