//! Kafka's consumer, as `consumer.*` and `consumer.override.*` set it up.

use caisson_api::config::Importance::{High, Low, Medium};
use caisson_api::config::Type;

use crate::definition::Default::{Null, Required, Text};
use crate::definition::{Check, Line, line};

/// Kafka's consumer.
pub static CONSUMER: &[Line] = &[
    line(
        "bootstrap.servers",
        Type::List,
        Required,
        High,
        "Brokers to begin with; the worker gives its own unless this says otherwise.",
    )
    .check(Check::Entries { empty: false, null: false }),
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
    line(
        "default.api.timeout.ms",
        Type::Int,
        Text("60000"),
        Medium,
        "How long an operation may take that names no time itself.",
    )
    .check(Check::AtLeast(0)),
    line(
        "interceptor.classes",
        Type::List,
        Text(""),
        Low,
        "Accepted for compatibility; of meaning to the Java virtual machine only.",
    )
    .check(Check::Entries { empty: true, null: false }),
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
        "Name of the client in the logs of brokers.",
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
        Text("65536"),
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
        Text("30000"),
        Medium,
        "How long a request may wait for its answer.",
    )
    .check(Check::AtLeast(0)),
    line(
        "socket.connection.setup.timeout.ms",
        Type::Long,
        Text("10000"),
        Medium,
        "How long a connection may take to be made; it grows with every failure.",
    ),
    line(
        "socket.connection.setup.timeout.max.ms",
        Type::Long,
        Text("30000"),
        Medium,
        "Longest time that a connection may take to be made.",
    ),
    line(
        "connections.max.idle.ms",
        Type::Long,
        Text("540000"),
        Medium,
        "After how long an unused connection is closed.",
    ),
    line(
        "enable.metrics.push",
        Type::Boolean,
        Text("true"),
        Low,
        "Whether metrics are sent to brokers that want them.",
    ),
    line(
        "metrics.sample.window.ms",
        Type::Long,
        Text("30000"),
        Low,
        "Length of the window over which rates are measured.",
    )
    .check(Check::AtLeast(0)),
    line(
        "metrics.num.samples",
        Type::Int,
        Text("2"),
        Low,
        "Number of windows that a rate is made of.",
    )
    .check(Check::AtLeast(1)),
    line(
        "metrics.recording.level",
        Type::String,
        Text("INFO"),
        Low,
        "Which metrics are recorded.",
    )
    .check(Check::OneOf(&["INFO", "DEBUG", "TRACE"])),
    line(
        "metric.reporters",
        Type::List,
        Text("org.apache.kafka.common.metrics.JmxReporter"),
        Low,
        "Accepted for compatibility; of meaning to the Java virtual machine only.",
    )
    .check(Check::Entries { empty: true, null: false }),
    line(
        "client.dns.lookup",
        Type::String,
        Text("use_all_dns_ips"),
        Medium,
        "What to do with a broker name that has several addresses: use_all_dns_ips tries one after the other, resolve_canonical_bootstrap_servers_only first turns each bootstrap address into the names behind it.",
    )
    .check(Check::OneOf(&["use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"])),
    line(
        "security.protocol",
        Type::String,
        Text("PLAINTEXT"),
        Medium,
        "How brokers are spoken to: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.",
    )
    .check(Check::OneOfIgnoringCase(&["SASL_SSL", "PLAINTEXT", "SSL", "SASL_PLAINTEXT"])),
    line(
        "security.providers",
        Type::String,
        Null,
        Low,
        "Accepted for compatibility; of meaning to the Java virtual machine only.",
    ),
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
    line(
        "config.providers",
        Type::List,
        Text(""),
        Low,
        "Without effect: the worker's own providers have done their work before.",
    )
    .check(Check::Entries { empty: true, null: false }),
];
