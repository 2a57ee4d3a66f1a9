//! The README shows code that is compiled elsewhere; here is the proof that it is the same.

#![allow(clippy::unwrap_used)]

use std::path::Path;

/// Cargo compiles this file as an example of the SDK.
const EXAMPLE: &str = "guest-sdk/rust/examples/counter.rs";

#[test]
fn the_first_connector_of_the_readme_is_the_example_of_the_sdk() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let block = readme
        .split("```rust\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    let example = std::fs::read_to_string(root.join(EXAMPLE)).unwrap();
    assert_eq!(block, example, "README.md and {EXAMPLE} differ");
}

#[test]
fn every_path_that_the_readme_links_to_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let links = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    for link in links.filter(|link| !link.starts_with("http")) {
        assert!(root.join(link).exists(), "README.md links to {link}");
    }
}
