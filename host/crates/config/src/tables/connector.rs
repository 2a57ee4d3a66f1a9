//! Keys of connectors.

use caisson_api::config::Importance::{High, Low, Medium};
use caisson_api::config::{Type, Width};

use crate::definition::Default::{Null, Required, Text};
use crate::definition::{Check, Line, line};
use crate::plugins::Role;

/// Keys of every connector.
pub static COMMON: &[Line] = &[
    line(
        "name",
        Type::String,
        Required,
        High,
        "Name of the connector, different from all others of the cluster.",
    )
    .check(Check::Name)
    .at("Common", 1, Width::Medium, "Connector name"),
    line(
        "connector.class",
        Type::String,
        Required,
        High,
        "Plugin that the connector runs: its full class name, its simple name, or that without Connector at the end.",
    )
    .at("Common", 2, Width::Long, "Connector class"),
    line(
        "connector.plugin.version",
        Type::String,
        Null,
        Medium,
        "Version of the plugin: absent or latest for the newest, 1.2.3 for exactly that one, or a Maven range such as [1.0,2.0).",
    )
    .at("Common", 3, Width::Medium, "Connector version"),
    line(
        "tasks.max",
        Type::Int,
        Text("1"),
        High,
        "Most tasks that the connector may run. It may choose fewer.",
    )
    .check(Check::AtLeast(1))
    .at("Common", 4, Width::Short, "Tasks max"),
    line(
        "tasks.max.enforce",
        Type::Boolean,
        Text("true"),
        Low,
        "Whether a connector that asks for more tasks than tasks.max fails; otherwise it is warned about and gets them. Deprecated by Kafka Connect.",
    )
    .at("Common", 5, Width::Short, "Enforce tasks max"),
    line(
        "key.converter",
        Type::Class,
        Null,
        Low,
        "Converter of record keys. If it stands here, the settings below the same key of the worker do not apply.",
    )
    .check(Check::Plugin(Role::Converter))
    .at("Common", 6, Width::Short, "Key converter class"),
    line(
        "key.converter.plugin.version",
        Type::String,
        Null,
        Low,
        "Version of the key converter, in the form that connector.plugin.version has.",
    )
    .at("Common", 7, Width::Short, "Key converter version"),
    line(
        "value.converter",
        Type::Class,
        Null,
        Low,
        "Converter of record values. If it stands here, the settings below the same key of the worker do not apply.",
    )
    .check(Check::Plugin(Role::Converter))
    .at("Common", 8, Width::Short, "Value converter class"),
    line(
        "value.converter.plugin.version",
        Type::String,
        Null,
        Low,
        "Version of the value converter, in the form that connector.plugin.version has.",
    )
    .at("Common", 9, Width::Short, "Value converter version"),
    line(
        "header.converter",
        Type::Class,
        Null,
        Low,
        "Converter of header values. If it stands here, the settings below the same key of the worker do not apply.",
    )
    .check(Check::Plugin(Role::HeaderConverter))
    .at("Common", 10, Width::Short, "Header converter class"),
    line(
        "header.converter.plugin.version",
        Type::String,
        Null,
        Low,
        "Version of the header converter, in the form that connector.plugin.version has.",
    )
    .at("Common", 11, Width::Short, "Header converter version"),
    line(
        "transforms",
        Type::List,
        Text(""),
        Low,
        "Names of the transforms that records go through, in order. Each is configured by transforms.NAME.type and its own keys beside that.",
    )
    .check(Check::Aliases("transformation aliases"))
    .at("Transforms", 12, Width::Long, "Transforms"),
    line(
        "predicates",
        Type::List,
        Text(""),
        Low,
        "Names of the predicates that transforms may refer to. Each is configured by predicates.NAME.type and its own keys beside that.",
    )
    .check(Check::Aliases("predicate aliases"))
    .at("Predicates", 13, Width::Long, "Predicates"),
    line(
        "config.action.reload",
        Type::String,
        Text("restart"),
        Low,
        "What happens when a configuration provider says that a value it gave expires: none, or restart the connector then.",
    )
    .check(Check::OneOf(&["none", "restart"]))
    .at("Common", 14, Width::Medium, "Reload Action"),
    line(
        "errors.retry.timeout",
        Type::Long,
        Text("0"),
        Medium,
        "How long an operation that failed is tried again, in milliseconds; 0 does not try again, -1 never stops trying.",
    )
    .at("Error Handling", 1, Width::Medium, "Retry Timeout for Errors"),
    line(
        "errors.retry.delay.max.ms",
        Type::Long,
        Text("60000"),
        Medium,
        "Longest wait between two tries.",
    )
    .at("Error Handling", 2, Width::Medium, "Maximum Delay Between Retries for Errors"),
    line(
        "errors.tolerance",
        Type::String,
        Text("none"),
        Medium,
        "What a record that cannot be converted or transformed does: none fails the task, all skips the record.",
    )
    .check(Check::OneOf(&["none", "all"]))
    .at("Error Handling", 3, Width::Short, "Error Tolerance"),
    line(
        "errors.log.enable",
        Type::Boolean,
        Text("false"),
        Medium,
        "Whether each such record is logged, with the operation that failed.",
    )
    .at("Error Handling", 4, Width::Short, "Log Errors"),
    line(
        "errors.log.include.messages",
        Type::Boolean,
        Text("false"),
        Medium,
        "Whether that log says which record it was. Its content is not logged for sinks, but may be for sources.",
    )
    .at("Error Handling", 5, Width::Short, "Log Error Details"),
];
