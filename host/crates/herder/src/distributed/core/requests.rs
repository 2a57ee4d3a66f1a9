//! What is asked of the cluster: one change after the other, by its leader.

use std::collections::VecDeque;
use std::sync::Arc;

use caisson_model::{TargetState, TaskId};
use caisson_store::{ConfigChange, ConnectorEntry};

use super::event::{Action, Reply, Request, RequestId, Ticket, WriteFailure};
use super::{Core, Now, Writing};
use crate::Error;
use crate::assignor::Item;
use crate::herder::Replace;
use std::time::Duration;

/// The pause before the config topic is claimed again after another worker has claimed it.
const RECLAIM_BACKOFF: Duration = Duration::from_millis(250);
/// How many changes are written before what they say is shared out. Each waits for the config topic; a round of the group
/// for each of many at once would take longer than they.
const CHANGES_PER_ROUND: u32 = 32;

/// What waits for its turn.
#[derive(Clone, Debug, PartialEq)]
pub enum Job {
    Request(RequestId, Request),
    /// Of a round of fencing.
    TaskCount(Arc<str>),
    RotateKey,
}

/// What is being written.
#[derive(Debug)]
pub struct Active {
    ticket: Ticket,
    purpose: Purpose,
    /// Further changes, to be written after this one.
    rest: VecDeque<ConfigChange>,
    stage: String,
}

#[derive(Debug)]
enum Purpose {
    Request(RequestId, Reply),
    TaskCount(Arc<str>),
    RotateKey,
}

/// What a request comes to.
enum Decision {
    Reply(Result<Reply, Error>),
    Write(Vec<ConfigChange>, Reply, String),
    Fence(Arc<str>),
}

impl Active {
    pub fn rotates_key(&self) -> bool {
        matches!(self.purpose, Purpose::RotateKey)
    }

    pub fn stage(&self) -> &str {
        &self.stage
    }
}

impl Core {
    /// Takes up what waits, until one thing is being written or a round begins.
    pub(super) fn work(&mut self) {
        if self.shut_down {
            return self.refuse_everything();
        }
        while self.resolved && !self.join_asked && self.active.is_none() && self.may_come_before_a_round() {
            let leads = self.membership.is_leader();
            if leads && self.writing != Writing::Yes {
                return;
            }
            let Some(job) = self.queue.pop_front() else { return };
            match job {
                Job::Request(id, request) => match self.decide(&request) {
                    Decision::Reply(outcome) => self.act(Action::Reply { id, outcome }),
                    Decision::Fence(name) => self.join_round(id, name),
                    Decision::Write(changes, reply, stage) => {
                        self.write(changes.into(), Purpose::Request(id, reply), stage);
                    }
                },
                Job::TaskCount(name) => match self.round_count(&name) {
                    Err(error) => self.end_round(&name, Err(error)),
                    Ok(tasks) => {
                        let change = ConfigChange::PutTaskCount {
                            name: name.clone(),
                            tasks,
                        };
                        let stage = format!("initiating a round of zombie fencing for connector {name}");
                        self.write([change].into(), Purpose::TaskCount(name), stage);
                    }
                },
                Job::RotateKey if leads => {
                    let ticket = self.ticket();
                    self.act(Action::RotateKey { ticket });
                    self.active = Some(Active {
                        ticket,
                        purpose: Purpose::RotateKey,
                        rest: VecDeque::new(),
                        stage: "writing a new session key to the config topic".to_owned(),
                    });
                }
                Job::RotateKey => {}
            }
        }
    }

    /// Whether what is next need not wait for a round that is to begin: a change that is shared out with those before it.
    /// Whatever else is asked counts on their being in effect.
    fn may_come_before_a_round(&self) -> bool {
        let changes = |job: &Job| {
            matches!(
                job,
                Job::Request(_, Request::PutConnector { .. } | Request::PutTasks { .. })
            )
        };
        !self.has_news() || self.unshared < CHANGES_PER_ROUND && self.queue.front().is_some_and(changes)
    }

    fn refuse_everything(&mut self) {
        for job in std::mem::take(&mut self.queue) {
            if let Job::Request(id, _) = job {
                let outcome = Err(Error::Other("Worker is shutting down".to_owned()));
                self.act(Action::Reply { id, outcome });
            }
        }
    }

    fn write(&mut self, mut changes: VecDeque<ConfigChange>, purpose: Purpose, stage: String) {
        let Some(change) = changes.pop_front() else {
            return self.finish(purpose, Ok(()));
        };
        let ticket = self.ticket();
        self.unshared = match matches!(change, ConfigChange::RemoveConnector { .. }) {
            // It is to be gone before something else has its name.
            true => CHANGES_PER_ROUND,
            false => self.unshared + 1,
        };
        self.active = Some(Active {
            ticket,
            purpose,
            rest: changes,
            stage,
        });
        self.act(Action::Write { ticket, change });
    }

    pub(super) fn written(&mut self, ticket: Ticket, outcome: Result<(), WriteFailure>, now: Now) {
        let Some(active) = self.active.take_if(|active| active.ticket == ticket) else {
            return;
        };
        match outcome {
            Ok(()) => self.write(active.rest, active.purpose, active.stage),
            Err(WriteFailure::Failed(text)) => self.finish(active.purpose, Err(Error::Other(text))),
            Err(WriteFailure::Fenced) => {
                tracing::warn!("another worker has claimed the config topic");
                if self.writing == Writing::Yes {
                    self.writing = Writing::RetryAt(now.monotonic + RECLAIM_BACKOFF);
                }
                let error = caisson_store::Error::Fenced.into();
                self.finish(active.purpose, Err(error));
            }
        }
    }

    fn finish(&mut self, purpose: Purpose, outcome: Result<(), Error>) {
        match purpose {
            Purpose::Request(id, reply) => {
                let outcome = outcome.map(|()| reply);
                self.act(Action::Reply { id, outcome });
            }
            Purpose::TaskCount(name) => self.end_round(&name, outcome),
            Purpose::RotateKey => {
                if let Err(error) = outcome {
                    tracing::warn!(%error, "a new session key could not be written; trying again");
                }
            }
        }
    }

    fn decide(&self, request: &Request) -> Decision {
        match request {
            Request::Ping => Decision::Reply(Ok(Reply::Done)),
            Request::LocateConnector { name } => self.locate(name, &Item::Connector(name.clone())),
            Request::LocateTask { name, task } => self.locate_task(name, *task),
            Request::Lead
            | Request::PutConnector { .. }
            | Request::DeleteConnector { .. }
            | Request::StopConnector { .. }
            | Request::PutTasks { .. }
            | Request::Restart(_)
            | Request::Fence { .. } => {
                if self.membership.is_leader() {
                    self.decide_as_leader(request)
                } else {
                    let url = self.leader_url();
                    Decision::Reply(Err(Error::Elsewhere { url }))
                }
            }
        }
    }

    fn decide_as_leader(&self, request: &Request) -> Decision {
        let refuse = |error| Decision::Reply(Err(error));
        let found = |name: &Arc<str>| self.config.get(name).cloned();
        match request {
            Request::PutConnector {
                name,
                config,
                target,
                replace,
                based_on,
            } => {
                let existing = found(name);
                if existing.is_some() && *replace == Replace::Refused {
                    return refuse(Error::AlreadyExists(format!("Connector {name} already exists")));
                }
                if based_on.is_some() && *based_on != existing.as_ref().map(|entry| entry.revision) {
                    return Decision::Reply(Ok(Reply::Outdated));
                }
                let reply = if existing.is_some() {
                    Reply::Done
                } else {
                    Reply::Created
                };
                let change = ConfigChange::PutConnector {
                    name: name.clone(),
                    config: config.clone(),
                    target: *target,
                };
                let stage = format!("writing a config for connector {name} to the config topic");
                Decision::Write(vec![change], reply, stage)
            }
            Request::DeleteConnector { name } if found(name).is_none() => refuse(Error::connector_not_found(name)),
            Request::DeleteConnector { name } => {
                let change = ConfigChange::RemoveConnector { name: name.clone() };
                let stage = format!("removing the config for connector {name} from the config topic");
                Decision::Write(vec![change], Reply::Done, stage)
            }
            Request::StopConnector { name } if found(name).is_none() => refuse(Error::unknown_connector(name)),
            Request::StopConnector { name } => {
                let stage = format!("writing 0 task configs for connector {name} to the config topic");
                let change = ConfigChange::StopConnector { name: name.clone() };
                Decision::Write(vec![change], Reply::Done, stage)
            }
            Request::PutTasks {
                name,
                configs,
                made_from,
            } => self.decide_tasks(name, configs, *made_from, found(name)),
            Request::Restart(request) => {
                let name: Arc<str> = request.connector.as_str().into();
                if found(&name).is_none() {
                    return refuse(Error::NotFound(format!("Unknown connector: {name}")));
                }
                let stage = format!("writing restart request for connector {name} to the config topic");
                let change = ConfigChange::Restart {
                    name,
                    only_failed: request.only_failed,
                    include_tasks: request.include_tasks,
                };
                Decision::Write(vec![change], Reply::Done, stage)
            }
            Request::Fence { name } if found(name).is_none() => refuse(Error::connector_not_found(name)),
            Request::Fence { name } => Decision::Fence(name.clone()),
            Request::Lead | Request::Ping | Request::LocateConnector { .. } | Request::LocateTask { .. } => {
                Decision::Reply(Ok(Reply::Here))
            }
        }
    }

    fn decide_tasks(
        &self,
        name: &Arc<str>,
        configs: &[caisson_store::Config],
        made_from: Option<u64>,
        entry: Option<Arc<ConnectorEntry>>,
    ) -> Decision {
        let Some(entry) = entry else {
            return Decision::Reply(Err(Error::connector_not_found(name)));
        };
        if entry.target == TargetState::Stopped && !configs.is_empty() {
            return Decision::Reply(Err(Error::BadRequest(format!(
                "Cannot submit non-empty set of task configs for stopped connector {name}"
            ))));
        }
        // The connector may have moved, and the worker that it left is still heard.
        if made_from.is_some_and(|revision| revision != entry.revision) {
            let text = format!("The configuration of connector {name} has changed since these task configs were made");
            return Decision::Reply(Err(Error::Conflict(text)));
        }
        let stage = format!(
            "writing {} task configs for connector {name} to the config topic",
            configs.len()
        );
        let change = ConfigChange::PutTasks {
            name: name.clone(),
            tasks: configs.to_vec(),
        };
        Decision::Write(vec![change], Reply::Done, stage)
    }

    fn locate_task(&self, name: &Arc<str>, task: i32) -> Decision {
        let number = u32::try_from(task).ok();
        let known = self
            .config
            .get(name)
            .zip(number)
            .filter(|(entry, number)| *number < entry.most_tasks);
        match known {
            Some((_, number)) => self.locate(name, &Item::Task(TaskId::new(name.clone(), number))),
            None if self.config.contains(name) => {
                Decision::Reply(Err(Error::NotFound(format!("Unknown task: {name}-{task}"))))
            }
            None => self.locate(name, &Item::Connector(name.clone())),
        }
    }

    fn locate(&self, name: &Arc<str>, item: &Item) -> Decision {
        let held = self
            .holding
            .as_ref()
            .is_some_and(|holding| holding.items.contains(item));
        Decision::Reply(if !self.config.contains(name) {
            Err(Error::NotFound(format!("Unknown connector: {name}")))
        } else if held {
            Ok(Reply::Here)
        } else if self.membership.is_leader() {
            let url = self.owner_url(item);
            Err(Error::Elsewhere { url })
        } else {
            let url = self.leader_url();
            Err(Error::Elsewhere { url })
        })
    }
}
