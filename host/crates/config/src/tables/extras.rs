//! Keys of a worker that Kafka Connect does not have, or has elsewhere.

use caisson_api::config::Importance::{Low, Medium};
use caisson_api::config::Type;

use crate::definition::Default::{Null, Text};
use crate::definition::{Check, Line, line};

/// The override policy's own key, and the log.
pub static EXTRAS: &[Line] = &[
    line(
        "connector.client.config.override.allowlist",
        Type::List,
        Text(""),
        Medium,
        "Client settings, without prefix, that connectors may change under the policy Allowlist.",
    ),
    line(
        "log.level",
        Type::String,
        Null,
        Low,
        "Least level of log lines, or a filter such as info,caisson_task=debug. The command line wins.",
    ),
    line(
        "log.format",
        Type::String,
        Null,
        Low,
        "How log lines look: text for people, json for programs. The command line wins.",
    )
    .check(Check::Said("text or json")),
];
