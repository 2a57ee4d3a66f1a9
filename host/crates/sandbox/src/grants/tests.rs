#![allow(clippy::unwrap_used)]

use super::*;

fn config(entries: &[(&str, &str)]) -> Config {
    Config {
        entries: entries
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

fn asks(read: &[&str], write: &[&str]) -> manifest::Grants {
    let own = |list: &[&str]| list.iter().map(|entry| (*entry).to_owned()).collect();
    manifest::Grants {
        read: own(read),
        write: own(write),
        ..manifest::Grants::default()
    }
}

#[test]
fn a_key_grants_the_one_file_it_names() {
    let grants = Grants::resolve(
        &asks(&["${file}"], &[]),
        &config(&[("file", "data/../in.txt")]),
        &GrantPolicy::default(),
    );
    let grants = grants.unwrap();
    assert_eq!(grants.files.len(), 1);
    assert_eq!(grants.files[0].path, std::env::current_dir().unwrap().join("in.txt"));
    assert!(!grants.files[0].write);
}

#[test]
fn a_key_that_is_absent_grants_nothing() {
    let grants = Grants::resolve(
        &asks(&["${file}"], &["${out}"]),
        &config(&[("out", "  ")]),
        &GrantPolicy::default(),
    )
    .unwrap();
    assert!(grants.files.is_empty());
    assert!(!grants.stdin && !grants.stdout);
}

#[test]
fn a_dash_grants_a_standard_stream_only_without_a_file() {
    let asked = asks(&["${file}", "-"], &["${file}", "-"]);
    let with = Grants::resolve(&asked, &config(&[("file", "/tmp/x")]), &GrantPolicy::default()).unwrap();
    assert!(!with.stdin && !with.stdout);
    let without = Grants::resolve(&asked, &config(&[]), &GrantPolicy::default()).unwrap();
    assert!(without.stdin && without.stdout);
    let policy = GrantPolicy {
        stdio: false,
        ..GrantPolicy::default()
    };
    let refused = Grants::resolve(&asked, &config(&[]), &policy).unwrap_err();
    assert!(refused.to_string().contains("sandbox.stdio.allowed"), "{refused}");
}

#[test]
fn the_operators_lists_decide_by_the_longest_directory() {
    let policy = GrantPolicy {
        file_roots: vec!["/data".into(), "/proc/self/fd".into()],
        file_denied: vec!["/proc".into(), "/data/secret".into()],
        ..GrantPolicy::default()
    };
    let policy = FilePolicy::from(&policy);
    assert!(policy.permits(Path::new("/data/a")).is_ok());
    assert_eq!(
        policy.permits(Path::new("/etc/passwd")).unwrap_err().which,
        "file.roots"
    );
    assert_eq!(
        policy.permits(Path::new("/database/a")).unwrap_err().which,
        "file.roots"
    );
    assert_eq!(
        policy.permits(Path::new("/data/secret/key")).unwrap_err().which,
        "file.denied"
    );
    assert!(policy.permits(Path::new("/proc/self/fd/3")).is_ok());
}

#[test]
fn the_defaults_keep_the_kernels_files_out() {
    for path in ["/proc/self/environ", "/sys/kernel", "/dev/sda", "/tmp/../proc/1/mem"] {
        let refused = Grants::resolve(
            &asks(&["${file}"], &[]),
            &config(&[("file", path)]),
            &GrantPolicy::default(),
        )
        .unwrap_err();
        assert!(
            matches!(&refused, CallError::Limit { which: "file.denied", message } if message.contains("file: ")),
            "{refused:?}"
        );
    }
}

#[test]
fn environment_needs_the_operator() {
    let asked = manifest::Grants {
        environment: vec!["PATH".into()],
        ..manifest::Grants::default()
    };
    let none = Grants::resolve(&asked, &config(&[]), &GrantPolicy::default()).unwrap();
    assert!(none.environment.is_empty());
    let policy = GrantPolicy {
        environment: vec!["PATH".into()],
        ..GrantPolicy::default()
    };
    let granted = Grants::resolve(&asked, &config(&[]), &policy).unwrap();
    assert_eq!(granted.environment.len(), 1);
}
