//! Questions to the cluster, and changes to it.

mod fence;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use caisson_model::{PartitionOffset, TopicPartition};

use crate::error::{Error, ErrorCode, KafkaError};
use crate::ffi::{Client, Element, PartitionList};
use crate::settings::ClientSettings;

/// An admin client. All calls wait for Kafka, at most for the time they are given; so they belong on a thread that may
/// wait. Those about several things answer for each of them.
pub struct Admin {
    client: Arc<Client>,
    /// For what the client has no calls for.
    settings: ClientSettings,
}

/// A topic to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    pub name: String,
    /// -1: the broker's default.
    pub partitions: i32,
    /// -1: the broker's default.
    pub replication: i32,
    /// Topic settings, such as `cleanup.policy`.
    pub config: BTreeMap<String, String>,
}

impl NewTopic {
    pub fn new(name: impl Into<String>, partitions: i32, replication: i32) -> Self {
        NewTopic {
            name: name.into(),
            partitions,
            replication,
            config: BTreeMap::new(),
        }
    }

    /// Adds a topic setting.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.insert(name.into(), value.into());
        self
    }
}

/// What became of a topic that was to be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    Created,
    /// It was there before; its settings may differ from those that were asked for.
    Existed,
}

/// An answer for one name.
pub type Named<T> = (String, Result<T, KafkaError>);

/// Where in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetAt {
    Beginning,
    End,
    /// The first record at or after that time, in milliseconds since 1970.
    Time(i64),
}

/// Whether the end of a partition is its last record, or the last one before a transaction that is still open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    #[default]
    ReadUncommitted,
    ReadCommitted,
}

/// A group as its coordinator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Kafka's word: `Empty`, `Stable`, `PreparingRebalance`, `CompletingRebalance`, `Dead`.
    pub state: String,
    pub members: usize,
}

impl Admin {
    /// Makes a client. Brokers are contacted in the background.
    pub fn start(settings: &ClientSettings) -> Result<Admin, Error> {
        Ok(Admin {
            client: Arc::new(settings.client()?),
            settings: settings.clone(),
        })
    }

    pub(crate) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// The cluster's id; none if no broker answers in time.
    pub fn cluster_id(&self, timeout: Duration) -> Option<String> {
        self.client.cluster_id(timeout)
    }

    /// All topics with their numbers of partitions.
    pub fn list_topics(&self, timeout: Duration) -> Result<Vec<(String, usize)>, Error> {
        self.client.topics(timeout).map_err(Error::kafka("listing topics"))
    }

    pub fn create_topics(&self, topics: &[NewTopic], timeout: Duration) -> Result<Vec<Named<Creation>>, Error> {
        if topics.is_empty() {
            return Ok(Vec::new());
        }
        let created = self
            .client
            .create_topics(topics, timeout)
            .map_err(Error::kafka("creating topics"))?;
        let creation = |result: Result<(), KafkaError>| match result {
            Ok(()) => Ok(Creation::Created),
            Err(error) if error.code == ErrorCode::TOPIC_ALREADY_EXISTS => Ok(Creation::Existed),
            Err(error) => Err(error),
        };
        Ok(created
            .into_iter()
            .map(|(name, result)| (name, creation(result)))
            .collect())
    }

    pub fn delete_topics(&self, topics: &[&str], timeout: Duration) -> Result<Vec<Named<()>>, Error> {
        if topics.is_empty() {
            return Ok(Vec::new());
        }
        self.client
            .delete_topics(topics, timeout)
            .map_err(Error::kafka("deleting topics"))
    }

    /// The number of partitions of each topic; [`ErrorCode::UNKNOWN_TOPIC_OR_PARTITION`] for one that is not there. Does not
    /// create topics.
    pub fn describe_topics(&self, topics: &[&str], timeout: Duration) -> Result<Vec<Named<usize>>, Error> {
        if topics.is_empty() {
            return Ok(Vec::new());
        }
        self.client
            .describe_topics(topics, timeout)
            .map_err(Error::kafka("describing topics"))
    }

    /// The settings of a topic.
    pub fn topic_config(&self, topic: &str, timeout: Duration) -> Result<BTreeMap<String, Option<String>>, Error> {
        let config = self.client.topic_config(topic, timeout);
        Ok(config
            .map_err(Error::kafka(format!("reading the configuration of topic {topic}")))?
            .into_iter()
            .collect())
    }

    /// The offset of each partition at a place in it; -1 if no record is as late as that.
    pub fn list_offsets(
        &self,
        partitions: &[TopicPartition],
        at: OffsetAt,
        timeout: Duration,
    ) -> Result<Vec<PartitionOffset>, Error> {
        self.list_offsets_at(partitions, at, Isolation::ReadUncommitted, timeout)
    }

    /// As [`Admin::list_offsets`]; with [`Isolation::ReadCommitted`] the end lies before open transactions.
    pub fn list_offsets_at(
        &self,
        partitions: &[TopicPartition],
        at: OffsetAt,
        isolation: Isolation,
        timeout: Duration,
    ) -> Result<Vec<PartitionOffset>, Error> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let time = match at {
            OffsetAt::Beginning => -2,
            OffsetAt::End => -1,
            OffsetAt::Time(time) => time.max(0),
        };
        let times = list(partitions.iter().map(|partition| (partition, time)));
        let listed = self.client.list_offsets(times, isolation, timeout);
        offsets(listed, "listing offsets")
    }

    /// The committed offsets of a group: of some partitions, or of all for which it has any.
    pub fn group_offsets(
        &self,
        group: &str,
        partitions: Option<&[TopicPartition]>,
        timeout: Duration,
    ) -> Result<Vec<PartitionOffset>, Error> {
        let wanted = partitions.map(|partitions| list(partitions.iter().map(|partition| (partition, -1001))));
        let listed = self.client.group_offsets(group, wanted.as_ref(), timeout);
        let listed = offsets(listed, &format!("listing the offsets of group {group}"))?;
        Ok(listed.into_iter().filter(|position| position.offset >= 0).collect())
    }

    /// Sets committed offsets of a group, which must have no members.
    pub fn alter_group_offsets(
        &self,
        group: &str,
        positions: &[PartitionOffset],
        timeout: Duration,
    ) -> Result<(), Error> {
        if positions.is_empty() {
            return Ok(());
        }
        let wanted = list(positions.iter().map(|position| (&position.partition, position.offset)));
        let altered = self.client.alter_group_offsets(group, &wanted, timeout);
        offsets(altered, &format!("altering the offsets of group {group}")).map(|_| ())
    }

    /// Forgets committed offsets of a group, which must not be subscribed to the topics.
    pub fn delete_group_offsets(
        &self,
        group: &str,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> Result<(), Error> {
        if partitions.is_empty() {
            return Ok(());
        }
        let wanted = list(partitions.iter().map(|partition| (partition, -1001)));
        let deleted = self.client.delete_group_offsets(group, &wanted, timeout);
        offsets(deleted, &format!("deleting offsets of group {group}")).map(|_| ())
    }

    /// Deletes groups, which must have no members.
    pub fn delete_groups(&self, groups: &[&str], timeout: Duration) -> Result<Vec<Named<()>>, Error> {
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        self.client
            .delete_groups(groups, timeout)
            .map_err(Error::kafka("deleting groups"))
    }

    /// The states of groups. One that does not exist is `Dead`.
    pub fn describe_groups(&self, groups: &[&str], timeout: Duration) -> Result<Vec<Named<Group>>, Error> {
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        let described = self
            .client
            .describe_groups(groups, timeout)
            .map_err(Error::kafka("describing groups"))?;
        let group = |(name, result): crate::ffi::Named<crate::ffi::Described>| {
            (
                name,
                result.map(|described| Group {
                    state: described.state,
                    members: described.members,
                }),
            )
        };
        Ok(described.into_iter().map(group).collect())
    }
}

impl Admin {
    /// Fences all producers with these transactional ids: what they have open is aborted, and whatever they do next
    /// fails. As Kafka's `fenceProducers`.
    pub fn fence_producers(&self, ids: &[&str], timeout: Duration) -> Result<Vec<Named<()>>, Error> {
        fence::fence(&self.settings, ids, timeout)
    }
}

fn list<'a>(partitions: impl Iterator<Item = (&'a TopicPartition, i64)>) -> PartitionList {
    let mut list = PartitionList::new();
    for (partition, offset) in partitions {
        list.add(&partition.topic, partition.partition, offset);
    }
    list
}

/// The positions, or the first error among them.
fn offsets(listed: Result<Vec<Element>, KafkaError>, what: &str) -> Result<Vec<PartitionOffset>, Error> {
    let listed = listed.map_err(Error::kafka(what))?;
    if let Some(failed) = listed.iter().find(|element| element.error != 0) {
        let what = format!("{what}: {}-{}", failed.topic, failed.partition);
        return Err(Error::kafka(what)(KafkaError::new(ErrorCode(failed.error))));
    }
    let position = |element: Element| PartitionOffset {
        partition: TopicPartition::new(element.topic, element.partition),
        offset: element.offset,
    };
    Ok(listed.into_iter().map(position).collect())
}
