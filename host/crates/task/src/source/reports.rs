//! Delivery reports for guests that want them.

use std::collections::VecDeque;
use std::sync::Arc;

use caisson_sandbox::{Delivery, Outcome};

use super::acks::Flag;
use super::outlet::Sent;

/// Delivery reports for a guest that wants them, in the order of its records.
pub struct Reports {
    wanted: bool,
    next: u64,
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    first: u64,
    /// Runs of records and the flag of their group; `None` for records that were dropped.
    runs: Vec<(u32, Option<Arc<Flag>>)>,
}

impl Reports {
    pub fn new(wanted: bool) -> Self {
        Reports {
            wanted,
            next: 0,
            waiting: VecDeque::new(),
        }
    }

    pub fn are_wanted(&self) -> bool {
        self.wanted
    }

    /// Whether there are batches that the guest is to hear of.
    pub fn are_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub fn add(&mut self, sent: &Sent) {
        if !self.wanted || sent.fate.is_empty() {
            return;
        }
        let mut runs = Vec::new();
        for same in sent.fate.chunk_by(|one, other| one == other) {
            let flag = same[0].and_then(|group| sent.flags.get(group)).cloned();
            runs.push((same.len() as u32, flag));
        }
        self.wait(runs, sent.fate.len());
    }

    /// Notes records of which nothing is sent.
    pub fn add_dropped(&mut self, records: usize) {
        if self.wanted && records > 0 {
            self.wait(vec![(records as u32, None)], records);
        }
    }

    fn wait(&mut self, runs: Vec<(u32, Option<Arc<Flag>>)>, records: usize) {
        self.waiting.push_back(Waiting { first: self.next, runs });
        self.next += records as u64;
    }

    /// Reports of batches that are done and have no batch before them that is not.
    pub fn take_done(&mut self) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        while let Some(batch) = self.waiting.front()
            && batch
                .runs
                .iter()
                .all(|(_, flag)| flag.as_ref().is_none_or(|flag| flag.is_done()))
        {
            let mut first = batch.first;
            for (count, flag) in &batch.runs {
                let outcome = match flag {
                    None => Outcome::Dropped,
                    Some(flag) if flag.has_failed() => Outcome::Failed,
                    Some(_) => Outcome::Written,
                };
                deliveries.push(Delivery {
                    first,
                    count: *count,
                    outcome,
                });
                first += u64::from(*count);
            }
            self.waiting.pop_front();
        }
        deliveries
    }
}
