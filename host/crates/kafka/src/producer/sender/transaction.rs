//! The transactions of a producer with a `transactional.id` (KIP-98): partitions are added before their first batch is
//! sent, and the transaction ends when nothing of it is on its way any more.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::{Event, Question, Sender, Who, ask};
use crate::error::{ErrorCode, KafkaError};
use crate::producer::record_batch::Identity;
use crate::wire::messages::{AddPartitionsToTxn, EndTxn, InitProducerId, KeyType, Request};
use crate::wire::{Cluster, Connection, Dialer};

/// The pause before a coordinator that is not ready is asked again: while it still ends the transaction before that is soon
/// over. Doubled each time, up to the longest.
const FIRST_RETRY: Duration = Duration::from_millis(2);
const LONGEST_RETRY: Duration = Duration::from_millis(100);
/// The coordinator still ends the transaction before.
const CONCURRENT_TRANSACTIONS: i32 = 51;

/// What the producer's owner asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Become the producer of the transactional id.
    Init,
    Commit,
    Abort,
}

/// A command and who waits for it, until when.
pub(crate) struct Order {
    pub command: Command,
    pub until: Instant,
    pub reply: SyncSender<Result<(), KafkaError>>,
}

/// A partition of a topic.
type Place = (Arc<str>, i32);

/// Where a transaction is.
#[derive(Default)]
pub(super) struct Transaction {
    /// Partitions that belong to it.
    added: HashSet<Place>,
    /// Partitions that wait to be added.
    wanted: Vec<Place>,
    /// Partitions are being added.
    adding: bool,
    /// Why it can only be aborted.
    failed: Option<KafkaError>,
    order: Option<Order>,
    /// The coordinator was told to carry out the order.
    ordered: bool,
    way: Arc<Mutex<Way>>,
}

/// The way to the coordinator, kept from one question to the next. Held for the time of a question; there is one at a time.
#[derive(Default)]
struct Way {
    cluster: Option<Cluster>,
    connection: Option<Connection>,
}

impl Transaction {
    /// Whether a batch of the partition may be sent; otherwise it is added first.
    pub(super) fn admits(&mut self, topic: &Arc<str>, partition: i32) -> bool {
        let place = (topic.clone(), partition);
        if self.added.contains(&place) {
            return true;
        }
        if self.failed.is_none() && !self.wanted.contains(&place) {
            self.wanted.push(place);
        }
        false
    }

    /// Records were lost: there is nothing to commit.
    pub(super) fn fail(&mut self, error: &KafkaError) {
        self.failed.get_or_insert_with(|| error.clone());
    }

    pub(super) fn is_ending(&self) -> bool {
        self.order.is_some()
    }
}

impl Sender {
    /// Takes what the owner has asked for.
    fn take_order(&mut self) {
        let Some(order) = self.shared.take_order() else { return };
        if let Some(fatal) = self.shared.fatal() {
            let _ = order.reply.send(Err(fatal));
        } else if self.transaction.order.is_some() {
            let error = KafkaError::with_message(ErrorCode::STATE, "a transaction is already being ended");
            let _ = order.reply.send(Err(error));
        } else {
            self.transaction.order = Some(order);
        }
    }

    /// Does what can be done now for the transaction.
    pub(super) fn advance_transaction(&mut self, now: Instant) {
        self.take_order();
        self.add_partitions();
        let Some(order) = &self.transaction.order else { return };
        if order.until <= now && !self.transaction.ordered {
            let text = format!("{:?} of the transaction was not possible in time", order.command);
            return self.conclude(Err(KafkaError::with_message(ErrorCode::TIMED_OUT, text)));
        }
        if self.transaction.ordered {
            return;
        }
        match order.command {
            Command::Init => self.carry_out(None),
            Command::Commit => {
                if let Some(error) = self.transaction.failed.clone() {
                    let error = KafkaError {
                        requires_abort: true,
                        ..error
                    };
                    return self.conclude(Err(error));
                }
                if self.shared.outstanding() == 0 {
                    self.carry_out(Some(true));
                }
            }
            Command::Abort => {
                self.purge();
                if self.shared.outstanding() == 0 && !self.transaction.adding {
                    self.carry_out(Some(false));
                }
            }
        }
    }

    /// Gives up what is not on its way.
    fn purge(&mut self) {
        let error = KafkaError::with_message(ErrorCode::PURGE_QUEUE, "its transaction was aborted");
        for topic in self.shared.topics() {
            let given_up = topic.lock().give_up(&self.shared.options);
            for batch in given_up {
                if batch.stamp.is_some() {
                    self.transaction.fail(&error);
                }
                super::fail(&self.shared, batch, &error);
            }
        }
        self.transaction.wanted.clear();
    }

    fn add_partitions(&mut self) {
        let Who::Known(identity) = self.who else { return };
        if self.transaction.adding || self.transaction.wanted.is_empty() {
            return;
        }
        let mut places = std::mem::take(&mut self.transaction.wanted);
        places.sort();
        self.transaction.adding = true;
        let (asker, events) = (self.asker(), self.events_in.clone());
        tokio::spawn(async move {
            let result = asker.add(identity, &places).await.map(|()| places);
            let _ = events.send(Event::Added(result)).await;
        });
    }

    pub(super) fn added(&mut self, result: Result<Vec<Place>, KafkaError>) {
        self.transaction.adding = false;
        match result {
            Ok(places) => self.transaction.added.extend(places),
            Err(error) => self.refused(&error),
        }
    }

    /// Tells the coordinator; `None` begins a new epoch of the producer.
    fn carry_out(&mut self, commit: Option<bool>) {
        self.transaction.ordered = true;
        let Some(until) = self.transaction.order.as_ref().map(|order| order.until) else {
            return;
        };
        let current = match self.who {
            Who::Known(identity) => identity,
            Who::Nobody | Who::Unknown(_) => Identity::NONE,
        };
        // Nothing was written: the coordinator knows of no transaction.
        let is_empty = self.transaction.added.is_empty();
        // Numbers of lost records leave a gap in the sequence, which a new epoch closes.
        let renew = commit.is_none() || (commit == Some(false) && self.transaction.failed.is_some());
        let (asker, events) = (self.asker(), self.events_in.clone());
        tokio::spawn(async move {
            let work = async {
                if let Some(commit) = commit
                    && !is_empty
                {
                    asker.end(current, commit).await?;
                }
                match renew {
                    true => asker.init(current).await,
                    false => Ok(current),
                }
            };
            let ended = tokio::time::timeout_at(until.into(), work).await.unwrap_or_else(|_| {
                let text = "the transaction's coordinator has not answered in time";
                Err(KafkaError::with_message(ErrorCode::TIMED_OUT, text))
            });
            let _ = events.send(Event::Ended(ended)).await;
        });
    }

    pub(super) fn ended(&mut self, result: Result<Identity, KafkaError>) {
        match result {
            Ok(identity) => {
                self.who = Who::Known(identity);
                self.transaction.added.clear();
                self.transaction.failed = None;
                self.conclude(Ok(()));
            }
            Err(error) => {
                let error = classified(error);
                if error.fatal {
                    self.shared.fail(error.clone());
                }
                self.conclude(Err(error));
            }
        }
    }

    fn conclude(&mut self, result: Result<(), KafkaError>) {
        self.transaction.ordered = false;
        if let Some(order) = self.transaction.order.take() {
            // Who no longer waits asks again.
            let _ = order.reply.send(result);
        }
    }

    /// A broker refuses what belongs to the transaction.
    pub(super) fn refused(&mut self, error: &KafkaError) {
        let error = classified(error.clone());
        if error.fatal {
            self.shared.fail(error.clone());
        }
        self.transaction.fail(&error);
        // Nothing of it can be committed any more; who waits for room learns it by the failures.
        self.purge();
    }

    fn asker(&self) -> Asker {
        Asker {
            dialer: self.dialer.clone(),
            way: self.transaction.way.clone(),
            id: self.shared.options.transactional_id.clone().unwrap_or_default(),
            timeout: self.shared.options.transaction_timeout,
        }
    }
}

/// Whether nothing but a new producer helps.
fn classified(error: KafkaError) -> KafkaError {
    // Another producer of the same id, or one that may not have the id; the state of the transaction is lost.
    const FATAL: [i32; 7] = [47, 48, 49, 50, 53, 67, 90];
    let fatal = error.fatal || FATAL.contains(&error.code.0);
    KafkaError {
        fatal,
        requires_abort: !fatal && !error.code.is_retriable(),
        ..error
    }
}

/// Asks the coordinator of a transactional id, until it is ready. Whoever waits sets the limit.
struct Asker {
    dialer: Arc<Dialer>,
    way: Arc<Mutex<Way>>,
    id: String,
    timeout: Duration,
}

impl Asker {
    async fn init(&self, current: Identity) -> Result<Identity, KafkaError> {
        let request = InitProducerId {
            transactional_id: Some(&self.id),
            transaction_timeout: i32::try_from(self.timeout.as_millis()).unwrap_or(i32::MAX),
            current: (current.id, current.epoch),
        };
        self.until_ready(&request, |answer| {
            ask::coded(answer.code)?;
            Ok(Identity {
                id: answer.producer_id,
                epoch: answer.epoch,
            })
        })
        .await
    }

    async fn add(&self, identity: Identity, places: &[Place]) -> Result<(), KafkaError> {
        let partitions: Vec<(&str, i32)> = places.iter().map(|(topic, partition)| (&**topic, *partition)).collect();
        let request = AddPartitionsToTxn {
            transactional_id: &self.id,
            producer: (identity.id, identity.epoch),
            partitions: &partitions,
        };
        // One refused partition leaves the others unattempted (55): the reason is another code.
        let worst = |codes: Vec<i16>| codes.iter().copied().find(|code| ![0, 55].contains(code)).unwrap_or(0);
        self.until_ready(&request, |codes| ask::coded(worst(codes))).await
    }

    async fn end(&self, identity: Identity, commit: bool) -> Result<(), KafkaError> {
        let request = EndTxn {
            transactional_id: &self.id,
            producer: (identity.id, identity.epoch),
            commit,
        };
        self.until_ready(&request, |answer| ask::coded(answer.0)).await
    }

    async fn until_ready<R: Request, T>(
        &self,
        request: &R,
        read: impl Fn(R::Answer) -> Result<T, KafkaError>,
    ) -> Result<T, KafkaError> {
        let mut way = self.way.lock().await;
        let mut pause = FIRST_RETRY;
        loop {
            let result = self.attempt(&mut way, request).await.and_then(&read);
            match result {
                Err(error) if error.code.0 == CONCURRENT_TRANSACTIONS => {}
                Err(error) if error.code.is_retriable() => way.connection = None,
                ended => return ended,
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_RETRY);
        }
    }

    /// One question. A connection is kept only if all of an answer came by it.
    async fn attempt<R: Request>(&self, way: &mut Way, request: &R) -> Result<R::Answer, KafkaError> {
        let patience = self.dialer.request_timeout;
        let mut connection = match way.connection.take() {
            Some(connection) => connection,
            None => {
                let cluster = way.cluster.get_or_insert_with(|| Cluster::new(self.dialer.clone()));
                let address = cluster.coordinator(&self.id, KeyType::Transaction, patience).await?;
                self.dialer.dial(&address).await?
            }
        };
        let answer = connection.call(request, patience).await?;
        way.connection = Some(connection);
        Ok(answer)
    }
}

/// A transactional producer is nobody until it is told to become somebody.
pub(super) fn beginning(transactional: bool) -> Question {
    match transactional {
        true => Question::Asked,
        false => Question::Due(Instant::now()),
    }
}
