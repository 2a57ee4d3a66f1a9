//! `caisson run`: a source, its chain, and a sink in this process, for authors. No Kafka, no REST; everything else as a worker
//! does it.

mod record;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use caisson_api::manifest::PluginKind;
use caisson_config::{ConnectorFile, Given, WorkerConfig, connector_file, properties, providers};
use caisson_store::{FileOffsetStore, MemoryOffsetStore, OffsetStore};
use caisson_task::local::{End, LocalRecord, LocalSink, LocalSource, Part};
use caisson_worker::{ValidationError, Worker};
use tokio::runtime::Handle;

use crate::cli::RunArguments;
use crate::client::{Ending, is_read, run_async};
use crate::{compose, logging, signals};

/// What the worker's properties would say. Nobody connects to that address.
const DEFAULTS: [(&str, &str); 6] = [
    ("bootstrap.servers", "localhost:9092"),
    ("offset.storage.file.filename", "none"),
    ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
    ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
    ("value.converter.schemas.enable", "false"),
    ("log.level", "warn"),
];
/// Lines that go to a sink at once.
const LINES: usize = 500;
/// Records of one transaction that are held until it ends.
const LARGEST_TRANSACTION: usize = 1_000_000;
/// Of standard input, so that a program that never ends a line does not fill the memory.
const LONGEST_LINE: u64 = 16 << 20;

pub fn run(arguments: &RunArguments) -> ExitCode {
    run_async(async {
        perform(arguments).await?;
        Ok(Ending::Done)
    })
}

async fn perform(arguments: &RunArguments) -> anyhow::Result<()> {
    let config = Arc::new(worker_config(arguments)?);
    logging::begin(None, arguments.log.as_deref(), &config)?;
    let offsets: Arc<dyn OffsetStore> = match &arguments.offsets {
        Some(file) => Arc::new(FileOffsetStore::open(file).context("--offsets")?),
        None => Arc::new(MemoryOffsetStore::new()),
    };
    let (worker, mut events) = compose::worker(&config, offsets, None).await?;
    // What happens to connectors is said by what fails.
    tokio::spawn(async move { while events.recv().await.is_some() {} });
    let flow = flow(&worker, arguments).await?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopping = stop.clone();
    tokio::spawn(async move {
        if signals::requested().await.is_ok() {
            stopping.store(true, Ordering::Relaxed);
        }
    });
    let (records, lines) = (arguments.records, arguments.lines);
    let runtime = Handle::current();
    // Guests hold up the thread that calls them.
    let passing = move || {
        let mut run = Run {
            worker,
            offsets: BTreeMap::new(),
            left: records,
            stop,
        };
        runtime.block_on(run.all(flow, lines))
    };
    tokio::task::spawn_blocking(passing).await?
}

/// The connectors that are joined.
struct Ends {
    source: Option<ConnectorFile>,
    sink: Option<ConnectorFile>,
}

/// Reads the files and checks them as a worker would.
async fn flow(worker: &Worker, arguments: &RunArguments) -> anyhow::Result<Ends> {
    let mut flow = Ends {
        source: None,
        sink: None,
    };
    for (number, file) in arguments.connectors.iter().enumerate() {
        let name = file.display().to_string();
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {name}"))?;
        let read = |own: Option<&str>| connector_file::parse_all(&bytes, &name, own);
        let mut connectors = read(None).or_else(|_| read(Some(&format!("local-{number}"))))?;
        let (Some(connector), None) = (connectors.pop(), connectors.pop()) else {
            bail!("{name} has to hold one connector");
        };
        check(worker, &connector, &name).await?;
        let class = connector.config.get("connector.class").unwrap_or_default();
        let place = match worker.connector_kind(class) {
            Some(PluginKind::Sink) => &mut flow.sink,
            _ => &mut flow.source,
        };
        if let Some(other) = place.replace(connector) {
            bail!(
                "{name} and {} are two of a kind; a source and a sink can be joined",
                other.name
            );
        }
    }
    match (&flow.source, &flow.sink) {
        (Some(source), Some(sink)) if source.name == sink.name => bail!("both connectors are called {}", source.name),
        _ => Ok(flow),
    }
}

/// Refuses what a worker would refuse, by its words.
async fn check(worker: &Worker, connector: &ConnectorFile, file: &str) -> anyhow::Result<()> {
    let infos = match worker.validate(&config_of(&connector.config)).await {
        Ok(infos) => infos,
        Err(ValidationError::Refused(refusal)) => bail!("{file}: {refusal}"),
        Err(ValidationError::Plugin(failure)) => bail!("{file}: {failure}"),
    };
    if infos.error_count == 0 {
        return Ok(());
    }
    let mut text = format!("{file}: {} errors", infos.error_count);
    for value in infos.configs.iter().map(|config| &config.value) {
        for error in &value.errors {
            text.push_str(&format!("\n  {}: {error}", value.name));
        }
    }
    bail!(text)
}

fn config_of(given: &Given) -> caisson_store::Config {
    let entries = given.iter();
    entries
        .map(|(key, value)| (key.to_owned(), value.map(str::to_owned)))
        .collect()
}

/// A worker's properties as given, over defaults that need no Kafka.
fn worker_config(arguments: &RunArguments) -> anyhow::Result<WorkerConfig> {
    let mut given = Given::default();
    for (key, value) in DEFAULTS {
        given.set(key, Some(value.to_owned()));
    }
    let mut name = "caisson run".to_owned();
    if let Some(file) = &arguments.worker {
        name = file.display().to_string();
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {name}"))?;
        let own = properties::parse(&bytes, &name)?;
        if own.contains("value.converter") {
            // What belongs to the converter that is not used.
            given.remove("value.converter.schemas.enable");
        }
        for (key, value) in own.iter() {
            given.set(key, value.map(str::to_owned));
        }
    }
    if !arguments.plugin_path.is_empty() {
        let own = given.get("plugin.path").map(str::to_owned);
        let paths: Vec<String> = arguments
            .plugin_path
            .iter()
            .map(|path| path.display().to_string())
            .chain(own)
            .collect();
        given.set("plugin.path", Some(paths.join(",")));
    }
    let properties = caisson_sandbox::properties();
    Ok(WorkerConfig::standalone(
        &given,
        &name,
        &properties,
        Box::new(providers::Machine),
    )?)
}

/// What goes on.
struct Run {
    worker: Arc<Worker>,
    /// The next offset of each topic's partitions.
    offsets: BTreeMap<(String, i32), i64>,
    /// Records that are still wanted; none: all.
    left: Option<u64>,
    stop: Arc<AtomicBool>,
}

impl Run {
    async fn all(&mut self, flow: Ends, lines: bool) -> anyhow::Result<()> {
        let topic = flow.sink.as_ref().and_then(|sink| sink.config.get("topics"));
        let topic = topic
            .and_then(|topics| topics.split(',').next())
            .map(|topic| topic.trim().to_owned());
        let mut sink = match &flow.sink {
            Some(sink) => Some(
                self.worker
                    .local_sink(&sink.name, &config_of(&sink.config))
                    .await
                    .map_err(failed)?,
            ),
            None => None,
        };
        let ran = match &flow.source {
            Some(source) => self.drain_source(source, &mut sink).await,
            None => self.drain_input(topic.as_deref(), lines, &mut sink).await,
        };
        let flushed = match &mut sink {
            Some(sink) if ran.is_ok() => sink.flush().await.map_err(failed),
            Some(_) | None => Ok(()),
        };
        if let Some(mut sink) = sink {
            tell_letters(sink.letters());
            sink.stop().await;
        }
        for connector in [&flow.source, &flow.sink].into_iter().flatten() {
            self.worker.stop_connector(&connector.name).await;
        }
        ran.and(flushed)
    }

    fn is_over(&self) -> bool {
        self.left == Some(0) || self.stop.load(Ordering::Relaxed)
    }

    async fn drain_source(&mut self, connector: &ConnectorFile, sink: &mut Option<LocalSink>) -> anyhow::Result<()> {
        let source = self
            .worker
            .local_source(&connector.name, &config_of(&connector.config))
            .await;
        let mut source = source.map_err(failed)?;
        let mut open = Vec::new();
        let mut passed = Ok(());
        while passed.is_ok() && !self.is_over() {
            passed = self.batch(&connector.name, &mut source, &mut open, sink).await;
            tell_letters(source.letters());
        }
        let left: usize = open.iter().map(|part: &Part| part.records.len()).sum();
        if left > 0 && passed.is_ok() {
            eprintln!("the last transaction has no end yet: {left} records are left out");
        }
        source.stop().await;
        passed
    }

    /// `open`: what has come of a transaction whose end is still to come.
    async fn batch(
        &mut self,
        name: &str,
        source: &mut LocalSource,
        open: &mut Vec<Part>,
        sink: &mut Option<LocalSink>,
    ) -> anyhow::Result<()> {
        for part in source.poll().await.map_err(failed)?.parts {
            let end = part.end;
            open.push(part);
            if end == End::Open {
                if open.iter().map(|part| part.records.len()).sum::<usize>() > LARGEST_TRANSACTION {
                    bail!("a transaction of {name} has more than {LARGEST_TRANSACTION} records");
                }
                continue;
            }
            let mut whole = std::mem::take(open);
            if !self.end(&mut whole, end, sink).await? {
                return Ok(());
            }
            let offsets: Vec<_> = whole.iter().flat_map(|part| part.offsets.iter().cloned()).collect();
            self.worker.store_offsets(name, &offsets).await.map_err(failed)?;
            source.arrived(&whole, end).await.map_err(failed)?;
            if self.is_over() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Passes a transaction on, or says that the connector has given it up. False: it was cut, and nothing of it is to be
    /// stored, for its offsets are those of records that went nowhere.
    async fn end(&mut self, parts: &mut [Part], end: End, sink: &mut Option<LocalSink>) -> anyhow::Result<bool> {
        let mut records: Vec<LocalRecord> = Vec::new();
        for part in parts {
            records.append(&mut part.records);
        }
        if end == End::Abort {
            eprintln!("a transaction was given up by the connector: {} records", records.len());
            return Ok(true);
        }
        let whole = self.wanted(&mut records);
        self.number(&mut records);
        self.give(&records, sink).await?;
        if let (Some(sink), false) = (sink, records.is_empty()) {
            // What is stored of the source must not be more than what the sink has made durable.
            let flushed = sink.flush().await;
            tell_letters(sink.letters());
            flushed.map_err(failed)?;
        }
        Ok(whole)
    }

    /// Cuts off what is more than was asked for; whether there was nothing of that.
    fn wanted(&mut self, records: &mut Vec<LocalRecord>) -> bool {
        let Some(left) = &mut self.left else { return true };
        let before = records.len();
        records.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
        *left -= records.len() as u64;
        records.len() == before
    }

    fn number(&mut self, records: &mut [LocalRecord]) {
        for record in records {
            let next = self
                .offsets
                .entry((record.topic.clone(), record.partition))
                .or_default();
            record.offset = *next;
            *next += 1;
        }
    }

    /// To the sink, or to whoever reads standard output.
    async fn give(&mut self, records: &[LocalRecord], sink: &mut Option<LocalSink>) -> anyhow::Result<()> {
        if let Some(sink) = sink {
            let put = sink.put(records).await;
            tell_letters(sink.letters());
            return put.map_err(failed);
        }
        let mut text = String::new();
        for record in records {
            text.push_str(&record::write(record));
            text.push('\n');
        }
        if !is_read(&text)? {
            self.stop.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Standard input, line by line.
    async fn drain_input(
        &mut self,
        topic: Option<&str>,
        lines: bool,
        sink: &mut Option<LocalSink>,
    ) -> anyhow::Result<()> {
        let mut input = BufReader::new(std::io::stdin().lock());
        let (mut number, mut ended) = (0_u64, false);
        while !ended && !self.is_over() {
            let mut records = Vec::new();
            while records.len() < LINES {
                let mut line = Vec::new();
                if input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
                    ended = true;
                    break;
                }
                number += 1;
                if line.len() as u64 == LONGEST_LINE {
                    bail!("line {number} of standard input has more than {LONGEST_LINE} bytes");
                }
                while line.last().is_some_and(|last| matches!(last, b'\n' | b'\r')) {
                    line.pop();
                }
                let read = match lines {
                    true => Ok(record::of_value(line, topic)),
                    false => record::read(&line, topic),
                };
                records.push(read.with_context(|| format!("line {number} of standard input"))?);
                if input.buffer().is_empty() {
                    // More may be long in coming.
                    break;
                }
            }
            self.wanted(&mut records);
            self.number(&mut records);
            self.give(&records, sink).await?;
        }
        Ok(())
    }
}

/// Standard output is for records that arrive.
fn tell_letters(letters: Vec<LocalRecord>) {
    for letter in letters {
        eprintln!("dead letter: {}", record::write(&letter));
    }
}

fn failed(failure: caisson_model::Failure) -> anyhow::Error {
    anyhow::anyhow!(failure.trace())
}
