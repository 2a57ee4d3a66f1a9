//! Client settings: Kafka's names, as a user of Kafka Connect writes them, in librdkafka's terms.
//!
//! Settings come in layers: the worker's, then `consumer.*` (or `producer.*`, `admin.*`) of the worker's properties,
//! then `consumer.override.*` of the connector's, each without its prefix; later layers win. Below them all lie the
//! defaults of this module. librdkafka's own names work too. A name without an equal is reported once and dropped.

mod convert;
mod notice;
mod security;
mod table;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::error::Error;
use crate::ffi::{Client, Conf, Context, SetError};
use crate::report::Reporter;
use crate::token::TokenSource;

pub use crate::ffi::ClientKind;
pub use table::{Entry, Rule, table};

/// Names and values, as in a properties file.
pub type Properties = BTreeMap<String, String>;

/// One layer of settings.
#[derive(Clone, Copy)]
pub enum Layer<'a> {
    /// Every name is meant for the client: one that is not known is reported.
    Client(&'a Properties),
    /// Names for others are among them, as in a worker's whole properties: only known ones are taken.
    Mixed(&'a Properties),
}

/// The settings of one client, ready to make it.
#[derive(Clone)]
pub struct ClientSettings {
    kind: ClientKind,
    /// librdkafka's names and values.
    native: BTreeMap<String, Value>,
    /// Kafka's names and values that have a meaning on this side only.
    own: Properties,
    /// Where tokens come from, with `sasl.mechanism=OAUTHBEARER`.
    token: Option<TokenSource>,
}

/// A value, and the name under which a user gave it (the empty name for a default).
#[derive(Clone)]
struct Value {
    value: String,
    given_as: String,
}

/// Settings without what may differ between users of one client: two with the same profile can share.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Profile(Vec<(String, String)>);

const DEFAULTS_CONSUMER: &[(&str, &str)] = &[
    ("auto.offset.reset", "earliest"),
    // As Java's consumer does. librdkafka's defaults are false and read_committed.
    ("check.crcs", "true"),
    ("isolation.level", "read_uncommitted"),
    ("allow.auto.create.topics", "true"),
    // What a consumer may hold: fetched records, until the task is done with them.
    ("queued.max.messages.kbytes", "4096"),
    // Java's default.
    ("partition.assignment.strategy", "range,cooperative-sticky"),
];

/// As above, for a reader that takes everything from the beginning: nothing is kept in memory for it but a little.
const DEFAULTS_READER: &[(&str, &str)] = &[
    ("auto.offset.reset", "earliest"),
    ("check.crcs", "true"),
    ("allow.auto.create.topics", "false"),
    ("queued.max.messages.kbytes", "4096"),
    ("log.connection.close", "false"),
];

/// It must hear where the end is: records that were compacted away or belong to transactions leave gaps.
const FORCED_READER: &[(&str, &str)] = &[
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("enable.partition.eof", "true"),
];

const DEFAULTS_PRODUCER: &[(&str, &str)] = &[
    // A repeated request repeats no records. Kafka Connect leaves this off for sources; here it costs nothing.
    ("enable.idempotence", "true"),
    // Each with at most one batch of a partition, which keeps the order.
    ("max.in.flight.requests.per.connection", "5"),
    ("acks", "all"),
    // As Java's producer chooses partitions; librdkafka's default is CRC32.
    ("partitioner", "murmur2_random"),
    ("linger.ms", "5"),
    // Kafka Connect's `delivery.timeout.ms` is the largest there is: a source waits for its brokers.
    ("message.timeout.ms", "0"),
    // Java's `max.request.size`, and what its `buffer.memory` of 32 MiB becomes.
    ("message.max.bytes", "1048576"),
    ("queue.buffering.max.kbytes", "24576"),
    ("queue.buffering.max.messages", "100000"),
    ("log.connection.close", "false"),
];

/// Java has it for consumers alone.
const MAKES_TOPICS: &str = "allow.auto.create.topics";

const DEFAULTS_ADMIN: &[(&str, &str)] = &[
    // Idle connections are closed by brokers all the time.
    ("log.connection.close", "false"),
    // What brokers may ask for (KIP-714) would be figures of a client with little to do, and they cost it much memory.
    ("enable.metrics.push", "false"),
];

/// A consumer's offsets are the task's business, whatever the user says.
const FORCED_CONSUMER: &[(&str, &str)] = &[
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("enable.partition.eof", "false"),
];

impl ClientSettings {
    /// Settings of a consumer in a group; some layer must give `bootstrap.servers` and `group.id`.
    pub fn consumer(layers: &[Layer<'_>]) -> Result<ClientSettings, Error> {
        Self::build(ClientKind::Consumer, layers)
    }

    /// Settings of a reader of whole topics, which is in no group.
    pub fn reader(layers: &[Layer<'_>]) -> Result<ClientSettings, Error> {
        let mut settings = Self::build(ClientKind::Reader, layers)?;
        // Without a group there is no coordinator to be connected to.
        settings.native.remove("group.id");
        Ok(settings)
    }

    /// Settings of a producer: idempotent, unless a layer says otherwise.
    pub fn producer(layers: &[Layer<'_>]) -> Result<ClientSettings, Error> {
        Self::build(ClientKind::Producer, layers)
    }

    /// Settings of an admin client.
    pub fn admin(layers: &[Layer<'_>]) -> Result<ClientSettings, Error> {
        Self::build(ClientKind::Admin, layers)
    }

    fn build(kind: ClientKind, layers: &[Layer<'_>]) -> Result<ClientSettings, Error> {
        let mut settings = ClientSettings {
            kind,
            native: BTreeMap::new(),
            own: Properties::new(),
            token: None,
        };
        let (defaults, forced) = match kind {
            ClientKind::Consumer => (DEFAULTS_CONSUMER, FORCED_CONSUMER),
            ClientKind::Reader => (DEFAULTS_READER, FORCED_READER),
            ClientKind::Producer => (DEFAULTS_PRODUCER, &[][..]),
            ClientKind::Admin => (DEFAULTS_ADMIN, &[][..]),
        };
        for (name, value) in defaults {
            settings.put(name, (*value).to_owned(), "");
        }
        let given = merge(kind, layers);
        settings.translate(&given)?;
        security::translate(&mut settings, &given)?;
        settings.reconcile(&given);
        for (name, value) in forced {
            settings.put(name, (*value).to_owned(), "");
        }
        settings.conf()?;
        Ok(settings)
    }

    fn translate(&mut self, given: &Properties) -> Result<(), Error> {
        for (name, value) in given {
            let Some(entry) = table::find(name, self.kind) else {
                // Not Kafka's name, so librdkafka's: `merge` left nothing else.
                if table::is_unused(name, self.kind) {
                    notice::unused(self.kind, name);
                }
                self.put(name, value.clone(), name);
                continue;
            };
            match entry.rule {
                Rule::Same => self.put(name, value.clone(), name),
                Rule::Renamed(native) => self.put(native, value.clone(), name),
                Rule::Converted(convert) => {
                    let converted = convert(value.trim()).map_err(|reason| Error::Setting {
                        name: name.clone(),
                        reason,
                    })?;
                    for (native, value) in converted {
                        self.put(native, value, name);
                    }
                }
                Rule::Own => {
                    self.own.insert(name.clone(), value.clone());
                }
                // `security::translate` looks at them together.
                Rule::Security => {}
                Rule::Fixed | Rule::NoEqual => notice::no_equal(self.kind, name, entry.rule),
                Rule::Ignored => {}
            }
        }
        Ok(())
    }

    /// Transactions need idempotence, and idempotence needs every acknowledgement: as in Java, who asks for fewer and says
    /// nothing of idempotence gets none.
    fn reconcile(&mut self, given: &Properties) {
        if self.kind != ClientKind::Producer {
            return;
        }
        if given.contains_key("transactional.id") {
            self.put("enable.idempotence", "true".to_owned(), "");
        } else if !given.contains_key("enable.idempotence") && !matches!(self.native("acks"), Some("all" | "-1")) {
            self.put("enable.idempotence", "false".to_owned(), "");
        }
    }

    pub(crate) fn put(&mut self, name: &str, value: String, given_as: &str) {
        self.native.insert(
            name.to_owned(),
            Value {
                value,
                given_as: given_as.to_owned(),
            },
        );
    }

    pub fn kind(&self) -> ClientKind {
        self.kind
    }

    /// One of librdkafka's properties, if it is set.
    pub fn native(&self, name: &str) -> Option<&str> {
        self.native.get(name).map(|value| value.value.as_str())
    }

    /// All that goes to librdkafka, by its names. Holds secrets.
    pub fn natives(&self) -> impl Iterator<Item = (&str, &str)> {
        self.native
            .iter()
            .map(|(name, value)| (name.as_str(), value.value.as_str()))
    }

    pub(crate) fn token_source(&self) -> Option<&TokenSource> {
        self.token.as_ref()
    }

    /// The name of the client in logs and at the broker.
    pub fn client_id(&self) -> &str {
        self.native("client.id").unwrap_or("caisson")
    }

    /// `max.poll.records`, if given.
    pub fn max_poll_records(&self) -> Option<usize> {
        self.own
            .get("max.poll.records")?
            .trim()
            .parse()
            .ok()
            .filter(|records| *records > 0)
    }

    /// `default.api.timeout.ms`: how long a call that waits for Kafka may wait.
    pub fn api_timeout(&self) -> Duration {
        self.own_duration("default.api.timeout.ms")
            .unwrap_or(Duration::from_secs(60))
    }

    /// `max.block.ms`: how long a full producer may hold up its source; absent means for ever, as Kafka Connect sets it.
    pub fn max_block(&self) -> Option<Duration> {
        self.own_duration("max.block.ms")
            .filter(|limit| limit.as_millis() < i64::MAX as u128)
    }

    fn own_duration(&self, name: &str) -> Option<Duration> {
        self.own.get(name)?.trim().parse().ok().map(Duration::from_millis)
    }

    /// For a producer of topics that are not to come about by being written to, whatever brokers are set to do.
    pub fn without_making_topics(mut self) -> ClientSettings {
        self.own.insert(MAKES_TOPICS.to_owned(), "false".to_owned());
        self
    }

    /// Whether a producer asks brokers to make topics that are not there.
    pub(crate) fn makes_topics(&self) -> bool {
        self.own.get(MAKES_TOPICS).is_none_or(|value| value != "false")
    }

    /// What clients that are to be shared must agree on.
    pub fn profile(&self) -> Profile {
        let shared = self.natives().filter(|(name, _)| *name != "client.id");
        Profile(
            shared
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    pub(crate) fn reporter(&self) -> Reporter {
        let brokers = self
            .native("bootstrap.servers")
            .unwrap_or("no bootstrap.servers")
            .to_owned();
        Reporter::new(self.client_id().to_owned(), brokers)
    }

    fn conf(&self) -> Result<Conf, Error> {
        let mut conf = Conf::new();
        for (name, Value { value, given_as }) in &self.native {
            let shown = if given_as.is_empty() { name } else { given_as };
            conf.set(name, value).map_err(|error| {
                let reason = match error {
                    SetError::Unknown => "the Kafka client does not know it".to_owned(),
                    SetError::Invalid(reason) => reason,
                };
                Error::Setting {
                    name: shown.clone(),
                    reason,
                }
            })?;
        }
        Ok(conf)
    }

    /// Makes the client.
    pub(crate) fn client(&self) -> Result<Client, Error> {
        let context = Context {
            reporter: self.reporter(),
            token: self.token.clone(),
        };
        self.conf()?
            .into_client(self.kind, context)
            .map_err(|reason| Error::Client {
                kind: self.kind.as_str(),
                client: self.client_id().to_owned(),
                reason,
            })
    }
}

/// Shows names only: values may be secret.
impl fmt::Debug for ClientSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSettings")
            .field("kind", &self.kind)
            .field("client", &self.client_id())
            .field("names", &self.native.keys().collect::<Vec<_>>())
            .finish()
    }
}

/// Later layers over earlier ones, without what no client knows.
fn merge(kind: ClientKind, layers: &[Layer<'_>]) -> Properties {
    let mut merged = Properties::new();
    for layer in layers {
        let (properties, mixed) = match layer {
            Layer::Client(properties) => (properties, false),
            Layer::Mixed(properties) => (properties, true),
        };
        for (name, value) in *properties {
            if table::find(name, kind).is_some() || (!mixed && is_native(name, value)) {
                merged.insert(name.clone(), value.clone());
            } else if !mixed {
                notice::unknown(kind, name);
            }
        }
    }
    merged
}

/// Whether librdkafka has a property of that name.
fn is_native(name: &str, value: &str) -> bool {
    Conf::new().set(name, value) != Err(SetError::Unknown)
}
