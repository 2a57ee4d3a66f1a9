//! Keys of sink connectors.

use caisson_api::config::Importance::{High, Medium};
use caisson_api::config::{Type, Width};

use crate::definition::Default::Text;
use crate::definition::{Check, Line, line};

/// Keys of every sink connector.
pub static SINK: &[Line] = &[
    line(
        "topics",
        Type::List,
        Text(""),
        High,
        "Topics to read, separated by commas.",
    )
    .check(Check::Entries {
        empty: true,
        null: false,
    })
    .at("Common", 4, Width::Long, "Topics"),
    line(
        "topics.regex",
        Type::String,
        Text(""),
        High,
        "Regular expression for the names of topics to read. Either this or topics is set.",
    )
    .check(Check::Regex)
    .at("Common", 4, Width::Long, "Topics regex"),
    line(
        "errors.deadletterqueue.topic.name",
        Type::String,
        Text(""),
        Medium,
        "Topic for records that failed in this connector, its converters or transforms; empty for none.",
    )
    .at("Error Handling", 6, Width::Medium, "Dead Letter Queue Topic Name"),
    line(
        "errors.deadletterqueue.topic.replication.factor",
        Type::Short,
        Text("3"),
        Medium,
        "Replicas of that topic if it has to be created.",
    )
    .at(
        "Error Handling",
        7,
        Width::Medium,
        "Dead Letter Queue Topic Replication Factor",
    ),
    line(
        "errors.deadletterqueue.context.headers.enable",
        Type::Boolean,
        Text("false"),
        Medium,
        "Whether such records get headers, all beginning with __connect.errors., that say what happened.",
    )
    .at("Error Handling", 8, Width::Medium, "Enable Error Context Headers"),
];
