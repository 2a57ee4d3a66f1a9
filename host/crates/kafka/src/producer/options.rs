//! What a producer is told by its settings.

use std::time::Duration;

use super::partitioner::Partitioner;
use crate::compression::Compression;
use crate::error::Error;
use crate::settings::ClientSettings;

/// The settings of a producer, with Kafka's names for them.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// `acks`: 0, 1, or -1 for all.
    pub acks: i16,
    /// `enable.idempotence`.
    pub idempotent: bool,
    pub transactional_id: Option<String>,
    pub transaction_timeout: Duration,
    /// `batch.size`, in bytes.
    pub batch_size: usize,
    /// `linger.ms`.
    pub linger: Duration,
    /// `buffer.memory`, in bytes.
    pub buffer: usize,
    /// `max.request.size`, in bytes.
    pub max_request: usize,
    /// `max.in.flight.requests.per.connection`.
    pub in_flight: usize,
    /// `delivery.timeout.ms`; absent: for ever.
    pub delivery_timeout: Option<Duration>,
    pub request_timeout: Duration,
    /// `retry.backoff.ms` and `retry.backoff.max.ms`.
    pub retry_backoff: (Duration, Duration),
    pub metadata_max_age: Duration,
    /// Whether brokers are asked to make topics that are not there.
    pub makes_topics: bool,
    /// How long a topic that nobody knows is waited for.
    pub unknown_topic_patience: Duration,
    pub compression: Compression,
    pub partitioner: Partitioner,
}

impl Options {
    pub(crate) fn of(settings: &ClientSettings) -> Result<Options, Error> {
        let millis = |name, default| Ok::<_, Error>(Duration::from_millis(number(settings, name, default)?));
        let size =
            |name, default| Ok::<_, Error>(usize::try_from(number(settings, name, default)?).unwrap_or(usize::MAX));
        let transactional_id = settings.native("transactional.id").map(str::to_owned);
        let acks = match settings.native("acks").unwrap_or("all") {
            "0" => 0,
            "1" => 1,
            "all" | "-1" => -1,
            other => {
                return Err(wrong(
                    "acks",
                    &format!("{other} cannot be used; there are all, 1 and 0"),
                ));
            }
        };
        let idempotent = transactional_id.is_some() || settings.native("enable.idempotence") != Some("false");
        if idempotent && acks != -1 {
            return Err(wrong(
                "acks",
                "an idempotent producer needs acks=all; enable.idempotence=false allows others",
            ));
        }
        let delivery_timeout = millis("message.timeout.ms", 0)?;
        Ok(Options {
            acks,
            idempotent,
            transactional_id,
            transaction_timeout: millis("transaction.timeout.ms", 60_000)?,
            batch_size: size("batch.size", 262_144)?,
            linger: millis("linger.ms", 5)?,
            buffer: size("queue.buffering.max.kbytes", 32_768)?.saturating_mul(1024),
            max_request: size("message.max.bytes", 1_048_576)?,
            in_flight: size("max.in.flight.requests.per.connection", 5)?.clamp(1, 64),
            delivery_timeout: (!delivery_timeout.is_zero()).then_some(delivery_timeout),
            request_timeout: millis("request.timeout.ms", 30_000)?,
            retry_backoff: (millis("retry.backoff.ms", 100)?, millis("retry.backoff.max.ms", 1000)?),
            metadata_max_age: millis("topic.metadata.refresh.interval.ms", 300_000)?,
            makes_topics: settings.makes_topics(),
            unknown_topic_patience: millis("topic.metadata.propagation.max.ms", 30_000)?,
            compression: compression(settings)?,
            partitioner: partitioner(settings)?,
        })
    }
}

fn compression(settings: &ClientSettings) -> Result<Compression, Error> {
    let name = settings.native("compression.type").unwrap_or("none");
    let level = settings
        .native("compression.level")
        .and_then(|level| level.parse().ok());
    Compression::parse(name, level).ok_or_else(|| {
        wrong(
            "compression.type",
            &format!("{name} is none of none, gzip, snappy, lz4 and zstd"),
        )
    })
}

fn partitioner(settings: &ClientSettings) -> Result<Partitioner, Error> {
    match settings.native("partitioner").unwrap_or("murmur2_random") {
        "murmur2_random" => Ok(Partitioner::ByKey),
        "random" => Ok(Partitioner::IgnoringKeys),
        other => Err(wrong(
            "partitioner",
            &format!("{other} cannot be used; there are murmur2_random and random"),
        )),
    }
}

/// Fractions, which librdkafka allows for `linger.ms`, are cut off.
fn number(settings: &ClientSettings, name: &str, default: u64) -> Result<u64, Error> {
    let Some(text) = settings.native(name) else {
        return Ok(default);
    };
    let whole = text.trim().split('.').next().unwrap_or_default();
    match whole.parse::<i64>() {
        Ok(number) => Ok(u64::try_from(number).unwrap_or(0)),
        Err(_) => Err(wrong(name, &format!("{text:?} is no number"))),
    }
}

fn wrong(name: &str, reason: &str) -> Error {
    Error::Setting {
        name: name.to_owned(),
        reason: reason.to_owned(),
    }
}
