//! Checks the records of the generator for gaps, repeats and order.
//!
//! A stream counts from 1. If the sink began at the start of a partition, the first record of a stream there has to be
//! number 1; if it began somewhere in the middle, where it began is where counting begins.

use std::collections::HashMap;

use caisson_sdk::log::Level;
use caisson_sdk::prelude::*;
use caisson_sdk::{log, metrics};
use caisson_sequence::{Corrupt, Sequenced, Stream};

/// Lines about single records between two reports; what is beyond is in the figures all the same.
const MOST_LINES: u32 = 20;

/// What was found since the start of the task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    pub records: u64,
    pub streams: u64,
    /// Numbers that have not come although later ones have. Falls again when they come late.
    pub missing: u64,
    /// Records that had come before. Expected after a crash: delivery is at least once.
    pub repeated: u64,
    /// Records that came behind a later one of the same stream and partition, without having come before.
    pub reordered: u64,
    /// Values that are not the generator's, or no longer what it wrote.
    pub corrupt: u64,
}

impl Findings {
    /// Brings the metrics up from what these findings are to what the later ones are.
    pub fn count_up_to(&self, later: &Findings) {
        metrics::gauge("discard.missing", later.missing as f64);
        metrics::count("discard.repeated", later.repeated - self.repeated);
        metrics::count("discard.reordered", later.reordered - self.reordered);
        metrics::count("discard.corrupt", later.corrupt - self.corrupt);
    }
}

/// The state of all streams.
#[derive(Debug, Default)]
pub struct Verifier {
    streams: HashMap<Stream, Seen>,
    partitions: Vec<Partition>,
    /// Of the record before: the next one is mostly of the same partition.
    current: usize,
    findings: Findings,
    lines: u32,
}

/// A partition of a topic.
#[derive(Debug)]
struct Partition {
    topic: String,
    number: i32,
    /// Whether it is read from its start.
    from_start: bool,
    /// The highest number of each stream.
    last: HashMap<Stream, u64>,
}

impl Verifier {
    /// What was found so far; a new allowance of lines begins.
    pub fn findings(&mut self) -> Findings {
        self.lines = 0;
        self.findings.streams = self.streams.len() as u64;
        self.findings.missing = self.streams.values().map(Seen::missing).sum();
        self.findings
    }

    pub fn check(&mut self, record: &RecordView<'_>) {
        self.findings.records += 1;
        match caisson_sequence::read(record.value_bytes().unwrap_or_default()) {
            Ok(sequenced) => self.take(record, sequenced),
            Err(error) => {
                self.findings.corrupt += 1;
                let what = match error {
                    Corrupt::Form => "is not one of the generator's",
                    Corrupt::Check => "has another sum than the generator gave it",
                };
                self.say(Level::Error, record, || what.to_string());
            }
        }
    }

    fn take(&mut self, record: &RecordView<'_>, Sequenced { stream, sequence }: Sequenced) {
        let partition = self.partition(record);
        let from_start = partition.from_start;
        let last = partition.last.insert(stream, sequence).unwrap_or(0);
        if sequence < last {
            partition.last.insert(stream, last);
        }
        let seen = self
            .streams
            .entry(stream)
            .or_insert_with(|| Seen::from(if from_start { 1 } else { sequence }));
        match seen.add(sequence) {
            Added::Next => {}
            Added::Before(next) if sequence > last => {
                // Where the partitioner chooses, other partitions may hold what is missing here.
                if stream.partition >= 0 {
                    self.say(Level::Error, record, || {
                        format!("is number {sequence} of {stream:?}, where {next} was to come: gap")
                    });
                }
            }
            Added::Before(_) | Added::Late => {
                if sequence < last {
                    self.findings.reordered += 1;
                    self.say(Level::Error, record, || {
                        format!("is number {sequence} of {stream:?}, after {last}: out of order")
                    });
                }
            }
            Added::Again => {
                self.findings.repeated += 1;
                self.say(Level::Error, record, || {
                    format!("is number {sequence} of {stream:?}, which came before: repeat")
                });
            }
        }
    }

    fn partition(&mut self, record: &RecordView<'_>) -> &mut Partition {
        let number = record.partition().unwrap_or(-1);
        let is = |partition: &Partition| partition.number == number && partition.topic == record.topic();
        if !self.partitions.get(self.current).is_some_and(is) {
            self.current = self.partitions.iter().position(is).unwrap_or_else(|| {
                self.partitions.push(Partition {
                    topic: record.topic().to_string(),
                    number,
                    from_start: record.offset() == Some(0),
                    last: HashMap::new(),
                });
                self.partitions.len() - 1
            });
        }
        &mut self.partitions[self.current]
    }

    fn say(&mut self, level: Level, record: &RecordView<'_>, what: impl FnOnce() -> String) {
        self.lines += 1;
        if self.lines <= MOST_LINES {
            let (partition, offset) = (record.partition().unwrap_or(-1), record.offset().unwrap_or(-1));
            log!(level, "record {}", what(); topic = record.topic(), partition = partition, offset = offset);
        }
    }
}

/// The numbers of a stream that have come, as ranges.
#[derive(Debug)]
struct Seen {
    /// The number at which counting begins.
    first: u64,
    /// First and last of each range, in order, with gaps between them. The last one grows with nearly every record.
    ranges: Vec<(u64, u64)>,
}

/// Where a number belongs.
enum Added {
    /// Where it was to come.
    Next,
    /// Further on than this number, which was to come.
    Before(u64),
    /// Into a gap.
    Late,
    /// It is there already.
    Again,
}

impl Seen {
    fn from(first: u64) -> Self {
        Seen {
            first,
            ranges: Vec::new(),
        }
    }

    fn missing(&self) -> u64 {
        let Some((_, last)) = self.ranges.last() else { return 0 };
        let first = self.first.min(self.ranges[0].0);
        let there: u64 = self.ranges.iter().map(|(first, last)| last - first + 1).sum();
        last + 1 - first - there
    }

    fn add(&mut self, number: u64) -> Added {
        let Some((_, last)) = self.ranges.last_mut() else {
            self.ranges.push((number, number));
            return if number <= self.first {
                Added::Next
            } else {
                Added::Before(self.first)
            };
        };
        if number == *last + 1 {
            *last = number;
            return Added::Next;
        }
        if number > *last {
            let next = *last + 1;
            self.ranges.push((number, number));
            return Added::Before(next);
        }
        self.fill(number)
    }

    /// Adds a number at or below the last one.
    fn fill(&mut self, number: u64) -> Added {
        let at = self.ranges.partition_point(|(_, last)| *last < number);
        if self.ranges[at].0 <= number {
            return Added::Again;
        }
        let joins_left = at > 0 && self.ranges[at - 1].1 + 1 == number;
        let joins_right = number + 1 == self.ranges[at].0;
        match (joins_left, joins_right) {
            (true, true) => {
                let (first, _) = self.ranges.remove(at - 1);
                self.ranges[at - 1].0 = first;
            }
            (true, false) => self.ranges[at - 1].1 = number,
            (false, true) => self.ranges[at].0 = number,
            (false, false) => self.ranges.insert(at, (number, number)),
        }
        Added::Late
    }
}
