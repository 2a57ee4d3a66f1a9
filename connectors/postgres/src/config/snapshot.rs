//! Settings of snapshots.

use super::filters::split;
use super::reader::Reader;
use super::{Lock, Patterns, SnapshotMode, SnapshotOptions, TableOrder};
use crate::error::Result;

pub fn read(reader: &Reader<'_>) -> Result<SnapshotOptions> {
    let mode = reader.choice(
        "snapshot.mode",
        &[
            ("always", SnapshotMode::Always),
            ("initial", SnapshotMode::Initial),
            ("initial_only", SnapshotMode::InitialOnly),
            ("no_data", SnapshotMode::NoData),
            ("when_needed", SnapshotMode::WhenNeeded),
            (
                "configuration_based",
                SnapshotMode::ConfigurationBased {
                    data: reader.flag("snapshot.mode.configuration.based.snapshot.data")?,
                    stream: reader.flag("snapshot.mode.configuration.based.start.stream")?,
                    on_data_error: reader.flag("snapshot.mode.configuration.based.snapshot.on.data.error")?,
                },
            ),
        ],
    )?;
    let include = reader
        .list_text("snapshot.include.collection.list")
        .filter(|text| !text.trim().is_empty())
        .map(|text| Patterns::parse("snapshot.include.collection.list", &text))
        .transpose()?;
    Ok(SnapshotOptions {
        mode,
        isolation: reader.choice(
            "snapshot.isolation.mode",
            &[
                ("serializable", "serializable"),
                ("repeatable_read", "repeatable read"),
                ("read_committed", "read committed"),
                ("read_uncommitted", "read uncommitted"),
            ],
        )?,
        lock: reader.choice(
            "snapshot.locking.mode",
            &[("none", Lock::None), ("shared", Lock::Shared)],
        )?,
        lock_timeout: reader.millis("snapshot.lock.timeout.ms")?,
        delay: reader.millis("snapshot.delay.ms")?,
        streaming_delay: reader.millis("streaming.delay.ms")?,
        include,
        overrides: overrides(reader),
        order: reader.choice(
            "snapshot.tables.order.by.row.count",
            &[
                ("disabled", TableOrder::ByName),
                ("ascending", TableOrder::Ascending),
                ("descending", TableOrder::Descending),
            ],
        )?,
    })
}

fn overrides(reader: &Reader<'_>) -> Vec<(String, String)> {
    const KEY: &str = "snapshot.select.statement.overrides";
    let tables = reader.text(KEY).unwrap_or_default();
    let statement = |table: &String| {
        let key = format!("{KEY}.{table}");
        match reader
            .settings
            .given(&key)
            .map(str::trim)
            .filter(|text| !text.is_empty())
        {
            Some(statement) => Some((table.clone(), statement.trim_end_matches(';').to_owned())),
            None => {
                caisson_sdk::warn!("{KEY} names a table, but {key} is not given"; table = table);
                None
            }
        }
    };
    split(tables, ',').iter().filter_map(statement).collect()
}
