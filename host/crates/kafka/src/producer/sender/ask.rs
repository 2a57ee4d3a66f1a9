//! What the cluster is asked: who leads which partition, and who this producer is.

use std::sync::Arc;
use std::time::Instant;

use super::{Event, Question, Sender, Who, fail};
use crate::error::{ErrorCode, KafkaError};
use crate::producer::record_batch::Identity;
use crate::producer::topic::Known;
use crate::wire::messages::{ClusterMetadata, InitProducerId, TopicLeaders, TopicMetadata};
use crate::wire::{Address, Dialer};

/// Topic not there (yet), and its leader not there (yet).
const UNKNOWN_TOPIC: i16 = 3;
const NO_LEADER: i16 = 5;

impl Sender {
    pub(super) fn ask_for_identity(&mut self, now: Instant, next: &mut Instant) {
        if let Who::Unknown(question) = &mut self.who
            && question.begin(now, next)
        {
            let (dialer, known, events) = (self.dialer.clone(), self.brokers(), self.events_in.clone());
            tokio::spawn(async move {
                let answer = identity(&dialer, &known).await;
                let _ = events.send(Event::Identity(answer)).await;
            });
        }
    }

    pub(super) fn ask_for_metadata(&mut self, now: Instant, next: &mut Instant) {
        let is_old = |learned: Instant| learned + self.shared.options.metadata_max_age <= now;
        let is_due = self.metadata_wanted || self.metadata_learned.is_some_and(is_old);
        if is_due && self.metadata.begin(now, next) {
            self.metadata_wanted = false;
            let topics: Vec<Arc<str>> = self.shared.topics().iter().map(|topic| topic.name.clone()).collect();
            let (dialer, known, events) = (self.dialer.clone(), self.brokers(), self.events_in.clone());
            let create = self.shared.options.makes_topics;
            tokio::spawn(async move {
                let topics: Vec<&str> = topics.iter().map(|topic| &**topic).collect();
                let request = TopicMetadata {
                    topics: Some(&topics),
                    create,
                };
                let answer = dialer.ask_any(&known, &request).await;
                let _ = events.send(Event::Metadata(answer)).await;
            });
        }
    }

    /// Those that are known, and those that the settings name.
    fn brokers(&self) -> Vec<Address> {
        self.dialer.brokers(self.nodes.values())
    }

    pub(super) fn learn_metadata(&mut self, answer: Result<ClusterMetadata, KafkaError>) {
        let now = Instant::now();
        self.metadata = Question::Due(now + self.shared.options.retry_backoff.0);
        let metadata = match answer {
            Ok(metadata) => metadata,
            Err(error) => {
                self.metadata_wanted = true;
                self.metadata = Question::Due(now + self.shared.options.retry_backoff.1);
                self.shared.reporter.error(&error);
                return;
            }
        };
        self.metadata_learned = Some(now);
        self.nodes = metadata
            .brokers
            .iter()
            .filter_map(|(node, host, port)| Some((*node, Address::new(host, *port)?)))
            .collect();
        for leaders in &metadata.topics {
            self.learn_topic(leaders);
        }
        // Who found a topic unknown waits for this.
        self.shared.room.made();
    }

    fn learn_topic(&mut self, leaders: &TopicLeaders) {
        let topic = self.shared.topic(&leaders.name);
        let mut state = topic.lock();
        match leaders.code {
            0 | NO_LEADER if !leaders.partitions.is_empty() => {
                let count = leaders.partitions.iter().map(|(_, number, _)| number + 1).max();
                let mut by_number = vec![None; usize::try_from(count.unwrap_or(0)).unwrap_or(0).min(100_000)];
                for (_, number, leader) in &leaders.partitions {
                    let place = usize::try_from(*number)
                        .ok()
                        .and_then(|number| by_number.get_mut(number));
                    if let Some(place) = place {
                        *place = Some(*leader).filter(|leader| *leader >= 0);
                    }
                }
                state.learn(&topic.name, &by_number, &self.shared);
                self.missing.retain(|missing| *missing != topic.name);
            }
            0 | NO_LEADER | UNKNOWN_TOPIC => {
                if matches!(state.known, Known::Wanted(Some(_))) && !self.missing.contains(&topic.name) {
                    self.missing.push(topic.name.clone());
                    // The time until somebody could be asked does not count.
                    state.known = Known::Wanted(Some(Instant::now()));
                    tracing::warn!(target: "kafka", topic = %topic.name, "no broker knows the topic yet; waiting for it");
                }
            }
            code if !ErrorCode(i32::from(code)).is_retriable() && !matches!(state.known, Known::Yes) => {
                let error = KafkaError::new(ErrorCode(i32::from(code)));
                state.known = Known::Refused(error.clone());
                let given_up = state.give_up(&self.shared.options);
                drop(state);
                given_up.into_iter().for_each(|batch| fail(&self.shared, batch, &error));
            }
            _ => self.metadata_wanted = true,
        }
    }

    pub(super) fn learn_identity(&mut self, answer: Result<Identity, KafkaError>) {
        let (first, longest) = self.shared.options.retry_backoff;
        match answer {
            Ok(identity) => self.who = Who::Known(identity),
            Err(error) => {
                // A broker that is there and not ready yet soon is.
                let is_not_ready = error.code.0 > 0 && error.code.is_retriable();
                let pause = if is_not_ready { first } else { longest };
                self.who = Who::Unknown(Question::Due(Instant::now() + pause));
                self.shared.reporter.error(&error);
            }
        }
    }
}

impl Question {
    /// Whether it is to be asked now, which is noted as done.
    fn begin(&mut self, now: Instant, next: &mut Instant) -> bool {
        match self {
            Question::Due(due) if *due <= now => {
                *self = Question::Asked;
                true
            }
            Question::Due(due) => {
                *next = (*next).min(*due);
                false
            }
            Question::Asked => false,
        }
    }
}

/// A code of Kafka's protocol as a result.
pub(super) fn coded(code: i16) -> Result<(), KafkaError> {
    match code {
        0 => Ok(()),
        code => Err(KafkaError::new(ErrorCode(i32::from(code)))),
    }
}

async fn identity(dialer: &Dialer, known: &[Address]) -> Result<Identity, KafkaError> {
    let request = InitProducerId {
        transactional_id: None,
        transaction_timeout: i32::MAX,
        current: (Identity::NONE.id, Identity::NONE.epoch),
    };
    let answer = dialer.ask_any(known, &request).await?;
    coded(answer.code)?;
    Ok(Identity {
        id: answer.producer_id,
        epoch: answer.epoch,
    })
}
