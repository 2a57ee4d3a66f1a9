//! `converter`.

use std::cell::RefCell;

use super::bindings::connect::types;
use super::bindings::converter::exports::caisson::connect::converter;
use super::{Exports, Slot, convert, report_panics, with};
use crate::converter::Column;
use crate::instance;
use crate::registry::{Registry, find};
use crate::settings::Settings;

thread_local! {
    static CONVERTER: Slot<dyn instance::Converter> = const { RefCell::new(None) };
}

impl<R: Registry> converter::Guest for Exports<R> {
    fn start(class: String, config: Vec<(String, String)>, column: converter::Column) -> Result<(), types::Error> {
        report_panics();
        let column = match column {
            converter::Column::Key => Column::Key,
            converter::Column::Value => Column::Value,
            converter::Column::Headers => Column::Headers,
        };
        let entries = match column {
            Column::Key | Column::Value => R::CONVERTERS,
            Column::Headers => R::HEADER_CONVERTERS,
        };
        let start = || {
            let (entry, plugin) = find(entries, |entry| entry.plugin, &class)?;
            let settings = Settings::parse(plugin.config(), convert::config(config))?;
            let converter = (entry.start)(&settings, column)?;
            CONVERTER.with(|slot| slot.replace(Some(converter)));
            Ok(())
        };
        start().map_err(convert::error)
    }

    fn serialize(batch: Vec<u8>) -> Result<converter::Converted, types::Error> {
        let converted = CONVERTER.with(|slot| with(slot, |converter| converter.serialize(&batch)));
        let (batch, failures) = converted.map_err(convert::error)?;
        Ok(converter::Converted {
            batch,
            failures: convert::failures(failures),
        })
    }

    fn deserialize(batch: Vec<u8>) -> Result<converter::Converted, types::Error> {
        let converted = CONVERTER.with(|slot| with(slot, |converter| converter.deserialize(&batch)));
        let (batch, failures) = converted.map_err(convert::error)?;
        Ok(converter::Converted {
            batch,
            failures: convert::failures(failures),
        })
    }

    fn stop() {
        if let Some(mut converter) = CONVERTER.with(|slot| slot.take()) {
            converter.stop();
        }
    }
}
