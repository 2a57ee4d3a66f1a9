//! The connection to one broker: one request at a time, and a connection made anew after it broke.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::Shared;
use super::driver::Event;
use crate::error::KafkaError;
use crate::wire::messages::{Fetch, FetchAnswer, ListOffsets, ListedOffset};
use crate::wire::{Address, Connection, Dialer};

/// What a broker is asked for.
pub(super) enum Question {
    Records(Fetch),
    Offsets(ListOffsets),
}

impl Question {
    /// Whether the broker may wait that long with its answer.
    pub(super) fn waits_longer_than(&self, usual: Duration) -> bool {
        match self {
            Question::Records(fetch) => wait_of(fetch) > usual,
            Question::Offsets(_) => false,
        }
    }
}

fn wait_of(fetch: &Fetch) -> Duration {
    Duration::from_millis(u64::try_from(fetch.max_wait).unwrap_or(0))
}

/// What it answered.
pub(super) enum Answer {
    /// The bytes of the answer, and what stands where in them.
    Records(Vec<u8>, FetchAnswer),
    Offsets(Vec<ListedOffset>),
}

/// What the driver keeps of a connection. Dropping it ends the connection.
pub(super) struct Link {
    /// Tells it from those before it.
    number: u64,
    address: Address,
    questions: mpsc::Sender<Question>,
    /// Its task, which may wait for an answer.
    task: AbortHandle,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Link {
    pub(super) fn start(
        node: i32,
        number: u64,
        address: Address,
        dialer: &Arc<Dialer>,
        shared: &Arc<Shared>,
        events: &mpsc::Sender<Event>,
    ) -> Link {
        // One at a time: the driver knows which of its questions are open.
        let (questions, mut asked) = mpsc::channel(1);
        let (dialer, shared, events) = (dialer.clone(), shared.clone(), events.clone());
        let to = address.clone();
        let task = tokio::spawn(async move {
            let mut connection = None;
            while let Some(question) = asked.recv().await {
                let answer = answer(&dialer, &to, &shared, &mut connection, question).await;
                let event = Event::Answered {
                    node,
                    link: number,
                    answer,
                };
                if events.send(event).await.is_err() {
                    return;
                }
            }
        });
        Link {
            number,
            address,
            questions,
            task: task.abort_handle(),
        }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn is_to(&self, address: &Address) -> bool {
        self.address == *address
    }

    /// Whether the question was taken: one is asked after the one before was answered.
    pub(super) fn ask(&self, question: Question) -> bool {
        self.questions.try_send(question).is_ok()
    }
}

async fn answer(
    dialer: &Dialer,
    address: &Address,
    shared: &Shared,
    connection: &mut Option<Connection>,
    question: Question,
) -> Result<Answer, KafkaError> {
    let usable = match connection.take() {
        Some(usable) if usable.is_usable() => usable,
        _ => dialer.dial(address).await?,
    };
    let usable = connection.insert(usable);
    let result = exchange(usable, dialer.request_timeout, shared, &question).await;
    result.map_err(|error| KafkaError {
        message: format!("{address}: {}", error.message),
        ..error
    })
}

async fn exchange(
    connection: &mut Connection,
    patience: Duration,
    shared: &Shared,
    question: &Question,
) -> Result<Answer, KafkaError> {
    match question {
        Question::Records(fetch) => {
            let patience = patience + wait_of(fetch);
            let buffer = shared.budget.buffer();
            let (bytes, answer) = connection.call_keeping(fetch, patience, buffer).await?;
            Ok(Answer::Records(bytes, answer))
        }
        Question::Offsets(offsets) => Ok(Answer::Offsets(connection.call(offsets, patience).await?)),
    }
}
