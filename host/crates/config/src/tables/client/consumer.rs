//! Kafka's consumer, as `consumer.*` and `consumer.override.*` set it up.

use caisson_api::config::Importance::{High, Low, Medium};
use caisson_api::config::Type;

use super::connection::{self, Connection};
use crate::definition::Default::{Null, Required, Text};
use crate::definition::{Check, Line, line};

/// Kafka's consumer.
pub static CONSUMER: &[Line] = &[
    connection::bootstrap_servers(Required),
    line(
        "group.id",
        Type::String,
        Null,
        High,
        "Consumer group; by default connect- and the name of the connector.",
    ),
    line(
        "group.instance.id",
        Type::String,
        Null,
        Medium,
        "Name of a static member of the group.",
    )
    .check(Check::NonEmpty),
    line(
        "session.timeout.ms",
        Type::Int,
        Text("45000"),
        High,
        "How long a member may be silent before the group goes on without it.",
    ),
    line(
        "heartbeat.interval.ms",
        Type::Int,
        Text("3000"),
        High,
        "How often a member says that it lives.",
    ),
    line(
        "partition.assignment.strategy",
        Type::List,
        Text("org.apache.kafka.clients.consumer.RangeAssignor,org.apache.kafka.clients.consumer.CooperativeStickyAssignor"),
        Medium,
        "How the members of a group share partitions, in order of preference.",
    )
    .check(Check::Entries { empty: true, null: false }),
    line(
        "enable.auto.commit",
        Type::Boolean,
        Text("true"),
        Medium,
        "Fixed by the worker: the task commits.",
    ),
    line(
        "auto.commit.interval.ms",
        Type::Int,
        Text("5000"),
        Low,
        "Without effect: the task commits.",
    )
    .check(Check::AtLeast(0)),
    line(
        "client.rack",
        Type::String,
        Text(""),
        Low,
        "Where the client is, so that a near replica can be read.",
    ),
    line(
        "max.partition.fetch.bytes",
        Type::Int,
        Text("1048576"),
        High,
        "Bytes of one partition in an answer.",
    )
    .check(Check::AtLeast(0)),
    line(
        "fetch.min.bytes",
        Type::Int,
        Text("1"),
        High,
        "Bytes that an answer waits for.",
    )
    .check(Check::AtLeast(0)),
    line(
        "fetch.max.bytes",
        Type::Int,
        Text("52428800"),
        Medium,
        "Bytes of an answer.",
    )
    .check(Check::AtLeast(0)),
    line(
        "fetch.max.wait.ms",
        Type::Int,
        Text("500"),
        Low,
        "How long an answer waits for enough bytes.",
    )
    .check(Check::AtLeast(0)),
    line(
        "auto.offset.reset",
        Type::String,
        Text("latest"),
        Medium,
        "Where to begin without a committed offset: earliest, latest, none or by_duration:PERIOD.",
    ),
    line(
        "check.crcs",
        Type::Boolean,
        Text("true"),
        Low,
        "Whether checksums of records are checked.",
    ),
    line(
        "key.deserializer",
        Type::Class,
        Required,
        High,
        "Fixed by the worker.",
    ),
    line(
        "value.deserializer",
        Type::Class,
        Required,
        High,
        "Fixed by the worker.",
    ),
    connection::DEFAULT_API_TIMEOUT,
    connection::INTERCEPTOR_CLASSES,
    line(
        "max.poll.records",
        Type::Int,
        Text("500"),
        Medium,
        "Records of one batch for the task.",
    )
    .check(Check::AtLeast(1)),
    line(
        "max.poll.interval.ms",
        Type::Int,
        Text("300000"),
        Medium,
        "How long a task may take for a batch before its partitions are given away.",
    )
    .check(Check::AtLeast(1)),
    line(
        "exclude.internal.topics",
        Type::Boolean,
        Text("true"),
        Medium,
        "Whether a regular expression leaves out Kafka's own topics.",
    ),
    line(
        "isolation.level",
        Type::String,
        Text("read_uncommitted"),
        Medium,
        "Whether records of open and aborted transactions are read: read_uncommitted or read_committed.",
    )
    .check(Check::OneOf(&["read_committed", "read_uncommitted"])),
    line(
        "allow.auto.create.topics",
        Type::Boolean,
        Text("true"),
        Medium,
        "Whether asking for a topic may create it.",
    ),
    line(
        "group.protocol",
        Type::String,
        Text("classic"),
        High,
        "Protocol of the group: classic, or consumer, the one of KIP-848.",
    )
    .check(Check::OneOfIgnoringCase(&["CLASSIC", "CONSUMER"])),
    line(
        "group.remote.assignor",
        Type::String,
        Null,
        Medium,
        "Assignor of the broker, with the protocol consumer.",
    ),
];

/// What it shares with the other clients.
pub static CONNECTION: Connection = Connection {
    client_id: Low,
    receive_buffer: "65536",
    max_idle: "540000",
};
