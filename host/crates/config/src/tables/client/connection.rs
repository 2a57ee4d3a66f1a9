//! What producer, consumer and admin client share. Kafka lists it after what is a client's own.

use caisson_api::config::Importance::{self, Low, Medium};
use caisson_api::config::Type;

use crate::definition::Default::{self, Null, Text};
use crate::definition::{Check, Line, line};
use crate::tables::{kafka, security};

/// In what the clients' connections differ.
pub struct Connection {
    pub client_id: Importance,
    pub receive_buffer: &'static str,
    pub max_idle: &'static str,
}

impl Connection {
    /// How a client speaks to brokers and measures itself, in Kafka's order.
    pub fn lines(&self) -> [Line; 23] {
        [
            kafka::METADATA_MAX_AGE,
            kafka::client_id(self.client_id, "Name of the client in the logs of brokers."),
            kafka::SEND_BUFFER,
            kafka::receive_buffer(self.receive_buffer),
            kafka::RECONNECT_BACKOFF,
            kafka::RECONNECT_BACKOFF_MAX,
            kafka::RETRY_BACKOFF,
            kafka::RETRY_BACKOFF_MAX,
            kafka::request_timeout("30000"),
            kafka::connection_setup_timeout(Medium, Check::Any),
            kafka::connection_setup_timeout_max(Medium, Check::Any),
            kafka::connections_max_idle(self.max_idle),
            ENABLE_METRICS_PUSH,
            kafka::METRICS_SAMPLE_WINDOW,
            kafka::METRICS_NUM_SAMPLES,
            kafka::metrics_recording_level(&["INFO", "DEBUG", "TRACE"]),
            kafka::metric_reporters(JAVA_ONLY),
            kafka::CLIENT_DNS_LOOKUP,
            security::PROTOCOL,
            SECURITY_PROVIDERS,
            kafka::METADATA_RECOVERY_STRATEGY,
            kafka::METADATA_RECOVERY_TRIGGER,
            kafka::config_providers("Without effect: the worker's own providers have done their work before."),
        ]
    }
}

const JAVA_ONLY: &str = "Accepted for compatibility; of meaning to the Java virtual machine only.";

const ENABLE_METRICS_PUSH: Line = line(
    "enable.metrics.push",
    Type::Boolean,
    Text("true"),
    Low,
    "Whether metrics are sent to brokers that want them. Where nothing is set, sinks send none.",
);

const SECURITY_PROVIDERS: Line = line("security.providers", Type::String, Null, Low, JAVA_ONLY);

/// Of producer and consumer.
pub const INTERCEPTOR_CLASSES: Line =
    line("interceptor.classes", Type::List, Text(""), Low, JAVA_ONLY).check(Check::Entries {
        empty: true,
        null: false,
    });

/// Of consumer and admin client.
pub const DEFAULT_API_TIMEOUT: Line = line(
    "default.api.timeout.ms",
    Type::Int,
    Text("60000"),
    Medium,
    "How long an operation may take that names no time itself.",
)
.check(Check::AtLeast(0));

/// The admin client alone does without, since it can be given controllers instead.
pub const fn bootstrap_servers(default: Default) -> Line {
    kafka::bootstrap_servers(
        default,
        "Brokers to begin with; the worker gives its own unless this says otherwise.",
    )
}

/// Of producer and admin client.
pub const fn retries(importance: Importance) -> Line {
    line(
        "retries",
        Type::Int,
        Text("2147483647"),
        importance,
        "How often a request that failed is sent again.",
    )
    .check(Check::Between(0, 2147483647))
}
