//! Performs what the core decides. Everything that takes time runs by itself and comes back as an event, so no decision
//! waits for a broker, a guest or another worker.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use caisson_model::{Metric, TaskId};
use caisson_store::{ConfigChange, ConfigSnapshot};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::timeout;

use super::core::{Action, Core, Event, Now, Reply, Request, RequestId, Ticket, WriteFailure};
use super::peers::Signer;
use super::rebalances::Rebalances;
use super::{Fencer, Membership, MembershipEvent, Options, Peers, signature};
use crate::Error;
use crate::herder::RestartRequest;
use crate::info::Stage;
use crate::loggers::{Level, Loggers};
use crate::modules::Modules;
use crate::node::{Grant, Node};

/// How often the group hears that the herder is alive; far below any rebalance timeout.
const PULSE: Duration = Duration::from_secs(1);
/// How long this worker, when it ends, waits for its last statuses to be written.
const SHOWN_WITHIN: Duration = Duration::from_secs(5);

/// What the herder works with beside its node.
pub struct Outside {
    pub loggers: Loggers,
    pub membership: Arc<dyn Membership>,
    pub peers: Arc<dyn Peers>,
    pub fencer: Arc<dyn Fencer>,
    pub modules: Option<Arc<dyn Modules>>,
}

/// What requests, events and actions share.
pub struct Shared {
    pub options: Options,
    pub node: Arc<Node>,
    pub outside: Outside,
    /// Held for one step and for beginning what it decides, so that actions begin in their order.
    state: Mutex<State>,
    /// Who waits for which reply. Held for an insertion or a removal.
    replies: Mutex<BTreeMap<RequestId, oneshot::Sender<Result<Reply, Error>>>>,
    requests: AtomicU64,
    /// Why this worker can be no member of its group, once that is so.
    pub failure: watch::Sender<Option<String>>,
    /// The time of the next tick may be another one now.
    stepped: Notify,
    started: Instant,
}

struct State {
    core: Core,
    stage: Stage,
    rebalances: Rebalances,
}

impl Shared {
    pub fn new(core: Core, node: Arc<Node>, options: Options, outside: Outside) -> Shared {
        let stage = Stage {
            description: core.stage(),
            began: SystemTime::now(),
            completed: None,
        };
        Shared {
            options,
            node,
            outside,
            state: Mutex::new(State {
                core,
                stage,
                rebalances: Rebalances::default(),
            }),
            replies: Mutex::default(),
            requests: AtomicU64::new(1),
            failure: watch::Sender::new(None),
            stepped: Notify::new(),
            started: Instant::now(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            monotonic: self.started.elapsed(),
            wall: i64::try_from(wall.as_millis()).unwrap_or(i64::MAX),
        }
    }

    pub fn stage(&self) -> Stage {
        self.state().stage.clone()
    }

    pub fn is_resolved(&self) -> bool {
        self.state().core.is_resolved()
    }

    pub fn metrics(&self) -> Vec<Metric> {
        let mut metrics = self.node.metrics();
        metrics.extend(self.outside.membership.metrics());
        let state = self.state();
        metrics.extend(state.rebalances.metrics(&state.core, self.now().monotonic));
        metrics
    }

    pub fn step(self: &Arc<Self>, event: Event) {
        let mut state = self.state();
        let now = self.now();
        let begins = state.core.is_resolved() || matches!(event, Event::Preparing);
        let actions = state.core.step(event, now);
        let resolved = state.core.is_resolved();
        state.rebalances.note(begins, resolved, now.monotonic);
        let description = state.core.stage();
        if description != state.stage.description {
            state.stage = Stage {
                description,
                began: SystemTime::now(),
                completed: None,
            };
        }
        for action in actions {
            self.perform(action, state.core.config());
        }
        drop(state);
        self.stepped.notify_one();
    }

    /// What was read, and then what it was read for.
    fn step_read(self: &Arc<Self>, event: Event) {
        self.config_changed(self.node.configs().snapshot());
        self.step(event);
    }

    fn config_changed(self: &Arc<Self>, new: Arc<ConfigSnapshot>) {
        let old = self.state().core.config().clone();
        if old.offset > new.offset || Arc::ptr_eq(&old, &new) {
            return;
        }
        self.step(Event::Config(new.clone()));
        let both = old.names().chain(new.names());
        let changed = both.filter(|name| match (old.get(name), new.get(name)) {
            (Some(old), Some(new)) => !Arc::ptr_eq(old, new),
            (None, _) | (_, None) => true,
        });
        let names: std::collections::BTreeSet<_> = changed.cloned().collect();
        for name in names {
            self.node.changed(&name);
        }
    }

    /// Asks for something and waits for the reply. The wait may be given up; what was begun goes on.
    pub async fn request(self: &Arc<Self>, request: Request) -> Result<Reply, Error> {
        let id = self.requests.fetch_add(1, Ordering::Relaxed);
        let (sender, reply) = oneshot::channel();
        self.replies().insert(id, sender);
        self.step(Event::Requested { id, request });
        reply
            .await
            .map_err(|_| Error::Other("Worker is shutting down".to_owned()))?
    }

    fn replies(&self) -> MutexGuard<'_, BTreeMap<RequestId, oneshot::Sender<Result<Reply, Error>>>> {
        self.replies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn signer(&self) -> Signer {
        let state = self.state();
        let key = state.core.config().session_key.clone().filter(|_| state.core.signs());
        key.map_or_else(Signer::default, |key| {
            Signer::new(key, self.options.signature_algorithm.clone())
        })
    }

    /// Refuses an internal request that no member has signed, if members sign.
    pub fn verify(&self, given: Option<&crate::herder::RequestSignature>) -> Result<(), Error> {
        let state = self.state();
        if !state.core.signs() {
            return Ok(());
        }
        let key = state.core.config().session_key.as_deref();
        signature::verify(given, key, &self.options.verification_algorithms)
    }

    pub async fn shut_down(self: &Arc<Self>) {
        self.step(Event::ShutDown);
        self.node.stop().await;
        if timeout(SHOWN_WITHIN, self.node.statuses().settle()).await.is_err() {
            tracing::warn!("the last statuses could not be written");
        }
        self.outside.membership.leave("worker is shutting down").await;
    }

    /// Does something aside, and tells what came of it.
    fn aside(self: &Arc<Self>, work: impl Future<Output = Event> + Send + 'static) {
        let shared = self.clone();
        tokio::spawn(async move {
            let event = work.await;
            shared.step_read(event);
        });
    }

    fn perform(self: &Arc<Self>, action: Action, config: &Arc<ConfigSnapshot>) {
        tracing::trace!(?action, "decided");
        match action {
            Action::Join { reason } => self.outside.membership.join(reason),
            Action::Answer(state) => self.outside.membership.answer(self.options.core.protocol, state),
            Action::Assign(assignments) => self.outside.membership.assign(assignments),
            Action::Leave { reason } => {
                tokio::spawn(self.outside.membership.leave(reason));
            }
            Action::Grant {
                items,
                offset,
                generation,
            } => self.node.grant(Grant::Items { items, offset }, generation),
            Action::AwaitStopped { ticket } => {
                let node = self.node.clone();
                self.aside(async move {
                    node.settle_stops().await;
                    Event::Stopped { ticket }
                });
            }
            Action::Refresh { ticket, within } => self.refresh(ticket, within),
            Action::Claim { ticket } => self.claim(ticket),
            Action::Write { ticket, change } => self.write(ticket, change),
            Action::RotateKey { ticket } => self.rotate_key(ticket),
            Action::FenceProducers { ticket, name, tasks } => {
                let fencer = self.outside.fencer.clone();
                self.aside(async move {
                    let outcome = fencer.fence(&name, tasks).await;
                    Event::Fenced { ticket, outcome }
                });
            }
            Action::CleanStatuses => clean_statuses(&self.node, config),
            Action::Restart {
                name,
                only_failed,
                include_tasks,
            } => self.restart(RestartRequest {
                connector: name.to_string(),
                only_failed,
                include_tasks,
            }),
            Action::SetLevel { logger, level } => self.set_level(&logger, &level),
            Action::Reply { id, outcome } => {
                if let Some(reply) = self.replies().remove(&id) {
                    // Who asked may have given up.
                    let _ = reply.send(outcome);
                }
            }
        }
    }

    fn refresh(self: &Arc<Self>, ticket: Ticket, within: Duration) {
        let configs = self.node.configs().clone();
        self.aside(async move {
            let read = timeout(within, configs.refresh()).await;
            let ok = matches!(read, Ok(Ok(())));
            Event::Refreshed { ticket, ok }
        });
    }

    fn claim(self: &Arc<Self>, ticket: Ticket) {
        let configs = self.node.configs().clone();
        self.aside(async move {
            let claimed = configs.claim().await;
            if let Err(error) = &claimed {
                tracing::warn!(%error, "cannot claim the config topic");
            }
            Event::Claimed {
                ticket,
                ok: claimed.is_ok(),
            }
        });
    }

    fn rotate_key(self: &Arc<Self>, ticket: Ticket) {
        let core = &self.options.core;
        match signature::new_key(&core.key_algorithm, core.key_size, self.now().wall) {
            Ok(key) => self.write(ticket, ConfigChange::PutSessionKey(key)),
            Err(error) => self.aside(async move {
                let outcome = Err(WriteFailure::Failed(error.to_string()));
                Event::Written { ticket, outcome }
            }),
        }
    }

    fn write(self: &Arc<Self>, ticket: Ticket, change: ConfigChange) {
        let configs = self.node.configs().clone();
        self.aside(async move {
            let outcome = configs.write(change).await.map_err(|error| match error {
                caisson_store::Error::Fenced => WriteFailure::Fenced,
                error => WriteFailure::Failed(error.to_string()),
            });
            Event::Written { ticket, outcome }
        });
    }

    /// The statuses say so before the request that asked for it is answered.
    fn restart(self: &Arc<Self>, request: RestartRequest) {
        match self.node.select(&request) {
            Ok(selected) => {
                if let Some(restarting) = self.node.mark_restarting(&selected) {
                    let node = self.node.clone();
                    tokio::spawn(async move { node.restart_marked(restarting).await });
                }
            }
            Err(error) => tracing::warn!(connector = request.connector, %error, "nothing to restart"),
        }
    }

    fn set_level(&self, logger: &str, level: &str) {
        let set = level
            .parse::<Level>()
            .and_then(|level| self.outside.loggers.set(logger, level));
        if let Err(error) = set {
            tracing::warn!(logger, level, %error, "a log level for the whole cluster cannot be set");
        }
    }
}

/// Removes the statuses of connectors and tasks that are not configured.
fn clean_statuses(node: &Arc<Node>, config: &ConfigSnapshot) {
    let statuses = node.statuses();
    for name in statuses.connectors() {
        let Some(entry) = config.get(&name) else {
            statuses.remove_connector(&name);
            statuses.remove_topics(&name);
            continue;
        };
        for (number, _) in statuses.tasks(&name) {
            if number as usize >= entry.tasks.len() {
                statuses.remove_task(&TaskId::new(name.as_str(), number));
            }
        }
    }
}

/// Brings the core what happens, until the herder or the membership is gone.
pub async fn listen(
    shared: Weak<Shared>,
    mut membership: mpsc::Receiver<MembershipEvent>,
    mut configs: watch::Receiver<Arc<ConfigSnapshot>>,
) {
    if let Some(shared) = shared.upgrade() {
        shared.step_read(Event::Ready);
    }
    loop {
        let Some(strong) = shared.upgrade() else { return };
        strong.outside.membership.poll();
        let now = strong.now();
        let wake = strong
            .state()
            .core
            .wake_at(now)
            .map(|at| at.saturating_sub(now.monotonic));
        let sleep = wake.unwrap_or(PULSE).min(PULSE);
        let due = wake.is_some_and(|wake| wake <= sleep);
        tokio::select! {
            event = membership.recv() => match event {
                Some(event) => strong.step_membership(event),
                None => return,
            },
            changed = configs.changed() => {
                if changed.is_err() {
                    return;
                }
                let snapshot = configs.borrow_and_update().clone();
                strong.config_changed(snapshot);
            }
            () = strong.stepped.notified() => {}
            () = tokio::time::sleep(sleep) => {
                if due {
                    strong.step(Event::Tick);
                }
            }
        }
    }
}

impl Shared {
    fn step_membership(self: &Arc<Self>, event: MembershipEvent) {
        let event = match event {
            MembershipEvent::Preparing => Event::Preparing,
            MembershipEvent::Leading(leading) => {
                tracing::info!(
                    generation = leading.generation,
                    members = leading.members.len(),
                    "leads the group"
                );
                Event::Leading(leading)
            }
            MembershipEvent::Joined(joined) => {
                tracing::info!(
                    generation = joined.generation,
                    member_id = %joined.member_id,
                    leader = joined.leader_id == joined.member_id,
                    "Joined group"
                );
                Event::Joined(joined)
            }
            MembershipEvent::Unreachable => {
                tracing::warn!("the group's coordinator does not answer; stopping all work until it does");
                Event::Unreachable
            }
            MembershipEvent::Lost(reason) => {
                tracing::warn!(reason, "no member of the group any more; stopping all work");
                Event::Lost
            }
            MembershipEvent::Failed(problem) => {
                tracing::error!(problem, "cannot be a member of the group");
                self.failure.send_replace(Some(problem));
                Event::Lost
            }
        };
        self.step(event);
    }
}
