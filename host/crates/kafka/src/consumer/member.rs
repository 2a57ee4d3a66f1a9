//! The consumer's side of its membership: knows the topics, shares partitions out when it leads, and tells the consumer's
//! thread what becomes of the group. Runs beside the memberships themselves (`group`), and never waits for the thread.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::assignor::Partitions;
use super::inbox::{Event, Inbox};
use super::pattern::Pattern;
use super::protocol::read_assignment;
use super::strategy::Led;
use crate::error::{ConsumerError, Error, ErrorCode, KafkaError};
use crate::fetch::number;
use crate::group::{GroupEvent, GroupEvents, GroupMember, GroupOptions, Joined, Leading};
use crate::settings::ClientSettings;
use crate::wire::messages::{ClusterMetadata, TopicMetadata};
use crate::wire::{Address, Dialer};

/// How soon after a failure, or while a topic is missing, topics are looked up again.
const SOON: Duration = Duration::from_secs(1);
/// How often a topic that brokers are asked to make is missing before that is said.
const PATIENCE: u32 = 3;
/// How often partitions are looked up for an assignment before the group has to begin anew.
const ATTEMPTS: u32 = 3;

/// The options of a consumer's membership, with Java's defaults.
pub(super) fn options(settings: &ClientSettings) -> Result<GroupOptions, Error> {
    let millis = |name, default| Ok::<_, Error>(Duration::from_millis(number(settings, name, default)?));
    let group = settings.native("group.id").filter(|group| !group.is_empty());
    let group = group.ok_or_else(|| Error::Setting {
        name: "group.id".to_owned(),
        reason: "a consumer needs a group".to_owned(),
    })?;
    Ok(GroupOptions {
        session_timeout: millis("session.timeout.ms", 45_000)?,
        rebalance_timeout: millis("max.poll.interval.ms", 300_000)?,
        heartbeat_interval: millis("heartbeat.interval.ms", 3_000)?,
        instance: settings.native("group.instance.id").map(str::to_owned),
        stops_in_silence: false,
        ..GroupOptions::new(group, "consumer")
    })
}

/// What is subscribed to.
pub(super) enum Topics {
    These(Arc<[String]>),
    /// All that match, and what was found last.
    Matching(Pattern, Option<Arc<[String]>>),
}

pub(super) struct Member {
    pub(super) events: GroupEvents,
    /// The consumer's handle and thread keep it.
    pub(super) member: Weak<GroupMember>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) topics: Topics,
    pub(super) lookup: TopicLookup,
    /// Of the generation that this member leads: the partitions that were shared out, 0 of topics that are missing.
    pub(super) shared_out: Option<Partitions>,
    /// When to look topics up.
    pub(super) due: Option<Instant>,
}

/// Where topics are looked up.
pub(super) struct TopicLookup {
    dialer: Arc<Dialer>,
    /// Brokers that were named, before those of the settings.
    named: Vec<Address>,
    /// `allow.auto.create.topics`.
    create: bool,
    max_age: Duration,
    /// How often in a row each topic was missing.
    missing: BTreeMap<String, u32>,
}

impl Member {
    /// Until the membership ends.
    pub(super) async fn run(mut self) {
        match &self.topics {
            Topics::These(_) => self.join("consumer begins"),
            // Joins with what it finds.
            Topics::Matching(..) => self.due = Some(Instant::now()),
        }
        loop {
            let due = self.due;
            let look_up = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                event = self.events.recv() => match event {
                    Some(event) => self.handle(event).await,
                    None => return,
                },
                () = look_up => self.look_up().await,
            }
        }
    }

    fn join(&self, reason: &str) {
        if let Some(member) = self.member.upgrade() {
            member.join(reason);
        }
    }

    fn report(&self, error: KafkaError, fatal: bool) {
        self.inbox.push(Event::Error(ConsumerError {
            error,
            partition: None,
            fatal,
        }));
    }

    async fn handle(&mut self, event: GroupEvent) {
        match event {
            GroupEvent::Preparing(preparing) => {
                let topics = match &self.topics {
                    Topics::These(topics) => topics.clone(),
                    Topics::Matching(_, found) => found.clone().unwrap_or_default(),
                };
                self.inbox.push(Event::Preparing { preparing, topics });
            }
            GroupEvent::Leading(leading) => self.lead(leading).await,
            GroupEvent::Joined(joined) => self.joined(&joined),
            // Goes on until it is lost or the coordinator is back.
            GroupEvent::Unreachable => {}
            GroupEvent::Lost(loss) => {
                self.shared_out = None;
                self.inbox.push(Event::Lost(loss));
            }
            GroupEvent::Failed(error) => {
                let code = error.code().unwrap_or(ErrorCode::FATAL);
                self.report(KafkaError::with_message(code, error.to_string()), true);
            }
        }
    }

    fn joined(&mut self, joined: &Joined) {
        if !joined.is_leader() {
            self.shared_out = None;
        }
        self.plan();
        let partitions = read_assignment(&joined.assignment).unwrap_or_else(|error| {
            let text = format!("the group's leader gave a part that cannot be read: {}", error.message);
            self.report(KafkaError::with_message(error.code, text), false);
            Vec::new()
        });
        self.inbox.push(Event::Joined {
            generation: joined.generation,
            partitions,
        });
    }

    /// Shares out what the members want. Without partitions to share out the group begins anew.
    async fn lead(&mut self, leading: Leading) {
        let Some(led) = Led::of(&leading) else {
            let text = format!("the group has chosen the unknown assignor {}", leading.protocol);
            return self.report(
                KafkaError::with_message(ErrorCode::INCONSISTENT_GROUP_PROTOCOL, text),
                true,
            );
        };
        let topics = led.topics();
        for attempt in 1..=ATTEMPTS {
            match self.lookup.partitions(&topics).await {
                Ok(partitions) => {
                    leading.assign(led.assign(&partitions));
                    self.shared_out = Some(partitions);
                    self.complain_of_missing();
                    return;
                }
                Err(error) => self.report(error, false),
            }
            if attempt < ATTEMPTS {
                tokio::time::sleep(SOON).await;
            }
        }
    }

    /// Looks for topics and partitions that came or went, which are a reason for a rebalance.
    async fn look_up(&mut self) {
        // Not at once again, whatever comes of it.
        self.due = Some(Instant::now() + SOON);
        let found = self.look_for_topics().await;
        let found = match found {
            Ok(is_new) => self.look_for_partitions().await.map(|changed| is_new || changed),
            Err(error) => Err(error),
        };
        match found {
            Ok(is_new) => {
                if is_new {
                    self.join("topics or partitions have changed");
                }
                self.plan();
                self.complain_of_missing();
            }
            Err(error) => self.report(error, false),
        }
    }

    async fn look_for_topics(&mut self) -> Result<bool, KafkaError> {
        let Topics::Matching(pattern, known) = &mut self.topics else {
            return Ok(false);
        };
        let found: Arc<[String]> = pattern.select(&self.lookup.ask(None).await?.topics).into();
        let is_new = known.as_ref() != Some(&found);
        *known = Some(found);
        Ok(is_new)
    }

    async fn look_for_partitions(&mut self) -> Result<bool, KafkaError> {
        let Some(known) = &self.shared_out else {
            return Ok(false);
        };
        let topics: Vec<String> = known.keys().cloned().collect();
        let partitions = self.lookup.partitions(&topics).await?;
        Ok(self.shared_out.as_ref() != Some(&partitions))
    }

    /// When to look next: whoever leads looks for partitions, whoever has a pattern for topics.
    fn plan(&mut self) {
        let finds_nothing = match &self.topics {
            Topics::These(_) => None,
            Topics::Matching(_, found) => Some(found.as_ref().is_none_or(|found| found.is_empty())),
        };
        let misses = self
            .shared_out
            .as_ref()
            .map(|shared_out| shared_out.values().any(|count| *count == 0));
        let soon = match (finds_nothing, misses) {
            (None, None) => {
                self.due = None;
                return;
            }
            (finds_nothing, misses) => finds_nothing == Some(true) || misses == Some(true),
        };
        let pause = if soon {
            SOON.min(self.lookup.max_age)
        } else {
            self.lookup.max_age
        };
        self.due = Some(Instant::now() + pause);
    }

    /// Says once of each topic that is missing that it is.
    fn complain_of_missing(&self) {
        let patience = if self.lookup.create { PATIENCE } else { 1 };
        for (topic, _) in self.lookup.missing.iter().filter(|(_, times)| **times == patience) {
            let code = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
            let text = format!("subscribed topic {topic} is not there: {}", code.description());
            self.report(KafkaError::with_message(code, text), false);
        }
    }
}

impl TopicLookup {
    pub(super) fn new(dialer: Arc<Dialer>, settings: &ClientSettings) -> Result<TopicLookup, Error> {
        Ok(TopicLookup {
            dialer,
            named: Vec::new(),
            create: settings.native("allow.auto.create.topics") == Some("true"),
            max_age: Duration::from_millis(number(settings, "topic.metadata.refresh.interval.ms", 300_000)?),
            missing: BTreeMap::new(),
        })
    }

    /// The number of partitions of each topic; 0 of those that are missing.
    async fn partitions(&mut self, topics: &[String]) -> Result<Partitions, KafkaError> {
        self.missing.retain(|topic, _| topics.contains(topic));
        if topics.is_empty() {
            return Ok(Partitions::new());
        }
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        let metadata = self.ask(Some(&names)).await?;
        let mut partitions = Partitions::new();
        for name in topics {
            let topic = metadata.topics.iter().find(|topic| topic.name == *name);
            let count = topic
                .filter(|topic| topic.code == 0)
                .map_or(0, |topic| topic.partitions.len());
            let code = topic.map_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, |topic| {
                ErrorCode(i32::from(topic.code))
            });
            if code != ErrorCode::NONE && !code.is_retriable() {
                return Err(KafkaError::with_message(
                    code,
                    format!("{name}: {}", code.description()),
                ));
            }
            match count {
                0 => *self.missing.entry(name.clone()).or_default() += 1,
                _ => drop(self.missing.remove(name)),
            }
            partitions.insert(name.clone(), i32::try_from(count).unwrap_or(i32::MAX));
        }
        Ok(partitions)
    }

    /// Asks about these topics, or all.
    async fn ask(&mut self, topics: Option<&[&str]>) -> Result<ClusterMetadata, KafkaError> {
        let known = self.dialer.brokers(&self.named);
        let request = TopicMetadata {
            topics,
            create: self.create && topics.is_some(),
        };
        let metadata = self.dialer.ask_any(&known, &request).await?;
        let brokers = metadata
            .brokers
            .iter()
            .filter_map(|(_, host, port)| Address::new(host, *port));
        self.named = brokers.collect();
        Ok(metadata)
    }
}
