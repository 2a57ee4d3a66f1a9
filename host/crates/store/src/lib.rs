//! What a worker remembers: source offsets, connector configurations, statuses, uploaded modules.
//!
//! Each store is a trait with one implementation per place that it may live in. [`OffsetStore`] is asynchronous, as
//! it may wait for a disk or a broker; [`ConfigStore`] and [`StatusStore`] answer reads from memory whatever is behind.
//! No HTTP and no engine here; the bytes of Kafka Connect's own files and topics are made here and nowhere else.

pub mod config;
mod error;
pub mod json;
pub mod log;
pub mod module;
pub mod offset;
pub mod status;

pub use config::{
    Config, ConfigChange, ConfigSnapshot, ConfigStore, ConnectorEntry, MemoryConfigStore, SessionKey, TopicConfigStore,
};
pub use error::Error;
pub use module::{
    Binding, Canary, CanaryStage, DirectoryModuleStore, History, ModuleStore, Published, Spooled, StoredModule,
    TopicModuleStore, Upload,
};
pub use offset::{FileOffsetStore, MemoryOffsetStore, OffsetEntry, OffsetKey, OffsetStore, TopicOffsetStore};
pub use status::{MemoryStatusStore, Status, StatusStore, TopicStatusStore, TopicUse};

use std::future::Future;
use std::pin::Pin;

/// What the asynchronous methods of an object-safe trait return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Key and value of each recorded record of these files.
#[cfg(test)]
fn vectors(files: &[&str]) -> Vec<(String, String, Option<String>)> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/conformance/vectors");
    let mut records = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(format!("{directory}/{file}.json")).unwrap();
        let file: serde_json::Value = serde_json::from_str(&text).unwrap();
        for vector in file["vectors"].as_array().unwrap() {
            let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
            let expect = &vector["expect"];
            records.push((
                text(&vector["id"]).unwrap(),
                text(&expect["key"]).unwrap(),
                text(&expect["value"]),
            ));
        }
    }
    assert!(!records.is_empty());
    records
}
