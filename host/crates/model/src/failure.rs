//! Why something stopped. Four kinds stay four types from end to end; Kafka's own errors count as the worker's world.

use std::fmt;

/// Who failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The guest returned an error.
    Guest,
    /// The guest trapped: a panic, an access out of bounds, an unreachable instruction.
    Trap,
    /// A limit stopped the guest: time, memory, output.
    Limit,
    /// The worker, or something it depends on (Kafka, a file), failed.
    Host,
}

impl FailureKind {
    /// The stable word in metrics, logs and dead letters.
    pub fn as_str(self) -> &'static str {
        match self {
            FailureKind::Guest => "guest-error",
            FailureKind::Trap => "trap",
            FailureKind::Limit => "limit",
            FailureKind::Host => "host",
        }
    }
}

/// What a status shows of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    /// One sentence naming the object, what was attempted, and where there is one, the remedy.
    pub message: String,
    /// Further lines: causes, the guest's own detail, a Wasm backtrace.
    pub detail: Option<String>,
}

impl Failure {
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Failure {
            kind,
            message: message.into(),
            detail: None,
        }
    }

    pub fn host(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Host, message)
    }

    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The text that stands as `trace` in a status.
    pub fn trace(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{} [{}]\n{detail}", self.message, self.kind.as_str()),
            None => format!("{} [{}]", self.message, self.kind.as_str()),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.message, self.kind.as_str())
    }
}

impl std::error::Error for Failure {}
