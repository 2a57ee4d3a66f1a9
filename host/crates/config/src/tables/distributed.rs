//! Keys of distributed workers.

use caisson_api::config::Importance::{High, Low, Medium};
use caisson_api::config::Type;

use crate::definition::Default::{Null, Required, Text};
use crate::definition::{Check, Line, line};
use crate::tables::{kafka, security};

/// The group of workers, and how it talks to Kafka.
pub static GROUP: &[Line] = &[
    line(
        "group.id",
        Type::String,
        Required,
        High,
        "Name of the cluster of workers; the workers that share it share the work. No consumer group may have the same name.",
    ),
    line(
        "session.timeout.ms",
        Type::Int,
        Text("10000"),
        High,
        "How long a worker may be silent before the cluster goes on without it.",
    ),
    line(
        "rebalance.timeout.ms",
        Type::Int,
        Text("60000"),
        High,
        "How long a worker may take to join again once a rebalance has begun.",
    ),
    line(
        "heartbeat.interval.ms",
        Type::Int,
        Text("3000"),
        High,
        "How often a worker says that it lives, which is a third of the session timeout at most; ten times in a session if that is more often.",
    ),
    line(
        "exactly.once.source.support",
        Type::String,
        Text("disabled"),
        High,
        "Whether source connectors may write records and offsets in transactions. A running cluster goes from disabled to preparing on every worker, then to enabled on every worker.",
    )
    .check(Check::OneOfIgnoringCase(&["DISABLED", "ENABLED", "PREPARING"])),
    kafka::METADATA_MAX_AGE,
    kafka::client_id(Low, "Name of this worker in the logs of brokers."),
    kafka::SEND_BUFFER,
    kafka::receive_buffer("32768"),
    kafka::RECONNECT_BACKOFF,
    kafka::RECONNECT_BACKOFF_MAX,
    kafka::connection_setup_timeout(Low, Check::AtLeast(0)),
    kafka::connection_setup_timeout_max(Low, Check::AtLeast(0)),
    kafka::RETRY_BACKOFF,
    kafka::RETRY_BACKOFF_MAX,
    kafka::request_timeout("40000"),
    kafka::connections_max_idle("540000"),
    security::PROTOCOL,
];

/// Internal topics and the protocol between workers.
pub static STORAGE: &[Line] = &[
    line(
        "worker.sync.timeout.ms",
        Type::Int,
        Text("3000"),
        Medium,
        "How long a worker may take to read what the cluster already knows of configurations before it leaves the group for a while.",
    ),
    line(
        "worker.unsync.backoff.ms",
        Type::Int,
        Text("300000"),
        Medium,
        "How long a worker that could not catch up stays out of the group.",
    ),
    line(
        "offset.storage.topic",
        Type::String,
        Required,
        High,
        "Topic that keeps the offsets of source connectors.",
    ),
    line(
        "offset.storage.partitions",
        Type::Int,
        Text("25"),
        Low,
        "Partitions of the offsets topic when it is created; -1 for the broker default.",
    )
    .check(Check::Partitions),
    line(
        "offset.storage.replication.factor",
        Type::Short,
        Text("3"),
        Low,
        "Replicas of the offsets topic when it is created; -1 for the broker default.",
    )
    .check(Check::ReplicationFactor),
    line(
        "config.storage.topic",
        Type::String,
        Required,
        High,
        "Topic that keeps the configurations of connectors and tasks; it has one partition.",
    ),
    line(
        "config.storage.replication.factor",
        Type::Short,
        Text("3"),
        Low,
        "Replicas of the configuration topic when it is created; -1 for the broker default.",
    )
    .check(Check::ReplicationFactor),
    line(
        "status.storage.topic",
        Type::String,
        Required,
        High,
        "Topic that keeps the states of connectors and tasks.",
    ),
    line(
        "status.storage.partitions",
        Type::Int,
        Text("5"),
        Low,
        "Partitions of the status topic when it is created; -1 for the broker default.",
    )
    .check(Check::Partitions),
    line(
        "status.storage.replication.factor",
        Type::Short,
        Text("3"),
        Low,
        "Replicas of the status topic when it is created; -1 for the broker default.",
    )
    .check(Check::ReplicationFactor),
    line(
        "connect.protocol",
        Type::String,
        Text("sessioned"),
        Low,
        "How workers agree on who does what: eager stops everything at each change, compatible moves only what has to move, sessioned does so and signs internal requests too.",
    )
    .check(Check::OneOf(&["eager", "compatible", "sessioned"])),
    line(
        "scheduled.rebalance.max.delay.ms",
        Type::Int,
        Text("300000"),
        Low,
        "How long the work of a worker that left waits for it to come back before others take it.",
    )
    .check(Check::Between(0, 2147483647)),
    line(
        "inter.worker.key.ttl.ms",
        Type::Int,
        Text("3600000"),
        Low,
        "After how long the key that signs internal requests is replaced; 0 or less never replaces it.",
    )
    .check(Check::Between(0, 2147483647)),
    line(
        "inter.worker.key.generation.algorithm",
        Type::String,
        Text("HmacSHA256"),
        Low,
        "Algorithm that makes the key for internal requests.",
    )
    .check(Check::Said("Any KeyGenerator algorithm supported by the worker JVM")),
    line(
        "inter.worker.key.size",
        Type::Int,
        Null,
        Low,
        "Bits of the key for internal requests; absent for what is usual for the algorithm.",
    ),
    line(
        "inter.worker.signature.algorithm",
        Type::String,
        Text("HmacSHA256"),
        Low,
        "Algorithm that signs internal requests.",
    )
    .check(Check::Said("Any MAC algorithm supported by the worker JVM")),
    line(
        "inter.worker.verification.algorithms",
        Type::List,
        Text("HmacSHA256"),
        Low,
        "Algorithms accepted in signatures of internal requests; the one for signing has to be among them.",
    )
    .check(Check::Said("A list of one or more MAC algorithms, each supported by the worker JVM")),
    kafka::METADATA_RECOVERY_STRATEGY,
    kafka::METADATA_RECOVERY_TRIGGER,
];
