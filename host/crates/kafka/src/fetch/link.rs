//! The connection to one broker: one request at a time, and a connection made anew after it broke.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

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

/// What it answered.
pub(super) enum Answer {
    /// The bytes of the answer, and what stands where in them.
    Records(Vec<u8>, FetchAnswer),
    Offsets(Vec<ListedOffset>),
}

/// What the driver keeps of a connection. Dropping it ends the connection.
pub(super) struct Link {
    address: Address,
    questions: mpsc::Sender<Question>,
}

impl Link {
    pub(super) fn start(
        node: i32,
        address: Address,
        dialer: &Arc<Dialer>,
        shared: &Arc<Shared>,
        events: &mpsc::Sender<Event>,
    ) -> Link {
        // One at a time: the driver knows which of its questions are open.
        let (questions, mut asked) = mpsc::channel(1);
        let (dialer, shared, events) = (dialer.clone(), shared.clone(), events.clone());
        let to = address.clone();
        tokio::spawn(async move {
            let mut connection = None;
            while let Some(question) = asked.recv().await {
                let answer = answer(&dialer, &to, &shared, &mut connection, question).await;
                if events.send(Event::Answered { node, answer }).await.is_err() {
                    return;
                }
            }
        });
        Link { address, questions }
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
            let patience = patience + shared.options.max_wait;
            let buffer = shared.budget.buffer();
            let (bytes, answer) = connection.call_keeping(fetch, patience, buffer).await?;
            Ok(Answer::Records(bytes, answer))
        }
        Question::Offsets(offsets) => Ok(Answer::Offsets(connection.call(offsets, patience).await?)),
    }
}
