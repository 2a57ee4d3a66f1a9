//! What a fetcher is told by its settings.

use std::time::Duration;

use crate::error::Error;
use crate::settings::ClientSettings;

/// Where to begin a partition without a committed offset, or whose offset is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reset {
    Earliest,
    Latest,
    /// It is an error.
    None,
}

impl Reset {
    pub(crate) fn of(settings: &ClientSettings) -> Reset {
        match settings.native("auto.offset.reset") {
            Some("latest" | "end" | "largest") => Reset::Latest,
            Some("error") => Reset::None,
            Some(_) | None => Reset::Earliest,
        }
    }
}

/// The settings of a fetcher, with Kafka's names for them.
pub(super) struct Options {
    /// `fetch.max.wait.ms`.
    pub max_wait: Duration,
    /// `fetch.min.bytes`.
    pub min_bytes: i32,
    /// `fetch.max.bytes`.
    pub max_bytes: usize,
    /// `max.partition.fetch.bytes`.
    pub partition_bytes: usize,
    /// `check.crcs`.
    pub check_crcs: bool,
    /// `isolation.level=read_committed`.
    pub committed_only: bool,
    /// `client.rack`.
    pub rack: String,
    /// `auto.offset.reset`.
    pub reset: Reset,
    /// `allow.auto.create.topics`.
    pub create_topics: bool,
    pub metadata_max_age: Duration,
    /// `retry.backoff.ms`.
    pub backoff: Duration,
    /// `reconnect.backoff.max.ms`.
    pub reconnect_backoff: Duration,
    /// Bytes that may be held, by whomever: librdkafka's `queued.max.messages.kbytes`.
    pub buffer: usize,
}

impl Options {
    pub(super) fn of(settings: &ClientSettings) -> Result<Options, Error> {
        let millis = |name, default| Ok::<_, Error>(Duration::from_millis(number(settings, name, default)?));
        let size =
            |name, default| Ok::<_, Error>(usize::try_from(number(settings, name, default)?).unwrap_or(usize::MAX));
        let is_on = |name, default: bool| settings.native(name).map_or(default, |value| value == "true");
        Ok(Options {
            max_wait: millis("fetch.wait.max.ms", 500)?,
            min_bytes: i32::try_from(number(settings, "fetch.min.bytes", 1)?).unwrap_or(i32::MAX),
            max_bytes: size("fetch.max.bytes", 50 << 20)?,
            partition_bytes: size("fetch.message.max.bytes", 1 << 20)?.max(1),
            check_crcs: is_on("check.crcs", true),
            // librdkafka's default, as opposed to Java's; the consumers of sinks get Java's.
            committed_only: settings.native("isolation.level") != Some("read_uncommitted"),
            rack: settings.native("client.rack").unwrap_or_default().to_owned(),
            reset: Reset::of(settings),
            create_topics: is_on("allow.auto.create.topics", false),
            metadata_max_age: millis("topic.metadata.refresh.interval.ms", 300_000)?,
            backoff: millis("retry.backoff.ms", 100)?,
            reconnect_backoff: millis("reconnect.backoff.max.ms", 1000)?,
            buffer: size("queued.max.messages.kbytes", 4 << 10)?.saturating_mul(1024).max(1),
        })
    }
}

/// A number among the settings, by librdkafka's name.
pub(crate) fn number(settings: &ClientSettings, name: &str, default: u64) -> Result<u64, Error> {
    let Some(value) = settings.native(name) else {
        return Ok(default);
    };
    // -1 stands for "never" where it is allowed at all.
    match value.trim().parse::<i64>() {
        Ok(value) => Ok(u64::try_from(value).unwrap_or(i32::MAX as u64)),
        Err(error) => Err(Error::Setting {
            name: name.to_owned(),
            reason: format!("{value:?}: {error}"),
        }),
    }
}
