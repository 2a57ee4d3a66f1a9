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
fn the_two_connectors_of_the_readme_are_the_documents_of_the_pipeline() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let blocks: Vec<&str> = readme
        .split("```json\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    let documents = ["pg-source-connector", "es-sink-connector"];
    let documents =
        documents.map(|name| std::fs::read_to_string(root.join(format!("tests/pipeline/{name}.json"))).unwrap());
    assert_eq!(blocks, documents);
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
