//! Kafka's producer, as `producer.*` and `producer.override.*` set it up.

use caisson_api::config::Importance::{High, Low, Medium};
use caisson_api::config::Type;

use crate::definition::Default::{Null, Required, Text};
use crate::definition::{Check, Line, line};

/// Kafka's producer.
pub static PRODUCER: &[Line] = &[
    line(
        "bootstrap.servers",
        Type::List,
        Required,
        High,
        "Brokers to begin with; the worker gives its own unless this says otherwise.",
    )
    .check(Check::Entries { empty: false, null: false }),
    line(
        "buffer.memory",
        Type::Long,
        Text("33554432"),
        High,
        "Bytes of records that may wait to be sent.",
    )
    .check(Check::AtLeast(0)),
    line(
        "retries",
        Type::Int,
        Text("2147483647"),
        High,
        "How often a request that failed is sent again.",
    )
    .check(Check::Between(0.0, 2147483647.0)),
    line(
        "acks",
        Type::String,
        Text("all"),
        Low,
        "Which replicas confirm a record: all that are in sync, the leader (1), or none (0).",
    )
    .check(Check::OneOf(&["all", "-1", "0", "1"])),
    line(
        "compression.type",
        Type::String,
        Text("none"),
        High,
        "Compression of batches: none, gzip, snappy, lz4 or zstd.",
    )
    .check(Check::OneOf(&["none", "gzip", "snappy", "lz4", "zstd"])),
    line(
        "compression.gzip.level",
        Type::Int,
        Text("-1"),
        Medium,
        "Level of gzip; -1 for its own default.",
    ),
    line(
        "compression.lz4.level",
        Type::Int,
        Text("9"),
        Medium,
        "Level of lz4.",
    ),
    line(
        "compression.zstd.level",
        Type::Int,
        Text("3"),
        Medium,
        "Level of zstd.",
    ),
    line(
        "batch.size",
        Type::Int,
        Text("16384"),
        Medium,
        "Bytes of records that one batch for a partition may have.",
    )
    .check(Check::AtLeast(0)),
    line(
        "partitioner.adaptive.partitioning.enable",
        Type::Boolean,
        Text("true"),
        Low,
        "Whether faster brokers get more of the records without a key.",
    ),
    line(
        "partitioner.availability.timeout.ms",
        Type::Long,
        Text("0"),
        Low,
        "After how long a partition that takes no records gets no more records without a key; 0 never.",
    )
    .check(Check::AtLeast(0)),
    line(
        "partitioner.ignore.keys",
        Type::Boolean,
        Text("false"),
        Medium,
        "Whether the partition is chosen as if records had no key.",
    ),
    line(
        "linger.ms",
        Type::Long,
        Text("5"),
        Medium,
        "How long a batch waits for more records.",
    )
    .check(Check::AtLeast(0)),
    line(
        "delivery.timeout.ms",
        Type::Int,
        Text("120000"),
        Medium,
        "How long sending a record may take in all.",
    )
    .check(Check::AtLeast(0)),
    line(
        "max.request.size",
        Type::Int,
        Text("1048576"),
        Medium,
        "Bytes of a request at most, and so of a record.",
    )
    .check(Check::AtLeast(0)),
    line(
        "max.block.ms",
        Type::Long,
        Text("60000"),
        Medium,
        "How long sending may wait for room or metadata.",
    )
    .check(Check::AtLeast(0)),
    line(
        "metadata.max.idle.ms",
        Type::Long,
        Text("300000"),
        Low,
        "After how long a topic that is not written to is forgotten.",
    )
    .check(Check::AtLeast(5000)),
    line(
        "max.in.flight.requests.per.connection",
        Type::Int,
        Text("5"),
        Low,
        "Requests that may wait for an answer on one connection.",
    )
    .check(Check::AtLeast(1)),
    line(
        "key.serializer",
        Type::Class,
        Required,
        High,
        "Fixed by the worker.",
    ),
    line(
        "value.serializer",
        Type::Class,
        Required,
        High,
        "Fixed by the worker.",
    ),
    line(
        "partitioner.class",
        Type::Class,
        Null,
        Medium,
        "How partitions are chosen.",
    ),
    line(
        "interceptor.classes",
        Type::List,
        Text(""),
        Low,
        "Accepted for compatibility; of meaning to the Java virtual machine only.",
    )
    .check(Check::Entries { empty: true, null: false }),
    line(
        "enable.idempotence",
        Type::Boolean,
        Text("true"),
        Low,
        "Whether a record is written once even if it has to be sent twice.",
    ),
    line(
        "transaction.timeout.ms",
        Type::Int,
        Text("60000"),
        Low,
        "How long a transaction may stay open.",
    ),
    line(
        "transactional.id",
        Type::String,
        Null,
        Low,
        "Name under which transactions survive the producer.",
    )
    .check(Check::NonEmpty),
    line(
        "transaction.two.phase.commit.enable",
        Type::Boolean,
        Text("false"),
        Low,
        "Whether transactions are part of larger ones that somebody else decides.",
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
        Medium,
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
