//! The one place of this crate that calls C. Every function here that is not `unsafe` is safe to call: handles keep
//! what they depend on alive (a queue holds its client), and are freed once.
#![allow(unsafe_code, reason = "librdkafka is a C library; each block says why it is sound")]

mod admin;
mod client;
#[cfg(test)]
pub(crate) mod mock;
mod partitions;
mod queue;
pub(crate) mod raw;

use std::ffi::{CStr, CString};

pub(crate) use admin::{Described, Named};
pub use client::ClientKind;
pub(crate) use client::{Client, Conf, Context, SetError};
pub(crate) use partitions::{Element, PartitionList};
pub(crate) use queue::Queue;

use crate::error::{ErrorCode, KafkaError};

/// The name of an error code, such as `UNKNOWN_TOPIC_OR_PART`.
pub(crate) fn error_name(code: i32) -> String {
    // SAFETY: takes any number and returns a static or thread-local text that ends in NUL; it is copied at once.
    unsafe { text(raw::rd_kafka_err2name(code)) }
}

/// A sentence about an error code.
pub(crate) fn error_text(code: i32) -> String {
    // SAFETY: as in `error_name`.
    unsafe { text(raw::rd_kafka_err2str(code)) }
}

/// Copies a C text; null counts as empty.
///
/// # Safety
/// `pointer` is null, or points to a text that ends in NUL and lives for the call.
unsafe fn text(pointer: *const libc::c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: not null; the rest is the caller's promise.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}

/// A text for C. What stands behind a NUL is cut off: no name or value that Kafka knows contains one.
fn c_text(text: &str) -> CString {
    let end = text.bytes().position(|byte| byte == 0).unwrap_or(text.len());
    CString::new(&text[..end]).unwrap_or_default()
}

/// An error code as a result.
fn check(code: i32) -> Result<(), KafkaError> {
    if code == 0 {
        Ok(())
    } else {
        Err(KafkaError::new(ErrorCode(code)))
    }
}

/// An error object as a result; frees the object.
///
/// # Safety
/// `error` is null or an error object that nobody else frees.
unsafe fn check_error(error: *mut raw::rd_kafka_error_t) -> Result<(), KafkaError> {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: the object is valid until destroyed in the last line, and what it lends is copied before.
    unsafe {
        let converted = KafkaError {
            code: ErrorCode(raw::rd_kafka_error_code(error)),
            message: text(raw::rd_kafka_error_string(error)),
            fatal: raw::rd_kafka_error_is_fatal(error) != 0,
            requires_abort: raw::rd_kafka_error_txn_requires_abort(error) != 0,
        };
        raw::rd_kafka_error_destroy(error);
        Err(converted)
    }
}

/// Copies an error object that belongs to somebody else; null and "no error" count as success.
///
/// # Safety
/// `error` is null or valid for the call.
unsafe fn borrowed_error(error: *const raw::rd_kafka_error_t) -> Result<(), KafkaError> {
    // SAFETY: the getters take null for "no error"; texts are copied.
    unsafe {
        match raw::rd_kafka_error_code(error) {
            0 => Ok(()),
            code => Err(KafkaError::with_message(
                ErrorCode(code),
                text(raw::rd_kafka_error_string(error)),
            )),
        }
    }
}

/// A timeout for C: whole milliseconds, rounded up, at most what the library takes.
fn milliseconds(timeout: std::time::Duration) -> libc::c_int {
    let rounded = timeout.as_micros().div_ceil(1000);
    libc::c_int::try_from(rounded).unwrap_or(libc::c_int::MAX)
}
