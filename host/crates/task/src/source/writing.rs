//! How the records and offsets of a source reach Kafka: at least once, or exactly once.

mod at_least_once;
mod exactly_once;
mod newest;

use std::ops::Range;
use std::sync::Arc;

use caisson_api::frame::{Boundary, Frame};
use caisson_model::{Failure, Tolerance};

use self::at_least_once::Acknowledged;
use self::exactly_once::Transactions;
use super::acks::Acks;
use super::outlet::{Outlet, SentGroup};
use crate::control::Controls;
use crate::errors::Errors;
use crate::settings::{Guarantee, SourceSettings};

pub enum Writing {
    AtLeastOnce(Acknowledged),
    ExactlyOnce(Box<Transactions>),
}

impl Writing {
    /// Where transactions are used, their id is this task's from here on, and what the task before has committed can be read.
    pub async fn start(settings: &SourceSettings, controls: &Controls) -> Result<Writing, Failure> {
        Ok(match &settings.guarantee {
            Guarantee::AtLeastOnce { producer, offsets } => {
                Writing::AtLeastOnce(Acknowledged::new(&settings.task, producer.clone(), offsets.clone()))
            }
            Guarantee::ExactlyOnce(exactly_once) => {
                let transactions = Transactions::start(&settings.task, exactly_once, controls).await?;
                Writing::ExactlyOnce(Box::new(transactions))
            }
        })
    }

    pub fn outlet(&self, settings: &SourceSettings) -> Outlet {
        match self {
            Writing::AtLeastOnce(acknowledged) => Outlet::new(settings, acknowledged.producer().clone(), None),
            Writing::ExactlyOnce(transactions) => {
                let topic = transactions.offsets_topic().to_owned();
                Outlet::new(settings, transactions.producer().clone(), Some(topic))
            }
        }
    }

    /// What a record that was not delivered means: a transaction is whole or none, whatever `errors.tolerance` says.
    pub fn tolerance(&self, errors: &Errors) -> Tolerance {
        match self {
            Writing::AtLeastOnce(_) => errors.tolerance(),
            Writing::ExactlyOnce(_) => Tolerance::None,
        }
    }

    pub fn is_exactly_once(&self) -> bool {
        matches!(self, Writing::ExactlyOnce(_))
    }

    /// The parts of a batch that transactions end between, and how each ends.
    pub fn parts(&self, polled: &Frame<'_>) -> Vec<(Range<usize>, Boundary)> {
        match self {
            Writing::AtLeastOnce(_) => vec![(0..polled.len(), Boundary::None)],
            Writing::ExactlyOnce(transactions) => transactions.parts(polled),
        }
    }

    /// Before records are sent.
    pub fn begin(&mut self) -> Result<(), Failure> {
        match self {
            Writing::AtLeastOnce(_) => Ok(()),
            Writing::ExactlyOnce(transactions) => transactions.begin(),
        }
    }

    /// Notes what was handed to the producer.
    pub fn sent(&mut self, groups: Vec<SentGroup>) {
        match self {
            Writing::AtLeastOnce(acknowledged) => acknowledged.sent(groups),
            Writing::ExactlyOnce(transactions) => transactions.sent(groups),
        }
    }

    /// Whether what was delivered until now lets the task go on.
    pub fn check(&self, acks: &Acks, errors: &mut Errors) -> Result<(), Failure> {
        match self {
            Writing::AtLeastOnce(_) => acks.check(errors),
            Writing::ExactlyOnce(transactions) => transactions.check(acks),
        }
    }

    /// Ends the transaction, if there are any, as a batch or a record asks for. True: offsets were committed.
    pub async fn end(&mut self, boundary: Boundary, acks: &Arc<Acks>, errors: &mut Errors) -> Result<bool, Failure> {
        match (self, boundary) {
            (Writing::AtLeastOnce(_), _) | (_, Boundary::None) => Ok(false),
            (Writing::ExactlyOnce(transactions), Boundary::Commit) => transactions.commit(acks, errors).await,
            (Writing::ExactlyOnce(transactions), Boundary::Abort) => transactions.abort(acks, errors).await,
        }
    }

    /// The commit that is due because of the time. `is_due`: the worker's interval of commits is over.
    pub async fn commit_by_time(
        &mut self,
        is_due: bool,
        acks: &Arc<Acks>,
        errors: &mut Errors,
    ) -> Result<bool, Failure> {
        match self {
            Writing::AtLeastOnce(acknowledged) if is_due => acknowledged.commit(acks, errors).await,
            Writing::ExactlyOnce(transactions) if transactions.is_due() => transactions.commit(acks, errors).await,
            Writing::AtLeastOnce(_) | Writing::ExactlyOnce(_) => Ok(false),
        }
    }

    /// Waits a while for what is on its way; what a transaction has sent is waited for when it ends.
    pub async fn wait(&mut self, acks: &Acks) {
        match self {
            Writing::AtLeastOnce(acknowledged) => acknowledged.wait(acks).await,
            Writing::ExactlyOnce(_) => {}
        }
    }

    /// Commits, after [`Writing::wait`], what the task may commit before it pauses, stops, or has another plugin. True: offsets
    /// were committed.
    pub async fn settle(&mut self, acks: &Arc<Acks>, errors: &mut Errors) -> Result<bool, Failure> {
        match self {
            Writing::AtLeastOnce(acknowledged) => acknowledged.commit(acks, errors).await,
            Writing::ExactlyOnce(transactions) => transactions.commit_last(acks, errors).await,
        }
    }

    /// Whether records that were sent, or their offsets, still have to be committed.
    pub fn has_unsettled(&self) -> bool {
        match self {
            Writing::AtLeastOnce(acknowledged) => acknowledged.has_unsettled(),
            // What a connector has not ended is its own affair.
            Writing::ExactlyOnce(_) => false,
        }
    }

    /// Whether there is nothing that time alone makes due.
    pub fn is_at_rest(&self) -> bool {
        match self {
            Writing::AtLeastOnce(acknowledged) => !acknowledged.has_unsettled(),
            Writing::ExactlyOnce(transactions) => !transactions.has_work(),
        }
    }

    /// Nothing of an open transaction is to be seen; its records are polled again. A task must not go on after an error.
    pub async fn give_up(&mut self) -> Result<(), Failure> {
        match self {
            Writing::AtLeastOnce(_) => Ok(()),
            Writing::ExactlyOnce(transactions) => transactions.give_up().await,
        }
    }
}
