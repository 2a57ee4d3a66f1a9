//! Kafka's admin client, as `admin.*` and `admin.override.*` set it up.

use caisson_api::config::Importance::{High, Low, Medium};
use caisson_api::config::Type;

use crate::definition::Default::{Null, Text};
use crate::definition::{Check, Line, line};

/// Kafka's admin client.
pub static ADMIN: &[Line] = &[
    line(
        "bootstrap.servers",
        Type::List,
        Text(""),
        High,
        "Brokers to begin with; the worker gives its own unless this says otherwise.",
    )
    .check(Check::Entries { empty: false, null: false }),
    line(
        "bootstrap.controllers",
        Type::List,
        Text(""),
        High,
        "Controllers to speak to instead of brokers.",
    )
    .check(Check::Entries { empty: true, null: false }),
    line(
        "retries",
        Type::Int,
        Text("2147483647"),
        Low,
        "How often a request that failed is sent again.",
    )
    .check(Check::Between(0.0, 2147483647.0)),
    line(
        "default.api.timeout.ms",
        Type::Int,
        Text("60000"),
        Medium,
        "How long an operation may take that names no time itself.",
    )
    .check(Check::AtLeast(0)),
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
        Text("300000"),
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
