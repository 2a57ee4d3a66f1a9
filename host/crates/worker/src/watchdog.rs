//! Looks after tasks: one whose thread hangs, or has died without a word, is said to have failed, with the reason.
//!
//! Guests cannot cause either, as their calls have deadlines and panics are caught. What is left are a disk that does not
//! answer and bugs of the worker; a status that goes on saying RUNNING would hide both.

use std::collections::HashMap;
use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;

use caisson_model::{Failure, TaskId, TaskState};
use caisson_task::{TaskEvent, Wish};
use tokio::time::MissedTickBehavior;

use crate::tasks::Running;
use crate::{Event, Worker};

/// Between two looks. Looks are counted, not time: when the whole worker is frozen for a while, no look happens either.
const LOOK: Duration = Duration::from_secs(1);
/// A turn may take so many looks beyond the longest wait that it may have in it.
const PATIENCE: u32 = 60;

/// What is known of the tasks from looks before.
#[derive(Default)]
struct Watch {
    /// The turn that goes on, and how often it was seen.
    turns: HashMap<TaskId, (u64, u32)>,
}

/// What a look at one task shows.
struct Signs {
    id: TaskId,
    /// The turn of its thread that goes on.
    turn: Option<u64>,
    /// Its thread has ended.
    over: bool,
    state: TaskState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Stuck,
    Dead,
}

impl Watch {
    /// Who is in trouble, when turns may be seen so often.
    fn look(&mut self, tasks: Vec<Signs>, patience: u32) -> Vec<(TaskId, Trouble)> {
        let mut troubled = Vec::new();
        let mut turns = HashMap::with_capacity(tasks.len());
        for signs in tasks {
            if signs.state == TaskState::Failed {
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
    fn failure(self, id: &TaskId, patience: u32) -> Failure {
        match self {
            Trouble::Stuck => Failure::host(format!(
                "task {id} has hung in the worker for more than {} s; it is left alone and ends if it comes back",
                LOOK.as_secs() * u64::from(patience)
            )),
            Trouble::Dead => Failure::host(format!("the thread of task {id} has died")),
        }
    }
}

/// Looks after the tasks of a worker until that is gone.
pub async fn watch(worker: Weak<Worker>) {
    let mut watch = Watch::default();
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let Some(worker) = worker.upgrade() else { return };
        let wait = worker.config.commit_timeout.as_secs();
        let patience = PATIENCE.saturating_add(u32::try_from(wait).unwrap_or(u32::MAX));
        for (id, trouble) in watch.look(worker.signs(), patience) {
            worker.give_up(&id, trouble.failure(&id, patience)).await;
        }
    }
}

impl Worker {
    fn signs(&self) -> Vec<Signs> {
        let signs = |(id, running): (&TaskId, &Running)| Signs {
            id: id.clone(),
            turn: running.handle.pulse().turn(),
            over: running.handle.is_over(),
            state: running.meters.state(),
        };
        let tasks = self.tasks();
        let watched = tasks.iter().filter(|(_, running)| !running.handle.is_to_stop());
        watched.map(signs).collect()
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

    fn signs(turn: Option<u64>, over: bool, state: TaskState) -> Vec<Signs> {
        let id = TaskId::new("c", 0);
        vec![Signs { id, turn, over, state }]
    }

    /// What comes of looks at a task in these turns.
    fn looks(turns: &[Option<u64>]) -> usize {
        let mut watch = Watch::default();
        let running = |turn| signs(turn, false, TaskState::Running);
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
        let dead = watch.look(signs(None, true, TaskState::Running), 3);
        assert_eq!(dead, [(TaskId::new("c", 0), Trouble::Dead)]);
        assert_eq!(watch.look(signs(None, true, TaskState::Failed), 3), []);
    }

    #[test]
    fn reasons_name_the_task() {
        let id = TaskId::new("c", 0);
        let stuck = Trouble::Stuck.failure(&id, 65).message;
        assert!(stuck.contains("task c-0 has hung") && stuck.contains("65 s"), "{stuck}");
        assert!(Trouble::Dead.failure(&id, 65).message.contains("task c-0 has died"));
    }
}
