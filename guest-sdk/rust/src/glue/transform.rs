//! `transform`.

use std::cell::RefCell;

use super::bindings::connect::types;
use super::bindings::transform::exports::caisson::connect::transform;
use super::{Exports, Slot, convert, report_panics, with, with_any};
use crate::instance::{self, Applied};
use crate::registry::{Registry, find};
use crate::settings::Settings;

thread_local! {
    static TRANSFORM: Slot<dyn instance::Transform> = const { RefCell::new(None) };
}

/// The transform of this instance, if it is one.
pub(super) fn with_transform<A>(run: impl FnOnce(&mut (dyn instance::Transform + 'static)) -> A) -> Option<A> {
    TRANSFORM.with(|slot| with_any(slot, run))
}

impl<R: Registry> transform::Guest for Exports<R> {
    fn start(class: String, config: Vec<(String, String)>) -> Result<(), types::Error> {
        report_panics();
        let start = || {
            let (entry, plugin) = find(R::TRANSFORMS, |entry| entry.plugin, &class)?;
            let settings = Settings::parse(plugin.config(), convert::config(config))?;
            let transform = (entry.start)(&settings)?;
            TRANSFORM.with(|slot| slot.replace(Some(transform)));
            Ok(())
        };
        start().map_err(convert::error)
    }

    fn apply(batch: Vec<u8>) -> Result<transform::Applied, types::Error> {
        let applied = TRANSFORM.with(|slot| with(slot, |transform| transform.apply(&batch)));
        let (records, failures) = applied.map_err(convert::error)?;
        let records = match records {
            Applied::Unchanged => transform::Records::Unchanged,
            Applied::Kept(bits) => transform::Records::Kept(bits),
            Applied::Replaced(batch) => transform::Records::Replaced(batch),
        };
        Ok(transform::Applied {
            records,
            failures: convert::failures(failures),
        })
    }

    fn stop() {
        if let Some(mut transform) = TRANSFORM.with(|slot| slot.take()) {
            transform.stop();
        }
    }
}
