//! `FileStreamSource`: each line of a file, or of standard input, becomes a record.

use std::fs::{self, File};
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use caisson_sdk::prelude::*;
use caisson_sdk::source::{RecordWriter, TextSchema};
use caisson_sdk::{debug, info, warn};

use crate::file_of;
use crate::input::{Input, Stdin};
use crate::lines::{Line, Lines, bytes_of_units};

/// Without anything new to read, the file is looked at again after this long, then half as often each time.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// The job: one file, one task.
#[derive(Debug)]
pub struct FileStreamSource;

impl SourceConnector for FileStreamSource {
    type Task = FileStreamSourceTask;

    fn plugin() -> Plugin {
        Plugin::new(
            "org.apache.kafka.connect.file.FileStreamSourceConnector",
            // Who knows the class by this name expects the version that Kafka Connect has of it.
            caisson_sdk::api::KAFKA_CONNECT,
        )
        .alias("FileStreamSourceConnector")
        .alias("FileStreamSource")
        .documentation("Makes a record of each line of a file, and goes on as the file grows.")
        .key(
            Key::new("file", Type::String)
                .optional()
                .importance(Importance::High)
                .documentation("Path of the file to read. Without it, standard input is read."),
        )
        .key(
            Key::new("topic", Type::String)
                .validator(Validator::NonEmpty)
                .importance(Importance::High)
                .documentation("The topic to write to."),
        )
        .key(
            Key::new("batch.size", Type::Int)
                .default("2000")
                .importance(Importance::Low)
                .documentation("The most records that are read from the file at once."),
        )
        .value_encoding(Encoding::Connect)
        .ability(Ability::AltersOffsets)
        .ability(Ability::ExactlyOnce)
        .read("${file}")
        .read("-")
    }

    fn start(settings: &Settings, _: &ConnectorContext) -> Result<Self, Error> {
        match file_of(settings) {
            Some(file) => info!("starting file source connector reading from {file}"),
            None => info!("starting file source connector reading from standard input"),
        }
        Ok(FileStreamSource)
    }

    fn exactly_once(settings: &Settings) -> ExactlyOnce {
        // Of standard input no offsets are kept.
        match file_of(settings) {
            Some(_) => ExactlyOnce::Supported,
            None => ExactlyOnce::Unsupported,
        }
    }

    fn alter_offsets(settings: &Settings, changes: &[SourceOffsetChange]) -> Result<bool, Error> {
        if file_of(settings).is_none() {
            return Err(Error::fatal(
                "Offsets cannot be modified if the 'file' configuration is unspecified. This is because stdin is used \
                 for input and offsets are not tracked.",
            ));
        }
        for change in changes {
            // Whatever is stored may be removed, also what makes no sense.
            let Some(offset) = &change.offset else { continue };
            check_offset(&change.partition, offset).map_err(Error::fatal)?;
        }
        Ok(true)
    }
}

fn check_offset(partition: &Json, offset: &Json) -> Result<(), &'static str> {
    let position = offset
        .get("position")
        .ok_or("Offset objects should either be null or contain the key 'position'")?;
    let position = position
        .as_i64()
        .ok_or("The value for the 'position' key in the offset is expected to be a Long value")?;
    if position < 0 {
        return Err("The value for the 'position' key in the offset should be a non-negative value");
    }
    if partition.is_null() {
        return Err("Partition objects cannot be null");
    }
    match partition.get("filename") {
        Some(_) => Ok(()),
        None => Err("Partition objects should contain the key 'filename'"),
    }
}

/// Reads one file.
#[derive(Debug)]
pub struct FileStreamSourceTask {
    file: Option<String>,
    topic: String,
    batch_size: usize,
    /// The source partition as JSON text.
    partition: String,
    input: Option<Input>,
    lines: Lines,
    /// Where the next line begins, in UTF-16 units.
    position: u64,
    /// UTF-16 units to pass over before that is so.
    to_skip: u64,
    /// Bytes read from the file.
    bytes: u64,
    pause: Duration,
    /// What has been said about the file, so that it is said once.
    warned: bool,
    /// Records of the batch before: the next one will have about as many.
    usual: usize,
}

impl SourceTask for FileStreamSourceTask {
    fn start(settings: &Settings, context: &SourceContext) -> Result<Self, Error> {
        let file = file_of(settings).map(str::to_string);
        let partition = json!({"filename": file});
        let to_skip = match &file {
            Some(_) => stored_position(context.offset(&partition)?)?,
            None => 0,
        };
        Ok(FileStreamSourceTask {
            topic: settings.text("topic")?.to_string(),
            // Kafka Connect takes any number here, and reads one line at least.
            batch_size: usize::try_from(settings.int("batch.size")?).unwrap_or(0).max(1),
            partition: partition.to_string(),
            input: file.is_none().then(|| Input::Stdin(Stdin::open())),
            file,
            lines: Lines::new(),
            position: to_skip,
            to_skip,
            bytes: 0,
            pause: FIRST_PAUSE,
            warned: false,
            usual: 0,
        })
    }

    fn poll(&mut self, batch: &mut Batch) -> Result<(), Error> {
        let deadline = Instant::now() + batch.max_wait();
        loop {
            if self.open()? && self.skip(deadline)? {
                self.take(batch)?;
                if !batch.is_empty() {
                    self.usual = batch.len();
                    self.pause = FIRST_PAUSE;
                    return Ok(());
                }
                self.watch()?;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(self.pause.min(left));
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
    }
}

fn stored_position(offset: Option<Json>) -> Result<u64, Error> {
    match offset.as_ref().and_then(|offset| offset.get("position")) {
        None | Some(Json::Null) => Ok(0),
        Some(position) => position
            .as_u64()
            .ok_or_else(|| Error::fatal("Offset position is the incorrect type")),
    }
}

impl FileStreamSourceTask {
    fn name(&self) -> &str {
        self.file.as_deref().unwrap_or("stdin")
    }

    /// Opens the file if it is there.
    fn open(&mut self) -> Result<bool, Error> {
        let (None, Some(file)) = (&self.input, &self.file) else {
            return Ok(true);
        };
        // A directory can be opened, and would then be read for ever without a line.
        let opened = fs::metadata(file).and_then(|metadata| match metadata.is_dir() {
            true => Err(io::ErrorKind::IsADirectory.into()),
            false => File::open(file),
        });
        match opened {
            Ok(opened) => {
                debug!("opened {file} for reading at position {}", self.to_skip);
                self.input = Some(Input::File(opened));
                self.warned = false;
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if !self.warned {
                    warn!("could not find file {file} for FileStreamSourceTask, waiting for it to be created");
                    self.warned = true;
                }
                Ok(false)
            }
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => Err(Error::fatal(format!(
                "file {file} is a directory: set the configuration 'file' to the path of a file that the worker may read"
            ))),
            Err(error) => Err(Error::fatal(format!(
                "file {file} cannot be opened for reading: {error}"
            ))),
        }
    }

    fn read(&mut self) -> Result<usize, Error> {
        let Some(input) = &mut self.input else { return Ok(0) };
        match self.lines.fill(|to| input.read(to)) {
            Ok(came) => {
                self.bytes += came as u64;
                Ok(came)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
            Err(error) => Err(Error::fatal(format!("file {} cannot be read: {error}", self.name()))),
        }
    }

    /// Passes over what was delivered by an earlier run. False: there is more to pass over.
    fn skip(&mut self, deadline: Instant) -> Result<bool, Error> {
        while self.to_skip > 0 {
            match bytes_of_units(self.lines.pending(), self.to_skip) {
                Ok(bytes) => {
                    self.lines.skip(bytes);
                    self.to_skip = 0;
                }
                Err(units) => {
                    self.to_skip -= units;
                    self.lines.skip(usize::MAX);
                    if self.to_skip > 0 && self.read()? == 0 {
                        self.watch()?;
                        return Ok(false);
                    }
                    if Instant::now() > deadline {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    /// Adds lines to the batch until it is full or nothing more is there.
    fn take(&mut self, batch: &mut Batch) -> Result<(), Error> {
        batch.expect(self.usual.min(self.batch_size));
        let topic = batch.topic(&self.topic)?;
        let partition = batch.source_partition(&self.partition)?;
        let schema = batch.text_schema()?;
        let mut offset = Offset::new(self.file.is_some());
        loop {
            while batch.len() < self.batch_size && !batch.is_full() {
                let Some(line) = self.lines.next() else { break };
                self.position += line.units;
                let mut record = batch.record(topic);
                write_line(&mut record, schema, line);
                record.finish(partition, offset.text(self.position))?;
            }
            if batch.len() >= self.batch_size || batch.is_full() || self.read()? == 0 {
                return Ok(());
            }
        }
    }

    /// Says once that the file has become shorter than what was read of it.
    fn watch(&mut self) -> Result<(), Error> {
        let Some(Input::File(file)) = &self.input else {
            return Ok(());
        };
        let length = file
            .metadata()
            .map_err(|error| Error::fatal(format!("file {} cannot be looked at: {error}", self.name())))?;
        if length.len() >= self.bytes && self.to_skip == 0 {
            self.warned = false;
        } else if !self.warned {
            let (name, position) = (self.name(), self.position);
            warn!(
                "file {name} ends before position {position}, up to which it was read: it goes on once the file has \
                 grown beyond; to read it from its beginning, stop the connector and reset its offsets"
            );
            self.warned = true;
        }
        Ok(())
    }
}

fn write_line(record: &mut RecordWriter<'_>, schema: TextSchema, line: Line<'_>) {
    if line.ascii {
        record.value_utf8(schema, line.bytes);
    } else {
        record.value_text(schema, &String::from_utf8_lossy(line.bytes));
    }
}

/// The JSON text of an offset, written over and over into the same memory.
struct Offset {
    text: String,
    tracked: bool,
}

const POSITION: &str = r#"{"position":"#;

impl Offset {
    fn new(tracked: bool) -> Self {
        Offset {
            text: if tracked {
                POSITION.to_string()
            } else {
                r#"{"position":null}"#.to_string()
            },
            tracked,
        }
    }

    #[inline]
    fn text(&mut self, position: u64) -> &str {
        if self.tracked {
            self.text.truncate(POSITION.len());
            self.text.push_str(itoa::Buffer::new().format(position));
            self.text.push('}');
        }
        &self.text
    }
}
