//! What every client of Kafka has, be it the group of workers, a producer, a consumer or an admin client: each key is
//! defined once, and what differs between them is a parameter.

use caisson_api::config::Importance::{self, High, Low, Medium};
use caisson_api::config::Type;

use crate::definition::Default::{self, Text};
use crate::definition::{Check, Line, line};

pub const METADATA_MAX_AGE: Line = line(
    "metadata.max.age.ms",
    Type::Long,
    Text("300000"),
    Low,
    "After how long what is known of brokers and topics is asked for again.",
)
.check(Check::AtLeast(0));

pub const SEND_BUFFER: Line = line(
    "send.buffer.bytes",
    Type::Int,
    Text("131072"),
    Medium,
    "Send buffer of a connection; -1 leaves it to the system.",
)
.check(Check::AtLeast(-1));

pub const RECONNECT_BACKOFF: Line = line(
    "reconnect.backoff.ms",
    Type::Long,
    Text("50"),
    Low,
    "Wait before a broker is connected to again; it grows with every failure.",
)
.check(Check::AtLeast(0));

pub const RECONNECT_BACKOFF_MAX: Line = line(
    "reconnect.backoff.max.ms",
    Type::Long,
    Text("1000"),
    Low,
    "Longest wait before a broker is connected to again.",
)
.check(Check::AtLeast(0));

pub const RETRY_BACKOFF: Line = line(
    "retry.backoff.ms",
    Type::Long,
    Text("100"),
    Low,
    "Wait before a request is tried again; it grows with every failure.",
)
.check(Check::AtLeast(0));

pub const RETRY_BACKOFF_MAX: Line = line(
    "retry.backoff.max.ms",
    Type::Long,
    Text("1000"),
    Low,
    "Longest wait before a request is tried again.",
)
.check(Check::AtLeast(0));

pub const METRICS_SAMPLE_WINDOW: Line = line(
    "metrics.sample.window.ms",
    Type::Long,
    Text("30000"),
    Low,
    "Length of the window over which rates are measured.",
)
.check(Check::AtLeast(0));

pub const METRICS_NUM_SAMPLES: Line = line(
    "metrics.num.samples",
    Type::Int,
    Text("2"),
    Low,
    "Number of windows that a rate is made of.",
)
.check(Check::AtLeast(1));

pub const CLIENT_DNS_LOOKUP: Line = line(
    "client.dns.lookup",
    Type::String,
    Text("use_all_dns_ips"),
    Medium,
    "What to do with a broker name that has several addresses: use_all_dns_ips tries one after the other, resolve_canonical_bootstrap_servers_only first turns each bootstrap address into the names behind it.",
)
.check(Check::OneOf(&["use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"]));

pub const METADATA_RECOVERY_STRATEGY: Line = line(
    "metadata.recovery.strategy",
    Type::String,
    Text("rebootstrap"),
    Low,
    "What a client does that reaches no known broker any more: begin anew with the bootstrap addresses, or fail.",
)
.check(Check::OneOfIgnoringCase(&["REBOOTSTRAP", "NONE"]));

pub const METADATA_RECOVERY_TRIGGER: Line = line(
    "metadata.recovery.rebootstrap.trigger.ms",
    Type::Long,
    Text("300000"),
    Low,
    "After how long without metadata a client begins anew with the bootstrap addresses.",
)
.check(Check::AtLeast(0));

pub const fn bootstrap_servers(default: Default, documentation: &'static str) -> Line {
    line("bootstrap.servers", Type::List, default, High, documentation).check(Check::Entries {
        empty: false,
        null: false,
    })
}

pub const fn client_id(importance: Importance, documentation: &'static str) -> Line {
    line("client.id", Type::String, Text(""), importance, documentation)
}

pub const fn receive_buffer(default: &'static str) -> Line {
    line(
        "receive.buffer.bytes",
        Type::Int,
        Text(default),
        Medium,
        "Receive buffer of a connection; -1 leaves it to the system.",
    )
    .check(Check::AtLeast(-1))
}

pub const fn request_timeout(default: &'static str) -> Line {
    line(
        "request.timeout.ms",
        Type::Int,
        Text(default),
        Medium,
        "How long a request may wait for its answer.",
    )
    .check(Check::AtLeast(0))
}

/// Only the group of workers has a check for it.
pub const fn connection_setup_timeout(importance: Importance, check: Check) -> Line {
    line(
        "socket.connection.setup.timeout.ms",
        Type::Long,
        Text("10000"),
        importance,
        "How long a connection may take to be made; it grows with every failure.",
    )
    .check(check)
}

/// Only the group of workers has a check for it.
pub const fn connection_setup_timeout_max(importance: Importance, check: Check) -> Line {
    line(
        "socket.connection.setup.timeout.max.ms",
        Type::Long,
        Text("30000"),
        importance,
        "Longest time that a connection may take to be made.",
    )
    .check(check)
}

pub const fn connections_max_idle(default: &'static str) -> Line {
    line(
        "connections.max.idle.ms",
        Type::Long,
        Text(default),
        Medium,
        "After how long an unused connection is closed.",
    )
}

pub const fn metrics_recording_level(levels: &'static [&'static str]) -> Line {
    line(
        "metrics.recording.level",
        Type::String,
        Text("INFO"),
        Low,
        "Which metrics are recorded.",
    )
    .check(Check::OneOf(levels))
}

pub const fn metric_reporters(documentation: &'static str) -> Line {
    line(
        "metric.reporters",
        Type::List,
        Text("org.apache.kafka.common.metrics.JmxReporter"),
        Low,
        documentation,
    )
    .check(Check::Entries {
        empty: true,
        null: false,
    })
}

pub const fn config_providers(documentation: &'static str) -> Line {
    line("config.providers", Type::List, Text(""), Low, documentation).check(Check::Entries {
        empty: true,
        null: false,
    })
}
