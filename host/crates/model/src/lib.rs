//! The nouns of a worker: ids, offsets, states, failures and limits. Plain data, no I/O, no clients, no engine.

pub mod failure;
pub mod histogram;
pub mod id;
pub mod limits;
pub mod metric;
pub mod preview;
pub mod restart;
pub mod sampled;
pub mod state;
pub mod tolerance;
pub mod work;

pub use failure::{Failure, FailureKind};
pub use histogram::{Distribution, Histogram};
pub use id::{Digest, NoDigest, PartitionOffset, TaskId, TopicPartition};
pub use limits::Limits;
pub use metric::{Metric, MetricGroup, MetricValue};
pub use restart::RestartPolicy;
pub use sampled::{Sample, Sampled};
pub use state::{ConnectorState, TargetState, TaskState};
pub use tolerance::{ErrorLog, Tolerance};
pub use work::{Assignment, AssignmentError, GroupProtocol, Work, WorkerState};
