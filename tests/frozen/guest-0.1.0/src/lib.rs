//! A guest of the first version of the contract. Frozen: see `../README.md`.

use std::cell::Cell;

use exports::caisson::connect::{
    manifest, predicate, sink_connector, sink_task, source_connector, source_task, transform,
};

wit_bindgen::generate!({
    inline: "
        package frozen:guest;
        world guest {
            include caisson:connect/source@0.1.0;
            include caisson:connect/sink@0.1.0;
            include caisson:connect/transforms@0.1.0;
            include caisson:connect/predicates@0.1.0;
        }
    ",
    path: "../wit-0.1.0",
    world: "frozen:guest/guest",
    generate_all,
});

use caisson::connect::types::{Config, ConfigValue, Error, ErrorKind, Failure, PartitionOffset, TopicPartition};
use caisson::connect::{connector_context, log, metrics, offsets, sink_context};

struct Guest;

export!(Guest);

const MANIFEST: &str = r#"{
  "format": 1,
  "module": {"name": "frozen-guest", "version": "0.1.0", "description": "A guest of the first version of the contract."},
  "plugins": [
    {"class": "frozen.Source", "kind": "source", "version": "0.1.0", "abilities": ["delivery-reports"],
     "keys": [{"name": "topic", "type": "STRING", "required": true, "importance": "HIGH", "documentation": "Topic to write to."}]},
    {"class": "frozen.Sink", "kind": "sink", "version": "0.1.0"},
    {"class": "frozen.Transform", "kind": "transform", "version": "0.1.0"},
    {"class": "frozen.Predicate", "kind": "predicate", "version": "0.1.0"}
  ]
}"#;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
    static TOPIC: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl manifest::Guest for Guest {
    fn describe() -> String {
        MANIFEST.to_string()
    }
}

fn fatal(message: &str) -> Error {
    Error {
        kind: ErrorKind::Fatal,
        message: message.to_string(),
        detail: None,
        retry_after_ms: None,
    }
}

impl source_connector::Guest for Guest {
    fn validate(_: String, _: Config) -> Result<Vec<ConfigValue>, Error> {
        Ok(Vec::new())
    }

    fn exactly_once_support(_: String, _: Config) -> source_connector::ExactlyOnce {
        source_connector::ExactlyOnce::Unsupported
    }

    fn start(_: String, config: Config) -> Result<(), Error> {
        if config
            .iter()
            .any(|(key, value)| key == "reconfigure" && value == "true")
        {
            connector_context::request_task_reconfiguration();
        }
        CONFIG.set(config);
        Ok(())
    }

    fn task_configs(_: u32) -> Result<Vec<Config>, Error> {
        Ok(vec![CONFIG.take()])
    }

    fn alter_offsets(_: String, _: Config, _: Vec<source_connector::OffsetChange>) -> Result<bool, Error> {
        Ok(false)
    }

    fn stop() {}
}

thread_local! {
    static CONFIG: Cell<Config> = const { Cell::new(Vec::new()) };
}

const PARTITION: &str = r#"{"frozen":"source"}"#;

impl source_task::Guest for Guest {
    fn start(_: String, config: Config) -> Result<(), Error> {
        let topic = config
            .into_iter()
            .find(|(key, _)| key == "topic")
            .ok_or_else(|| fatal("no topic"))?
            .1;
        TOPIC.set(topic.into_bytes());
        let stored = offsets::get(&[PARTITION.to_string()])?.pop().flatten();
        let digits: String = stored
            .unwrap_or_default()
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        COUNT.set(digits.parse().unwrap_or(0));
        Ok(())
    }

    fn poll(_max_wait_ms: u32, _max_bytes: u32) -> Result<Vec<u8>, Error> {
        if COUNT.get() == 3 {
            return Ok(Vec::new());
        }
        COUNT.set(COUNT.get() + 1);
        let topic = TOPIC.take();
        let frame = source_frame(&topic, COUNT.get());
        TOPIC.set(topic);
        Ok(frame)
    }

    fn delivered(deliveries: Vec<source_task::Delivery>) -> Result<(), Error> {
        let count: u32 = deliveries.iter().map(|delivery| delivery.count).sum();
        metrics::add("frozen.delivered", &[], count.into());
        Ok(())
    }

    fn committed() -> Result<(), Error> {
        metrics::set("frozen.committed", &[], 1.0);
        Ok(())
    }

    fn stop() {}
}

/// A frame with one record of a source.
fn source_frame(topic: &[u8], count: u64) -> Vec<u8> {
    let value = count.to_string().into_bytes();
    let offset = format!("{{\"count\":{count}}}").into_bytes();
    let strings = 40 + 64;
    let partitions = strings + 8 + topic.len();
    let data = partitions + 8 + PARTITION.len();
    let mut frame = vec![0; strings];
    frame[..4].copy_from_slice(b"CSN\x01");
    put(&mut frame, 4, data + value.len() + offset.len());
    put(&mut frame, 8, 1);
    put(&mut frame, 12, 64);
    put(&mut frame, 20, strings);
    put(&mut frame, 28, partitions);
    put(&mut frame, 32, data);
    frame[48..60].fill(0xff); // neither offset nor partition
    frame[68..72].fill(0xff); // no schemas
    frame[76..80].fill(0xff); // no key
    put(&mut frame, 80, value.len());
    put(&mut frame, 92, value.len());
    put(&mut frame, 96, offset.len());
    for text in [topic, PARTITION.as_bytes()] {
        frame.extend_from_slice(&1u32.to_le_bytes());
        frame.extend_from_slice(&(text.len() as u32).to_le_bytes());
        frame.extend_from_slice(text);
    }
    frame.extend_from_slice(&value);
    frame.extend_from_slice(&offset);
    frame
}

fn put(frame: &mut [u8], at: usize, number: usize) {
    frame[at..at + 4].copy_from_slice(&(number as u32).to_le_bytes());
}

fn word(frame: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([frame[at], frame[at + 1], frame[at + 2], frame[at + 3]])
}

/// The length of each value, -1 for null. Steps by the length of an entry that the frame states.
fn value_lengths(frame: &[u8]) -> Vec<i32> {
    if frame.is_empty() {
        return Vec::new();
    }
    assert_eq!(&frame[..4], b"CSN\x01");
    let step = (word(frame, 12) & 0xffff) as usize;
    (0..word(frame, 8) as usize)
        .map(|record| word(frame, 40 + record * step + 40) as i32)
        .collect()
}

impl sink_connector::Guest for Guest {
    fn validate(_: String, _: Config) -> Result<Vec<ConfigValue>, Error> {
        Ok(Vec::new())
    }

    fn start(_: String, config: Config) -> Result<(), Error> {
        CONFIG.set(config);
        Ok(())
    }

    fn task_configs(max_tasks: u32) -> Result<Vec<Config>, Error> {
        Ok(vec![CONFIG.take(); max_tasks as usize])
    }

    fn alter_offsets(_: String, _: Config, _: Vec<sink_connector::OffsetChange>) -> Result<bool, Error> {
        Ok(false)
    }

    fn stop() {}
}

impl sink_task::Guest for Guest {
    fn start(_: String, _: Config) -> Result<(), Error> {
        Ok(())
    }

    fn open(partitions: Vec<TopicPartition>) -> Result<(), Error> {
        let known = sink_context::assignment();
        let open = |each: &TopicPartition| known.iter().any(|known| known.topic == each.topic);
        if partitions.iter().all(open) {
            Ok(())
        } else {
            Err(fatal("a partition that is opened is not assigned"))
        }
    }

    fn put(batch: Vec<u8>) -> Result<Vec<Failure>, Error> {
        let count = value_lengths(&batch).len();
        metrics::add("frozen.records", &[], count as u64);
        if log::enabled(log::Level::Info) {
            log::write(log::Level::Info, &format!("put {count} records"), &[]);
        }
        Ok(Vec::new())
    }

    fn pre_commit(current: Vec<PartitionOffset>) -> Result<Option<Vec<PartitionOffset>>, Error> {
        Ok(Some(current))
    }

    fn close(_: Vec<TopicPartition>) -> Result<(), Error> {
        Ok(())
    }

    fn stop() {}
}

fn bits(lengths: &[i32], holds: impl Fn(i32) -> bool) -> Vec<u8> {
    let mut bits = vec![0; lengths.len().div_ceil(8)];
    for (record, length) in lengths.iter().enumerate() {
        bits[record / 8] |= u8::from(holds(*length)) << (record % 8);
    }
    bits
}

impl transform::Guest for Guest {
    fn start(_: String, _: Config) -> Result<(), Error> {
        Ok(())
    }

    fn apply(batch: Vec<u8>) -> Result<transform::Applied, Error> {
        let lengths = value_lengths(&batch);
        let records = match lengths.iter().all(|length| *length > 0) {
            true => transform::Records::Unchanged,
            false => transform::Records::Kept(bits(&lengths, |length| length > 0)),
        };
        Ok(transform::Applied {
            records,
            failures: Vec::new(),
        })
    }

    fn stop() {}
}

impl predicate::Guest for Guest {
    fn start(_: String, _: Config) -> Result<(), Error> {
        Ok(())
    }

    fn test(batch: Vec<u8>) -> Result<predicate::Tested, Error> {
        Ok(predicate::Tested {
            matches: bits(&value_lengths(&batch), |length| length <= 0),
            failures: Vec::new(),
        })
    }

    fn stop() {}
}
