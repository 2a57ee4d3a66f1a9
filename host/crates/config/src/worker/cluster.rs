//! What only distributed workers have: the group, its internal topics, and how its members trust each other.

use std::time::Duration;

use caisson_api::config::ConfigError;

use crate::given::{Entries, Given};
use crate::typed::Typed;

/// The cluster of workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    pub group_id: String,
    pub client_id: String,
    pub session_timeout: Duration,
    pub heartbeat_interval: Duration,
    pub rebalance_timeout: Duration,
    pub sync_timeout: Duration,
    pub unsync_backoff: Duration,
    pub protocol: Protocol,
    pub scheduled_rebalance_max_delay: Duration,
    pub exactly_once: ExactlyOnce,
    pub offsets: InternalTopic,
    pub configs: InternalTopic,
    pub statuses: InternalTopic,
    /// None: modules cannot be uploaded.
    pub modules: Option<InternalTopic>,
    pub signing: RequestSigning,
}

/// `connect.protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Eager,
    Compatible,
    Sessioned,
}

/// `exactly.once.source.support`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExactlyOnce {
    Disabled,
    Preparing,
    Enabled,
}

/// A topic of the cluster's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternalTopic {
    pub name: String,
    /// -1: as the broker likes.
    pub partitions: i32,
    /// -1: as the broker likes.
    pub replication_factor: i16,
    /// Further settings for its creation.
    pub settings: Entries,
}

/// How internal requests are signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestSigning {
    pub key_ttl: Duration,
    pub key_algorithm: String,
    pub key_size: Option<i32>,
    pub signature_algorithm: String,
    pub verification_algorithms: Vec<String>,
}

impl Cluster {
    pub(super) fn read(typed: &Typed, given: &Given) -> Result<Cluster, ConfigError> {
        let cluster = Cluster {
            group_id: typed.text("group.id"),
            client_id: typed.text("client.id"),
            session_timeout: typed.milliseconds("session.timeout.ms"),
            heartbeat_interval: typed.milliseconds("heartbeat.interval.ms"),
            rebalance_timeout: typed.milliseconds("rebalance.timeout.ms"),
            sync_timeout: typed.milliseconds("worker.sync.timeout.ms"),
            unsync_backoff: typed.milliseconds("worker.unsync.backoff.ms"),
            protocol: Protocol::read(typed),
            scheduled_rebalance_max_delay: typed.milliseconds("scheduled.rebalance.max.delay.ms"),
            exactly_once: ExactlyOnce::read(typed),
            offsets: InternalTopic::read("offset.storage", typed, given),
            configs: InternalTopic::read("config.storage", typed, given),
            statuses: InternalTopic::read("status.storage", typed, given),
            modules: typed.filled("module.storage.topic").map(|name| InternalTopic {
                name,
                partitions: 1,
                replication_factor: typed.short("module.storage.replication.factor"),
                settings: Entries::default(),
            }),
            signing: RequestSigning::read(typed)?,
        };
        if cluster.exactly_once == ExactlyOnce::Enabled && cluster.protocol == Protocol::Eager {
            // Workers have to be able to tell each other in confidence.
            return Err(ConfigError::invalid(
                "exactly.once.source.support",
                "enabled",
                "connect.protocol must be sessioned or compatible",
            ));
        }
        Ok(cluster)
    }
}

impl Protocol {
    fn read(typed: &Typed) -> Protocol {
        // The table has let nothing else pass.
        match typed.text("connect.protocol").as_str() {
            "eager" => Protocol::Eager,
            "compatible" => Protocol::Compatible,
            _ => Protocol::Sessioned,
        }
    }
}

impl ExactlyOnce {
    fn read(typed: &Typed) -> ExactlyOnce {
        // The table has let nothing else pass.
        match typed.text("exactly.once.source.support").to_ascii_lowercase().as_str() {
            "enabled" => ExactlyOnce::Enabled,
            "preparing" => ExactlyOnce::Preparing,
            _ => ExactlyOnce::Disabled,
        }
    }
}

impl InternalTopic {
    fn read(prefix: &str, typed: &Typed, given: &Given) -> InternalTopic {
        let key = |name: &str| format!("{prefix}.{name}");
        let mut settings = given.entries_below(&key(""));
        // These are keys of the worker; compaction is not up for choice.
        for own in [
            "topic",
            "partitions",
            "replication.factor",
            "cleanup.policy",
            "file.filename",
        ] {
            settings.remove(own);
        }
        InternalTopic {
            name: typed.text(&key("topic")),
            partitions: typed.optional_int(&key("partitions")).unwrap_or(1),
            replication_factor: typed.short(&key("replication.factor")),
            settings,
        }
    }
}

impl RequestSigning {
    fn read(typed: &Typed) -> Result<RequestSigning, ConfigError> {
        let signing = RequestSigning {
            key_ttl: typed.milliseconds("inter.worker.key.ttl.ms"),
            key_algorithm: typed.text("inter.worker.key.generation.algorithm"),
            key_size: typed.optional_int("inter.worker.key.size"),
            signature_algorithm: typed.text("inter.worker.signature.algorithm"),
            verification_algorithms: typed.list("inter.worker.verification.algorithms"),
        };
        if !signing.verification_algorithms.contains(&signing.signature_algorithm) {
            let all = format!("[{}]", signing.verification_algorithms.join(", "));
            let text = format!("Signature algorithm must be present in the list of verification algorithms {all}");
            return Err(ConfigError::invalid(
                "inter.worker.signature.algorithm",
                &signing.signature_algorithm,
                &text,
            ));
        }
        Ok(signing)
    }
}
