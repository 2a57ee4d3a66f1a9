#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use super::*;

fn given(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn the_defaults_of_the_table_are_the_defaults_of_the_code() {
    let options = SandboxOptions::from_properties(&given(&[])).unwrap();
    assert_eq!(options.defaults, Limits::default());
    assert_eq!(format!("{:?}", options.policy), format!("{:?}", GrantPolicy::default()));
    assert_eq!(
        format!("{:?}", options.compiler),
        format!("{:?}", CompilerOptions::default())
    );
    assert_eq!(options.instances, SandboxOptions::new("x").instances);
    assert_eq!(options.ceilings, SandboxOptions::new("x").ceilings);
}

#[test]
fn every_property_is_defined_once_and_its_default_can_be_read() {
    let all = properties();
    let mut names: Vec<&str> = all.iter().map(|key| key.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), LIMITS.len() + WORKER.len());
    let defaults = caisson_api::config::ConfigDef { keys: all };
    defaults.parse(&given(&[])).unwrap();
}

#[test]
fn sizes_have_units() {
    for (text, expected) in [
        ("1", 1),
        ("64KiB", 64 << 10),
        ("1.5 GiB", 3 << 29),
        ("10MB", 10_000_000),
        ("2GiB", 2 << 30),
    ] {
        assert_eq!(bytes(text), Some(expected), "{text}");
    }
    for text in ["", "x", "-1", "1TiBs", "18446744073709551615GiB"] {
        assert_eq!(bytes(text), None, "{text}");
    }
}

#[test]
fn a_wrong_value_names_its_key_and_what_is_wanted() {
    for (key, value, part) in [
        ("sandbox.memory.bytes", "lots", "a size such as 256MiB"),
        ("sandbox.instances", "0", "at least 1"),
        ("sandbox.stdio.allowed", "yes", "true or false"),
        ("sandbox.file.roots", "data", "absolute paths"),
    ] {
        let text = SandboxOptions::from_properties(&given(&[(key, value)]))
            .unwrap_err()
            .to_string();
        assert!(
            text.starts_with(key) && text.contains(part) && text.contains(value),
            "{text}"
        );
    }
}

#[test]
fn a_connector_has_limits_of_its_own_up_to_the_ceiling() {
    let options = SandboxOptions::new("x");
    assert_eq!(options.connector_limits(&given(&[("file", "x")])).unwrap(), None);
    let own = options
        .connector_limits(&given(&[("sandbox.memory.bytes", "512MiB")]))
        .unwrap()
        .unwrap();
    assert_eq!(
        own,
        Limits {
            memory: 512 << 20,
            ..Limits::default()
        }
    );
    let text = options
        .connector_limits(&given(&[("sandbox.memory.bytes", "2GiB")]))
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("sandbox.memory.bytes: 2147483648 is more than the worker allows"),
        "{text}"
    );
}
