//! Bodies of requests, read as Kafka Connect's JSON library (Jackson) reads them.
//!
//! Scalars become texts where texts are wanted, with the digits as they were written; of a member that occurs twice the
//! last one counts; nothing may follow the value. What does not fit is an error of 500, with a message in Jackson's
//! manner.

mod create;
mod jackson;
mod offsets;
mod preview;

pub use create::{CreateRequest, parse_create};
pub use jackson::{parse_map, parse_maps};
pub use offsets::parse_offsets;
pub use preview::parse_preview;

/// The message of an answer to a body that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(pub String);
