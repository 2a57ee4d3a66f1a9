//! `sink-connector` and `sink-task`.

use std::cell::RefCell;

use caisson_api::Error;

use super::bindings::connect::types;
use super::bindings::sink::exports::caisson::connect::{sink_connector, sink_task};
use super::{Exports, Slot, convert, report_panics, with, with_any};
use crate::instance;
use crate::registry::{Registry, SinkEntry, find};
use crate::settings::Settings;
use crate::sink::SinkOffsetChange;

thread_local! {
    static CONNECTOR: Slot<dyn instance::SinkConnector> = const { RefCell::new(None) };
    static TASK: Slot<dyn instance::SinkTask> = const { RefCell::new(None) };
}

/// The task of this instance, if it is one.
pub(super) fn with_task<A>(run: impl FnOnce(&mut (dyn instance::SinkTask + 'static)) -> A) -> Option<A> {
    TASK.with(|slot| with_any(slot, run))
}

type Config = Vec<(String, String)>;

/// The plugin of a class with the settings that it is given.
fn open<R: Registry>(class: &str, config: Config) -> Result<(SinkEntry, Settings), Error> {
    report_panics();
    let (entry, plugin) = find(R::SINKS, |entry| entry.plugin, class)?;
    let settings = Settings::parse(plugin.config(), convert::config(config))?;
    Ok((entry, settings))
}

fn change(change: sink_connector::OffsetChange) -> SinkOffsetChange {
    SinkOffsetChange {
        topic: change.topic,
        partition: change.partition,
        offset: change.offset,
    }
}

impl<R: Registry> sink_connector::Guest for Exports<R> {
    fn validate(class: String, config: Config) -> Result<Vec<types::ConfigValue>, types::Error> {
        report_panics();
        let values = find(R::SINKS, |entry| entry.plugin, &class)
            .and_then(|(entry, _)| (entry.validate)(&convert::config(config)));
        values.map(convert::config_values).map_err(convert::error)
    }

    fn start(class: String, config: Config) -> Result<(), types::Error> {
        let start = || {
            let (entry, settings) = open::<R>(&class, config)?;
            let connector = (entry.connector)(settings)?;
            CONNECTOR.with(|slot| slot.replace(Some(connector)));
            Ok(())
        };
        start().map_err(convert::error)
    }

    fn task_configs(max_tasks: u32) -> Result<Vec<Config>, types::Error> {
        let configs = CONNECTOR.with(|slot| with(slot, |connector| connector.task_configs(max_tasks as usize)));
        configs.map(convert::configs).map_err(convert::error)
    }

    fn alter_offsets(
        class: String,
        config: Config,
        changes: Vec<sink_connector::OffsetChange>,
    ) -> Result<bool, types::Error> {
        let alter = || {
            let (entry, settings) = open::<R>(&class, config)?;
            let changes: Vec<_> = changes.into_iter().map(change).collect();
            (entry.alter_offsets)(&settings, &changes)
        };
        alter().map_err(convert::error)
    }

    fn stop() {
        if let Some(mut connector) = CONNECTOR.with(|slot| slot.take()) {
            connector.stop();
        }
    }
}

impl<R: Registry> sink_task::Guest for Exports<R> {
    fn start(class: String, config: Config) -> Result<(), types::Error> {
        let start = || {
            let (entry, settings) = open::<R>(&class, config)?;
            let task = (entry.task)(&settings)?;
            TASK.with(|slot| slot.replace(Some(task)));
            Ok(())
        };
        start().map_err(convert::error)
    }

    fn open(partitions: Vec<types::TopicPartition>) -> Result<(), types::Error> {
        let partitions = convert::partitions(partitions);
        TASK.with(|slot| with(slot, |task| task.open(&partitions)))
            .map_err(convert::error)
    }

    fn put(batch: Vec<u8>) -> Result<Vec<types::Failure>, types::Error> {
        let failures = TASK.with(|slot| with(slot, |task| task.put(&batch)));
        failures.map(convert::failures).map_err(convert::error)
    }

    fn pre_commit(current: Vec<types::PartitionOffset>) -> Result<Option<Vec<types::PartitionOffset>>, types::Error> {
        let current = convert::offsets(current);
        let offsets = TASK.with(|slot| with(slot, |task| task.pre_commit(&current)));
        offsets
            .map(|offsets| offsets.map(convert::offsets_out))
            .map_err(convert::error)
    }

    fn close(partitions: Vec<types::TopicPartition>) -> Result<(), types::Error> {
        let partitions = convert::partitions(partitions);
        TASK.with(|slot| with(slot, |task| task.close(&partitions)))
            .map_err(convert::error)
    }

    fn stop() {
        if let Some(mut task) = TASK.with(|slot| slot.take()) {
            task.stop();
        }
    }
}
