//! Kafka Connect's file connectors: the lines of a file into a topic, and the records of topics into a file.
//!
//! Same classes, keys, offsets and messages, so that a configuration made for Kafka Connect works as it stands.

mod input;
mod lines;
mod output;
mod pending;
mod sink;
mod source;

pub use sink::{FileStreamSink, FileStreamSinkTask};
pub use source::{FileStreamSource, FileStreamSourceTask};

caisson_sdk::plugins! {
    module: { description: "Lines of a file into a topic, and records of topics into a file." },
    sources: [FileStreamSource],
    sinks: [FileStreamSink],
}

/// The file of a configuration; `None` means standard input or output, as an empty name does.
fn file_of(settings: &caisson_sdk::settings::Settings) -> Option<&str> {
    settings.optional_text("file").filter(|file| !file.is_empty())
}
