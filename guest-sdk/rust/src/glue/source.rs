//! `source-connector` and `source-task`.

use std::cell::RefCell;
use std::time::Duration;

use caisson_api::Error;

use super::bindings::connect::types;
use super::bindings::source::exports::caisson::connect::{source_connector, source_task};
use super::{Exports, Slot, convert, report_panics, with, with_any};
use crate::instance;
use crate::registry::{Registry, SourceEntry, find};
use crate::settings::Settings;
use crate::source::{Delivery, ExactlyOnce, Outcome, SourceOffsetChange};

thread_local! {
    static CONNECTOR: Slot<dyn instance::SourceConnector> = const { RefCell::new(None) };
    static TASK: Slot<dyn instance::SourceTask> = const { RefCell::new(None) };
}

/// The task of this instance, if it is one.
pub(super) fn with_task<A>(run: impl FnOnce(&mut (dyn instance::SourceTask + 'static)) -> A) -> Option<A> {
    TASK.with(|slot| with_any(slot, run))
}

type Config = Vec<(String, String)>;

/// The plugin of a class with the settings that it is given.
fn open<R: Registry>(class: &str, config: Config) -> Result<(SourceEntry, crate::plugin::Plugin, Settings), Error> {
    report_panics();
    let (entry, plugin) = find(R::SOURCES, |entry| entry.plugin, class)?;
    let settings = Settings::parse(plugin.config(), convert::config(config))?;
    Ok((entry, plugin, settings))
}

fn change(change: source_connector::OffsetChange) -> Result<SourceOffsetChange, Error> {
    let parse = |text: &str| {
        serde_json::from_str(text).map_err(|error| Error::fatal(format!("offset {text} is not JSON: {error}")))
    };
    Ok(SourceOffsetChange {
        partition: parse(&change.partition)?,
        offset: change.offset.as_deref().map(parse).transpose()?,
    })
}

fn delivery(delivery: source_task::Delivery) -> Delivery {
    Delivery {
        first: delivery.first,
        count: delivery.count,
        outcome: match delivery.outcome {
            source_task::Outcome::Written => Outcome::Written,
            source_task::Outcome::Dropped => Outcome::Dropped,
            source_task::Outcome::Failed => Outcome::Failed,
        },
    }
}

impl<R: Registry> source_connector::Guest for Exports<R> {
    fn validate(class: String, config: Config) -> Result<Vec<types::ConfigValue>, types::Error> {
        report_panics();
        let values = find(R::SOURCES, |entry| entry.plugin, &class)
            .and_then(|(entry, _)| (entry.validate)(&convert::config(config)));
        values.map(convert::config_values).map_err(convert::error)
    }

    fn exactly_once_support(class: String, config: Config) -> source_connector::ExactlyOnce {
        match open::<R>(&class, config).map(|(entry, _, settings)| (entry.exactly_once)(&settings)) {
            Ok(ExactlyOnce::Supported) => source_connector::ExactlyOnce::Supported,
            Ok(ExactlyOnce::Unsupported) => source_connector::ExactlyOnce::Unsupported,
            Ok(ExactlyOnce::Unknown) | Err(_) => source_connector::ExactlyOnce::Unknown,
        }
    }

    fn start(class: String, config: Config) -> Result<(), types::Error> {
        let start = || {
            let (entry, _, settings) = open::<R>(&class, config)?;
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
        changes: Vec<source_connector::OffsetChange>,
    ) -> Result<bool, types::Error> {
        let alter = || {
            let (entry, _, settings) = open::<R>(&class, config)?;
            let changes: Vec<_> = changes.into_iter().map(change).collect::<Result<_, _>>()?;
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

impl<R: Registry> source_task::Guest for Exports<R> {
    fn start(class: String, config: Config) -> Result<(), types::Error> {
        let start = || {
            let (entry, plugin, settings) = open::<R>(&class, config)?;
            let task = (entry.task)(&plugin, &settings)?;
            TASK.with(|slot| slot.replace(Some(task)));
            Ok(())
        };
        start().map_err(convert::error)
    }

    fn poll(max_wait_ms: u32, max_bytes: u32) -> Result<Vec<u8>, types::Error> {
        let max_wait = Duration::from_millis(max_wait_ms.into());
        TASK.with(|slot| with(slot, |task| task.poll(max_wait, max_bytes as usize)))
            .map_err(convert::error)
    }

    fn delivered(deliveries: Vec<source_task::Delivery>) -> Result<(), types::Error> {
        let deliveries: Vec<_> = deliveries.into_iter().map(delivery).collect();
        TASK.with(|slot| with(slot, |task| task.delivered(&deliveries)))
            .map_err(convert::error)
    }

    fn committed() -> Result<(), types::Error> {
        TASK.with(|slot| with(slot, |task| task.committed()))
            .map_err(convert::error)
    }

    fn stop() {
        if let Some(mut task) = TASK.with(|slot| slot.take()) {
            task.stop();
        }
    }
}
