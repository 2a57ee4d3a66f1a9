//! Rounds of zombie fencing: before tasks of an exactly-once source start, the leader makes sure that the producers of
//! earlier ones can write no more, and writes down how many there are now (KIP-618).

use std::sync::Arc;

use super::event::{Action, Reply, RequestId, Ticket};
use super::requests::Job;
use super::{Core, Writing};
use crate::Error;

/// One round of one connector. Whoever asks while it is under way waits for its end.
#[derive(Debug)]
pub struct Round {
    /// The task configurations that it makes way for.
    task_revision: u64,
    waiting: Vec<RequestId>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The config topic is read to its end.
    Reading(Ticket),
    Fencing(Ticket),
    /// It is read again, as fencing may have taken long.
    ReadingAgain(Ticket),
    /// The number of tasks is written, or waits for its turn.
    Writing,
}

const NEW_TASKS: &str = "Fencing failed because new task configurations were generated for the connector";

impl Core {
    /// Takes part in the round of a connector, or begins one.
    pub(super) fn join_round(&mut self, id: RequestId, name: Arc<str>) {
        if let Some(round) = self.rounds.get_mut(&name) {
            round.waiting.push(id);
            return;
        }
        let ticket = self.ticket();
        let task_revision = self.config.get(&name).map_or(0, |entry| entry.task_revision);
        let round = Round {
            task_revision,
            waiting: vec![id],
            stage: Stage::Reading(ticket),
        };
        self.rounds.insert(name, round);
        let within = self.options.sync_timeout;
        self.act(Action::Refresh { ticket, within });
    }

    /// Whether the ticket was a round's.
    pub(super) fn round_refreshed(&mut self, ticket: Ticket, ok: bool) -> bool {
        let reading = |round: &Round| match round.stage {
            Stage::Reading(own) | Stage::ReadingAgain(own) => own == ticket,
            Stage::Fencing(_) | Stage::Writing => false,
        };
        let Some(name) = self
            .rounds
            .iter()
            .find(|(_, round)| reading(round))
            .map(|(name, _)| name.clone())
        else {
            return false;
        };
        if ok {
            self.round_goes_on(&name);
        } else {
            let text = "Failed to perform round of zombie fencing: the config topic could not be read to its end";
            self.end_round(&name, Err(Error::Other(text.to_owned())));
        }
        true
    }

    fn round_goes_on(&mut self, name: &Arc<str>) {
        let Some(entry) = self.config.get(name).cloned() else {
            return self.end_round(name, Err(Error::connector_not_found(name)));
        };
        let ticket = self.ticket();
        let Some(round) = self.rounds.get_mut(name) else { return };
        let fencing = entry.fencing;
        match round.stage {
            Stage::Reading(_) if !fencing.pending => self.end_round(name, Ok(())),
            Stage::Reading(_) => {
                round.task_revision = entry.task_revision;
                match fencing.tasks {
                    // A lone producer is fenced off by the next one, which has the same transactional id.
                    Some(tasks) if tasks != 1 || entry.tasks.len() != 1 => {
                        round.stage = Stage::Fencing(ticket);
                        let name = name.clone();
                        self.act(Action::FenceProducers { ticket, name, tasks });
                    }
                    Some(_) | None => self.write_count(name),
                }
            }
            Stage::ReadingAgain(_) => self.write_count(name),
            Stage::Fencing(_) | Stage::Writing => {}
        }
    }

    pub(super) fn fenced(&mut self, ticket: Ticket, outcome: Result<(), String>) {
        let fencing = |round: &Round| matches!(round.stage, Stage::Fencing(own) if own == ticket);
        let Some(name) = self
            .rounds
            .iter()
            .find(|(_, round)| fencing(round))
            .map(|(name, _)| name.clone())
        else {
            return;
        };
        if let Err(problem) = outcome {
            let text = format!("Failed to perform round of zombie fencing: {problem}");
            return self.end_round(&name, Err(Error::Other(text)));
        }
        let again = self.ticket();
        if let Some(round) = self.rounds.get_mut(&name) {
            round.stage = Stage::ReadingAgain(again);
        }
        let within = self.options.sync_timeout;
        self.act(Action::Refresh { ticket: again, within });
    }

    fn write_count(&mut self, name: &Arc<str>) {
        if let Some(round) = self.rounds.get_mut(name) {
            round.stage = Stage::Writing;
            self.queue.push_front(Job::TaskCount(name.clone()));
        }
    }

    /// The round's turn to write has come: how many tasks there are, or why it is in vain.
    pub(super) fn round_count(&self, name: &Arc<str>) -> Result<u32, Error> {
        let round = self.rounds.get(name).ok_or_else(|| Error::connector_not_found(name))?;
        let entry = self.config.get(name).ok_or_else(|| Error::connector_not_found(name))?;
        if entry.task_revision != round.task_revision {
            return Err(Error::Conflict(NEW_TASKS.to_owned()));
        }
        Ok(entry.tasks.len() as u32)
    }

    pub(super) fn end_round(&mut self, name: &Arc<str>, outcome: Result<(), Error>) {
        let Some(round) = self.rounds.remove(name) else { return };
        for id in round.waiting {
            let outcome = outcome.clone().map(|()| Reply::Done);
            self.act(Action::Reply { id, outcome });
        }
    }

    /// Ends rounds that new task configurations, or the loss of leadership, have overtaken.
    pub(super) fn note_fencing(&mut self) {
        let overtaken: Vec<Arc<str>> = self
            .rounds
            .iter()
            .filter(|(name, round)| {
                let entry = self.config.get(name);
                let reading_first = matches!(round.stage, Stage::Reading(_));
                !reading_first && entry.is_none_or(|entry| entry.task_revision != round.task_revision)
            })
            .map(|(name, _)| name.clone())
            .collect();
        for name in overtaken {
            self.end_round(&name, Err(Error::Conflict(NEW_TASKS.to_owned())));
        }
        if self.writing == Writing::No && !self.membership.is_leader() {
            for name in self.rounds.keys().cloned().collect::<Vec<_>>() {
                self.end_round(&name, Err(Error::Elsewhere { url: None }));
            }
        }
    }
}
