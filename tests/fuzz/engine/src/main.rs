//! One program for all targets, so that they are compiled and linked once: `CAISSON_FUZZ_TARGET` says which it is.

#![no_main]

use std::sync::LazyLock;

use caisson_fuzz::Target;
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("CAISSON_FUZZ_TARGET").unwrap_or_default();
    caisson_fuzz::target(&name).unwrap_or_else(|| panic!("CAISSON_FUZZ_TARGET names no target: {name:?}"))
});

fuzz_target!(|bytes: &[u8]| TARGET(bytes));
