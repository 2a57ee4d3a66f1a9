//! From a batch of the consumer to the plugin: frames through the chain, `put`, and patience where the plugin asks for it.

use std::borrow::Cow;
use std::time::Duration;

use caisson_api::ErrorKind;
use caisson_kafka::ConsumerEvent;
use caisson_model::Failure;
use caisson_sandbox::CallError;
use tokio::time::Instant;

use super::{Sink, Waiting, parse};
use crate::chain::{Stream, Target};
use crate::clock::Backoff;
use crate::control::{Controls, Wish};
use crate::errors::{Faults, Source, Trail};
use crate::meters::Stage;
use crate::outgoing::Outgoing;

/// How an attempt to hand a frame to the guest ended.
enum Put {
    Taken,
    /// Partitions were revoked while the plugin asked for patience: build the frame again without them.
    Rebalanced,
    Stopped,
}

impl Sink {
    /// Hands a batch to the guest, some 512 KiB at a time.
    pub(super) async fn deliver(&mut self, mut waiting: Waiting, controls: &mut Controls) -> Result<(), Failure> {
        while waiting.from < waiting.batch.len() && self.wish == Wish::Run {
            let began = Instant::now();
            let slice = self
                .intake
                .slice(&waiting.batch, waiting.from, &waiting.revoked, &mut self.errors)?;
            let frame = self.intake.take();
            self.settings.task.meters.stage(Stage::Read, began.elapsed());
            self.rewound.clear();
            let put = if frame.is_empty() {
                self.errors.check()?;
                Put::Taken
            } else {
                self.process(&frame, &mut waiting, controls).await?
            };
            self.intake.recycle(frame);
            match put {
                Put::Taken => {
                    for next in &slice.consumed {
                        if !self.rewound.contains(&next.partition) {
                            self.positions.advance(&next.partition, next.offset);
                        }
                    }
                    waiting.revoked.append(&mut self.rewound);
                    waiting.from = slice.end;
                    self.settings.task.meters.active(self.positions.uncommitted());
                }
                Put::Rebalanced => {}
                Put::Stopped => break,
            }
        }
        if waiting.from < waiting.batch.len() && self.wish != Wish::Stop {
            self.backlog.push_front(waiting);
        }
        self.measure_lag();
        Ok(())
    }

    /// Lets the guest go on with what it has under way.
    pub(super) async fn put_nothing(&mut self) -> Result<(), Failure> {
        self.next_call = None;
        match self.guest.put(&[]).await {
            // There are no records that could have failed.
            Ok(_) => {}
            Err(CallError::Guest(error)) if error.kind == ErrorKind::Retriable => {
                let pause = Backoff::default().next(error.retry_after_ms);
                tracing::warn!(%error, ?pause, "put of nothing asks for patience");
                self.next_call = Some(Instant::now() + pause);
            }
            Err(error) => return Err(self.settings.task.failed("put", error)),
        }
        self.obey()
    }

    /// Sends a frame of the intake through the chain and hands it to the guest.
    async fn process(&mut self, frame: &[u8], waiting: &mut Waiting, controls: &mut Controls) -> Result<Put, Failure> {
        if self.chain.is_empty() {
            self.errors.check()?;
            let outgoing = Outgoing {
                frame: frame.into(),
                origins: None,
            };
            return self.put(frame, &outgoing, waiting, controls).await;
        }
        let stream = Stream::new(frame, self.intake.forms(), self.intake.trust());
        let entry = parse(frame)?;
        let trail = Trail {
            entry: &entry,
            consumed: Some(Source::Batch(&waiting.batch)),
        };
        let began = Instant::now();
        let target = Target::Sink(self.settings.task.sink_encodings());
        let stream = self.chain.apply(stream, target, 0, trail, &mut self.errors).await?;
        let mut faults = Faults {
            errors: &mut self.errors,
            trail,
        };
        let outgoing = self.frames.for_sink(stream, &mut faults)?;
        self.settings.task.meters.stage(Stage::Transform, began.elapsed());
        self.errors.check()?;
        if outgoing.frame.is_empty() {
            return Ok(Put::Taken);
        }
        let put = self.put(frame, &outgoing, waiting, controls).await;
        if let Cow::Owned(frame) = outgoing.frame {
            self.chain.recycle(frame);
        }
        put
    }

    async fn put(
        &mut self,
        entry: &[u8],
        outgoing: &Outgoing<'_>,
        waiting: &mut Waiting,
        controls: &mut Controls,
    ) -> Result<Put, Failure> {
        let mut backoff = Backoff::default();
        loop {
            self.next_call = None;
            let interrupt = self.guest.interrupt();
            let put = self.guest.put(&outgoing.frame);
            let began = Instant::now();
            match controls.waking(self.wish, &interrupt, put).await {
                Ok(failures) => {
                    let records = records_of(&outgoing.frame);
                    self.settings.task.meters.put(records, began.elapsed());
                    if !failures.is_empty() {
                        self.probation.at_fault = true;
                        self.failed(&failures, entry, outgoing, &waiting.batch)?;
                        self.probation.at_fault = false;
                    }
                    self.obey()?;
                    self.probation
                        .count(&self.settings.task.plugin.class, records, failures.len())?;
                    if backoff.was_used() && self.wish == Wish::Run {
                        self.steer("resume", self.consumer.resume_all())?;
                    }
                    return Ok(Put::Taken);
                }
                Err(CallError::Guest(error)) if error.kind == ErrorKind::Retriable => {
                    let pause = backoff.next(error.retry_after_ms);
                    tracing::warn!(%error, ?pause, "put asks for patience, the same records are given again");
                    self.steer("pause", self.consumer.pause_all())?;
                    match self.wait(pause, waiting, controls).await? {
                        Put::Taken => {}
                        interrupted => return Ok(interrupted),
                    }
                }
                Err(error) => return Err(self.fault("put", error)),
            }
        }
    }

    /// Lets time pass, answering the consumer and the operator meanwhile. The consumer is paused, so that no more
    /// batches come than its channel holds.
    async fn wait(&mut self, pause: Duration, waiting: &mut Waiting, controls: &mut Controls) -> Result<Put, Failure> {
        let end = Instant::now() + pause;
        loop {
            tokio::select! {
                biased;
                () = controls.stirred(self.wish) => {
                    if controls.has_order() {
                        // Somebody else may take the records.
                        self.steer("resume", self.consumer.resume_all())?;
                        return Ok(Put::Stopped);
                    }
                    let wish = controls.current();
                    self.turn(wish, controls).await?;
                    match wish {
                        Wish::Stop => return Ok(Put::Stopped),
                        Wish::Pause => {}
                        Wish::Run => self.steer("pause", self.consumer.pause_all())?,
                    }
                }
                event = self.events.recv() => {
                    let revoked = match &event {
                        Some(ConsumerEvent::Revoked { partitions, .. }) => Some(partitions.clone()),
                        Some(_) | None => None,
                    };
                    self.take(event, controls).await?;
                    if let Some(revoked) = revoked {
                        waiting.revoked.extend(revoked);
                        return Ok(Put::Rebalanced);
                    }
                }
                () = tokio::time::sleep_until(end) => return Ok(Put::Taken),
            }
        }
    }
}

/// The number of records that a frame of our own making says it has (`wit/frame.md`).
fn records_of(frame: &[u8]) -> usize {
    let count = frame.get(8..12).and_then(|bytes| bytes.try_into().ok());
    count.map_or(0, |bytes| u32::from_le_bytes(bytes) as usize)
}
