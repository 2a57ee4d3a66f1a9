//! `predicate`.

use std::cell::RefCell;

use super::bindings::connect::types;
use super::bindings::predicate::exports::caisson::connect::predicate;
use super::{Exports, Slot, convert, report_panics, with};
use crate::instance;
use crate::registry::{Registry, find};
use crate::settings::Settings;

thread_local! {
    static PREDICATE: Slot<dyn instance::Predicate> = const { RefCell::new(None) };
}

impl<R: Registry> predicate::Guest for Exports<R> {
    fn start(class: String, config: Vec<(String, String)>) -> Result<(), types::Error> {
        report_panics();
        let start = || {
            let (entry, plugin) = find(R::PREDICATES, |entry| entry.plugin, &class)?;
            let settings = Settings::parse(plugin.config(), convert::config(config))?;
            let predicate = (entry.start)(&settings)?;
            PREDICATE.with(|slot| slot.replace(Some(predicate)));
            Ok(())
        };
        start().map_err(convert::error)
    }

    fn test(batch: Vec<u8>) -> Result<predicate::Tested, types::Error> {
        let tested = PREDICATE.with(|slot| with(slot, |predicate| predicate.test(&batch)));
        let (matches, failures) = tested.map_err(convert::error)?;
        Ok(predicate::Tested {
            matches: matches.into_bytes(),
            failures: convert::failures(failures),
        })
    }

    fn stop() {
        if let Some(mut predicate) = PREDICATE.with(|slot| slot.take()) {
            predicate.stop();
        }
    }
}
