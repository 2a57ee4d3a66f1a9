//! Where a record can fail (`org.apache.kafka.connect.runtime.errors.Stage`).

/// A step of a record's way; the words are Kafka Connect's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    Poll,
    Put,
    Transformation,
    KeyConverter,
    ValueConverter,
    HeaderConverter,
    Produce,
    Consume,
}

impl Stage {
    pub const ALL: [Stage; 8] = [
        Stage::Poll,
        Stage::Put,
        Stage::Transformation,
        Stage::KeyConverter,
        Stage::ValueConverter,
        Stage::HeaderConverter,
        Stage::Produce,
        Stage::Consume,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Poll => "TASK_POLL",
            Stage::Put => "TASK_PUT",
            Stage::Transformation => "TRANSFORMATION",
            Stage::KeyConverter => "KEY_CONVERTER",
            Stage::ValueConverter => "VALUE_CONVERTER",
            Stage::HeaderConverter => "HEADER_CONVERTER",
            Stage::Produce => "KAFKA_PRODUCE",
            Stage::Consume => "KAFKA_CONSUME",
        }
    }

    /// Whether any exception there is about the record alone. Elsewhere only a retriable one is.
    pub fn tolerates_all(self) -> bool {
        match self {
            Stage::Transformation | Stage::KeyConverter | Stage::ValueConverter | Stage::HeaderConverter => true,
            Stage::Poll | Stage::Put | Stage::Produce | Stage::Consume => false,
        }
    }
}
