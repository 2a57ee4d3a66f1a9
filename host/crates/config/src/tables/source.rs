//! Keys of source connectors.

use caisson_api::config::Importance::{Low, Medium};
use caisson_api::config::{Type, Width};

use crate::definition::Default::{Null, Required, Text};
use crate::definition::{Check, Line, line};

/// Keys of every source connector.
pub static SOURCE: &[Line] = &[
    line(
        "topic.creation.groups",
        Type::List,
        Text(""),
        Low,
        "Names of groups of topics that are created with settings of their own, in order; topics of no group are created as topic.creation.default.* says.",
    )
    .check(Check::Aliases("topic creation groups"))
    .at("Topic Creation", 1, Width::Long, "Topic Creation Groups"),
    line(
        "exactly.once.support",
        Type::String,
        Text("requested"),
        Medium,
        "required refuses a configuration for which exactly-once delivery is not certain; requested asks for it without checking.",
    )
    .check(Check::OneOfIgnoringCase(&["REQUIRED", "REQUESTED"]))
    .at("Exactly Once Support", 2, Width::Short, "Exactly once support"),
    line(
        "transaction.boundary",
        Type::String,
        Text("poll"),
        Medium,
        "Where transactions end: after each batch that the connector returns (poll), after an interval, or where the connector says.",
    )
    .check(Check::OneOfIgnoringCase(&["INTERVAL", "POLL", "CONNECTOR"]))
    .at("Exactly Once Support", 3, Width::Short, "Transaction Boundary"),
    line(
        "transaction.boundary.interval.ms",
        Type::Long,
        Null,
        Low,
        "The interval; absent for the interval at which the worker commits offsets.",
    )
    .check(Check::AtLeastIfAny(0))
    .at("Exactly Once Support", 4, Width::Short, "Transaction boundary interval"),
    line(
        "offsets.storage.topic",
        Type::String,
        Null,
        Low,
        "Topic for the offsets of this connector alone, instead of the worker's.",
    )
    .check(Check::NonEmpty)
    .at("offsets.topic", 1, Width::Long, "Offsets topic"),
];

/// Keys of the default group of topic creation, below `topic.creation.default.`.
pub static TOPIC_GROUP: &[Line] = &[
    line(
        "include",
        Type::List,
        Text(".*"),
        Low,
        "Regular expressions for the names of topics that belong to the group.",
    )
    .check(Check::Patterns("non-null string"))
    .at("default", 1, Width::Long, "Inclusion Topic Pattern for default"),
    line(
        "exclude",
        Type::List,
        Text(""),
        Low,
        "Regular expressions for the names of topics that do not belong to the group, even if include has them.",
    )
    .check(Check::Patterns("non-null string"))
    .at("default", 2, Width::Long, "Exclusion Topic Pattern for default"),
    line(
        "replication.factor",
        Type::Short,
        Required,
        Low,
        "Replicas of topics that are created for the group; -1 for the broker default.",
    )
    .check(Check::ReplicationFactor)
    .at("default", 3, Width::Long, "Replication Factor for Topics in default"),
    line(
        "partitions",
        Type::Int,
        Required,
        Low,
        "Partitions of topics that are created for the group; -1 for the broker default.",
    )
    .check(Check::Partitions)
    .at("default", 4, Width::Long, "Partition Count for Topics in default"),
];
