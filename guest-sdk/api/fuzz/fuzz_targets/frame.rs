//! Any bytes as a frame, read to the end. Start from the frames of the tests:
//! `cargo fuzz run frame tests/corpus`, in `guest-sdk/api`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/support/exercise.rs"]
mod exercise;

fuzz_target!(|bytes: &[u8]| {
    exercise::frame(bytes);
});
