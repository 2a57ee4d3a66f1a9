//! How a worker steers a task, and what a task says of itself.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use caisson_model::{Failure, TaskId, TaskState};
use caisson_sandbox::Interrupt;
use tokio::sync::{mpsc, oneshot, watch};

use crate::pulse::Pulse;
use crate::swap::{Order, Preparer};

/// What is wanted of a task. `Stop` is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Run,
    Pause,
    Stop,
}

/// A fact about a task, in the order in which it became true.
#[derive(Clone, Debug)]
pub enum TaskEvent {
    State {
        id: TaskId,
        state: TaskState,
        failure: Option<Failure>,
        version: Option<String>,
    },
    /// The task has read from or written to a topic for the first time.
    Topic { id: TaskId, topic: Arc<str> },
}

/// Hears of tasks. What was told before a task ended has been taken when [`TaskHandle::ended`] returns.
pub trait TaskListener: Send + Sync {
    fn tell(&self, event: TaskEvent) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// Steers one running task.
pub struct TaskHandle {
    id: TaskId,
    wish: watch::Sender<Wish>,
    orders: mpsc::Sender<Order>,
    preparer: Preparer,
    pulse: Pulse,
    ended: oneshot::Receiver<()>,
}

/// Orders that a task has not looked at yet.
const ORDERS: usize = 16;

impl TaskHandle {
    pub fn id(&self) -> &TaskId {
        &self.id
    }

    /// Pause or go on; without effect once the task was told to stop.
    pub fn set(&self, wish: Wish) {
        self.wish.send_if_modified(|current| {
            let change = *current != Wish::Stop && *current != wish;
            if change {
                *current = wish;
            }
            change
        });
    }

    /// Makes instances that may take a place in this task.
    pub fn preparer(&self) -> Preparer {
        self.preparer.clone()
    }

    /// Where the task takes orders; closed once it has ended.
    pub fn orders(&self) -> mpsc::Sender<Order> {
        self.orders.clone()
    }

    /// Whether its thread gets anywhere.
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Whether it was told to stop.
    pub fn is_to_stop(&self) -> bool {
        *self.wish.borrow() == Wish::Stop
    }

    /// Whether its thread has ended, in whatever way.
    pub fn is_over(&self) -> bool {
        self.orders.is_closed()
    }

    /// Waits until the task has ended, at most for `deadline`. `false`: it has not, and is left to end by itself; its
    /// guest is bounded by the deadlines of its calls.
    pub async fn ended(self, deadline: Duration) -> bool {
        self.set(Wish::Stop);
        tokio::time::timeout(deadline, self.ended).await.is_ok()
    }
}

/// The task's own end of the controls.
pub(crate) struct Controls {
    pub id: TaskId,
    pub wish: watch::Receiver<Wish>,
    orders: mpsc::Receiver<Order>,
    /// An order that came while something else was waited for.
    order: Option<Order>,
    listener: Arc<dyn TaskListener>,
    version: Option<String>,
    topics: Vec<Arc<str>>,
    /// Told by dropping.
    _ended: oneshot::Sender<()>,
}

pub(crate) fn controls(
    id: TaskId,
    wish: Wish,
    version: Option<String>,
    preparer: Preparer,
    listener: Arc<dyn TaskListener>,
) -> (TaskHandle, Controls) {
    let (order_sender, order_receiver) = mpsc::channel(ORDERS);
    let (wish_sender, wish_receiver) = watch::channel(wish);
    let (ended_sender, ended_receiver) = oneshot::channel();
    let handle = TaskHandle {
        id: id.clone(),
        wish: wish_sender,
        orders: order_sender,
        preparer,
        pulse: Pulse::default(),
        ended: ended_receiver,
    };
    let controls = Controls {
        id,
        wish: wish_receiver,
        orders: order_receiver,
        order: None,
        listener,
        version,
        topics: Vec::new(),
        _ended: ended_sender,
    };
    (handle, controls)
}

impl Controls {
    pub fn current(&self) -> Wish {
        *self.wish.borrow()
    }

    /// Until the wish differs from `known`, or there is an order.
    pub async fn stirred(&mut self, known: Wish) {
        if self.order.is_some() {
            return;
        }
        tokio::select! {
            biased;
            _ = changed(&mut self.wish, known) => {}
            Some(order) = self.orders.recv() => self.order = Some(order),
        }
    }

    /// The next order, if there is one.
    pub fn take_order(&mut self) -> Option<Order> {
        self.order.take().or_else(|| self.orders.try_recv().ok())
    }

    /// Whether [`Controls::stirred`] has found an order.
    pub fn has_order(&self) -> bool {
        self.order.is_some()
    }

    /// What a call into a guest comes to. When the wish becomes another than `known`, or the guest is to be replaced, it
    /// is woken if it waits for the network; the call still ends by itself.
    pub async fn waking<T>(&mut self, known: Wish, interrupt: &Interrupt, call: impl Future<Output = T>) -> T {
        tokio::pin!(call);
        tokio::select! {
            biased;
            done = &mut call => done,
            () = self.stirred(known) => {
                interrupt.raise();
                call.await
            }
        }
    }

    /// The version that statuses show from now on.
    pub fn set_version(&mut self, version: &str) {
        self.version = Some(version.to_owned());
    }

    pub async fn state(&self, state: TaskState, failure: Option<Failure>) {
        let event = TaskEvent::State {
            id: self.id.clone(),
            state,
            failure,
            version: self.version.clone(),
        };
        self.listener.tell(event).await;
    }

    /// Reports a topic once.
    pub async fn topic(&mut self, topic: &str) {
        if self.topics.iter().any(|known| &**known == topic) {
            return;
        }
        let topic: Arc<str> = topic.into();
        self.topics.push(topic.clone());
        self.listener
            .tell(TaskEvent::Topic {
                id: self.id.clone(),
                topic,
            })
            .await;
    }
}

/// Until the wish differs from `known`. A worker that let go of the handle without a word wants the task to stop.
async fn changed(wish: &mut watch::Receiver<Wish>, known: Wish) -> Wish {
    match wish.wait_for(|wish| *wish != known).await {
        Ok(wish) => *wish,
        Err(_) => Wish::Stop,
    }
}
