//! The vocabulary that the Caisson worker and its guests share: records, schemas, values, configuration definitions,
//! errors, the manifest, and the codec of the batch frame (`wit/frame.md`).
//!
//! It compiles natively and to `wasm32-wasip2`, knows nothing of Kafka clients or Wasm engines, and never panics on
//! bytes that it did not write itself.

pub mod config;
pub mod conversion;
pub mod error;
pub mod frame;
pub mod logical;
pub mod manifest;
pub mod members;
pub mod record;
pub mod schema;
pub mod typed;
pub mod value;
pub mod values;

/// The release of Kafka Connect whose behaviour, classes and versions everything here stands for.
pub const KAFKA_CONNECT: &str = "4.3.1";

pub use error::{Cause, Error, ErrorKind, Exception, Failure};
pub use members::Members;
pub use record::{Header, Record};
pub use schema::{Schema, SchemaRef};
pub use value::{Decimal, Value};
