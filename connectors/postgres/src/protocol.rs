//! PostgreSQL's frontend/backend protocol, version 3, as far as this connector speaks it: startup, authentication,
//! simple queries, COPY, and streaming replication.

mod auth;
mod fields;
mod inbox;
mod scram;
mod session;
mod target;

pub use fields::Fields;
pub use session::{Message, Mode, Rows, Session};
pub use target::{SslMode, Target};

/// A literal for a query: quotes doubled, backslashes as they are (standard_conforming_strings is on).
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A quoted identifier.
pub fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
