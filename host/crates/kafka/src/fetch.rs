//! Fetching: what brokers have of a set of partitions, decoded, in the order of each partition.
//!
//! A thread speaks with the brokers that lead the partitions, one request to each at a time (`driver`). An
//! answer is kept as it came; records are places in it (`records`), so that nothing is copied or allocated for a record.
//! librdkafka has no part in it: it makes an object of each record, which is most of what a small record costs.

mod batch;
mod budget;
mod driver;
mod home;
mod link;
mod options;
mod records;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub use batch::{Batch, Header, Headers, Message, Run, Timestamp};
pub(crate) use batch::{BatchLimit, Fate};
pub(crate) use options::{Reset, number};

use crate::consumer::assignment::Assignment;
use crate::consumer::slot::Slot;
use crate::error::{ConsumerError, Error};
use crate::report::Reporter;
use crate::settings::ClientSettings;
use crate::wire::Dialer;
use budget::Budget;
use driver::Driver;
use options::Options;
use records::Records;

/// Errors that wait to be taken; beyond it the newest are dropped, for they repeat.
const ERRORS: usize = 64;

/// Fetches the partitions of an assignment from where their slots say. Ends when dropped.
pub(crate) struct Fetcher {
    shared: Arc<Shared>,
}

/// What reader and driver share.
struct Shared {
    assignment: Arc<Assignment>,
    options: Options,
    budget: Arc<Budget>,
    /// Held for moments.
    ready: Mutex<Ready>,
    /// Tells the reader that there is something.
    arrived: Box<dyn Fn() + Send + Sync>,
    closing: AtomicBool,
    reporter: Reporter,
}

#[derive(Default)]
struct Ready {
    records: VecDeque<Fetched>,
    errors: Vec<ConsumerError>,
}

/// Records of a partition that nobody took yet.
struct Fetched {
    slot: Arc<Slot>,
    epoch: u32,
    records: Arc<Records>,
    /// The first record that was not taken.
    from: usize,
}

impl Fetcher {
    /// Makes a fetcher, which begins to work aside. `arrived` is called from its thread and must not wait.
    pub(crate) fn start(
        settings: &ClientSettings,
        assignment: Arc<Assignment>,
        arrived: impl Fn() + Send + Sync + 'static,
    ) -> Result<Fetcher, Error> {
        Self::start_with(settings, Arc::new(Dialer::new(settings)?), assignment, arrived)
    }

    /// As [`Fetcher::start`], with a way to the brokers that others use too.
    pub(crate) fn start_with(
        settings: &ClientSettings,
        dialer: Arc<Dialer>,
        assignment: Arc<Assignment>,
        arrived: impl Fn() + Send + Sync + 'static,
    ) -> Result<Fetcher, Error> {
        let thread = |reason: &std::io::Error| Error::Thread {
            client: settings.client_id().to_owned(),
            reason: reason.to_string(),
        };
        let options = Options::of(settings)?;
        let shared = Arc::new(Shared {
            assignment,
            budget: Arc::new(Budget::new(options.buffer)),
            options,
            ready: Mutex::default(),
            arrived: Box::new(arrived),
            closing: AtomicBool::new(false),
            reporter: settings.reporter(),
        });
        let driver = Driver::new(shared.clone(), dialer);
        home::settle(driver).map_err(|error| thread(&error))?;
        Ok(Fetcher { shared })
    }

    /// Partitions came or went, were paused, resumed, or are to be read from elsewhere.
    pub(crate) fn changed(&self) {
        self.shared.budget.wake();
    }

    /// Moves what has arrived into a batch until it is full. Returns whether there was anything.
    pub(crate) fn fill(&self, batch: &mut Batch, limit: BatchLimit) -> bool {
        let mut ready = self.shared.ready();
        let before = batch.len();
        while let Some(first) = ready.records.front_mut() {
            if batch.is_full(limit) {
                break;
            }
            // What was read before a seek, or of a partition that went, is void.
            if first.slot.epoch() == first.epoch {
                first.from = batch.take(&first.slot, first.epoch, &first.records, first.from, limit);
            } else {
                first.from = first.records.len();
            }
            if first.from == first.records.len() {
                ready.records.pop_front();
            }
        }
        let is_drained = ready.records.is_empty();
        drop(ready);
        let arrived = batch.len() > before;
        if arrived && is_drained {
            // The driver may have waited for that alone.
            self.shared.budget.wake();
        }
        arrived
    }

    pub(crate) fn take_errors(&self) -> Vec<ConsumerError> {
        std::mem::take(&mut self.shared.ready().errors)
    }
}

impl Drop for Fetcher {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Release);
        self.shared.budget.wake();
    }
}

impl Shared {
    fn ready(&self) -> std::sync::MutexGuard<'_, Ready> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the reader has taken all that arrived.
    fn is_drained(&self) -> bool {
        self.ready().records.is_empty()
    }

    /// Hands over records that were read in an epoch of their partition, and where to go on; nothing if that epoch is over.
    fn hand_over(&self, slot: &Arc<Slot>, epoch: u32, records: Vec<Records>, next: i64) {
        let kept = slot.advance(epoch, next, || {
            let fetched = records.into_iter().map(|records| Fetched {
                slot: slot.clone(),
                epoch,
                records: Arc::new(records),
                from: 0,
            });
            self.ready().records.extend(fetched);
        });
        if kept {
            (self.arrived)();
        }
    }

    fn report(&self, error: ConsumerError) {
        let mut ready = self.ready();
        if error.fatal || ready.errors.len() < ERRORS {
            ready.errors.push(error);
        }
        drop(ready);
        (self.arrived)();
    }
}
