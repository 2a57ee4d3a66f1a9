//! Keys of distributed workers.

use caisson_api::config::Importance::{High, Low, Medium};
use caisson_api::config::Type;

use crate::definition::Default::{Null, Required, Text};
use crate::definition::{Check, Line, line};

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
        "How often a worker says that it lives; a third of the session timeout at most.",
    ),
    line(
        "exactly.once.source.support",
        Type::String,
        Text("disabled"),
        High,
        "Whether source connectors may write records and offsets in transactions. A running cluster goes from disabled to preparing on every worker, then to enabled on every worker.",
    )
    .check(Check::OneOfIgnoringCase(&["DISABLED", "ENABLED", "PREPARING"])),
    line(
        "metadata.max.age.ms",
        Type::Long,
        Text("300000"),
        Low,
        "After how long what is known of brokers and topics is asked for again.",
    )
    .check(Check::AtLeast(0)),
    line(
        "client.id",
        Type::String,
        Text(""),
        Low,
        "Name of this worker in the logs of brokers.",
    ),
    line(
        "send.buffer.bytes",
        Type::Int,
        Text("131072"),
        Medium,
        "Send buffer of a connection; -1 leaves it to the system.",
    )
    .check(Check::AtLeast(-1)),
    line(
        "receive.buffer.bytes",
        Type::Int,
        Text("32768"),
        Medium,
        "Receive buffer of a connection; -1 leaves it to the system.",
    )
    .check(Check::AtLeast(-1)),
    line(
        "reconnect.backoff.ms",
        Type::Long,
        Text("50"),
        Low,
        "Wait before a broker is connected to again; it grows with every failure.",
    )
    .check(Check::AtLeast(0)),
    line(
        "reconnect.backoff.max.ms",
        Type::Long,
        Text("1000"),
        Low,
        "Longest wait before a broker is connected to again.",
    )
    .check(Check::AtLeast(0)),
    line(
        "socket.connection.setup.timeout.ms",
        Type::Long,
        Text("10000"),
        Low,
        "How long a connection may take to be made; it grows with every failure.",
    )
    .check(Check::AtLeast(0)),
    line(
        "socket.connection.setup.timeout.max.ms",
        Type::Long,
        Text("30000"),
        Low,
        "Longest time that a connection may take to be made.",
    )
    .check(Check::AtLeast(0)),
    line(
        "retry.backoff.ms",
        Type::Long,
        Text("100"),
        Low,
        "Wait before a request is tried again; it grows with every failure.",
    )
    .check(Check::AtLeast(0)),
    line(
        "retry.backoff.max.ms",
        Type::Long,
        Text("1000"),
        Low,
        "Longest wait before a request is tried again.",
    )
    .check(Check::AtLeast(0)),
    line(
        "request.timeout.ms",
        Type::Int,
        Text("40000"),
        Medium,
        "How long a request may wait for its answer.",
    )
    .check(Check::AtLeast(0)),
    line(
        "connections.max.idle.ms",
        Type::Long,
        Text("540000"),
        Medium,
        "After how long an unused connection is closed.",
    ),
    line(
        "security.protocol",
        Type::String,
        Text("PLAINTEXT"),
        Medium,
        "How brokers are spoken to: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.",
    )
    .check(Check::OneOfIgnoringCase(&["SASL_SSL", "PLAINTEXT", "SSL", "SASL_PLAINTEXT"])),
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
    .check(Check::Between(0.0, 2147483647.0)),
    line(
        "inter.worker.key.ttl.ms",
        Type::Int,
        Text("3600000"),
        Low,
        "After how long the key that signs internal requests is replaced; 0 or less never replaces it.",
    )
    .check(Check::Between(0.0, 2147483647.0)),
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
    line(
        "metadata.recovery.strategy",
        Type::String,
        Text("rebootstrap"),
        Low,
        "What a client does that reaches no known broker any more: begin anew with the bootstrap addresses, or fail.",
    )
    .check(Check::OneOfIgnoringCase(&["REBOOTSTRAP", "NONE"])),
    line(
        "metadata.recovery.rebootstrap.trigger.ms",
        Type::Long,
        Text("300000"),
        Low,
        "After how long without metadata a client begins anew with the bootstrap addresses.",
    )
    .check(Check::AtLeast(0)),
];
