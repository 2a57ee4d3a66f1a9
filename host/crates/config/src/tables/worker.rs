//! Keys that standalone and distributed workers share.

use caisson_api::config::Importance::{High, Low, Medium};
use caisson_api::config::Type;

use crate::definition::Default::{Null, Required, Text};
use crate::definition::{Check, Line, line};
use crate::tables::kafka;

/// Kafka's cluster, converters, commits, plugins and metrics.
pub static FIRST: &[Line] = &[
    kafka::bootstrap_servers(
        Required,
        "Brokers to begin with, as host:port, separated by commas; the clients find the others through them. Connectors inherit this key only, of all client settings that stand here without a prefix.",
    ),
    kafka::CLIENT_DNS_LOOKUP,
    line(
        "key.converter",
        Type::Class,
        Required,
        High,
        "Converter of record keys for connectors that name none. Keys below this one with a further dot are its own settings.",
    ),
    line(
        "key.converter.plugin.version",
        Type::String,
        Null,
        Low,
        "Version of the key converter: empty or latest for the newest, 1.2.3 for exactly that one, or a Maven range such as [1.0,2.0).",
    ),
    line(
        "value.converter",
        Type::Class,
        Required,
        High,
        "Converter of record values for connectors that name none. Keys below this one with a further dot are its own settings.",
    ),
    line(
        "value.converter.plugin.version",
        Type::String,
        Null,
        Low,
        "Version of the value converter, in the form that key.converter.plugin.version has.",
    ),
    line(
        "task.shutdown.graceful.timeout.ms",
        Type::Long,
        Text("5000"),
        Low,
        "How long the worker waits for all tasks together that are being stopped; what still runs then is abandoned.",
    ),
    line(
        "offset.flush.interval.ms",
        Type::Long,
        Text("60000"),
        Low,
        "How often offsets of tasks are committed.",
    ),
    line(
        "offset.flush.timeout.ms",
        Type::Long,
        Text("5000"),
        Low,
        "How long one commit of offsets may take: outstanding records and the writing of the offsets. Then it is given up and tried again at the next interval.",
    ),
    line(
        "plugin.path",
        Type::List,
        Null,
        Low,
        "Directories with .wasm modules, separated by commas. Modules lie in such a directory or in a directory inside it. Configuration providers are not asked for this value.",
    )
    .check(Check::Entries { empty: true, null: true }),
    line(
        "plugin.discovery",
        Type::String,
        Text("hybrid_warn"),
        Low,
        "Accepted for compatibility: modules say themselves what they hold, so that there is one way only to discover plugins.",
    )
    .check(Check::OneOfIgnoringCase(&["ONLY_SCAN", "SERVICE_LOAD", "HYBRID_WARN", "HYBRID_FAIL"])),
    kafka::METRICS_SAMPLE_WINDOW,
    kafka::METRICS_NUM_SAMPLES,
    kafka::metrics_recording_level(&["INFO", "DEBUG"]),
    kafka::metric_reporters("Accepted for compatibility: classes of the Java virtual machine cannot be loaded."),
    line(
        "header.converter",
        Type::Class,
        Text("org.apache.kafka.connect.storage.SimpleHeaderConverter"),
        Low,
        "Converter of header values for connectors that name none. Keys below this one with a further dot are its own settings.",
    ),
    line(
        "header.converter.plugin.version",
        Type::String,
        Null,
        Low,
        "Version of the header converter, in the form that key.converter.plugin.version has.",
    ),
    kafka::config_providers(
        "Names of configuration providers. Each has its class at config.providers.NAME.class and its settings at config.providers.NAME.param.*; a value like ${NAME:path:key} is then looked up.",
    ),
    line(
        "connector.client.config.override.policy",
        Type::String,
        Text("All"),
        Medium,
        "Which client settings a connector may change: All, None, Principal (identity and security protocol only) or Allowlist.",
    ),
    line(
        "topic.creation.enable",
        Type::Boolean,
        Text("true"),
        Low,
        "Whether source connectors may ask by topic.creation.* how missing topics are created.",
    ),
];

/// Topics, and the REST interface.
pub static LAST: &[Line] = &[
    line(
        "topic.tracking.enable",
        Type::Boolean,
        Text("true"),
        Low,
        "Whether the topics that each connector uses are recorded and shown by REST.",
    ),
    line(
        "topic.tracking.allow.reset",
        Type::Boolean,
        Text("true"),
        Low,
        "Whether a REST request may forget the recorded topics of a connector.",
    ),
    line(
        "listeners",
        Type::List,
        Text("http://:8083"),
        Low,
        "Where REST listens: scheme://host:port, separated by commas; without a host on every address.",
    )
    .check(Check::Listeners),
    line(
        "rest.advertised.host.name",
        Type::String,
        Null,
        Low,
        "Host under which other workers and clients reach this worker, if it is not the host of its listener.",
    ),
    line(
        "rest.advertised.port",
        Type::Int,
        Null,
        Low,
        "Port under which other workers and clients reach this worker, if it is not the port of its listener.",
    ),
    line(
        "rest.advertised.listener",
        Type::String,
        Null,
        Low,
        "Scheme that other workers use to reach this one: http or https.",
    ),
    line(
        "access.control.allow.origin",
        Type::String,
        Text(""),
        Low,
        "Origin whose scripts browsers let use the REST interface; * for every one, empty for none.",
    ),
    line(
        "access.control.allow.methods",
        Type::String,
        Text(""),
        Low,
        "HTTP methods allowed across origins, separated by commas; empty means GET, POST and HEAD.",
    ),
    line(
        "response.http.headers.config",
        Type::String,
        Text(""),
        Low,
        "Headers that REST responses carry: rules of the form [set|add|setDate|addDate] name:value, separated by commas; in double quotes if a rule has a comma inside.",
    )
    .check(Check::HeaderRules),
    line(
        "ssl.client.auth",
        Type::String,
        Text("none"),
        Low,
        "Whether clients of an https listener show a certificate: required, requested or none.",
    )
    .check(Check::OneOf(&["required", "requested", "none"])),
    line(
        "rest.extension.classes",
        Type::List,
        Text(""),
        Low,
        "Extensions of REST by class or alias. There is one: org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension, which asks every client for a name and a password.",
    )
    .check(Check::Entries { empty: true, null: false }),
    line(
        "admin.listeners",
        Type::List,
        Null,
        Low,
        "Where administration (loggers) is served. Absent: on the regular listeners. Empty: nowhere.",
    )
    .check(Check::AdminListeners),
];

/// What only standalone workers have.
pub static STANDALONE: &[Line] = &[line(
    "offset.storage.file.filename",
    Type::String,
    Required,
    High,
    "File that keeps the offsets of source connectors.",
)];
