//! Looks after tasks and connectors: one whose thread hangs, or has died without a word, is said to have failed, with the
//! reason. A connector that dies within a call says so itself.
//!
//! Guests cannot cause either, as their calls have deadlines and panics are caught. What is left are a disk that does not
//! answer and bugs of the worker; a status that goes on saying RUNNING would hide both.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use caisson_model::{ConnectorState, Failure, TaskId, TaskState};
use caisson_task::{TaskEvent, Wish};
use tokio::time::MissedTickBehavior;

use crate::tasks::Running;
use crate::{Event, Worker};

/// Between two looks. Looks are counted, not time: when the whole worker is frozen for a while, no look happens either.
const LOOK: Duration = Duration::from_secs(1);
/// A turn may take so many looks beyond the longest wait that it may have in it.
const PATIENCE: u32 = 60;

/// What is known of tasks or connectors from looks before.
struct Watch<Id> {
    /// The turn that goes on, and how often it was seen.
    turns: HashMap<Id, (u64, u32)>,
}

/// What a look at one of them shows.
struct Signs<Id> {
    id: Id,
    /// The turn of its thread that goes on.
    turn: Option<u64>,
    /// Its thread has ended.
    over: bool,
    /// It is known to have failed.
    failed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Stuck,
    Dead,
}

impl<Id> Default for Watch<Id> {
    fn default() -> Self {
        Watch { turns: HashMap::new() }
    }
}

impl<Id: Clone + Eq + Hash> Watch<Id> {
    /// Who is in trouble, when turns may be seen so often.
    fn look(&mut self, all: Vec<Signs<Id>>, patience: u32) -> Vec<(Id, Trouble)> {
        let mut troubled = Vec::new();
        let mut turns = HashMap::with_capacity(all.len());
        for signs in all {
            if signs.failed {
                continue;
            }
            if signs.over {
                troubled.push((signs.id, Trouble::Dead));
                continue;
            }
            let Some(turn) = signs.turn else { continue };
            let seen = match self.turns.get(&signs.id) {
                Some((known, seen)) if *known == turn => seen + 1,
                Some(_) | None => 1,
            };
            if seen > patience {
                troubled.push((signs.id, Trouble::Stuck));
            } else {
                turns.insert(signs.id, (turn, seen));
            }
        }
        self.turns = turns;
        troubled
    }
}

impl Trouble {
    /// Of a task or connector of this name.
    fn failure(self, what: &str, patience: u32) -> Failure {
        match self {
            Trouble::Stuck => Failure::host(format!(
                "{what} has hung in the worker for more than {} s; it is left alone and ends if it comes back",
                LOOK.as_secs() * u64::from(patience)
            )),
            Trouble::Dead => Failure::host(format!("the thread of {what} has died")),
        }
    }
}

/// Looks after the tasks and connectors of a worker until that is gone.
pub async fn watch(worker: Weak<Worker>) {
    let (mut tasks, mut connectors) = (Watch::default(), Watch::default());
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let Some(worker) = worker.upgrade() else { return };
        let wait = worker.config.commit_timeout.as_secs();
        let patience = PATIENCE.saturating_add(u32::try_from(wait).unwrap_or(u32::MAX));
        for (id, trouble) in tasks.look(worker.signs(), patience) {
            worker
                .give_up(&id, trouble.failure(&format!("task {id}"), patience))
                .await;
        }
        for (name, trouble) in connectors.look(worker.signs_of_connectors(), PATIENCE) {
            let failure = trouble.failure(&format!("connector {name}"), PATIENCE);
            worker.give_up_connector(&name, failure).await;
        }
    }
}

impl Worker {
    fn signs(&self) -> Vec<Signs<TaskId>> {
        let signs = |(id, running): (&TaskId, &Running)| Signs {
            id: id.clone(),
            turn: running.handle.pulse().turn(),
            over: running.handle.is_over(),
            failed: running.meters.state() == TaskState::Failed,
        };
        let tasks = self.tasks();
        let watched = tasks.iter().filter(|(_, running)| !running.handle.is_to_stop());
        watched.map(signs).collect()
    }

    /// Between two calls a connector has no thread that could die.
    fn signs_of_connectors(&self) -> Vec<Signs<Arc<str>>> {
        let connectors = self.connectors();
        let signs = connectors.iter().map(|(name, entry)| Signs {
            id: name.clone(),
            turn: entry.lifeline.pulse().turn(),
            over: false,
            failed: false,
        });
        signs.collect()
    }

    /// Says that a connector has failed, and lets go of it and of whoever waits for it.
    async fn give_up_connector(&self, name: &str, failure: Failure) {
        let Some(entry) = self.connectors().remove(name) else {
            return;
        };
        if !entry.lifeline.give_up(&failure) {
            return;
        }
        self.connector_modules().remove(name);
        tracing::error!(connector = name, "{}", failure.message);
        let event = Event::Connector {
            connector: name.into(),
            state: ConnectorState::Failed,
            failure: Some(failure),
            version: None,
        };
        self.listener.tell(event).await;
    }

    /// Says that a task has failed, and listens to it no longer.
    async fn give_up(&self, id: &TaskId, failure: Failure) {
        {
            let tasks = self.tasks();
            let Some(running) = tasks.get(id) else { return };
            if running.given_up.swap(true, Ordering::AcqRel) {
                return;
            }
            running.handle.set(Wish::Stop);
            running.meters.enter(TaskState::Failed);
        }
        tracing::error!(connector = %id.connector, task = id.task, "{}", failure.message);
        let event = TaskEvent::State {
            id: id.clone(),
            state: TaskState::Failed,
            failure: Some(failure),
            version: None,
        };
        self.listener.tell(Event::Task(event)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signs(turn: Option<u64>, over: bool, failed: bool) -> Vec<Signs<TaskId>> {
        let id = TaskId::new("c", 0);
        vec![Signs { id, turn, over, failed }]
    }

    /// What comes of looks at a task in these turns.
    fn looks(turns: &[Option<u64>]) -> usize {
        let mut watch = Watch::default();
        let running = |turn| signs(turn, false, false);
        turns.iter().map(|turn| watch.look(running(*turn), 3).len()).sum()
    }

    #[test]
    fn a_turn_without_an_end_is_trouble_and_many_turns_are_not() {
        assert_eq!(looks(&[Some(1), Some(1), Some(1)]), 0);
        assert_eq!(looks(&[Some(1), Some(1), Some(1), Some(1)]), 1);
        assert_eq!(looks(&[Some(1), Some(3), Some(5), Some(7), Some(9)]), 0);
        assert_eq!(looks(&[Some(1), Some(1), None, Some(1), Some(1), Some(1)]), 0);
        assert_eq!(looks(&[None; 9]), 0);
    }

    #[test]
    fn a_thread_that_ends_without_a_word_is_trouble_and_one_that_has_failed_is_not() {
        let mut watch = Watch::default();
        let dead = watch.look(signs(None, true, false), 3);
        assert_eq!(dead, [(TaskId::new("c", 0), Trouble::Dead)]);
        assert_eq!(watch.look(signs(None, true, true), 3), []);
    }

    #[test]
    fn reasons_name_the_task() {
        let stuck = Trouble::Stuck.failure("task c-0", 65).message;
        assert!(stuck.contains("task c-0 has hung") && stuck.contains("65 s"), "{stuck}");
        assert!(
            Trouble::Dead
                .failure("task c-0", 65)
                .message
                .contains("task c-0 has died")
        );
    }
}
