//! One component that is many versions: tests overwrite [`BEHAVIOUR`] and [`VERSION`] in its bytes, which makes another
//! module of the same classes, good or bad.

use std::fs::File;
use std::hint::black_box;
use std::io::Write;

use caisson_sdk::prelude::*;

/// What it does, filled up with dots.
static BEHAVIOUR: [u8; 32] = *b"changeling:ok...................";
static VERSION: [u8; 8] = *b"1.0.0001";
/// The batch on which it goes wrong: some go well before.
const LAST_GOOD: u32 = 2;

caisson_sdk::plugins! {
    sinks: [Sink],
    transforms: [Pass],
}

fn behaviour() -> &'static str {
    let bytes: &'static [u8; 32] = black_box(&BEHAVIOUR);
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    text.trim_end_matches('.').trim_start_matches("changeling:")
}

fn plugin(class: &str) -> Plugin {
    let version: &'static [u8; 8] = black_box(&VERSION);
    let plugin = Plugin::new(class, std::str::from_utf8(version).unwrap_or_default());
    if behaviour() == "grants" {
        return plugin.network("changeling.example:443");
    }
    plugin
}

fn begin() -> Result<(), Error> {
    match behaviour() {
        "fail-start" => Err(Error::config("the changeling does not start")),
        "trap-start" => panic!("the changeling panics at its start"),
        _ => Ok(()),
    }
}

/// Goes wrong, if it is time.
fn act(batch: u32) -> Result<(), Error> {
    if batch <= LAST_GOOD {
        return Ok(());
    }
    match behaviour() {
        "trap" => panic!("the changeling panics"),
        "hang" => loop {
            black_box(());
        },
        "leak" => loop {
            std::mem::forget(black_box(vec![1_u8; 1 << 20]));
        },
        "fail" => Err(Error::fatal("the changeling fails")),
        _ => Ok(()),
    }
}

/// A transform that changes nothing.
pub struct Pass {
    batches: u32,
}

impl Transform for Pass {
    fn plugin() -> Plugin {
        plugin("changeling.Pass")
    }

    fn start(_: &Settings) -> Result<Self, Error> {
        begin().map(|()| Pass { batches: 0 })
    }

    fn apply_batch(&mut self, records: &Records<'_>, _: &mut caisson_sdk::transform::Output) -> Result<Answer, Error> {
        self.batches += 1;
        act(self.batches)?;
        if behaviour() == "reject" && self.batches > LAST_GOOD {
            records.get(0).fail(Error::data("the changeling rejects a record"));
        }
        Ok(Answer::Unchanged)
    }
}

/// A sink that appends values to a file, each with the end of a line; those of a batch at once.
pub struct Sink;

pub struct SinkFile {
    file: File,
    batches: u32,
    context: SinkContext,
    /// The topic that is still to be asked for once more, from its beginning, after [`BEFORE_REWIND`] of its records.
    rewind: Option<String>,
    of_topic: u32,
}

/// Records of a topic before the sink asks for them all again.
const BEFORE_REWIND: u32 = 100;

impl SinkConnector for Sink {
    type Task = SinkFile;

    fn plugin() -> Plugin {
        plugin("changeling.Sink")
            .key(Key::new("file", Type::String).validator(Validator::NonEmpty))
            .key(Key::new("rewind", Type::String).default(""))
            .write("${file}")
    }

    fn start(_: &Settings, _: &ConnectorContext) -> Result<Self, Error> {
        Ok(Sink)
    }
}

impl SinkTask for SinkFile {
    fn start(settings: &Settings, context: &SinkContext) -> Result<Self, Error> {
        begin()?;
        let path = settings.text("file")?;
        let opened = File::options().create(true).append(true).open(path);
        let file = opened.map_err(|error| Error::config(format!("{path}: {error}")))?;
        Ok(SinkFile {
            file,
            batches: 0,
            context: *context,
            rewind: Some(settings.text("rewind")?.to_owned()).filter(|topic| !topic.is_empty()),
            of_topic: 0,
        })
    }

    fn put(&mut self, records: &Records<'_>) -> Result<(), Error> {
        self.batches += 1;
        act(self.batches)?;
        let mut lines = Vec::new();
        for record in records {
            lines.extend_from_slice(record.value_bytes().unwrap_or_default());
            lines.push(b'\n');
            self.of_topic += u32::from(self.rewind.as_deref() == Some(record.topic()));
        }
        if self.of_topic >= BEFORE_REWIND
            && let Some(topic) = self.rewind.take()
        {
            self.context.rewind(&[PartitionOffset::new(topic, 0, 0)]);
        }
        let written = self.file.write_all(&lines);
        written.map_err(|error| Error::fatal(format!("cannot write: {error}")))
    }
}
