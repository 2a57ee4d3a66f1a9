//! What a sink task can ask of the worker.

use std::sync::Arc;
use std::time::Duration;

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    pub topic: Arc<str>,
    pub partition: i32,
}

impl TopicPartition {
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> Self {
        TopicPartition {
            topic: topic.into(),
            partition,
        }
    }
}

/// The next offset to read of a partition: one more than that of the last record that is done.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PartitionOffset {
    pub topic: Arc<str>,
    pub partition: i32,
    pub offset: i64,
}

impl PartitionOffset {
    pub fn new(topic: impl Into<Arc<str>>, partition: i32, offset: i64) -> Self {
        PartitionOffset {
            topic: topic.into(),
            partition,
            offset,
        }
    }
}

/// A record of an earlier `put` that turned out to be beyond help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateFailure {
    pub topic: Arc<str>,
    pub partition: i32,
    pub offset: i64,
    pub message: String,
}

/// What a sink task can ask of the worker. May be kept; what is asked for happens after the current call.
#[derive(Clone, Copy, Debug, Default)]
pub struct SinkContext {
    _private: (),
}

impl SinkContext {
    pub(crate) fn new() -> Self {
        SinkContext { _private: () }
    }

    /// The partitions that are open.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        crate::host::assignment()
    }

    /// Go on reading from these offsets.
    pub fn rewind(&self, to: &[PartitionOffset]) {
        crate::host::rewind(to);
    }

    pub fn pause(&self, partitions: &[TopicPartition]) {
        crate::host::pause(partitions);
    }

    pub fn resume(&self, partitions: &[TopicPartition]) {
        crate::host::resume(partitions);
    }

    /// Commit soon instead of at the next interval.
    pub fn request_commit(&self) {
        crate::host::request_commit();
    }

    /// Have [`put`](super::SinkTask::put) called within this time: with nothing, if no records come. What is asked for
    /// holds once; of several times before the next call the shortest counts.
    pub fn timeout(&self, within: Duration) {
        crate::host::timeout(within);
    }

    /// Report records of earlier calls of `put` as failed; those of the current call have [`super::RecordView::fail`].
    pub fn report(&self, failures: &[LateFailure]) {
        crate::host::report(failures);
    }
}
