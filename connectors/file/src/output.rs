//! The file that a sink appends to.

#[cfg(not(target_os = "wasi"))]
mod native;
#[cfg(target_os = "wasi")]
mod wasi;

#[cfg(not(target_os = "wasi"))]
pub use native::Output;
#[cfg(target_os = "wasi")]
pub use wasi::Output;

use std::fs::{File, OpenOptions};
use std::io;

/// Makes the file if it is not there. What is wrong with it is said here, in the system's words.
fn create(path: &str) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}
