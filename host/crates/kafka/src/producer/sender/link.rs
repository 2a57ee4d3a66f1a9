//! The connection to one broker: made when there is something to send, and made anew after it broke.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Event, Shipment};
use crate::clock::Moment;
use crate::error::{ErrorCode, KafkaError};
use crate::producer::shared::Shared;
use crate::wire::messages::{Produce, Produced};
use crate::wire::{Address, Answers, Dialer, Requests, malformed};

/// What the sender keeps of a connection. Dropping it ends the connection.
pub(crate) struct Link {
    address: Address,
    requests: mpsc::Sender<Vec<Shipment>>,
    /// Requests that have no answer yet.
    pub in_flight: usize,
}

impl Link {
    pub(super) fn start(
        node: i32,
        address: Address,
        dialer: &Arc<Dialer>,
        shared: &Arc<Shared>,
        events: &mpsc::Sender<Event>,
    ) -> Link {
        // As many as the sender has in flight at most: it never waits here.
        let (requests, waiting) = mpsc::channel(shared.options.in_flight);
        let line = Line {
            node,
            address: address.clone(),
            dialer: dialer.clone(),
            shared: shared.clone(),
            events: events.clone(),
        };
        tokio::spawn(line.serve(waiting));
        Link {
            address,
            requests,
            in_flight: 0,
        }
    }

    pub(super) fn is_to(&self, address: &Address) -> bool {
        self.address == *address
    }

    pub(super) fn send(&mut self, shipments: Vec<Shipment>) {
        self.in_flight += 1;
        // What cannot be handed over is dropped, and fails: that happens at the end of the producer only.
        let _ = self.requests.try_send(shipments);
    }
}

/// The far end of a link.
struct Line {
    node: i32,
    address: Address,
    dialer: Arc<Dialer>,
    shared: Arc<Shared>,
    events: mpsc::Sender<Event>,
}

/// A request that waits for its answer.
struct Sent {
    correlation: i32,
    shipments: Vec<Shipment>,
    deadline: Instant,
}

impl Line {
    async fn serve(self, mut waiting: mpsc::Receiver<Vec<Shipment>>) {
        while let Some(first) = waiting.recv().await {
            let dialed = self.dialer.dial(&self.address).await;
            let expires = dialed.as_ref().ok().and_then(|connection| connection.expires());
            match dialed.and_then(|connection| connection.into_pipeline()) {
                Ok(pipeline) => self.talk(pipeline, expires, first, &mut waiting).await,
                Err(error) => self.answered(first, Err(error)).await,
            }
        }
    }

    /// Sends and listens until the connection breaks or has to be made anew.
    async fn talk(
        &self,
        (mut requests, mut answers): (Requests, Answers),
        expires: Option<Moment>,
        first: Vec<Shipment>,
        waiting: &mut mpsc::Receiver<Vec<Shipment>>,
    ) {
        let (heard_in, mut heard) = mpsc::channel(1);
        // Reading an answer cannot be broken off, so it goes on beside everything else.
        let listen = async move {
            loop {
                let answer = answers.next().await;
                let is_over = answer.is_err();
                if heard_in.send(answer).await.is_err() || is_over {
                    return;
                }
            }
        };
        tokio::pin!(listen);
        let mut listening = true;
        let mut in_flight = VecDeque::new();
        let mut next = Some(first);
        let error = loop {
            if let Some(shipments) = next.take()
                && let Err(error) = self.send(&mut requests, shipments, &mut in_flight).await
            {
                break error;
            }
            if in_flight.is_empty() && expires.is_some_and(|expires| expires <= Moment::now()) {
                return;
            }
            let deadline = in_flight.front().map(|sent: &Sent| sent.deadline);
            tokio::select! {
                biased;
                Some(answer) = heard.recv() => match answer {
                    Ok(answer) => match self.hear(answer, &mut in_flight).await {
                        Ok(()) => {}
                        Err(error) => break error,
                    },
                    Err(error) => break error,
                },
                () = &mut listen, if listening => listening = false,
                shipments = waiting.recv() => match shipments {
                    Some(shipments) => next = Some(shipments),
                    None => return,
                },
                () = tokio::time::sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    let text = format!("{}: no answer within {:?}", self.address, self.shared.options.request_timeout);
                    break KafkaError::with_message(ErrorCode::TIMED_OUT, text);
                }
            }
        };
        // A broker closes connections that nobody uses; that is no failure.
        for sent in in_flight {
            self.answered(sent.shipments, Err(error.clone())).await;
        }
    }

    async fn send(
        &self,
        requests: &mut Requests,
        shipments: Vec<Shipment>,
        in_flight: &mut VecDeque<Sent>,
    ) -> Result<(), KafkaError> {
        let options = &self.shared.options;
        let limit = options.request_timeout;
        let batches: Vec<_> = shipments
            .iter()
            .map(|shipment| {
                let batch = &shipment.batch;
                (&**batch.topic(), batch.partition(), batch.records.bytes().len())
            })
            .collect();
        let bytes: Vec<&[u8]> = shipments
            .iter()
            .map(|shipment| shipment.batch.records.bytes())
            .collect();
        let request = Produce {
            transactional_id: options.transactional_id.as_deref(),
            acks: options.acks,
            timeout: i32::try_from(limit.as_millis()).unwrap_or(i32::MAX),
            batches: &batches,
        };
        let sent = tokio::time::timeout(limit, requests.send(&request, &bytes)).await;
        let sent = sent.unwrap_or_else(|_| Err(slow(&self.address, limit)));
        match sent {
            // Without acknowledgements, sent is delivered.
            Ok(_) if options.acks == 0 => self.answered(shipments, Ok(Vec::new())).await,
            Ok(correlation) => in_flight.push_back(Sent {
                correlation,
                shipments,
                // The broker may use the whole time before it answers.
                deadline: Instant::now() + limit + limit / 2,
            }),
            Err(error) => {
                self.answered(shipments, Err(error.clone())).await;
                return Err(error);
            }
        }
        Ok(())
    }

    async fn hear(
        &self,
        (correlation, produced): (i32, Vec<Produced>),
        in_flight: &mut VecDeque<Sent>,
    ) -> Result<(), KafkaError> {
        match in_flight.pop_front() {
            Some(sent) if sent.correlation == correlation => {
                self.answered(sent.shipments, Ok(produced)).await;
                Ok(())
            }
            other => {
                in_flight.extend(other);
                Err(malformed("it belongs to no request"))
            }
        }
    }

    async fn answered(&self, shipments: Vec<Shipment>, answer: Result<Vec<Produced>, KafkaError>) {
        let event = Event::Answered {
            node: self.node,
            shipments,
            answer,
        };
        // A sender that is gone has no more use for it: dropping the batches tells who waits.
        let _ = self.events.send(event).await;
    }
}

fn slow(address: &Address, limit: Duration) -> KafkaError {
    KafkaError::with_message(
        ErrorCode::TIMED_OUT,
        format!("{address}: took no request within {limit:?}"),
    )
}
