//! Frames that were broken on purpose, kept as files: each is refused for the reason that `expected.txt` gives, or read.

#![allow(clippy::unwrap_used)]

#[path = "support/exercise.rs"]
mod exercise;

use std::collections::BTreeMap;
use std::path::Path;

use caisson_api::frame::Frame;

#[test]
fn broken_frames_are_refused_for_what_is_broken() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let expected = std::fs::read_to_string(directory.join("expected.txt")).unwrap();
    let mut expected: BTreeMap<&str, &str> = expected.lines().map(|line| line.split_once(": ").unwrap()).collect();
    for entry in std::fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "frame") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let found = Frame::parse(&bytes)
            .err()
            .map_or_else(|| "read".to_owned(), |error| error.to_string());
        assert_eq!(Some(found.as_str()), expected.remove(name), "{name}");
        exercise::frame(&bytes);
    }
    assert!(expected.is_empty(), "files missing: {expected:?}");
}
