//! The configuration as the connector works with it.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::protocol::Target;
use crate::types::codec::hex_bytes;
use crate::types::form::Modes;

mod columns;
pub mod filters;
pub mod keys;
mod processors;
mod ranges;
mod read;
mod reader;
mod snapshot;
mod unsupported;

pub use columns::Columns;
pub use filters::{Patterns, Tables};
pub use processors::{Reselect, ReselectFailure};
pub use ranges::out_of_range;
pub use unsupported::{effectless, refused};

use filters::Selection;

/// Everything that the configuration says.
#[derive(Clone, Debug)]
pub struct Options {
    pub target: Target,
    /// `topic.prefix`.
    pub prefix: String,
    pub slot: Slot,
    pub publication: Publication,
    pub tables: Tables,
    pub columns: Columns,
    pub modes: Modes,
    pub naming: Naming,
    pub snapshot: SnapshotOptions,
    pub flush: Flush,
    pub events: Events,
    pub heartbeat: Heartbeat,
    /// Statements for each connection for queries.
    pub initial_statements: Vec<String>,
    pub status_interval: Duration,
    pub poll_interval: Duration,
    pub xmin_interval: Option<Duration>,
    /// Prefixes of logical messages.
    pub messages: MessagePrefixes,
    /// `incremental.snapshot.chunk.size`.
    pub incremental_chunk: usize,
    pub watermarks: Watermarks,
    pub guardrail: Guardrail,
    pub notifications: NotificationChannels,
    pub reselects: Vec<Reselect>,
}

/// `notification.enabled.channels`: where it is told how snapshots go.
#[derive(Clone, Debug, Default)]
pub struct NotificationChannels {
    pub log: bool,
    /// `notification.sink.topic.name`.
    pub topic: Option<String>,
}

/// `incremental.snapshot.watermarking.strategy`: how the end of a chunk is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watermarks {
    /// By a second row.
    InsertInsert,
    /// By the deletion of the first one.
    InsertDelete,
}

/// `guardrail.collections.*`: how many tables may be captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guardrail {
    /// `None`: any number.
    pub most: Option<usize>,
    pub fails: bool,
}

impl Guardrail {
    /// Warns of too many tables, or refuses them.
    pub fn check(&self, captured: usize) -> Result<()> {
        let Some(most) = self.most.filter(|most| captured > *most) else {
            return Ok(());
        };
        let problem = format!(
            "{captured} tables are captured, more than the {most} of guardrail.collections.max: narrow table.include.list, \
             or raise the limit"
        );
        if self.fails {
            return Err(Error::config(problem));
        }
        caisson_sdk::warn!("{problem}");
        Ok(())
    }
}

/// The replication slot.
#[derive(Clone, Debug)]
pub struct Slot {
    pub name: String,
    pub drop_on_stop: bool,
    pub failover: bool,
    /// More options for the output plugin.
    pub parameters: Vec<(String, String)>,
    pub max_retries: u32,
    pub retry_delay: Duration,
}

/// The publication, and what to do when it is not there.
#[derive(Clone, Debug)]
pub struct Publication {
    pub name: String,
    pub autocreate: Autocreate,
    pub via_root: bool,
    /// Table expressions and the identity they are to have.
    pub identities: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Autocreate {
    AllTables,
    Filtered,
    NoTables,
    Disabled,
}

/// How names become those of topics and schemas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming {
    pub schemas: Adjustment,
    pub fields: Adjustment,
    /// What topics are called, by `topic.naming.strategy`.
    pub strategy: Strategy,
    /// `topic.delimiter`, which stands between the parts of a topic.
    pub delimiter: String,
}

/// How tables become topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strategy {
    /// The class of the original that does so.
    pub class: &'static str,
    /// Whether the schema of a table stands in its topic.
    pub with_schema: bool,
    /// Whether characters that topics cannot have become their numbers, and not `_`.
    pub escapes: bool,
}

/// All that there are; the first is the default.
pub const STRATEGIES: [Strategy; 4] = [
    Strategy {
        class: "io.debezium.schema.SchemaTopicNamingStrategy",
        with_schema: true,
        escapes: false,
    },
    Strategy {
        class: "io.debezium.schema.SchemaUnicodeTopicNamingStrategy",
        with_schema: true,
        escapes: true,
    },
    Strategy {
        class: "io.debezium.schema.DefaultTopicNamingStrategy",
        with_schema: false,
        escapes: false,
    },
    Strategy {
        class: "io.debezium.schema.DefaultUnicodeTopicNamingStrategy",
        with_schema: false,
        escapes: true,
    },
];

/// `schema.name.adjustment.mode` and its like for fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adjustment {
    None,
    Avro,
    AvroUnicode,
}

#[derive(Clone, Debug)]
pub struct SnapshotOptions {
    pub mode: SnapshotMode,
    pub isolation: &'static str,
    pub lock: Lock,
    pub lock_timeout: Duration,
    pub delay: Duration,
    pub streaming_delay: Duration,
    /// `snapshot.include.collection.list`.
    pub include: Option<Patterns>,
    /// Select statements of tables, by `schema.table`.
    pub overrides: Vec<(String, String)>,
    pub order: TableOrder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotMode {
    Always,
    Initial,
    InitialOnly,
    NoData,
    WhenNeeded,
    ConfigurationBased {
        data: bool,
        stream: bool,
        on_data_error: bool,
    },
}

impl SnapshotMode {
    /// Whether changes are read after the snapshot: only they need logical decoding, a publication and a slot.
    pub fn streams(self) -> bool {
        match self {
            SnapshotMode::InitialOnly => false,
            SnapshotMode::ConfigurationBased { stream, .. } => stream,
            SnapshotMode::Always | SnapshotMode::Initial | SnapshotMode::NoData | SnapshotMode::WhenNeeded => true,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    None,
    Shared,
}

/// `snapshot.tables.order.by.row.count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableOrder {
    ByName,
    Ascending,
    Descending,
}

/// What the server is told to have been processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// What is committed.
    Committed,
    /// And what concerns nobody here.
    CommittedAndIdle,
    Never,
}

/// How records look.
#[derive(Clone, Debug)]
pub struct Events {
    pub skipped: Vec<char>,
    pub tombstones: bool,
    pub context_headers: bool,
    pub transaction_metadata: bool,
    /// `topic.transaction`, which stands behind the prefix.
    pub transaction_topic: String,
    pub unavailable: Placeholder,
    pub on_failure: OnFailure,
    /// `skip.messages.without.change`: updates that change no captured column are left out.
    pub skips_unchanged: bool,
}

/// `unavailable.value.placeholder`, in the form that a column needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder {
    pub text: String,
    pub bytes: Vec<u8>,
}

impl Placeholder {
    /// A text, or bytes as `hex:` and digits; `None` if these are none.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = match text.strip_prefix("hex:") {
            Some(digits) => hex_bytes(digits.as_bytes())?,
            None => text.as_bytes().to_owned(),
        };
        Some(Placeholder {
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    Fail,
    Warn,
    Skip,
}

#[derive(Clone, Debug)]
pub struct Heartbeat {
    pub interval: Option<Duration>,
    pub topic_prefix: String,
    pub query: Option<String>,
}

/// `message.prefix.include.list` and its opposite.
#[derive(Clone, Debug)]
pub struct MessagePrefixes(Selection);

impl MessagePrefixes {
    pub fn takes(&self, prefix: &str) -> bool {
        self.0.takes(prefix)
    }
}

/// The options of a configuration that says what it must, and this besides.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub fn options_of(more: &[(&str, &str)]) -> Options {
    use caisson_sdk::api::config::{Config, ConfigDef};
    use caisson_sdk::settings::Settings;

    let least = [
        ("topic.prefix", "t"),
        ("database.hostname", "h"),
        ("database.user", "u"),
        ("database.dbname", "d"),
    ];
    let definitions: ConfigDef = keys::definitions().collect();
    let config: Config = least.iter().chain(more).copied().collect();
    Options::read(&Settings::parse(&definitions, config).unwrap()).unwrap()
}
