//! Keys of workers and connectors that Kafka Connect does not have, or has elsewhere.

use caisson_api::config::Importance::{Low, Medium};
use caisson_api::config::Type;

use crate::definition::Default::{Null, Text};
use crate::definition::{Check, Line, line};

/// The override policy's own key, the log, and modules.
pub static EXTRAS: &[Line] = &[
    line(
        "connector.client.config.override.allowlist",
        Type::List,
        Text(""),
        Medium,
        "Client settings, without prefix, that connectors may change under the policy Allowlist.",
    ),
    line(
        "java.security.auth.login.config",
        Type::String,
        Null,
        Medium,
        "File with the JAAS entry KafkaConnect, for the REST extension for basic authentication. Java takes it as a system property; it is found in KAFKA_OPTS too.",
    ),
    line(
        "log.level",
        Type::String,
        Null,
        Low,
        "Least level of log lines, or a filter such as info,caisson_task=debug. The command line wins.",
    ),
    line(
        "log.format",
        Type::String,
        Null,
        Low,
        "How log lines look: text for people, json for programs. The command line wins.",
    )
    .check(Check::Said("text or json")),
    line(
        "module.storage.directory",
        Type::String,
        Null,
        Medium,
        "Directory for modules that are uploaded by REST, and for which of them serves which class; made if it is not \
         there, one for each worker. A standalone worker that is given none takes the name of offset.storage.file.filename \
         with .modules behind it; a distributed one, which fills it from module.storage.topic, a directory in that of compiled code.",
    ),
    line(
        "module.storage.topic",
        Type::String,
        Null,
        Medium,
        "Distributed workers: compacted topic for modules that are uploaded by REST, and for which of them serves which class; \
         made if it is not there. Without one, modules cannot be uploaded.",
    ),
    line(
        "module.storage.replication.factor",
        Type::Short,
        Text("3"),
        Low,
        "Replicas of that topic if it has to be made.",
    )
    .check(Check::ReplicationFactor),
    line(
        "module.probation.records",
        Type::Long,
        Text("100000"),
        Medium,
        "Records for which a plugin that has taken another one's place in a running task is on probation: if it crashes, \
         reaches a limit, or fails more often than the one before, that one comes back.",
    )
    .check(Check::AtLeast(0)),
    line(
        "module.probation.ms",
        Type::Long,
        Text("30000"),
        Medium,
        "Longest time of that probation, for tasks with few records.",
    )
    .check(Check::AtLeast(0)),
];

/// What a connector may ask for beyond Kafka Connect. Validation does not show these keys: its answers are Kafka
/// Connect's.
pub static CONNECTOR: &[Line] = &[
    line(
        "caisson.errors.deadletterqueue.class.header.enable",
        Type::Boolean,
        Text("false"),
        Medium,
        "Whether dead letters get the header __caisson.errors.class with one word about the failure: data, retriable, \
         fatal, guest-trap or limit.",
    ),
    line(
        "caisson.errors.deadletterqueue.topic.name",
        Type::String,
        Text(""),
        Medium,
        "For sources: topic for records that failed in converters or transforms, or that Kafka refused; empty for none. \
         Bytes are written as they are, other values as JSON. Sinks have errors.deadletterqueue.topic.name.",
    ),
    line(
        "caisson.errors.deadletterqueue.topic.replication.factor",
        Type::Short,
        Text("3"),
        Medium,
        "For sources: replicas of that topic if it has to be created.",
    ),
    line(
        "caisson.errors.deadletterqueue.context.headers.enable",
        Type::Boolean,
        Text("false"),
        Medium,
        "For sources: whether such records get the headers beginning with __connect.errors. that say what happened, and \
         __caisson.errors.source.partition and __caisson.errors.source.offset, which say where they came from.",
    ),
    line(
        "errors.restart.attempts",
        Type::Int,
        Text("0"),
        Medium,
        "How often in a row the connector, and each of its tasks, is restarted by itself after it has failed: 0 for never, -1 \
         for ever. What failed by single records is the business of errors.tolerance.",
    )
    .check(Check::AtLeast(-1)),
    line(
        "errors.restart.backoff.ms",
        Type::Long,
        Text("10000"),
        Low,
        "Wait before the first of those restarts; each further one in a row waits twice as long.",
    )
    .check(Check::AtLeast(0)),
    line(
        "errors.restart.backoff.max.ms",
        Type::Long,
        Text("300000"),
        Low,
        "Longest wait before such a restart.",
    )
    .check(Check::AtLeast(0)),
    line(
        "errors.restart.reset.ms",
        Type::Long,
        Text("600000"),
        Low,
        "What has run for so long after such a restart has as many attempts again.",
    )
    .check(Check::AtLeast(0)),
];

/// What transforms and predicates may be asked for, below their prefix.
pub static LINK: &[Line] = &[line(
    "caisson.runtime",
    Type::String,
    Text("native"),
    Low,
    "Where one that the worker has built in runs: native in the worker itself, component in a sandbox, from a module of \
     plugin.path that offers the class.",
)
.check(Check::OneOf(&["native", "component"]))];
