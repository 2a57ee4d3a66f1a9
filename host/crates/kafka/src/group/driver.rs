//! The membership's thread: performs what the machine decides, and tells it what came of it.

mod lane;
mod offsets;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use self::lane::{Finding, Joining, Outcome, Target};
use self::offsets::Offsets;
use super::machine::{Action, Beat, Machine};
use super::offsets::Refusal;
use super::{
    GIVEN_UP, GroupEvent, GroupOptions, Leading, Leave, MemberAssignment, Preparing, Shared, Subprotocol, millis,
};
use crate::clock::Moment;
use crate::error::KafkaError;
use crate::wire::Dialer;
use crate::wire::messages::{JoinAnswer, SyncAnswer};

/// The longest sleep. Timers stand still while the machine is suspended, so after it wakes the clock of leases is looked
/// at within this time; that of a consumer, who does harm to nobody, when its next heartbeat is due.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// A future that is owned; none if nothing of the sort is under way.
type Task<T> = Option<Pin<Box<dyn Future<Output = T>>>>;

/// What a driver is made of, on the thread that runs it.
pub(super) struct Starting {
    pub dialer: Arc<Dialer>,
    pub options: GroupOptions,
    pub shared: Arc<Shared>,
    pub events: mpsc::Sender<GroupEvent>,
    /// Hears of what is tried again.
    pub report: Box<dyn Fn(KafkaError) + Send>,
}

pub(super) struct Driver {
    machine: Machine,
    target: Rc<Target>,
    shared: Arc<Shared>,
    events: mpsc::Sender<GroupEvent>,
    /// Events for which the channel had no room. Few: the machine asks nothing new while there is one.
    backlog: VecDeque<GroupEvent>,
    report: Box<dyn Fn(KafkaError) + Send>,
    finding: Task<Finding>,
    /// Joins and syncs. Cut off, its connection is closed with it.
    joining: Task<Joining>,
    beating: Task<(Beat, Outcome<i16>)>,
    leaving: Task<()>,
    asked: Option<Asked>,
    offsets: Offsets,
    /// Who waits for the end of a leave.
    left: Option<Leave>,
    longest_sleep: Duration,
    /// Nothing follows; the thread ends when the backlog is empty.
    last: bool,
}

impl Drop for Driver {
    /// Nobody waits for a thread that is gone.
    fn drop(&mut self) {
        let mut wishes = self.shared.wishes();
        wishes.ended = true;
        wishes.leave = None;
        let unasked = std::mem::take(&mut wishes.offsets);
        drop(wishes);
        // Which answers them.
        drop(unasked);
    }
}

/// A question to whoever takes the events.
enum Asked {
    Metadata(oneshot::Receiver<Vec<Subprotocol>>),
    Assignments(oneshot::Receiver<Vec<MemberAssignment>>),
}

/// What woke the thread.
enum Woken {
    Found(Finding),
    Joined(Joining),
    Beaten(Beat, Outcome<i16>),
    Left,
    /// A question about offsets was refused, and is asked again.
    Offsets(Refusal),
    Metadata(Option<Vec<Subprotocol>>),
    Assignments(Option<Vec<MemberAssignment>>),
    /// There is room for an event; or nobody takes them any more.
    Room(Result<(), ()>),
    /// The handle, or the clock.
    Look,
}

impl Starting {
    pub(super) fn driver(self) -> Driver {
        let Starting {
            dialer,
            options,
            shared,
            events,
            report,
        } = self;
        let now = Moment::now();
        let longest_sleep = match options.stops_in_silence {
            true => LONGEST_SLEEP,
            false => options.heartbeat_interval.max(LONGEST_SLEEP),
        };
        // Differs between processes that start together on one machine, and between machines.
        let seed = u64::from(std::process::id()) << 32 ^ millis(now) ^ Arc::as_ptr(&shared) as u64;
        Driver {
            machine: Machine::new(options.clone(), now, seed),
            target: Rc::new(Target::new(dialer, options)),
            shared,
            events,
            backlog: VecDeque::new(),
            report,
            finding: None,
            joining: None,
            beating: None,
            leaving: None,
            asked: None,
            offsets: Offsets::default(),
            left: None,
            longest_sleep,
            last: false,
        }
    }
}

impl Driver {
    pub(super) async fn run(mut self) {
        loop {
            if self.obey() {
                return;
            }
            self.step();
            while let Some(event) = self.backlog.pop_front() {
                if let Err(error) = self.events.try_send(event) {
                    self.backlog.push_front(error.into_inner());
                    break;
                }
            }
            if self.last && self.backlog.is_empty() && self.left.is_none() {
                return;
            }
            let woken = self.wait().await;
            match woken {
                Woken::Room(Err(())) => return,
                woken => self.take(woken),
            }
        }
    }

    /// What the handle asked for; true: nothing any more.
    fn obey(&mut self) -> bool {
        let wishes = std::mem::take(&mut *self.shared.wishes());
        if wishes.dropped && wishes.leave.is_none() {
            return true;
        }
        if let Some(leave) = wishes.leave {
            self.machine.leave(leave.reason.clone());
            self.last |= leave.last;
            self.left = Some(leave);
        }
        if let Some(reason) = wishes.join {
            self.machine.join(reason, Moment::now());
        }
        self.offsets.queue(wishes.offsets);
        false
    }

    fn step(&mut self) {
        let polled = Moment::from_start(Duration::from_millis(self.shared.polled.load(Ordering::Acquire)));
        self.machine.tick(Moment::now(), polled, self.backlog.is_empty());
        for action in self.machine.take_actions() {
            self.perform(action);
        }
        self.offsets.step(&self.machine, &self.target, Moment::now());
        if self.machine.has_given_up() {
            self.shared.polled.store(GIVEN_UP, Ordering::Release);
        }
        if self.leaving.is_none()
            && let Some(left) = self.left.take()
        {
            // Whoever waited may have stopped waiting.
            let _ = left.done.send(());
        }
        let lease = self.machine.lease().map_or(0, millis);
        self.shared.lease.store(lease, Ordering::Release);
    }

    fn perform(&mut self, action: Action) {
        let target = self.target.clone();
        match action {
            Action::Find => self.finding = Some(Box::pin(async move { target.find().await })),
            Action::Prepare { reason } => {
                let (answer, asked) = oneshot::channel();
                self.asked = Some(Asked::Metadata(asked));
                self.backlog
                    .push_back(GroupEvent::Preparing(Preparing { reason, answer }));
            }
            Action::Join {
                member_id,
                subprotocols,
                reason,
            } => {
                self.shared.meters.join_sent(Moment::now());
                self.joining = Some(Box::pin(async move {
                    target.join(&member_id, &subprotocols, &reason).await
                }))
            }
            Action::Lead {
                generation,
                protocol,
                member_id,
                members,
            } => {
                let (answer, asked) = oneshot::channel();
                self.asked = Some(Asked::Assignments(asked));
                self.backlog.push_back(GroupEvent::Leading(Leading {
                    generation,
                    protocol,
                    member_id,
                    members,
                    answer,
                }));
            }
            Action::Sync {
                generation,
                member_id,
                protocol,
                assignments,
            } => {
                let sync = async move { target.sync(generation, &member_id, &protocol, &assignments).await };
                self.joining = Some(Box::pin(sync));
            }
            Action::Heartbeat(beat) => {
                self.shared.meters.heartbeat_sent(Moment::now());
                self.beating = Some(Box::pin(async move { target.beat(beat).await }));
            }
            Action::Leave { member_id, reason } => {
                // Its answer would be of no interest, and its connection is wanted.
                self.beating = None;
                self.leaving = Some(Box::pin(async move { target.leave(&member_id, &reason).await }));
            }
            Action::Abandon => {
                self.joining = None;
                self.asked = None;
            }
            Action::Joined(joined) => self.backlog.push_back(GroupEvent::Joined(joined)),
            Action::Unreachable => self.backlog.push_back(GroupEvent::Unreachable),
            Action::Lost(loss) => self.backlog.push_back(GroupEvent::Lost(loss)),
            Action::Failed(error) => {
                self.backlog.push_back(GroupEvent::Failed(error));
                self.last = true;
            }
        }
    }

    async fn wait(&mut self) -> Woken {
        let polled = Moment::from_start(Duration::from_millis(self.shared.polled.load(Ordering::Acquire)));
        let next = [self.machine.next_tick(polled), self.offsets.next_step()];
        let next = next.into_iter().flatten().min();
        let sleep = async {
            match next {
                Some(next) => tokio::time::sleep(next.after(Moment::now()).min(self.longest_sleep)).await,
                None => std::future::pending().await,
            }
        };
        let room = async {
            match self.backlog.is_empty() {
                true => {
                    self.events.closed().await;
                    Err(())
                }
                false => self.events.reserve().await.map(drop).map_err(drop),
            }
        };
        tokio::select! {
            biased;
            () = self.shared.wake.notified() => Woken::Look,
            found = end_of(&mut self.finding) => Woken::Found(found),
            joined = end_of(&mut self.joining) => Woken::Joined(joined),
            (beat, answer) = end_of(&mut self.beating) => Woken::Beaten(beat, answer),
            () = end_of(&mut self.leaving) => Woken::Left,
            answered = self.offsets.answered() => Woken::Offsets(answered),
            woken = answer(&mut self.asked) => woken,
            room = room => Woken::Room(room),
            () = sleep => Woken::Look,
        }
    }

    fn take(&mut self, woken: Woken) {
        let now = Moment::now();
        match woken {
            Woken::Found(Ok(address)) => {
                self.target.moved_to(address);
                self.machine.found(now);
            }
            Woken::Found(Err(error)) => {
                (self.report)(error.clone());
                self.machine.not_found(error, now);
            }
            Woken::Joined(Joining::Join(answer)) => {
                match &answer.result {
                    Ok(JoinAnswer { code: 0, .. }) => self.shared.meters.joined(answer.sent, now),
                    Ok(_) | Err(_) => self.shared.meters.failed(now),
                }
                let answer = self.reported::<JoinAnswer>(answer.result);
                self.machine.join_answered(answer, now);
            }
            Woken::Joined(Joining::Sync(answer)) => {
                let sent = answer.sent;
                match &answer.result {
                    Ok(SyncAnswer { code: 0, .. }) => self.shared.meters.synced(sent, now),
                    Ok(_) | Err(_) => self.shared.meters.failed(now),
                }
                let answer = self.reported::<SyncAnswer>(answer.result);
                self.machine.sync_answered(answer, sent, now);
            }
            Woken::Beaten(beat, answer) => {
                let sent = answer.sent;
                if answer.result.is_ok() {
                    self.shared.meters.heartbeat_answered(sent, now);
                }
                let answer = self.reported(answer.result);
                self.machine.heartbeat_answered(&beat, answer, sent, now);
            }
            Woken::Offsets(Refusal::Moved) => self.machine.lose_coordinator(now),
            Woken::Metadata(subprotocols) => self.machine.prepared(subprotocols),
            Woken::Assignments(assignments) => self.machine.assigned(assignments, now),
            Woken::Left | Woken::Offsets(_) | Woken::Room(_) | Woken::Look => {}
        }
    }

    fn reported<T>(&self, result: Result<T, KafkaError>) -> Result<T, KafkaError> {
        result.inspect_err(|error| {
            (self.report)(error.clone());
        })
    }
}

/// The result of a task, which is then over; waits for ever if there is none.
async fn end_of<T>(task: &mut Task<T>) -> T {
    match task {
        Some(running) => {
            let result = running.await;
            *task = None;
            result
        }
        None => std::future::pending().await,
    }
}

async fn answer(asked: &mut Option<Asked>) -> Woken {
    let woken = match asked {
        Some(Asked::Metadata(answer)) => Woken::Metadata(answer.await.ok()),
        Some(Asked::Assignments(answer)) => Woken::Assignments(answer.await.ok()),
        None => std::future::pending().await,
    };
    *asked = None;
    woken
}
