//! One crate names each heavy dependency: what `deny.toml` says is checked here against the lock file, so that it holds
//! where `cargo deny` is not installed.

#![allow(clippy::unwrap_used)]

use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The text between the quotes of each string in `text`.
fn strings(text: &str) -> Vec<&str> {
    text.split('"').skip(1).step_by(2).collect()
}

/// Each denied crate with those that may depend on it all the same.
fn denied(text: &str) -> Vec<(&str, Vec<&str>)> {
    let entries = text.lines().filter(|line| line.trim_start().starts_with("{ crate = "));
    entries
        .map(|line| strings(line))
        .map(|found| (found[0], found[1..].to_vec()))
        .collect()
}

/// The packages of a lock file with the names of what they depend on.
fn packages(lock: &str) -> Vec<(&str, Vec<&str>)> {
    let parts = lock.split("[[package]]").skip(1);
    parts
        .map(|part| {
            let name = strings(part)[0];
            let list = part
                .split("dependencies = [")
                .nth(1)
                .and_then(|rest| rest.split(']').next())
                .unwrap_or_default();
            // `name version` where several versions of one crate are in use.
            (
                name,
                strings(list)
                    .into_iter()
                    .filter_map(|entry| entry.split(' ').next())
                    .collect(),
            )
        })
        .collect()
}

#[test]
fn a_heavy_dependency_has_no_other_dependents_than_deny_toml_allows() {
    let rules = std::fs::read_to_string(root().join("deny.toml")).unwrap();
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let (rules, packages) = (denied(&rules), packages(&lock));
    assert!(rules.iter().any(|(name, _)| *name == "wasmtime") && packages.len() > 50);
    for (heavy, wrappers) in rules {
        for (name, dependencies) in &packages {
            let allowed = !dependencies.contains(&heavy) || wrappers.contains(name);
            assert!(
                allowed,
                "{name} depends on {heavy}, which deny.toml leaves to {wrappers:?}"
            );
        }
    }
}
