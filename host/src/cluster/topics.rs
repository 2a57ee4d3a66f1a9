//! The internal topics: made if they are not there, and checked if they are, as Kafka Connect does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use caisson_config::worker::{Cluster, InternalTopic};
use caisson_kafka::{Admin, Creation, ErrorCode, KafkaError, NewTopic};

/// For each question, as brokers may take a while to come up, and for one attempt at it.
const PATIENCE: Duration = Duration::from_secs(60);
const ATTEMPT: Duration = Duration::from_secs(10);
/// How long a topic that is there may take to be seen by all brokers.
const APPEARING: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);

/// One topic, and how messages speak of it.
struct Purpose<'a> {
    topic: &'a InternalTopic,
    /// The property that names it.
    property: &'static str,
    holds: &'static str,
}

/// Makes or checks all topics. Waits for Kafka.
pub async fn prepare(admin: Arc<Admin>, cluster: Cluster) -> anyhow::Result<()> {
    tokio::task::spawn_blocking(move || {
        let purposes = [
            Purpose {
                topic: &cluster.configs,
                property: "config.storage.topic",
                holds: "connector configurations",
            },
            Purpose {
                topic: &cluster.offsets,
                property: "offset.storage.topic",
                holds: "source connector offsets",
            },
            Purpose {
                topic: &cluster.statuses,
                property: "status.storage.topic",
                holds: "connector and task statuses",
            },
        ];
        for purpose in purposes {
            purpose.prepare(&admin)?;
        }
        one_partition(
            &admin,
            &cluster.configs.name,
            "config.storage.topic",
            "connector configurations",
        )?;
        let Some(modules) = &cluster.modules else { return Ok(()) };
        let purpose = Purpose {
            topic: modules,
            property: "module.storage.topic",
            holds: "modules",
        };
        purpose.prepare(&admin)?;
        one_partition(&admin, &modules.name, purpose.property, purpose.holds)
    })
    .await
    .context("preparing the internal topics")?
}

/// Makes or checks the offsets topic of a connector. Blocks.
pub fn prepare_offsets(admin: &Admin, topic: &InternalTopic) -> anyhow::Result<()> {
    let purpose = Purpose {
        topic,
        property: "offsets.storage.topic",
        holds: "source connector offsets",
    };
    purpose.prepare(admin)
}

impl Purpose<'_> {
    fn prepare(&self, admin: &Admin) -> anyhow::Result<()> {
        let name = &self.topic.name;
        let mut topic = NewTopic::new(name, self.topic.partitions, i32::from(self.topic.replication_factor));
        for (key, value) in &self.topic.settings {
            topic = topic.with(key, value);
        }
        let topic = topic.with("cleanup.policy", "compact");
        match self.create(admin, &topic)? {
            Creation::Created => tracing::info!(topic = %name, "created the topic for {}", self.holds),
            Creation::Existed => self.check(admin)?,
        }
        Ok(())
    }

    fn create(&self, admin: &Admin, topic: &NewTopic) -> anyhow::Result<Creation> {
        let name = &self.topic.name;
        patiently(name, || {
            let created = admin.create_topics(std::slice::from_ref(topic), ATTEMPT)?;
            let (_, creation) = created.into_iter().next().context("Kafka did not answer for it")?;
            Ok(creation?)
        })
        .with_context(|| format!("Error while attempting to create/find topic(s) '{name}'"))
    }

    fn check(&self, admin: &Admin) -> anyhow::Result<()> {
        let name = &self.topic.name;
        let settings = patiently(name, || Ok(admin.topic_config(name, ATTEMPT)?))
            .with_context(|| format!("cannot see the settings of topic {name}"))?;
        let policy = settings.get("cleanup.policy").cloned().flatten().unwrap_or_default();
        if policy == "compact" {
            return Ok(());
        }
        let (property, holds) = (self.property, self.holds);
        bail!(
            "Topic '{name}' supplied via the '{property}' property is required to have 'cleanup.policy=compact' to guarantee consistency and durability of {holds}, but found the topic currently has 'cleanup.policy={policy}'. Continuing would likely result in eventually losing {holds} and problems restarting this Connect cluster in the future. Change the '{property}' property in the Connect worker configurations to use a topic with 'cleanup.policy=compact'."
        )
    }
}

/// Asks again while brokers and their controller change places.
fn patiently<T>(topic: &str, mut ask: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let until = Instant::now() + PATIENCE;
    loop {
        match ask() {
            Err(error) if is_retriable(&error) && Instant::now() < until => {
                tracing::warn!(
                    topic,
                    "the topic cannot be created or looked at yet; trying again: {error:#}"
                );
                std::thread::sleep(PAUSE);
            }
            answer => return answer,
        }
    }
}

fn is_retriable(error: &anyhow::Error) -> bool {
    let of_request = || error.downcast_ref::<caisson_kafka::Error>()?.code();
    let of_topic = || Some(error.downcast_ref::<KafkaError>()?.code);
    of_request().or_else(of_topic).is_some_and(ErrorCode::is_retriable)
}

fn one_partition(admin: &Admin, name: &str, property: &str, holds: &str) -> anyhow::Result<()> {
    let until = Instant::now() + APPEARING;
    loop {
        let described = patiently(name, || Ok(admin.describe_topics(&[name], ATTEMPT)?))?;
        match described.into_iter().next().map(|(_, partitions)| partitions) {
            Some(Ok(1)) => return Ok(()),
            Some(Ok(found)) => bail!(
                "Topic '{name}' supplied via the '{property}' property is required to have a single partition in order to guarantee consistency of {holds}, but found {found} partitions."
            ),
            // A new topic is not on every broker at once.
            Some(Err(_)) | None if Instant::now() < until => std::thread::sleep(PAUSE),
            Some(Err(error)) => return Err(error).with_context(|| format!("cannot describe topic {name}")),
            None => bail!("cannot describe topic {name}"),
        }
    }
}
