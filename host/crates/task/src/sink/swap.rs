//! Another plugin in the place of the one that runs, between two batches: what the old one has is made durable and its
//! offsets are sent, the new one opens the partitions, and the next record goes to it. The consumer notices nothing.

use caisson_model::{Failure, TopicPartition};
use caisson_sandbox::{CallError, SinkTask};
use tokio::time::Instant;

use super::Sink;
use crate::chain::Chain;
use crate::control::Controls;
use crate::control::Wish;
use crate::outgoing::SinkFrames;
use crate::settings::{PluginRef, TaskSettings};
use crate::sink::intake::Intake;
use crate::swap::{Fresh, Order, Place, Swap, Swapped, retire};
use caisson_model::TaskState;

/// Frames as the first of the chain, or the plugin, takes them.
pub(super) fn intake(task: &TaskSettings, chain: &Chain) -> Intake {
    Intake::of(&task.converters, chain, task.sink_encodings())
}

impl Sink {
    /// Does what was ordered.
    pub(super) async fn obey_order(&mut self, order: Order, controls: &mut Controls) -> Result<(), Failure> {
        let failure = match order {
            Order::Tell(failure) => Some(failure),
            Order::Swap(swap) if swap.place == Place::Plugin => return self.replace(*swap, controls).await,
            Order::Swap(swap) => {
                let reason = swap.reason.clone();
                self.chain.replace(*swap, &self.settings.task).await;
                self.intake = intake(&self.settings.task, &self.chain);
                reason
            }
        };
        if failure.is_some() {
            self.tell(failure, controls).await;
        }
        Ok(())
    }

    async fn tell(&self, failure: Option<Failure>, controls: &Controls) {
        let state = match self.wish {
            Wish::Run => TaskState::Running,
            Wish::Pause => TaskState::Paused,
            Wish::Stop => return,
        };
        controls.state(state, failure).await;
    }

    async fn replace(&mut self, swap: Swap, controls: &mut Controls) -> Result<(), Failure> {
        let began = Instant::now();
        if !self.flush().await? {
            let text = format!("task {} could not make durable what it has", self.settings.task.id);
            // Who asked may have gone.
            let _ = swap.reply.send(Err(Failure::host(text)));
            return Ok(());
        }
        let partitions = self.positions.assigned();
        if !partitions.is_empty()
            && let Err(error) = self.guest.close(&partitions).await
        {
            tracing::warn!(%error, "close of a plugin that is replaced failed");
        }
        let taken = match self.successor(swap.fresh, &swap.plugin).await {
            Ok(fresh) => self.open_with(fresh, &swap.plugin, &partitions).await,
            Err(error) => Err(error),
        };
        let fresh = match taken {
            Ok(fresh) => fresh,
            Err(failure) => {
                self.go_on(&partitions).await?;
                let _ = swap.reply.send(Err(failure));
                return Ok(());
            }
        };
        let mut old = std::mem::replace(&mut self.guest, fresh);
        let before = self.take_plugin(swap.plugin, controls);
        if old.is_alive() {
            retire(&before.class, move || async move { old.stop().await });
        }
        self.probation.begin(before, swap.terms, swap.verdict);
        let pause = began.elapsed();
        tracing::info!(class = self.settings.task.plugin.class, version = self.settings.task.plugin.version,
            module = %self.settings.task.plugin.module.digest, ?pause, "the plugin was replaced");
        let _ = swap.reply.send(Ok(Swapped { pause }));
        self.tell(swap.reason, controls).await;
        Ok(())
    }

    /// Has the plugin make everything durable and sends the offsets on their way. What it holds back is read again.
    /// `false`: it could not, and goes on from where it last could.
    async fn flush(&mut self) -> Result<bool, Failure> {
        let assigned = self.positions.assigned();
        if assigned.is_empty() {
            return Ok(true);
        }
        if !self.letters_arrived().await? {
            return Ok(false);
        }
        let Some(offsets) = self.durable(&assigned).await? else {
            self.backlog.clear();
            let offsets = self.positions.rewind();
            self.steer("rewind", self.consumer.seek(offsets))?;
            return Ok(false);
        };
        let news = self.positions.begin_commit(offsets);
        let back = self.positions.settle();
        self.send_commit(news);
        if let Some(offsets) = back {
            self.backlog.clear();
            self.steer("rewind", self.consumer.seek(offsets))?;
        }
        Ok(true)
    }

    /// The instance that is to come; one that tolerates no other is made when the old one has gone.
    async fn successor(&mut self, fresh: Fresh, plugin: &PluginRef) -> Result<SinkTask, Failure> {
        match fresh {
            Fresh::Sink(fresh) => Ok(fresh),
            Fresh::Exclusive => {
                if let Err(error) = self.guest.stop().await {
                    tracing::warn!(%error, "stop of a plugin that is replaced failed");
                }
                let task = &self.settings.task;
                let started = SinkTask::start(task.instance(plugin, &task.config)).await;
                let failed = |error| self.settings.task.failed_for(plugin, "start", error);
                let started = started.map_err(failed);
                if started.is_err() {
                    self.guest = self.start_anew().await?;
                }
                started
            }
            Fresh::Source(_) | Fresh::Transform(_) | Fresh::Predicate(_) => {
                Err(Failure::host("a sink cannot be replaced by something else"))
            }
        }
    }

    /// Hands state over, if both can, and has the new instance open the partitions.
    async fn open_with(
        &mut self,
        mut fresh: SinkTask,
        plugin: &PluginRef,
        partitions: &[TopicPartition],
    ) -> Result<SinkTask, Failure> {
        let task = &self.settings.task;
        let failed = |call: &str, error: CallError| task.failed_for(plugin, call, error);
        if self.guest.is_alive() && self.guest.hands_over() && fresh.hands_over() {
            let state = self
                .guest
                .suspend()
                .await
                .map_err(|error| task.failed("suspend", error))?;
            let resumed = fresh.resume(&task.plugin.version, &state).await;
            resumed.map_err(|error| failed("resume", error))?;
        }
        if !partitions.is_empty() {
            fresh.open(partitions).await.map_err(|error| failed("open", error))?;
        }
        Ok(fresh)
    }

    /// The old plugin opens its partitions again, in a new instance if it has let go of what it had.
    async fn go_on(&mut self, partitions: &[TopicPartition]) -> Result<(), Failure> {
        if !self.guest.is_alive() || self.guest.is_suspended() {
            self.guest = self.start_anew().await?;
        }
        if !partitions.is_empty() {
            let opened = self.guest.open(partitions).await;
            opened.map_err(|error| self.settings.task.failed("open", error))?;
        }
        Ok(())
    }

    async fn start_anew(&self) -> Result<SinkTask, Failure> {
        let task = &self.settings.task;
        let started = SinkTask::start(task.instance(&task.plugin, &task.config)).await;
        started.map_err(|error| task.failed("start", error))
    }

    /// Frames and versions follow the plugin. Returns the one before.
    fn take_plugin(&mut self, plugin: PluginRef, controls: &mut Controls) -> PluginRef {
        let task = &mut self.settings.task;
        controls.set_version(&plugin.version);
        let before = std::mem::replace(&mut task.plugin, plugin);
        self.frames = SinkFrames::new(&task.converters, task.sink_encodings());
        self.intake = intake(task, &self.chain);
        self.probation.at_fault = false;
        before
    }

    /// The plugin before comes back, and is given again what this one has not made durable.
    pub(super) async fn fall_back(&mut self, failure: Failure, controls: &mut Controls) -> Result<(), Failure> {
        let before = self.probation.fail(&self.settings.task.plugin.class, failure)?;
        self.take_plugin(before, controls);
        self.errors.forgive();
        let partitions = self.positions.assigned();
        self.guest = self.start_anew().await?;
        if !partitions.is_empty() {
            let opened = self.guest.open(&partitions).await;
            opened.map_err(|error| self.settings.task.failed("open", error))?;
        }
        self.backlog.clear();
        self.positions.settle();
        let offsets = self.positions.consumed(&partitions);
        if !offsets.is_empty() {
            self.steer("rewind", self.consumer.seek(offsets))?;
        }
        if self.wish == Wish::Run {
            self.steer("resume", self.consumer.resume_all())?;
        }
        Ok(())
    }
}
