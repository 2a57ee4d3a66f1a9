//! PostgreSQL's types: which of Kafka Connect's schemas they have, and how their texts become its values.
//!
//! [`Kind`] is what a type is in the database, [`Form`] what it becomes under the connector's settings, and
//! [`codec::Codec`] turns the server's text into a slot of a typed value.

pub mod array;
pub mod bits;
pub mod civil;
pub mod codec;
pub mod decimal;
pub mod form;
pub mod geometry;
pub mod hstore;
pub mod interval;
pub mod java;
pub mod kind;
pub mod registry;
pub mod text_defaults;
pub mod time;

pub use codec::Codec;
pub use kind::Kind;
pub use registry::TypeRegistry;
