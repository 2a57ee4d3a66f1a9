//! Another plugin in the place of the one that runs: what was polled is acknowledged and its offsets are written, and
//! the new one starts from there. The producer notices nothing.

use caisson_model::{Failure, TaskState};
use caisson_sandbox::SourceTask;
use tokio::time::Instant;

use super::{Reports, Source};
use crate::control::{Controls, Wish};
use crate::settings::PluginRef;
use crate::swap::{Fresh, Order, Place, Swap, Swapped, retire};

impl Source {
    /// Does what was ordered.
    pub(super) async fn obey_order(&mut self, order: Order, controls: &mut Controls) -> Result<(), Failure> {
        let failure = match order {
            Order::Tell(failure) => Some(failure),
            Order::Swap(swap) if swap.place == Place::Plugin => return self.replace(*swap, controls).await,
            Order::Swap(swap) => {
                let reason = swap.reason.clone();
                self.chain.replace(*swap, &self.settings.task).await;
                reason
            }
        };
        if failure.is_some() {
            tell(failure, controls).await;
        }
        Ok(())
    }

    async fn replace(&mut self, swap: Swap, controls: &mut Controls) -> Result<(), Failure> {
        let began = Instant::now();
        if !self.settle().await? {
            let text = format!(
                "Kafka did not take what task {} has polled within offset.flush.timeout.ms",
                self.settings.task.id
            );
            // Who asked may have gone.
            let _ = swap.reply.send(Err(Failure::host(text)));
            return Ok(());
        }
        let fresh = match self.successor(swap.fresh, &swap.plugin).await? {
            Ok(fresh) => fresh,
            Err(failure) => {
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
        tell(swap.reason, controls).await;
        Ok(())
    }

    /// The instance that is to come, started; or why it could not, and the old one goes on.
    async fn successor(&mut self, fresh: Fresh, plugin: &PluginRef) -> Result<Result<SourceTask, Failure>, Failure> {
        let task = &self.settings.task;
        let spec = task.instance(plugin, &task.config);
        let failed = |call: &str, error| task.failed_for(plugin, call, error);
        let mut next = match fresh {
            Fresh::Source(next) => next,
            Fresh::Exclusive => {
                if let Err(error) = self.guest.stop().await {
                    tracing::warn!(%error, "stop of a plugin that is replaced failed");
                }
                self.writing.give_up().await?;
                match SourceTask::start(spec, self.settings.offset_reader.clone()).await {
                    Ok(next) => return Ok(Ok(next)),
                    Err(error) => {
                        let failure = failed("start", error);
                        self.guest = self.start_anew().await?;
                        return Ok(Err(failure));
                    }
                }
            }
            Fresh::Sink(_) | Fresh::Transform(_) | Fresh::Predicate(_) => {
                return Ok(Err(Failure::host("a source cannot be replaced by something else")));
            }
        };
        if let Err(error) = next.begin(&spec).await {
            return Ok(Err(failed("start", error)));
        }
        if !(self.guest.hands_over() && next.hands_over()) {
            // It goes on behind what is committed.
            self.writing.give_up().await?;
            return Ok(Ok(next));
        }
        let handed = match self.guest.suspend().await {
            Ok(state) => next.resume(&task.plugin.version, &state).await,
            Err(error) => Err(error),
        };
        if let Err(error) = handed {
            let failure = failed("resume", error);
            self.writing.give_up().await?;
            self.guest = self.start_anew().await?;
            return Ok(Err(failure));
        }
        Ok(Ok(next))
    }

    async fn start_anew(&self) -> Result<SourceTask, Failure> {
        let task = &self.settings.task;
        let spec = task.instance(&task.plugin, &task.config);
        let started = SourceTask::start(spec, self.settings.offset_reader.clone()).await;
        started.map_err(|error| task.failed("start", error))
    }

    /// Versions and reports follow the plugin. Returns the one before.
    fn take_plugin(&mut self, plugin: PluginRef, controls: &mut Controls) -> PluginRef {
        controls.set_version(&plugin.version);
        self.reports = Reports::new(plugin.is_able("delivery-reports"));
        self.probation.at_fault = false;
        std::mem::replace(&mut self.settings.task.plugin, plugin)
    }

    /// The plugin before comes back, and goes on after what Kafka has.
    pub(super) async fn fall_back(&mut self, failure: Failure, controls: &mut Controls) -> Result<(), Failure> {
        let before = self.probation.fail(&self.settings.task.plugin.class, failure)?;
        self.take_plugin(before, controls);
        self.errors.forgive();
        if !self.settle().await? {
            let text = "what a plugin polled before it failed did not reach Kafka; the one before it may poll it again";
            tracing::warn!("{text}");
        }
        self.writing.give_up().await?;
        self.guest = self.start_anew().await?;
        Ok(())
    }
}

async fn tell(failure: Option<Failure>, controls: &Controls) {
    let state = match controls.current() {
        Wish::Run => TaskState::Running,
        Wish::Pause => TaskState::Paused,
        Wish::Stop => return,
    };
    controls.state(state, failure).await;
}
