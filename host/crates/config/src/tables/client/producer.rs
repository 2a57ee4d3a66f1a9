//! Kafka's producer, as `producer.*` and `producer.override.*` set it up.

use caisson_api::config::Importance::{High, Low, Medium};
use caisson_api::config::Type;

use super::connection::{self, Connection};
use crate::definition::Default::{Null, Required, Text};
use crate::definition::{Check, Line, line};

/// Kafka's producer.
pub static PRODUCER: &[Line] = &[
    connection::bootstrap_servers(Required),
    line(
        "buffer.memory",
        Type::Long,
        Text("33554432"),
        High,
        "Bytes of records that may wait to be sent.",
    )
    .check(Check::AtLeast(0)),
    connection::retries(High),
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
    line("compression.lz4.level", Type::Int, Text("9"), Medium, "Level of lz4."),
    line("compression.zstd.level", Type::Int, Text("3"), Medium, "Level of zstd."),
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
    line("key.serializer", Type::Class, Required, High, "Fixed by the worker."),
    line("value.serializer", Type::Class, Required, High, "Fixed by the worker."),
    line(
        "partitioner.class",
        Type::Class,
        Null,
        Medium,
        "How partitions are chosen.",
    ),
    connection::INTERCEPTOR_CLASSES,
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
];

/// What it shares with the other clients.
pub static CONNECTION: Connection = Connection {
    client_id: Medium,
    receive_buffer: "32768",
    max_idle: "540000",
};
