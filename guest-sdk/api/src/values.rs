//! `org.apache.kafka.connect.data.Values`: values to text and back, from one type to another, and their schemas.

mod convert;
mod format;
mod infer;
mod parse;
mod shape;
mod temporal;
mod tokens;

pub use convert::{Target, convert_to, schema_text};
pub use format::write_text;
pub use infer::infer_schema;
pub use parse::parse_string;
