//! The configuration, read and checked.

use caisson_sdk::settings::Settings;

use super::filters::{Builtin, Selection, split};
use super::reader::Reader;
use super::{
    Adjustment, Autocreate, Columns, Events, Flush, Guardrail, Heartbeat, MessagePrefixes, Naming,
    NotificationChannels, OnFailure, Options, Placeholder, Publication, STRATEGIES, Slot, Strategy, Tables, Watermarks,
    processors, snapshot,
};
use crate::error::{Error, Result};
use crate::protocol::{SslMode, Target};
use crate::types::form::{BinaryMode, DecimalMode, HstoreMode, IntervalMode, Modes, TimeMode, UnknownTypes};

impl Options {
    pub fn read(settings: &Settings) -> Result<Self> {
        let reader = Reader { settings };
        Ok(Options {
            target: target(&reader)?,
            prefix: prefix(&reader)?,
            slot: slot(&reader)?,
            publication: publication(&reader)?,
            tables: tables(&reader)?,
            columns: Columns::read(settings)?,
            modes: modes(&reader)?,
            naming: naming(&reader)?,
            snapshot: snapshot::read(&reader)?,
            flush: flush(&reader)?,
            events: events(&reader)?,
            heartbeat: heartbeat(&reader)?,
            initial_statements: statements(&reader),
            status_interval: reader.millis("status.update.interval.ms")?,
            poll_interval: reader.millis("poll.interval.ms")?,
            xmin_interval: Some(reader.millis("xmin.fetch.interval.ms")?).filter(|interval| !interval.is_zero()),
            messages: MessagePrefixes(Selection::parse(
                (
                    "message.prefix.include.list",
                    reader.list_text("message.prefix.include.list").as_deref(),
                ),
                (
                    "message.prefix.exclude.list",
                    reader.list_text("message.prefix.exclude.list").as_deref(),
                ),
            )?),
            notifications: notifications(&reader)?,
            reselects: processors::read(&reader)?,
            watermarks: reader.choice(
                "incremental.snapshot.watermarking.strategy",
                &[
                    ("insert_insert", Watermarks::InsertInsert),
                    ("insert_delete", Watermarks::InsertDelete),
                ],
            )?,
            guardrail: Guardrail {
                most: usize::try_from(settings.int("guardrail.collections.max").map_err(Error::Net)?)
                    .ok()
                    .filter(|most| *most > 0),
                fails: reader.choice("guardrail.collections.limit.action", &[("warn", false), ("fail", true)])?,
            },
            incremental_chunk: usize::try_from(settings.int("incremental.snapshot.chunk.size").map_err(Error::Net)?)
                .ok()
                .filter(|rows| *rows > 0)
                .ok_or_else(|| {
                    Error::config(
                        "The 'incremental.snapshot.chunk.size' value is invalid: A positive number is expected",
                    )
                })?,
        })
    }
}

fn notifications(reader: &Reader<'_>) -> Result<NotificationChannels> {
    const TOPIC: &str = "notification.sink.topic.name";
    let channels = split(
        &reader.list_text("notification.enabled.channels").unwrap_or_default(),
        ',',
    );
    let is_enabled = |channel: &str| channels.iter().any(|enabled| enabled == channel);
    let topic = reader.text(TOPIC).map(str::to_owned);
    if is_enabled("sink") && topic.is_none() {
        return Err(Error::config(format!(
            "The '{TOPIC}' value is invalid: Notification topic name must be provided when kafka notification channel is \
             enabled"
        )));
    }
    let unknown: Vec<&str> = channels
        .iter()
        .map(String::as_str)
        .filter(|c| !matches!(*c, "sink" | "log"))
        .collect();
    if !unknown.is_empty() {
        caisson_sdk::warn!("these channels of notification.enabled.channels have no effect"; channels = unknown.join(", "));
    }
    Ok(NotificationChannels {
        log: is_enabled("log"),
        topic: topic.filter(|_| is_enabled("sink")),
    })
}

fn target(reader: &Reader<'_>) -> Result<Target> {
    let ssl = reader.text("database.sslmode").unwrap_or("prefer");
    let port = reader.settings.int("database.port").map_err(Error::Net)?;
    Ok(Target {
        host: reader.required("database.hostname")?,
        port: u16::try_from(port)
            .map_err(|_| Error::config(format!("The 'database.port' value is invalid: {port} is no port")))?,
        user: reader.required("database.user")?,
        password: reader
            .settings
            .password("database.password")
            .map(|password| password.reveal().to_owned()),
        database: reader.required("database.dbname")?,
        ssl: SslMode::parse(ssl).ok_or_else(|| {
            Error::config(
                "The 'database.sslmode' value is invalid: Value must be one of allow, prefer, disable, verify-ca, \
                 require, verify-full",
            )
        })?,
        root_certificate: reader.text("database.sslrootcert").map(str::to_owned),
        certificate: reader.text("database.sslcert").map(str::to_owned),
        key: reader.text("database.sslkey").map(str::to_owned),
    })
}

fn prefix(reader: &Reader<'_>) -> Result<String> {
    let prefix = reader.required("topic.prefix")?;
    let good = prefix
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    if good {
        return Ok(prefix);
    }
    Err(Error::config(format!(
        "The 'topic.prefix' value is invalid: {prefix} has invalid format (only the underscore, hyphen, dot and \
         alphanumeric characters are allowed)"
    )))
}

fn slot(reader: &Reader<'_>) -> Result<Slot> {
    let name = reader.required("slot.name")?;
    let good = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !good || name.len() > 63 {
        return Err(Error::config(format!(
            "The 'slot.name' value is invalid: Valid replication slot name must contain only digits, lowercase \
             characters and underscores with length <= 63, not {name}"
        )));
    }
    let parameters = reader.text("slot.stream.params").unwrap_or_default();
    let pair = |pair: String| {
        pair.split_once('=')
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .ok_or_else(|| Error::config(format!("slot.stream.params: {pair} is not name=value")))
    };
    Ok(Slot {
        name,
        drop_on_stop: reader.flag("slot.drop.on.stop")?,
        failover: reader.flag("slot.failover")?,
        parameters: split(parameters, ';').into_iter().map(pair).collect::<Result<_>>()?,
        max_retries: u32::try_from(reader.settings.int("slot.max.retries").map_err(Error::Net)?).unwrap_or(0),
        retry_delay: reader.millis("slot.retry.delay.ms")?,
    })
}

fn publication(reader: &Reader<'_>) -> Result<Publication> {
    let identities = reader.text("replica.identity.autoset.values").unwrap_or_default();
    let identity = |entry: String| {
        entry
            .rsplit_once(':')
            .map(|(tables, identity)| (tables.trim().to_owned(), identity.trim().to_owned()))
            .filter(|(_, identity)| is_identity(identity))
            .ok_or_else(|| {
                Error::config(format!(
                    "The 'replica.identity.autoset.values' value is invalid: {entry} has an invalid format (expecting \
                     table:identity, which is DEFAULT, FULL, NOTHING or INDEX name)"
                ))
            })
    };
    Ok(Publication {
        name: reader.required("publication.name")?,
        autocreate: reader.choice(
            "publication.autocreate.mode",
            &[
                ("all_tables", Autocreate::AllTables),
                ("filtered", Autocreate::Filtered),
                ("no_tables", Autocreate::NoTables),
                ("disabled", Autocreate::Disabled),
            ],
        )?,
        via_root: reader.flag("publish.via.partition.root")?,
        identities: split(identities, ',')
            .into_iter()
            .map(identity)
            .collect::<Result<_>>()?,
    })
}

fn is_identity(text: &str) -> bool {
    match text.to_ascii_uppercase().split_once(' ') {
        None => matches!(text.to_ascii_uppercase().as_str(), "FULL" | "DEFAULT" | "NOTHING"),
        Some((word, index)) => word == "INDEX" && !index.trim().is_empty(),
    }
}

fn tables(reader: &Reader<'_>) -> Result<Tables> {
    let selection = |include: &str, exclude: &str| {
        Selection::parse(
            (include, reader.list_text(include).as_deref()),
            (exclude, reader.list_text(exclude).as_deref()),
        )
    };
    Ok(Tables {
        schemas: selection("schema.include.list", "schema.exclude.list")?,
        tables: selection("table.include.list", "table.exclude.list")?,
        signal: signal_table(reader),
        builtin: if reader.flag("table.ignore.builtin")? {
            Builtin::Ignored
        } else {
            Builtin::Captured
        },
    })
}

fn modes(reader: &Reader<'_>) -> Result<Modes> {
    Ok(Modes {
        decimal: reader.choice(
            "decimal.handling.mode",
            &[
                ("precise", DecimalMode::Precise),
                ("double", DecimalMode::Double),
                ("string", DecimalMode::Text),
            ],
        )?,
        time: reader.choice(
            "time.precision.mode",
            &[
                ("adaptive", TimeMode::Adaptive),
                ("adaptive_time_microseconds", TimeMode::AdaptiveTimeMicroseconds),
                ("connect", TimeMode::Connect),
                ("isostring", TimeMode::IsoText),
                ("microseconds", TimeMode::Microseconds),
                ("nanoseconds", TimeMode::Nanoseconds),
            ],
        )?,
        binary: reader.choice(
            "binary.handling.mode",
            &[
                ("bytes", BinaryMode::Bytes),
                ("base64", BinaryMode::Base64),
                ("base64-url-safe", BinaryMode::Base64UrlSafe),
                ("hex", BinaryMode::Hex),
            ],
        )?,
        hstore: reader.choice(
            "hstore.handling.mode",
            &[("json", HstoreMode::Json), ("map", HstoreMode::Map)],
        )?,
        interval: reader.choice(
            "interval.handling.mode",
            &[("numeric", IntervalMode::Numeric), ("string", IntervalMode::Text)],
        )?,
        unknown: if reader.flag("include.unknown.datatypes")? {
            UnknownTypes::AsBytes
        } else {
            UnknownTypes::LeaveOut
        },
        money_digits: reader
            .settings
            .given("money.fraction.digits")
            .and_then(|digits| digits.trim().parse().ok())
            .unwrap_or(2),
    })
}

fn naming(reader: &Reader<'_>) -> Result<Naming> {
    let adjustment = |text: &str| match text.trim().to_ascii_lowercase().as_str() {
        "none" => Some(Adjustment::None),
        "avro" => Some(Adjustment::Avro),
        "avro_unicode" => Some(Adjustment::AvroUnicode),
        _ => None,
    };
    let read = |key: &str| {
        let text = reader.settings.given(key).unwrap_or("none");
        adjustment(text).ok_or_else(|| {
            Error::config(format!(
                "The '{key}' value is invalid: Value must be one of none, avro_unicode, avro"
            ))
        })
    };
    Ok(Naming {
        schemas: read("schema.name.adjustment.mode")?,
        fields: read("field.name.adjustment.mode")?,
        strategy: strategy(reader),
        delimiter: reader.settings.given("topic.delimiter").unwrap_or(".").to_owned(),
    })
}

fn placeholder(reader: &Reader<'_>) -> Result<Placeholder> {
    const KEY: &str = "unavailable.value.placeholder";
    let text = reader.settings.optional_text(KEY).unwrap_or_default();
    Placeholder::parse(text).ok_or_else(|| {
        Error::config(format!(
            "The '{KEY}' value is invalid: {text} has no hexadecimal digits after hex:"
        ))
    })
}

/// Any other was refused before.
fn strategy(reader: &Reader<'_>) -> Strategy {
    let class = reader
        .settings
        .given("topic.naming.strategy")
        .unwrap_or_default()
        .trim();
    let [default, ..] = STRATEGIES;
    let found = STRATEGIES
        .into_iter()
        .find(|strategy| strategy.class.eq_ignore_ascii_case(class));
    found.unwrap_or(default)
}

fn flush(reader: &Reader<'_>) -> Result<Flush> {
    if let Some(mode) = reader.text("lsn.flush.mode") {
        return match mode.to_ascii_lowercase().as_str() {
            "connector" => Ok(Flush::Committed),
            "connector_and_driver" => Ok(Flush::CommittedAndIdle),
            "manual" => Ok(Flush::Never),
            _ => Err(Error::config(
                "The 'lsn.flush.mode' value is invalid: Value must be one of connector_and_driver, connector, manual",
            )),
        };
    }
    Ok(if reader.flag("flush.lsn.source")? {
        Flush::Committed
    } else {
        Flush::Never
    })
}

fn events(reader: &Reader<'_>) -> Result<Events> {
    let skipped = reader.list_text("skipped.operations").unwrap_or_default();
    let operation = |text: String| match text.to_ascii_lowercase().as_str() {
        "c" | "u" | "d" | "t" => Ok(text.to_ascii_lowercase().chars().next()),
        "none" => Ok(None),
        _ => Err(Error::config(format!(
            "The 'skipped.operations' value is invalid: Invalid operation {text}; there are c, u, d, t and none"
        ))),
    };
    let skipped: Vec<Option<char>> = split(&skipped, ',').into_iter().map(operation).collect::<Result<_>>()?;
    if skipped.len() > 1 && skipped.contains(&None) {
        return Err(Error::config(
            "The 'skipped.operations' value is invalid: 'none' cannot be specified with other skipped operation types",
        ));
    }
    Ok(Events {
        skipped: skipped.into_iter().flatten().collect(),
        tombstones: reader.flag("tombstones.on.delete")?,
        context_headers: reader.flag("extended.headers.enabled")?,
        transaction_metadata: reader.flag("provide.transaction.metadata")?,
        // Not among the keys that the original lists, and followed all the same.
        transaction_topic: reader
            .settings
            .given("topic.transaction")
            .map_or("transaction", str::trim)
            .to_owned(),
        unavailable: placeholder(reader)?,
        // Not among the keys that the original lists, and followed all the same.
        skips_unchanged: reader
            .settings
            .given("skip.messages.without.change")
            .is_some_and(|flag| flag.trim().eq_ignore_ascii_case("true")),
        on_failure: reader.choice(
            "event.processing.failure.handling.mode",
            &[
                ("fail", OnFailure::Fail),
                ("warn", OnFailure::Warn),
                ("skip", OnFailure::Skip),
                ("ignore", OnFailure::Skip),
            ],
        )?,
    })
}

fn heartbeat(reader: &Reader<'_>) -> Result<Heartbeat> {
    Ok(Heartbeat {
        interval: Some(reader.millis("heartbeat.interval.ms")?).filter(|interval| !interval.is_zero()),
        // Its name before; still what most people have.
        topic_prefix: reader
            .settings
            .given("topic.heartbeat.prefix")
            .or(reader.text("heartbeat.topics.prefix"))
            .unwrap_or("__debezium-heartbeat")
            .to_owned(),
        query: reader.text("heartbeat.action.query").map(str::to_owned),
    })
}

/// As `schema.table`; a database before it is the connector's own.
fn signal_table(reader: &Reader<'_>) -> Option<String> {
    let text = reader.list_text("signal.data.collection")?;
    let text = text.trim();
    let parts = text.split('.').count();
    let table = match text.split_once('.') {
        Some((_, rest)) if parts == 3 => rest,
        _ => text,
    };
    (!table.is_empty()).then(|| table.to_owned())
}

/// Separated by semicolons; two of them stand for one.
fn statements(reader: &Reader<'_>) -> Vec<String> {
    const DOUBLED: char = '\u{0}';
    reader
        .text("database.initial.statements")
        .unwrap_or_default()
        .replace(";;", "\u{0}")
        .split(';')
        .map(|statement| statement.trim().replace(DOUBLED, ";"))
        .filter(|statement| !statement.is_empty())
        .collect()
}
