//! What fuzzing begins with, and what it has found: each file of `corpus/TARGET` goes through its target.

#![allow(clippy::unwrap_used)]

use std::path::Path;

#[test]
fn what_was_found_once_is_read() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, target) in caisson_fuzz::TARGETS {
        let mut files = 0;
        for entry in std::fs::read_dir(corpus.join(name)).unwrap() {
            let path = entry.unwrap().path();
            println!("{}", path.display());
            target(&std::fs::read(&path).unwrap());
            files += 1;
        }
        assert!(files > 0, "{name} has nothing to begin with");
    }
}

#[test]
fn nothing_is_read_from_nothing() {
    for (_, target) in caisson_fuzz::TARGETS {
        for bytes in [&b""[..], b"\0", b"\xff", &[0x80; 100]] {
            target(bytes);
        }
    }
}
