//! One task tries a module before the others: nothing is decided, and so nothing is written down and no other worker
//! hears of it, until the task's probation has ended well.

use std::sync::Arc;

use caisson_model::{Digest, Failure};
use caisson_store::Binding;

use super::Shared;
use crate::Error;
use crate::modules::worker::{Scope, SwapOrder, Swaps, Trial};
use crate::modules::{BindRequest, Bound, CanaryInfo, CanaryState, Consent};

/// A module that one task tries.
#[derive(Clone, Debug)]
pub struct Canary {
    /// Distinguishes it from those before and after.
    number: u64,
    module: Digest,
    version: Option<String>,
    task: String,
    by: String,
    /// The binding's, when it began.
    generation: u64,
    state: CanaryState,
}

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

impl Canary {
    pub fn info(&self) -> CanaryInfo {
        CanaryInfo {
            module: self.module,
            version: self.version.clone(),
            task: self.task.clone(),
            by: self.by.clone(),
            state: self.state.clone(),
        }
    }

    pub fn is_trying(&self) -> bool {
        self.state == CanaryState::Probation
    }
}

/// What to do when the canary of this number has come to an end, by what the desk holds of the class now.
pub fn next(number: u64, held: Option<&Canary>, generation: u64, verdict: &Verdict) -> Next {
    let is_the_same = |canary: &&Canary| canary.number == number && canary.is_trying();
    let Some(canary) = held.filter(is_the_same) else {
        return Next::Nothing;
    };
    match verdict {
        _ if canary.generation != generation => Next::Nothing,
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
    /// Has one task of this worker try a module. Must be called in turn.
    pub(super) async fn try_out(self: &Arc<Self>, class: &str, request: BindRequest) -> Result<Bound, Error> {
        let Some(module) = request.module else {
            let text = "A canary tries a module: the body has to name one";
            return Err(Error::BadRequest(text.to_owned()));
        };
        let version = self.check_request(class, &request)?;
        self.end_canary(class).await;
        let history = self.store.bindings().remove(class).unwrap_or_default();
        if history.module() == Some(module) {
            return self.bound(class, Swaps::default());
        }
        let swaps = self.worker.swap(self.order(class, Scope::Canary(module))).await;
        let mut swaps = match swaps {
            Ok(swaps) => swaps,
            Err(failure) => {
                // Of several places some may have it already.
                self.put_back(class, Scope::All, None).await;
                let text = format!("The module cannot take over {class}, what served it before goes on: {failure}");
                return Err(Error::Conflict(text));
            }
        };
        let trials = std::mem::take(&mut swaps.trials);
        let Some(task) = trials.first().map(|trial| trial.task.clone()) else {
            let text = format!("There is no canary for {class}: no task of this worker runs with what serves it");
            return Err(Error::Conflict(text));
        };
        let generation = match history.current() {
            Some(current) => current.generation,
            None => self.write_down(class, &request.by).await?.generation,
        };
        let number = self.number();
        let canary = Canary {
            number,
            module,
            version,
            task,
            by: request.by,
            generation,
            state: CanaryState::Probation,
        };
        tracing::info!(class, task = canary.task, %module, by = canary.by, "a task tries a module before the others");
        self.canaries().insert(class.to_owned(), canary);
        tokio::spawn(self.clone().judge_canary(class.to_owned(), number, trials));
        self.bound(class, swaps)
    }

    /// What serves the class without anybody's decision goes on doing so; there has to be a decision to show a canary by.
    async fn write_down(&self, class: &str, by: &str) -> Result<Binding, Error> {
        self.decide(class, None, None, by, Some("as it was before a canary".to_owned()))
            .await
    }

    async fn judge_canary(self: Arc<Self>, class: String, number: u64, trials: Vec<Trial>) {
        let mut verdicts = Vec::with_capacity(trials.len());
        for trial in trials {
            verdicts.push(match trial.verdict.await {
                Ok(Ok(())) => Verdict::Passed,
                Ok(Err(failure)) => Verdict::Failed(failure),
                Err(_) => Verdict::Lost,
            });
        }
        let verdict = all(verdicts);
        let _turn = self.changes.lock().await;
        let held = self.canaries().get(&class).cloned();
        let history = self.store.bindings().remove(&class).unwrap_or_default();
        let (next, canary) = match (next(number, held.as_ref(), history.generation(), &verdict), held) {
            (Next::Nothing, _) | (_, None) => return,
            (next, Some(canary)) => (next, canary),
        };
        match next {
            Next::Activate => self.follow_canary(&class, canary).await,
            Next::GiveUp(reason) => {
                tracing::error!(
                    class,
                    task = canary.task,
                    reason,
                    "the canary did not prove itself, all goes on as before"
                );
                let failed = CanaryState::Failed(reason.clone());
                let failed = Canary {
                    state: failed,
                    ..canary
                };
                let task = failed.task.clone();
                self.canaries().insert(class.clone(), failed);
                let reason = match verdict {
                    Verdict::Failed(failure) => Failure {
                        message: format!("module was put back: {}", failure.message),
                        ..failure
                    },
                    Verdict::Lost | Verdict::Passed => return,
                };
                self.put_back(&class, Scope::Task(task), Some(reason)).await;
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
            by: canary.by,
        };
        // What one task has taken goes on, or back with all the others.
        self.canaries().remove(class);
        if let Err(error) = self.bind(class, request).await {
            tracing::error!(class, %error, "what one task has tried could not be given to the others");
            self.put_back(class, Scope::All, None).await;
        }
    }

    /// Nothing is tried any more: the task that did goes back to what serves the class.
    pub(super) async fn end_canary(&self, class: &str) -> bool {
        let canary = self.canaries().remove(class);
        let Some(canary) = canary.filter(Canary::is_trying) else {
            return false;
        };
        self.put_back(class, Scope::Task(canary.task), None).await;
        true
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

    fn number(&self) -> u64 {
        self.canary_numbers.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canary(number: u64, state: CanaryState) -> Canary {
        Canary {
            number,
            module: Digest::of(b"new"),
            version: None,
            task: "t-0".to_owned(),
            by: "me".to_owned(),
            generation: 3,
            state,
        }
    }

    #[test]
    fn only_the_canary_that_still_counts_has_consequences() {
        let trying = canary(1, CanaryState::Probation);
        let failed = Verdict::Failed(Failure::host("it trapped"));
        assert_eq!(next(1, Some(&trying), 3, &Verdict::Passed), Next::Activate);
        assert!(matches!(next(1, Some(&trying), 3, &failed), Next::GiveUp(reason) if reason.contains("it trapped")));
        assert!(matches!(next(1, Some(&trying), 3, &Verdict::Lost), Next::GiveUp(reason) if reason.contains("t-0")));
        // Another canary, another decision, or none any more.
        for verdict in [Verdict::Passed, failed, Verdict::Lost] {
            assert_eq!(next(2, Some(&trying), 3, &verdict), Next::Nothing);
            assert_eq!(next(1, Some(&trying), 4, &verdict), Next::Nothing);
            assert_eq!(next(1, None, 3, &verdict), Next::Nothing);
            let over = canary(1, CanaryState::Failed("x".to_owned()));
            assert_eq!(next(1, Some(&over), 3, &verdict), Next::Nothing);
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
