//! Log lines of a plugin: [`info!`](crate::info) and its sisters.
//!
//! They reach the worker's log with connector, task and module on them. Under the harness they are kept for the test
//! to look at.
//!
//! ```
//! # let path = "orders.txt";
//! caisson_sdk::info!("opened the file"; file = path);
//! caisson_sdk::warn!("{path} has no end of line");
//! ```

use std::fmt;

/// How much a line matters. `Error` means that a person has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// Whether lines of this level are kept at all; for lines that are costly to make.
pub fn enabled(level: Level) -> bool {
    crate::host::log_enabled(level)
}

/// Writes a line. The macros are the usual way.
pub fn write(level: Level, message: fmt::Arguments<'_>, fields: &[(&str, &dyn fmt::Display)]) {
    if enabled(level) {
        let fields = fields
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        crate::host::log_write(level, message.to_string(), fields);
    }
}

/// `log!(level, "text {}", x; field = value, ...)`.
#[macro_export]
macro_rules! log {
    ($level:expr, $format:literal $(, $argument:expr)* $(; $($field:ident = $value:expr),+ $(,)?)?) => {
        $crate::log::write(
            $level,
            ::core::format_args!($format $(, $argument)*),
            &[$($((::core::stringify!($field), &$value as &dyn ::core::fmt::Display)),+)?],
        )
    };
}

/// A line of level trace.
#[macro_export]
macro_rules! trace {
    ($($rest:tt)+) => { $crate::log!($crate::log::Level::Trace, $($rest)+) };
}

/// A line of level debug.
#[macro_export]
macro_rules! debug {
    ($($rest:tt)+) => { $crate::log!($crate::log::Level::Debug, $($rest)+) };
}

/// A line of level info.
#[macro_export]
macro_rules! info {
    ($($rest:tt)+) => { $crate::log!($crate::log::Level::Info, $($rest)+) };
}

/// A line of level warn.
#[macro_export]
macro_rules! warn {
    ($($rest:tt)+) => { $crate::log!($crate::log::Level::Warn, $($rest)+) };
}

/// A line of level error: a person has to act.
#[macro_export]
macro_rules! error {
    ($($rest:tt)+) => { $crate::log!($crate::log::Level::Error, $($rest)+) };
}
