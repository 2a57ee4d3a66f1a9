//! The table of Kafka's client settings (the Java clients' of 4.x), and what each is called or becomes in librdkafka.

use super::ClientKind;
use super::convert::{self, Converted};

/// What becomes of a setting.
#[derive(Clone, Copy)]
pub enum Rule {
    /// librdkafka knows it by the same name.
    Same,
    /// librdkafka knows it by another name.
    Renamed(&'static str),
    /// Its value, or its number of settings, changes.
    Converted(fn(&str) -> Converted),
    /// Has an effect on this side of the client only.
    Own,
    /// Part of TLS or SASL; these are looked at together.
    Security,
    /// The worker decides it.
    Fixed,
    /// Means nothing here, and nothing is lost.
    Ignored,
    /// Has no equal.
    NoEqual,
}

/// A line of the table.
pub struct Entry {
    pub name: &'static str,
    kinds: u8,
    pub rule: Rule,
}

impl Entry {
    /// Whether clients of that kind have the setting.
    pub fn applies_to(&self, kind: ClientKind) -> bool {
        self.kinds & bit(kind) != 0
    }
}

const fn bit(kind: ClientKind) -> u8 {
    match kind {
        ClientKind::Consumer | ClientKind::Reader => 1,
        ClientKind::Producer => 2,
        ClientKind::Admin => 4,
    }
}

const C: u8 = bit(ClientKind::Consumer);
const P: u8 = bit(ClientKind::Producer);
const ALL: u8 = C | P | bit(ClientKind::Admin);

/// All settings.
pub fn table() -> &'static [Entry] {
    TABLE
}

/// The setting of that name, if clients of that kind have it.
pub(super) fn find(name: &str, kind: ClientKind) -> Option<&'static Entry> {
    TABLE.iter().find(|entry| entry.name == name && entry.applies_to(kind))
}

/// librdkafka's names for what Caisson does itself and otherwise: how records are fetched and gathered into batches, and how
/// consumers are members of groups.
static UNUSED: &[(&str, u8)] = &[
    ("queued.min.messages", C),
    ("fetch.queue.backoff.ms", C),
    ("fetch.error.backoff.ms", C),
    ("consume.callback.max.messages", C),
    ("coordinator.query.interval.ms", C),
    ("group.protocol.type", C),
    ("batch.num.messages", P),
    ("queue.buffering.max.messages", P),
    ("queue.buffering.backpressure.threshold", P),
    ("queuing.strategy", P),
    ("sticky.partitioning.linger.ms", P),
    ("message.copy.max.bytes", C | P),
    ("receive.message.max.bytes", C | P),
];

/// Whether librdkafka knows the name and Caisson's own clients of that kind have no use for it.
pub(super) fn is_unused(name: &str, kind: ClientKind) -> bool {
    UNUSED
        .iter()
        .any(|(unused, kinds)| *unused == name && kinds & bit(kind) != 0)
}

const fn entry(name: &'static str, kinds: u8, rule: Rule) -> Entry {
    Entry { name, kinds, rule }
}

use Rule::{Converted as To, Fixed, Ignored, NoEqual, Own, Renamed, Same, Security};

static TABLE: &[Entry] = &[
    // Every client.
    entry("bootstrap.servers", ALL, Same),
    entry("client.id", ALL, Same),
    entry("client.dns.lookup", ALL, Same),
    entry("connections.max.idle.ms", ALL, To(convert::idle)),
    entry("metadata.max.age.ms", ALL, To(convert::metadata_age)),
    entry("metadata.recovery.strategy", ALL, Same),
    entry("metadata.recovery.rebootstrap.trigger.ms", ALL, Same),
    entry("reconnect.backoff.ms", ALL, Same),
    entry("reconnect.backoff.max.ms", ALL, Same),
    entry("retry.backoff.ms", ALL, Same),
    entry("retry.backoff.max.ms", ALL, Same),
    entry("send.buffer.bytes", ALL, To(convert::send_buffer)),
    entry("receive.buffer.bytes", ALL, To(convert::receive_buffer)),
    entry("socket.connection.setup.timeout.ms", ALL, Same),
    entry("socket.connection.setup.timeout.max.ms", ALL, NoEqual),
    entry("request.timeout.ms", C, To(convert::request_timeout)),
    entry("request.timeout.ms", P, To(convert::producer_request_timeout)),
    entry("request.timeout.ms", ALL & !C & !P, To(convert::request_timeout)),
    entry("default.api.timeout.ms", ALL, Own),
    entry("enable.metrics.push", C | P, NoEqual),
    entry("enable.metrics.push", ALL & !C & !P, Same),
    entry("metric.reporters", ALL, NoEqual),
    entry("metrics.num.samples", ALL, NoEqual),
    entry("metrics.recording.level", ALL, NoEqual),
    entry("metrics.sample.window.ms", ALL, NoEqual),
    entry("auto.include.jmx.reporter", ALL, NoEqual),
    entry("security.providers", ALL, NoEqual),
    entry("config.providers", ALL, Ignored),
    entry("bootstrap.controllers", ALL & !C & !P, NoEqual),
    entry("retries", ALL & !C & !P, NoEqual),
    // Consumers.
    entry("group.id", C, Same),
    entry("group.instance.id", C, Same),
    entry("group.protocol", C, To(convert::group_protocol)),
    entry("group.remote.assignor", C, NoEqual),
    entry("session.timeout.ms", C, Same),
    entry("heartbeat.interval.ms", C, Same),
    entry("max.poll.interval.ms", C, Same),
    entry("max.poll.records", C, Own),
    entry("partition.assignment.strategy", C, To(convert::assignors)),
    entry("auto.offset.reset", C, To(convert::offset_reset)),
    entry("isolation.level", C, Same),
    entry("allow.auto.create.topics", C, Same),
    entry("check.crcs", C, Same),
    entry("client.rack", C, Same),
    entry("fetch.min.bytes", C, To(convert::fetch_min)),
    entry("fetch.max.bytes", C, To(convert::fetch_max)),
    entry("fetch.max.wait.ms", C, Renamed("fetch.wait.max.ms")),
    entry("max.partition.fetch.bytes", C, Renamed("fetch.message.max.bytes")),
    entry("enable.auto.commit", C, Fixed),
    entry("auto.commit.interval.ms", C, Fixed),
    entry("key.deserializer", C, Fixed),
    entry("value.deserializer", C, Fixed),
    entry("exclude.internal.topics", C, NoEqual),
    entry("interceptor.classes", C | P, NoEqual),
    // Producers.
    entry("acks", P, Same),
    entry("enable.idempotence", P, Same),
    entry("transactional.id", P, Same),
    entry("transaction.timeout.ms", P, Same),
    entry("transaction.two.phase.commit.enable", P, NoEqual),
    entry("retries", P, Same),
    entry("max.in.flight.requests.per.connection", P, Same),
    entry("delivery.timeout.ms", P, To(convert::delivery_timeout)),
    entry("max.block.ms", P, Own),
    entry("linger.ms", P, Same),
    entry("batch.size", P, To(convert::batch_size)),
    entry("buffer.memory", P, To(convert::buffer_memory)),
    entry("max.request.size", P, To(convert::request_size)),
    entry("compression.type", P, Same),
    entry("compression.gzip.level", P, Renamed("compression.level")),
    entry("compression.lz4.level", P, Renamed("compression.level")),
    entry("compression.zstd.level", P, NoEqual),
    entry("metadata.max.idle.ms", P, NoEqual),
    entry("partitioner.class", P, To(convert::partitioner)),
    entry("partitioner.ignore.keys", P, To(convert::ignore_keys)),
    entry("partitioner.adaptive.partitioning.enable", P, NoEqual),
    entry("partitioner.availability.timeout.ms", P, NoEqual),
    entry("key.serializer", P, Fixed),
    entry("value.serializer", P, Fixed),
    // Security.
    entry("security.protocol", ALL, To(convert::lower_case)),
    entry("sasl.mechanism", ALL, Same),
    entry("sasl.jaas.config", ALL, Security),
    entry("sasl.kerberos.service.name", ALL, Same),
    entry("sasl.kerberos.kinit.cmd", ALL, Same),
    entry("sasl.kerberos.min.time.before.relogin", ALL, Same),
    entry("sasl.kerberos.ticket.renew.jitter", ALL, NoEqual),
    entry("sasl.kerberos.ticket.renew.window.factor", ALL, NoEqual),
    entry("sasl.client.callback.handler.class", ALL, NoEqual),
    entry("sasl.login.callback.handler.class", ALL, NoEqual),
    entry("sasl.login.class", ALL, NoEqual),
    entry("sasl.login.connect.timeout.ms", ALL, NoEqual),
    entry("sasl.login.read.timeout.ms", ALL, NoEqual),
    entry("sasl.login.refresh.buffer.seconds", ALL, NoEqual),
    entry("sasl.login.refresh.min.period.seconds", ALL, NoEqual),
    entry("sasl.login.refresh.window.factor", ALL, NoEqual),
    entry("sasl.login.refresh.window.jitter", ALL, NoEqual),
    entry("sasl.login.retry.backoff.max.ms", ALL, NoEqual),
    entry("sasl.login.retry.backoff.ms", ALL, NoEqual),
    entry("sasl.oauthbearer.token.endpoint.url", ALL, Security),
    entry("sasl.oauthbearer.jwks.endpoint.url", ALL, NoEqual),
    entry("sasl.oauthbearer.scope.claim.name", ALL, NoEqual),
    entry("sasl.oauthbearer.sub.claim.name", ALL, NoEqual),
    entry("sasl.oauthbearer.expected.audience", ALL, NoEqual),
    entry("sasl.oauthbearer.expected.issuer", ALL, NoEqual),
    entry("sasl.oauthbearer.clock.skew.seconds", ALL, NoEqual),
    entry("sasl.oauthbearer.header.urlencode", ALL, NoEqual),
    entry("ssl.truststore.location", ALL, Security),
    entry("ssl.truststore.type", ALL, Security),
    entry("ssl.truststore.password", ALL, Security),
    entry("ssl.truststore.certificates", ALL, Security),
    entry("ssl.keystore.location", ALL, Security),
    entry("ssl.keystore.type", ALL, Security),
    entry("ssl.keystore.password", ALL, Security),
    entry("ssl.keystore.certificate.chain", ALL, Security),
    entry("ssl.keystore.key", ALL, Security),
    entry("ssl.key.password", ALL, Same),
    entry(
        "ssl.endpoint.identification.algorithm",
        ALL,
        To(convert::endpoint_identification),
    ),
    entry("ssl.cipher.suites", ALL, NoEqual),
    entry("ssl.enabled.protocols", ALL, NoEqual),
    entry("ssl.protocol", ALL, NoEqual),
    entry("ssl.provider", ALL, NoEqual),
    entry("ssl.engine.factory.class", ALL, NoEqual),
    entry("ssl.keymanager.algorithm", ALL, NoEqual),
    entry("ssl.trustmanager.algorithm", ALL, NoEqual),
    entry("ssl.secure.random.implementation", ALL, NoEqual),
];
