//! One task of all workers tries a module before the others. Nothing is decided until its probation has ended well; what
//! it tries is written down, so that the worker that runs the task hears of it, wherever the request came in, and every
//! worker shows it.
//!
//! An attempt is offered by the desk that was asked, taken by the one whose worker runs the task, and ended by that one
//! too: by a decision for all, or by saying why it failed. If that worker goes away meanwhile, whoever gets the task says so.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use caisson_model::Failure;
use caisson_store::{Binding, Canary, CanaryStage, History};
use tokio::time::Instant;

use super::Shared;
use crate::Error;
use crate::modules::worker::{Scope, SwapOrder, Swaps, Trial};
use crate::modules::{BindRequest, Bound, Consent};

/// How long the worker that runs the task may take to hear of it and to start the module.
const TAKING: Duration = Duration::from_secs(30);
/// How long a verdict may come after the end of a probation.
const VERDICT: Duration = Duration::from_secs(60);
/// How often a desk looks whether what another worker's task tries has come to its worker.
const LOOK: Duration = Duration::from_secs(1);

/// How the probation of a canary ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Failed(Failure),
    /// The task ended before its probation did.
    Lost,
}

/// What follows from that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The others follow.
    Activate,
    /// All goes on as it was before.
    GiveUp(String),
    /// Somebody has decided otherwise meanwhile.
    Nothing,
}

/// What to do when a canary has come to an end, by what is written down of the class now.
pub fn next(canary: &Canary, written: Option<&Canary>, generation: u64, verdict: &Verdict) -> Next {
    let is_on = written.is_some_and(|written| written.is_same(canary) && written.is_open());
    match verdict {
        _ if !is_on || canary.generation != generation => Next::Nothing,
        Verdict::Passed => Next::Activate,
        Verdict::Failed(failure) => Next::GiveUp(failure.to_string()),
        Verdict::Lost => Next::GiveUp(format!("task {} ended before its probation did", canary.task)),
    }
}

/// Of the places that one task has for a class, all have to do well.
fn all(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
    let worse = |one: Verdict, other: Verdict| match (one, other) {
        (Verdict::Failed(failure), _) | (_, Verdict::Failed(failure)) => Verdict::Failed(failure),
        (Verdict::Lost, _) | (_, Verdict::Lost) => Verdict::Lost,
        (Verdict::Passed, Verdict::Passed) => Verdict::Passed,
    };
    verdicts.into_iter().fold(Verdict::Passed, worse)
}

impl Shared {
    /// Has one task of all workers try a module; returns once it runs with it.
    pub(super) async fn try_out(self: &Arc<Self>, class: &str, request: BindRequest) -> Result<Bound, Error> {
        let Some(module) = request.module else {
            let text = "A canary tries a module: the body has to name one";
            return Err(Error::BadRequest(text.to_owned()));
        };
        let canary = {
            let _turn = self.changes.lock().await;
            self.look_for(module).await?;
            let version = self.check_request(class, &request)?;
            self.end_canary(class).await?;
            let history = self.store.bindings().remove(class).unwrap_or_default();
            if history.module() == Some(module) {
                return self.bound(class, Swaps::default());
            }
            let task = self.taker(class, module).ok_or_else(|| {
                let text = format!("There is no canary for {class}: no running task is made of what serves it");
                Error::Conflict(text)
            })?;
            let generation = match history.current() {
                Some(current) => current.generation,
                None => self.write_down(class, &request.by).await?.generation,
            };
            let canary = Canary {
                id: self.canary_id(),
                module,
                version,
                task,
                by: request.by,
                generation,
                stage: CanaryStage::Offered,
            };
            tracing::info!(class, task = canary.task, %module, by = canary.by, "a task is to try a module before the others");
            self.store.set_canary(class.to_owned(), Some(canary.clone())).await?;
            self.heed_canaries().await;
            canary
        };
        self.taken(class, &canary).await
    }

    /// Waits until the worker that runs the task says what came of the offer.
    async fn taken(&self, class: &str, canary: &Canary) -> Result<Bound, Error> {
        let mut changes = self.store.changes();
        let until = Instant::now() + TAKING;
        loop {
            if let Some(changes) = &mut changes {
                changes.mark_unchanged();
            }
            let written = self
                .store
                .canaries()
                .remove(class)
                .filter(|written| written.is_same(canary));
            match written.map(|written| written.stage) {
                Some(CanaryStage::Probation) => {
                    let swapped = vec![canary.task.clone()];
                    return self.bound(
                        class,
                        Swaps {
                            swapped,
                            ..Swaps::default()
                        },
                    );
                }
                Some(CanaryStage::Failed { reason }) => return Err(cannot_take_over(class, &reason)),
                None => {
                    let text = format!("{class} was decided about meanwhile, and nothing is tried any more");
                    return Err(Error::Conflict(text));
                }
                Some(CanaryStage::Offered) => {}
            }
            let changed = match &mut changes {
                Some(changes) => matches!(tokio::time::timeout_at(until, changes.changed()).await, Ok(Ok(()))),
                None => false,
            };
            if !changed {
                let reason = format!("the worker that runs task {} has not answered", canary.task);
                self.say_failed(class, canary, reason.clone()).await;
                return Err(cannot_take_over(class, &reason));
            }
        }
    }

    /// What serves the class without anybody's decision goes on doing so; there has to be a decision to show a canary by.
    async fn write_down(&self, class: &str, by: &str) -> Result<Binding, Error> {
        self.decide(class, None, None, by, Some("as it was before a canary".to_owned()))
            .await
    }

    /// Does what is written of canaries, as far as it is about tasks of this worker. Must be called in turn.
    pub(super) async fn heed_canaries(self: &Arc<Self>) {
        let on = self.open_canaries();
        let mine = self.trying().clone();
        for (class, canary) in &mine {
            if !on.get(class).is_some_and(|on| on.is_same(canary)) {
                self.trying().remove(class);
                self.put_back(class, Scope::Task(canary.task.clone()), None).await;
            }
        }
        for (class, canary) in on {
            if self.trying().get(&class).is_some_and(|mine| mine.is_same(&canary)) {
                continue;
            }
            if canary.stage == CanaryStage::Offered && self.worker.runs(&canary.task) {
                self.take_offer(&class, canary).await;
            } else {
                self.look_after(&class, canary);
            }
        }
    }

    /// The task runs here: it takes the module, or why it does not is written down.
    async fn take_offer(self: &Arc<Self>, class: &str, canary: Canary) {
        let (task, module) = (canary.task.clone(), canary.module);
        let taken = self
            .worker
            .swap(self.order(class, Scope::Canary { task, module }))
            .await;
        let trials = match taken {
            Ok(swaps) if swaps.trials.is_empty() => Err(format!("task {} cannot take it as it runs", canary.task)),
            Ok(swaps) => Ok(swaps.trials),
            Err(failure) => {
                // Of several places some may have it already.
                self.put_back(class, Scope::Task(canary.task.clone()), None).await;
                Err(failure.to_string())
            }
        };
        match trials {
            Ok(trials) => {
                self.trying().insert(class.to_owned(), canary.clone());
                self.say(class, &canary, CanaryStage::Probation).await;
                tokio::spawn(self.clone().judge_canary(class.to_owned(), canary, trials));
            }
            Err(reason) => self.say_failed(class, &canary, reason).await,
        }
    }

    async fn judge_canary(self: Arc<Self>, class: String, canary: Canary, trials: Vec<Trial>) {
        let mut verdicts = Vec::with_capacity(trials.len());
        for trial in trials {
            verdicts.push(match trial.verdict.await {
                Ok(Ok(())) => Verdict::Passed,
                Ok(Err(failure)) => Verdict::Failed(failure),
                Err(_) => Verdict::Lost,
            });
        }
        let verdict = all(verdicts);
        if let Err(error) = self.store.refresh().await {
            tracing::warn!(class, %error, "cannot see whether other workers have decided meanwhile");
        }
        let _turn = self.changes.lock().await;
        let written = self.store.canaries().remove(&class);
        let history = self.store.bindings().remove(&class).unwrap_or_default();
        match next(&canary, written.as_ref(), history.generation(), &verdict) {
            Next::Activate => self.follow_canary(&class, canary).await,
            Next::GiveUp(reason) => {
                self.trying().remove(&class);
                self.say_failed(&class, &canary, reason).await;
                if let Verdict::Failed(failure) = verdict {
                    let reason = Failure {
                        message: format!("module was put back: {}", failure.message),
                        ..failure
                    };
                    self.put_back(&class, Scope::Task(canary.task), Some(reason)).await;
                }
            }
            Next::Nothing => {}
        }
    }

    /// The others take the module that one task has tried.
    async fn follow_canary(self: &Arc<Self>, class: &str, canary: Canary) {
        tracing::info!(class, task = canary.task, module = %canary.module, "the canary proved itself, the others follow");
        let request = BindRequest {
            module: Some(canary.module),
            // It was given to the canary.
            consent: Consent::Given,
            by: canary.by.clone(),
        };
        // What one task has taken goes on, or back with all the others.
        self.trying().remove(class);
        if let Err(error) = self.bind(class, request).await {
            tracing::error!(class, %error, "what one task has tried could not be given to the others");
            self.put_back(class, Scope::All, None).await;
            self.say_failed(class, &canary, error.to_string()).await;
        }
    }

    /// Nothing is tried any more: the task that did goes back to what serves the class. Whether one did. Must be called in
    /// turn.
    pub(super) async fn end_canary(&self, class: &str) -> Result<bool, Error> {
        let Some(canary) = self.store.canaries().remove(class) else {
            return Ok(false);
        };
        let was_on = self.open_canaries().contains_key(class);
        self.store.set_canary(class.to_owned(), None).await?;
        if self.trying().remove(class).is_some() {
            self.put_back(class, Scope::Task(canary.task.clone()), None).await;
        }
        Ok(was_on)
    }

    /// What is written of a class, unless something was decided since.
    pub(super) fn canary(&self, class: &str) -> Option<Canary> {
        let history = self.store.bindings().remove(class)?;
        let written = self.store.canaries().remove(class);
        written.filter(|canary| canary.generation == history.generation())
    }

    /// Those whose end is still to come, by class.
    pub(super) fn open_canaries(&self) -> BTreeMap<String, Canary> {
        let bindings = self.store.bindings();
        let generation = |class: &String| bindings.get(class).map(History::generation);
        let mut all = self.store.canaries();
        all.retain(|class, canary| canary.is_open() && generation(class) == Some(canary.generation));
        all
    }

    /// Watches over what another worker's task tries, for that worker may be gone.
    fn look_after(self: &Arc<Self>, class: &str, canary: Canary) {
        let known = self.looked_after().insert(class.to_owned(), canary.id);
        if known != Some(canary.id) {
            let end = Instant::now() + self.options.trial.time + TAKING + VERDICT;
            tokio::spawn(watch_over(Arc::downgrade(self), class.to_owned(), canary, end));
        }
    }

    /// Whether a canary has lost the task that tried it: it runs here, and not with it.
    async fn has_lost_its_task(&self, class: &str, canary: &Canary) -> Option<bool> {
        let _turn = self.changes.lock().await;
        let on = self.open_canaries().remove(class)?;
        if !on.is_same(canary) || self.trying().contains_key(class) {
            return None;
        }
        Some(on.stage == CanaryStage::Probation && self.worker.runs(&canary.task))
    }

    async fn say_failed(&self, class: &str, canary: &Canary, reason: String) {
        tracing::error!(
            class,
            task = canary.task,
            reason,
            "the canary did not prove itself, all goes on as before"
        );
        self.say(class, canary, CanaryStage::Failed { reason }).await;
    }

    async fn say(&self, class: &str, canary: &Canary, stage: CanaryStage) {
        let said = self.store.set_canary(class.to_owned(), Some(canary.at(stage))).await;
        if let Err(error) = said {
            tracing::error!(class, %error, "how a canary does could not be written down");
        }
    }

    /// Brings what runs in line with the bindings, without a probation.
    async fn put_back(&self, class: &str, scope: Scope, reason: Option<Failure>) {
        let order = SwapOrder {
            class: class.to_owned(),
            scope,
            trial: None,
            reason,
        };
        if let Err(failure) = self.worker.swap(order).await {
            tracing::error!(class, %failure, "a task could not go back to the module before");
        }
    }

    fn canary_id(&self) -> u64 {
        let mut bytes = [0; 8];
        // Without randomness the counter still tells this worker's own apart.
        let _ = getrandom::fill(&mut bytes);
        u64::from_le_bytes(bytes) ^ self.canary_numbers.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }
}

fn cannot_take_over(class: &str, reason: &str) -> Error {
    let text = format!("The module cannot take over {class}, what served it before goes on: {reason}");
    Error::Conflict(text)
}

/// Says that a canary has failed when its task has come to this worker without it, or when nothing is heard of it any more.
async fn watch_over(desk: Weak<Shared>, class: String, canary: Canary, end: Instant) {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(desk) = desk.upgrade() else { return };
        match desk.has_lost_its_task(&class, &canary).await {
            None => return,
            Some(true) => {
                let reason = format!("task {} went to another worker before its probation ended", canary.task);
                return desk.say_failed(&class, &canary, reason).await;
            }
            Some(false) if Instant::now() >= end => {
                let reason = format!("nothing is heard of task {} any more", canary.task);
                return desk.say_failed(&class, &canary, reason).await;
            }
            Some(false) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use caisson_model::Digest;

    use super::*;

    fn canary(id: u64, stage: CanaryStage) -> Canary {
        Canary {
            id,
            module: Digest::of(b"new"),
            version: None,
            task: "t-0".to_owned(),
            by: "me".to_owned(),
            generation: 3,
            stage,
        }
    }

    #[test]
    fn only_the_canary_that_still_counts_has_consequences() {
        let trying = canary(1, CanaryStage::Probation);
        let failed = Verdict::Failed(Failure::host("it trapped"));
        assert_eq!(next(&trying, Some(&trying), 3, &Verdict::Passed), Next::Activate);
        assert!(
            matches!(next(&trying, Some(&trying), 3, &failed), Next::GiveUp(reason) if reason.contains("it trapped"))
        );
        assert!(
            matches!(next(&trying, Some(&trying), 3, &Verdict::Lost), Next::GiveUp(reason) if reason.contains("t-0"))
        );
        // Another canary, another decision, or none any more.
        let over = trying.at(CanaryStage::Failed { reason: "x".to_owned() });
        for verdict in [Verdict::Passed, failed, Verdict::Lost] {
            let another = canary(2, CanaryStage::Probation);
            assert_eq!(next(&trying, Some(&another), 3, &verdict), Next::Nothing);
            assert_eq!(next(&trying, Some(&trying), 4, &verdict), Next::Nothing);
            assert_eq!(next(&trying, None, 3, &verdict), Next::Nothing);
            assert_eq!(next(&trying, Some(&over), 3, &verdict), Next::Nothing);
        }
    }

    #[test]
    fn one_bad_place_of_a_task_is_enough() {
        let failed = Verdict::Failed(Failure::host("x"));
        assert_eq!(all([]), Verdict::Passed);
        assert_eq!(all([Verdict::Passed, Verdict::Passed]), Verdict::Passed);
        assert_eq!(all([Verdict::Lost, Verdict::Passed]), Verdict::Lost);
        assert_eq!(all([Verdict::Lost, failed.clone(), Verdict::Passed]), failed);
    }
}
