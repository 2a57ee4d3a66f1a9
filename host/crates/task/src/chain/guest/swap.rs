//! Another component in the place of a link, between two batches. One that fails on probation gives its place back
//! before anything of the batch is lost: the one before it is given the same batch.

use caisson_model::{Failure, FailureKind, Tolerance};
use caisson_sandbox::{Applied, CallError, Transform};
use tokio::time::Instant;

use super::{GuestLink, GuestPredicate, Job, Running, called, parsed, parts};
use crate::chain::{Pass, Stream};
use crate::settings::TaskSettings;
use crate::swap::{Fresh, Step, Swap, Swapped, Tally, Trial, retire, worse};

impl GuestLink {
    /// Puts a new instance in the place of the old one.
    pub async fn replace(&mut self, swap: Swap, task: &TaskSettings) {
        let began = Instant::now();
        let Fresh::Transform(mut fresh) = swap.fresh else {
            // Who asked may have gone.
            let _ = swap
                .reply
                .send(Err(Failure::host("a transform cannot be replaced by something else")));
            return;
        };
        if let Err(failure) = self.hand_over(&mut fresh).await {
            let _ = swap.reply.send(Err(failure));
            return;
        }
        let before = std::mem::replace(&mut self.plugin, swap.plugin);
        self.spec = task.instance(&self.plugin, &self.spec.config);
        self.take_plugin();
        let mut old = std::mem::replace(&mut self.running, Running::Transform(fresh));
        if old.is_alive() {
            retire(&before.class, move || async move { old.stop().await });
        }
        let rate = std::mem::take(&mut self.tally);
        self.trial = swap.terms.map(|terms| Trial::begin(before, rate, terms, swap.verdict));
        let pause = began.elapsed();
        tracing::info!(class = self.class, version = self.plugin.version, module = %self.plugin.module.digest,
            transform = self.alias, ?pause, "the plugin was replaced");
        let _ = swap.reply.send(Ok(Swapped { pause }));
    }

    /// An instance that was asked for its state is at its end: if the state is not taken, another one is started.
    async fn hand_over(&mut self, fresh: &mut Transform) -> Result<(), Failure> {
        let handed = match &mut self.running {
            Running::Transform(old) if old.hands_over() && fresh.hands_over() => match old.suspend().await {
                Ok(state) => fresh.resume(&self.plugin.version, &state).await,
                Err(error) => Err(error),
            },
            Running::Transform(_) | Running::Converter(_) => Ok(()),
        };
        let Err(error) = handed else { return Ok(()) };
        let failure = called(("transform", &self.class, "handover"), error);
        if let Err(error) = self.start_anew().await {
            // The next batch says so.
            tracing::error!(class = self.class, %error, "a transform cannot be started anew");
        }
        Err(failure)
    }

    async fn start_anew(&mut self) -> Result<(), CallError> {
        self.running = Running::start(Job::Transform, self.spec.clone()).await?;
        Ok(())
    }

    fn take_plugin(&mut self) {
        self.encodings = self.plugin.encodings();
        self.class.clone_from(&self.plugin.class);
        self.spec.module = self.plugin.module.clone();
        self.spec.class.clone_from(&self.plugin.class);
    }

    /// Counts what became of a batch. The failure for which a transform on probation has to go, if there is one.
    pub fn count(
        &mut self,
        stream: &Stream<'_>,
        applied: &Applied,
        pass: &Pass<'_>,
    ) -> Result<Option<Failure>, Failure> {
        let records = parsed(&stream.frame, &self.class)?.len() as u64;
        let failures = applied.failures.len() as u64;
        self.tally.add(records, failures);
        let Some(trial) = &mut self.trial else { return Ok(None) };
        let first = applied.failures.first();
        if let Some(first) = first.filter(|_| pass.faults.errors.tolerance() == Tolerance::None) {
            // It would end the task: the one before it shall say whether it has to.
            let text = format!("transform {} failed on a record: {}", self.class, first.message);
            return Ok(Some(Failure::new(FailureKind::Guest, text)));
        }
        Ok(match trial.look(records, failures) {
            Step::GoOn => None,
            Step::Passed => {
                if let Some(trial) = self.trial.take() {
                    trial.pass();
                }
                None
            }
            Step::Worse(how) => Some(worse(&self.class, how)),
        })
    }

    pub fn is_on_trial(&self) -> bool {
        self.trial.is_some()
    }

    /// As [`GuestLink::count`], without a batch.
    pub fn look(&mut self) {
        if let Some(mut trial) = self.trial.take() {
            match trial.look(0, 0) {
                Step::Passed => trial.pass(),
                // The next batch says so.
                Step::GoOn | Step::Worse(_) => self.trial = Some(trial),
            }
        }
    }

    /// The plugin before comes back; the batch is given to it in the forms that it takes.
    pub async fn fall_back<'a>(
        &mut self,
        failure: Failure,
        stream: Stream<'a>,
        pass: &mut Pass<'_>,
    ) -> Result<Stream<'a>, Failure> {
        let Some(trial) = self.trial.take() else {
            return Err(failure);
        };
        tracing::error!(
            kind = failure.kind.as_str(),
            class = self.class,
            transform = self.alias,
            "the plugin failed on probation, the one before it comes back: {failure}"
        );
        self.plugin = trial.before.clone();
        trial.fail(failure);
        self.take_plugin();
        self.tally = Tally::default();
        let started = self.start_anew().await;
        started.map_err(|error| called(("transform", &self.class, "start"), error))?;
        parts::recoded(stream, self.encodings, pass)
    }
}

impl GuestPredicate {
    /// Puts a new instance in the place of the old one. A predicate is on no probation.
    pub async fn replace(&mut self, swap: Swap, task: &TaskSettings) {
        let began = Instant::now();
        let Fresh::Predicate(fresh) = swap.fresh else {
            // Who asked may have gone.
            let _ = swap
                .reply
                .send(Err(Failure::host("a predicate cannot be replaced by something else")));
            return;
        };
        let mut old = std::mem::replace(&mut self.predicate, fresh);
        if old.is_alive() {
            retire(&self.class, move || async move { old.stop().await });
        }
        self.encodings = swap.plugin.encodings();
        self.class.clone_from(&swap.plugin.class);
        self.spec = task.instance(&swap.plugin, &self.spec.config);
        let pause = began.elapsed();
        tracing::info!(class = self.class, version = swap.plugin.version, module = %swap.plugin.module.digest, ?pause,
            "the predicate was replaced");
        let _ = swap.reply.send(Ok(Swapped { pause }));
        let _ = swap.verdict.send(Ok(()));
    }
}
