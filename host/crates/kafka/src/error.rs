//! What can go wrong with Kafka, with Kafka's own names.

use std::fmt;

use caisson_model::TopicPartition;

use crate::ffi;

/// An error code: Kafka's protocol codes are positive, librdkafka's own are negative.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrorCode(pub i32);

impl ErrorCode {
    pub const NONE: ErrorCode = ErrorCode(0);
    /// librdkafka: bytes of a broker that cannot be understood.
    pub const BAD_MESSAGE: ErrorCode = ErrorCode(-199);
    /// librdkafka: the connection to a broker failed or broke.
    pub const TRANSPORT: ErrorCode = ErrorCode(-195);
    /// librdkafka: a host name did not resolve.
    pub const RESOLVE: ErrorCode = ErrorCode(-193);
    /// librdkafka: a message could not be delivered in `delivery.timeout.ms`.
    pub const MESSAGE_TIMED_OUT: ErrorCode = ErrorCode(-192);
    pub const PARTITION_EOF: ErrorCode = ErrorCode(-191);
    pub const UNKNOWN_PARTITION: ErrorCode = ErrorCode(-190);
    pub const LOCAL_UNKNOWN_TOPIC: ErrorCode = ErrorCode(-188);
    pub const ALL_BROKERS_DOWN: ErrorCode = ErrorCode(-187);
    pub const INVALID_ARGUMENT: ErrorCode = ErrorCode(-186);
    pub const TIMED_OUT: ErrorCode = ErrorCode(-185);
    pub const QUEUE_FULL: ErrorCode = ErrorCode(-184);
    pub const SSL: ErrorCode = ErrorCode(-181);
    pub const WAIT_COORDINATOR: ErrorCode = ErrorCode(-180);
    pub const ASSIGN_PARTITIONS: ErrorCode = ErrorCode(-175);
    pub const REVOKE_PARTITIONS: ErrorCode = ErrorCode(-174);
    pub const STATE: ErrorCode = ErrorCode(-172);
    pub const AUTHENTICATION: ErrorCode = ErrorCode(-169);
    pub const NO_OFFSET: ErrorCode = ErrorCode(-168);
    /// librdkafka: the broker is too old.
    pub const UNSUPPORTED_FEATURE: ErrorCode = ErrorCode(-165);
    /// What is asked for is not in librdkafka's tables.
    pub const NO_ENTRY: ErrorCode = ErrorCode(-156);
    pub const PURGE_QUEUE: ErrorCode = ErrorCode(-152);
    pub const PURGE_INFLIGHT: ErrorCode = ErrorCode(-151);
    pub const FATAL: ErrorCode = ErrorCode(-150);
    /// librdkafka: another producer has taken over the transactional id.
    pub const FENCED: ErrorCode = ErrorCode(-144);
    pub const MAX_POLL_EXCEEDED: ErrorCode = ErrorCode(-147);
    pub const AUTO_OFFSET_RESET: ErrorCode = ErrorCode(-140);
    pub const UNKNOWN_TOPIC_OR_PARTITION: ErrorCode = ErrorCode(3);
    pub const LEADER_NOT_AVAILABLE: ErrorCode = ErrorCode(5);
    pub const MESSAGE_TOO_LARGE: ErrorCode = ErrorCode(10);
    pub const COORDINATOR_LOADING: ErrorCode = ErrorCode(14);
    pub const COORDINATOR_NOT_AVAILABLE: ErrorCode = ErrorCode(15);
    pub const NOT_COORDINATOR: ErrorCode = ErrorCode(16);
    pub const ILLEGAL_GENERATION: ErrorCode = ErrorCode(22);
    pub const INCONSISTENT_GROUP_PROTOCOL: ErrorCode = ErrorCode(23);
    pub const INVALID_GROUP_ID: ErrorCode = ErrorCode(24);
    pub const UNKNOWN_MEMBER_ID: ErrorCode = ErrorCode(25);
    pub const INVALID_SESSION_TIMEOUT: ErrorCode = ErrorCode(26);
    pub const REBALANCE_IN_PROGRESS: ErrorCode = ErrorCode(27);
    pub const TOPIC_AUTHORIZATION_FAILED: ErrorCode = ErrorCode(29);
    pub const GROUP_AUTHORIZATION_FAILED: ErrorCode = ErrorCode(30);
    pub const CLUSTER_AUTHORIZATION_FAILED: ErrorCode = ErrorCode(31);
    pub const TOPIC_ALREADY_EXISTS: ErrorCode = ErrorCode(36);
    pub const INVALID_PRODUCER_EPOCH: ErrorCode = ErrorCode(47);
    /// An offset belongs to a transaction that is not decided yet.
    pub const UNSTABLE_OFFSET_COMMIT: ErrorCode = ErrorCode(88);
    pub const CONCURRENT_TRANSACTIONS: ErrorCode = ErrorCode(51);
    pub const MEMBER_ID_REQUIRED: ErrorCode = ErrorCode(79);
    pub const GROUP_MAX_SIZE_REACHED: ErrorCode = ErrorCode(81);
    pub const FENCED_INSTANCE_ID: ErrorCode = ErrorCode(82);
    pub const PRODUCER_FENCED: ErrorCode = ErrorCode(90);

    /// Kafka's name of the code, such as `UNKNOWN_TOPIC_OR_PART`; librdkafka's own begin with `_`.
    pub fn name(self) -> String {
        ffi::error_name(self.0)
    }

    /// One sentence about the code.
    pub fn description(self) -> String {
        ffi::error_text(self.0)
    }

    /// Whether the same call may succeed later without anybody doing something.
    pub fn is_retriable(self) -> bool {
        matches!(
            self,
            ErrorCode::TRANSPORT
                | ErrorCode::RESOLVE
                | ErrorCode::ALL_BROKERS_DOWN
                | ErrorCode::TIMED_OUT
                | ErrorCode::WAIT_COORDINATOR
                | ErrorCode::COORDINATOR_LOADING
                | ErrorCode::COORDINATOR_NOT_AVAILABLE
                | ErrorCode::NOT_COORDINATOR
        ) || matches!(self.0, 3 | 5 | 6 | 7 | 9 | 13 | 19 | 20 | 27 | 41 | 56 | 74 | 75 | 88)
    }

    /// Whether a partition is led by another broker, or in another epoch, than whoever asked had known.
    pub fn is_about_leader(self) -> bool {
        matches!(self.0, 5 | 6 | 74 | 75)
    }

    /// Whether a record was given up because its producer was.
    pub fn is_purge(self) -> bool {
        matches!(self, ErrorCode::PURGE_QUEUE | ErrorCode::PURGE_INFLIGHT)
    }

    /// Whether a producer's transactional id belongs to a later one.
    pub fn is_fenced(self) -> bool {
        matches!(
            self,
            ErrorCode::FENCED | ErrorCode::INVALID_PRODUCER_EPOCH | ErrorCode::PRODUCER_FENCED
        )
    }

    /// Whether a group cannot be joined with this answer, however often one tries.
    pub fn ends_membership(self) -> bool {
        matches!(
            self,
            ErrorCode::INCONSISTENT_GROUP_PROTOCOL
                | ErrorCode::INVALID_GROUP_ID
                | ErrorCode::INVALID_SESSION_TIMEOUT
                | ErrorCode::GROUP_AUTHORIZATION_FAILED
                | ErrorCode::GROUP_MAX_SIZE_REACHED
                | ErrorCode::FENCED_INSTANCE_ID
                | ErrorCode::UNSUPPORTED_FEATURE
        )
    }

    /// Whether this says that brokers cannot be reached, which librdkafka goes on retrying by itself.
    pub fn is_unreachable(self) -> bool {
        matches!(
            self,
            ErrorCode::TRANSPORT | ErrorCode::RESOLVE | ErrorCode::ALL_BROKERS_DOWN | ErrorCode::TIMED_OUT
        )
    }

    /// Whether credentials, certificates or permissions are refused: a human must act.
    pub fn is_refused(self) -> bool {
        matches!(
            self,
            ErrorCode::AUTHENTICATION
                | ErrorCode::SSL
                | ErrorCode::TOPIC_AUTHORIZATION_FAILED
                | ErrorCode::GROUP_AUTHORIZATION_FAILED
                | ErrorCode::CLUSTER_AUTHORIZATION_FAILED
        ) || self.0 == 58
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.0)
    }
}

/// What Kafka, or the client library on its behalf, answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} [{code}]")]
pub struct KafkaError {
    pub code: ErrorCode,
    pub message: String,
    /// Nothing but closing the client helps.
    pub fatal: bool,
    /// Of a transaction: it must be aborted before the producer can go on.
    pub requires_abort: bool,
}

impl KafkaError {
    /// An error that says no more than its code.
    pub fn new(code: ErrorCode) -> Self {
        Self::with_message(code, code.description())
    }

    pub fn with_message(code: ErrorCode, message: impl Into<String>) -> Self {
        KafkaError {
            code,
            message: message.into(),
            fatal: false,
            requires_abort: false,
        }
    }
}

/// Why a record was not delivered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record for {topic}, partition {}, was not delivered: {error}", partition_text(*.partition))]
pub struct DeliveryError {
    pub topic: String,
    /// Absent if none was chosen yet.
    pub partition: Option<i32>,
    pub error: KafkaError,
}

fn partition_text(partition: Option<i32>) -> String {
    partition.map_or_else(|| "not chosen yet".to_owned(), |partition| partition.to_string())
}

/// An error of this crate.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// A client setting that cannot be used, under the name that the user wrote.
    #[error("invalid value for the Kafka client setting {name}: {reason}")]
    Setting { name: String, reason: String },
    /// The client could not be made from its settings.
    #[error("cannot make the Kafka {kind} {client}: {reason}")]
    Client {
        kind: &'static str,
        client: String,
        reason: String,
    },
    /// A name that cannot be a topic's.
    #[error("{0:?} cannot be the name of a Kafka topic")]
    TopicName(String),
    /// `topics.regex` is not understood.
    #[error("topics.regex {pattern:?} is not a regular expression that can be used: {reason}")]
    Pattern { pattern: String, reason: String },
    /// Kafka answered with an error.
    #[error("{what} failed: {source}")]
    Kafka { what: String, source: KafkaError },
    /// The client is closed, or its thread ended.
    #[error("the Kafka client {0} is closed")]
    Closed(String),
    /// The operating system refused a thread.
    #[error("cannot start a thread for the Kafka client {client}: {reason}")]
    Thread { client: String, reason: String },
}

impl Error {
    /// Attaches what was attempted.
    pub(crate) fn kafka(what: impl Into<String>) -> impl FnOnce(KafkaError) -> Error {
        move |source| Error::Kafka {
            what: what.into(),
            source,
        }
    }

    /// Kafka's code, where Kafka answered.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Error::Kafka { source, .. } => Some(source.code),
            Error::Setting { .. }
            | Error::Client { .. }
            | Error::TopicName(_)
            | Error::Pattern { .. }
            | Error::Closed(_)
            | Error::Thread { .. } => None,
        }
    }
}

/// What a consumer has to say besides records.
#[derive(Clone, Debug)]
pub struct ConsumerError {
    pub error: KafkaError,
    /// The partition that it concerns, if it concerns one.
    pub partition: Option<TopicPartition>,
    /// The consumer cannot go on; otherwise it retries by itself and this is for the log or the status.
    pub fatal: bool,
}

impl fmt::Display for ConsumerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.partition {
            Some(partition) => write!(f, "{partition}: {}", self.error),
            None => self.error.fmt(f),
        }
    }
}
