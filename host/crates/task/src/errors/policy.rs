//! What is to become of a failure: `errors.tolerance`, and what is logged of it.

use caisson_model::{ErrorLog, Tolerance};

use super::{CONNECT_EXCEPTION, RetryPolicy, Stage, Throwable};

/// What happens to records that cannot be converted, transformed or put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorPolicy {
    pub tolerance: Tolerance,
    pub retry: RetryPolicy,
    pub log: ErrorLog,
}

/// How the worker learned of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// It ran the operation itself.
    Operation,
    /// Somebody told it, after the operation was over: a plugin, or Kafka.
    Report,
}

/// What the policy says to a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The record is left out.
    Skip,
    /// The task fails: failures are not tolerated.
    Exceeded,
    /// The task fails: failures of this kind never are, at this stage.
    Unhandled,
}

impl Verdict {
    /// The verdict on a failure at a stage.
    pub fn on(error: &Throwable, stage: Stage, occasion: Occasion, tolerance: Tolerance) -> Verdict {
        let tolerable = occasion == Occasion::Report || stage.tolerates_all() || error.is_retriable();
        match tolerance {
            _ if !tolerable => Verdict::Unhandled,
            Tolerance::None => Verdict::Exceeded,
            Tolerance::All => Verdict::Skip,
        }
    }

    /// The exception that ends the task.
    pub fn exception(self, cause: &Throwable) -> Option<Throwable> {
        let message = match self {
            Verdict::Skip => return None,
            Verdict::Exceeded => "Tolerance exceeded in error handler",
            Verdict::Unhandled => "Unhandled exception in error handler",
        };
        Some(
            Throwable::new(CONNECT_EXCEPTION, message)
                .of_kind(cause.kind)
                .caused_by(cause),
        )
    }
}
