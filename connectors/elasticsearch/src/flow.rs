//! What is under way: records that wait for company, requests that wait for their turn, for the server, or for another
//! attempt.
//!
//! Requests run while the task takes the next records. An instance has no threads, so the flow goes on whenever the worker
//! calls; [`Flow::go_on`] asks it to call again in time. A record counts as outstanding until the server has acknowledged its
//! operation, and no offset behind an outstanding one is committed.

mod backoff;
mod settle;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use caisson_sdk::debug;
use caisson_sdk::http::{self, Exchange};
use caisson_sdk::prelude::*;

use crate::bulk::{Batch, PartitionNumber};
use crate::client::Client;
use crate::document::Outcome;
use crate::options;
use backoff::Backoff;

/// Bytes of requests that a task holds, whatever the number of records: the instance's memory has to do for them.
const MOST_BYTES: usize = 48 << 20;
/// How soon to look again while something waits for a request to end.
const SOON: Duration = Duration::from_millis(5);
/// How soon to look again while requests run and nothing waits for them.
const LATER: Duration = Duration::from_millis(200);

/// A request that the server has.
struct Sent {
    batch: Batch,
    exchange: Exchange,
}

pub(crate) struct Flow {
    options: options::Flow,
    client: Client,
    context: SinkContext,
    partitions: Vec<TopicPartition>,
    /// Operations without versions would be reordered by retries; ids that are given are versions enough.
    versioned: bool,
    current: Option<Batch>,
    queue: VecDeque<Batch>,
    sent: Vec<Sent>,
    /// To be sent again from this time on.
    waiting: Vec<(Instant, Batch)>,
    /// What the server will not take: the task fails, and nothing behind it is committed.
    dead: Vec<Batch>,
    failure: Option<Error>,
    backoff: Backoff,
    /// Since when there is no room, and no request has succeeded.
    stuck: Option<Instant>,
}

impl Flow {
    pub fn new(options: options::Flow, client: Client, context: SinkContext, versioned: bool) -> Self {
        Flow {
            backoff: Backoff::new(options.backoff),
            options,
            client,
            context,
            partitions: Vec::new(),
            versioned,
            current: None,
            queue: VecDeque::new(),
            sent: Vec::new(),
            waiting: Vec::new(),
            dead: Vec::new(),
            failure: None,
            stuck: None,
        }
    }

    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// The number of a partition; partitions of few topics, so a search from the end is quick.
    pub fn partition(&mut self, topic: &str, partition: i32) -> PartitionNumber {
        let known = |each: &TopicPartition| each.partition == partition && &*each.topic == topic;
        let at = self.partitions.iter().rposition(known).unwrap_or_else(|| {
            self.partitions.push(TopicPartition::new(topic, partition));
            self.partitions.len() - 1
        });
        at as PartitionNumber
    }

    pub fn name(&self, partition: PartitionNumber) -> &TopicPartition {
        &self.partitions[partition as usize]
    }

    /// The partitions that records have named.
    pub fn partitions(&self) -> &[TopicPartition] {
        &self.partitions
    }

    fn batches(&self) -> impl Iterator<Item = &Batch> {
        let sent = self.sent.iter().map(|sent| &sent.batch);
        let waiting = self.waiting.iter().map(|(_, batch)| batch);
        sent.chain(waiting)
            .chain(&self.queue)
            .chain(&self.current)
            .chain(&self.dead)
    }

    /// The lowest offset of a partition that is not acknowledged.
    pub fn outstanding(&self, partition: PartitionNumber) -> Option<i64> {
        let of = |batch: &Batch| {
            batch
                .first()
                .iter()
                .find(|(each, _)| *each == partition)
                .map(|(_, offset)| *offset)
        };
        self.batches().filter_map(of).min()
    }

    /// Whether everything is acknowledged.
    pub fn is_empty(&self) -> bool {
        self.batches().next().is_none()
    }

    fn has_room(&self) -> bool {
        let (records, bytes) = self.batches().fold((0, 0), |(records, bytes), batch| {
            (records + batch.len(), bytes + batch.body.len())
        });
        records < self.options.buffered && bytes < MOST_BYTES
    }

    /// Waits for room for more records, at most for so long.
    pub fn make_room(&mut self, patience: Duration) -> Result<(), Error> {
        let end = Instant::now() + patience;
        loop {
            self.advance(false);
            self.fail_if_failed()?;
            if self.has_room() {
                self.stuck = None;
                return Ok(());
            }
            let now = Instant::now();
            let since = *self.stuck.get_or_insert(now);
            if now.duration_since(since) > self.options.flush_timeout {
                return Err(self.no_room());
            }
            if now >= end {
                let records: usize = self.batches().map(Batch::len).sum();
                let message = format!(
                    "{records} records wait for {}, no more are taken until some of them are written",
                    self.client.servers()
                );
                return Err(Error::retriable(message).with_retry_after_ms(100));
            }
            self.wait(end);
        }
    }

    fn no_room(&self) -> Error {
        Error::fatal(format!(
            "Could not add more records within {} ms (flush.timeout.ms), because {} takes them too slowly: raise \
             max.buffered.records or flush.timeout.ms, or give the server more room",
            self.options.flush_timeout.as_millis(),
            self.client.servers()
        ))
    }

    /// Waits until a request has ended or is due, no longer than to `end`.
    fn wait(&self, end: Instant) {
        let due = self.waiting.iter().map(|(due, _)| *due).min().unwrap_or(end).min(end);
        let left = due.saturating_duration_since(Instant::now());
        http::wait_for_any(self.sent.iter().map(|sent| &sent.exchange), left);
    }

    /// Adds the operation that `write` appends for a record; it is told what operations go to unless they say otherwise.
    pub fn add(
        &mut self,
        (partition, offset): (PartitionNumber, i64),
        target: &str,
        now: Instant,
        write: impl FnOnce(&str, &mut Vec<u8>) -> Result<Outcome, Error>,
    ) -> Result<Outcome, Error> {
        let batch = self.current.get_or_insert_with(|| Batch::new(target, now));
        let start = batch.body.len();
        let outcome = write(&batch.target, &mut batch.body);
        if !matches!(outcome, Ok(Outcome::Written)) {
            if batch.len() == 0 {
                self.current = None;
            }
            return outcome;
        }
        batch.push(partition, offset, start);
        if batch.body.len() > self.options.batch_bytes && batch.len() > 1 {
            let last = batch.split_last(now);
            self.seal();
            self.current = Some(last);
        } else if batch.len() >= self.options.batch_records {
            self.seal();
        }
        outcome
    }

    fn seal(&mut self) {
        self.queue.extend(self.current.take());
    }

    /// Takes what the server has answered, and sends what can be sent. `all`: also what waits for company.
    pub fn advance(&mut self, all: bool) {
        let now = Instant::now();
        let mut index = 0;
        while index < self.sent.len() {
            match self.sent[index].exchange.poll() {
                Ok(None) => index += 1,
                Ok(Some(response)) => {
                    let batch = self.sent.swap_remove(index).batch;
                    self.answered(batch, &response, now);
                }
                Err(failure) => {
                    let batch = self.sent.swap_remove(index).batch;
                    self.unanswered(batch, failure, now);
                }
            }
        }
        let due = self.waiting.extract_if(.., |(due, _)| *due <= now);
        let mut due: Vec<Batch> = due.map(|(_, batch)| batch).collect();
        while let Some(batch) = due.pop() {
            self.queue.push_front(batch);
        }
        let lingered = |batch: &Batch| all || now.duration_since(batch.born) >= self.options.linger;
        if self.current.as_ref().is_some_and(lingered) && self.may_send() && self.queue.is_empty() {
            self.seal();
        }
        while self.may_send()
            && let Some(batch) = self.queue.pop_front()
        {
            self.send(batch, now);
        }
    }

    /// Without versions, what was refused goes before everything else, and nothing goes beside it.
    fn may_send(&self) -> bool {
        self.failure.is_none()
            && self.sent.len() < self.options.in_flight
            && (self.versioned || self.waiting.is_empty())
    }

    fn send(&mut self, batch: Batch, now: Instant) {
        match self.client.bulk(&batch.target, &batch.body) {
            Ok(exchange) => self.sent.push(Sent { batch, exchange }),
            Err(failure) => self.unanswered(batch, failure, now),
        }
    }

    /// Everything that has to be done between two calls of the worker.
    pub fn go_on(&mut self) -> Result<(), Error> {
        self.advance(false);
        self.fail_if_failed()?;
        self.ask_for_a_call();
        Ok(())
    }

    /// Has the worker call in time for what comes next.
    pub fn ask_for_a_call(&self) {
        if let Some(wait) = self.next_look(Instant::now()) {
            self.context.timeout(wait);
        }
    }

    fn next_look(&self, now: Instant) -> Option<Duration> {
        if self.failure.is_some() {
            return Some(Duration::ZERO);
        }
        let retry = self
            .waiting
            .iter()
            .map(|(due, _)| due.saturating_duration_since(now))
            .min();
        let linger = self.current.as_ref().map(|batch| {
            let left = (batch.born + self.options.linger).saturating_duration_since(now);
            if self.may_send() { left } else { left.max(SOON) }
        });
        let queued = (!self.queue.is_empty()).then_some(SOON);
        let running = (!self.sent.is_empty()).then_some(LATER);
        [retry, linger, queued, running].into_iter().flatten().min()
    }

    /// Sends everything and waits until it is acknowledged, at most for so long.
    pub fn flush(&mut self, patience: Duration) {
        let end = Instant::now() + patience;
        loop {
            self.advance(true);
            if self.failure.is_some() || self.is_empty() || Instant::now() >= end {
                return;
            }
            self.wait(end);
        }
    }

    /// Forgets what was not sent of partitions that belong to somebody else now, and waits a little for what was: the new
    /// owner's operations should not be overtaken by ours.
    pub fn give_up(&mut self, of: impl Fn(&TopicPartition) -> bool, patience: Duration) {
        let partitions: Vec<bool> = self.partitions.iter().map(of).collect();
        let keep = |item: &crate::bulk::Item| !partitions[item.partition as usize];
        let rest = |batch: Batch| {
            let batch = if batch.items().iter().all(keep) {
                batch
            } else {
                batch.subset(|_, item| keep(item))
            };
            (batch.len() > 0).then_some(batch)
        };
        self.current = self.current.take().and_then(rest);
        self.queue = self.queue.drain(..).filter_map(rest).collect();
        let waiting = self
            .waiting
            .drain(..)
            .filter_map(|(due, batch)| rest(batch).map(|batch| (due, batch)));
        self.waiting = waiting.collect();
        let end = Instant::now() + patience;
        while self.sent.iter().any(|sent| !sent.batch.items().iter().all(keep)) && Instant::now() < end {
            self.wait(end);
            self.advance(false);
            // An answer may have put something back.
            self.waiting = self
                .waiting
                .drain(..)
                .filter_map(|(due, batch)| rest(batch).map(|batch| (due, batch)))
                .collect();
        }
        let lost = self
            .sent
            .iter()
            .filter(|sent| !sent.batch.items().iter().all(keep))
            .count();
        if lost > 0 {
            debug!("{lost} requests with records of closed partitions are still under way");
        }
    }

    fn fail_if_failed(&self) -> Result<(), Error> {
        self.failure.clone().map_or(Ok(()), Err)
    }
}
