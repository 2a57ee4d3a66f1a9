#![allow(clippy::unwrap_used)]

use super::*;

fn grants(asked: &[&str], entries: &[(&str, &str)], policy: &GrantPolicy) -> NetworkGrants {
    let asked: Vec<String> = asked.iter().map(|entry| (*entry).to_owned()).collect();
    let entries = entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    NetworkGrants::resolve(&asked, &Config { entries }, policy).unwrap()
}

#[test]
fn endpoints_come_from_urls_lists_and_pairs_of_keys() {
    let entries = [
        (
            "connection.url",
            "jdbc:postgresql://user:pw@Db.Example.org/x, https://[2001:db8::1]/",
        ),
        ("database.hostname", "mysql.local"),
        ("database.port", "3307"),
        ("hosts", "a:1,b:2"),
    ];
    let asked = [
        "${connection.url}",
        "${database.hostname}:${database.port}",
        "${hosts}",
        "api.example.org:443",
        "${absent}:1",
    ];
    let all = grants(&asked, &entries, &GrantPolicy::default());
    let named: Vec<String> = all.endpoints().iter().map(Endpoint::to_string).collect();
    assert_eq!(
        named,
        [
            "db.example.org:5432",
            "2001:db8::1:443",
            "mysql.local:3307",
            "a:1",
            "b:2",
            "api.example.org:443"
        ]
    );
}

#[test]
fn a_refusal_says_whose_turn_it_is() {
    let policy = GrantPolicy::default();
    let silent = grants(&[], &[], &policy);
    assert!(matches!(silent.host("x", 1), Err(NetworkRefusal::NotAsked { .. })));
    let asked = grants(&["${url}"], &[("url", "http://good.org")], &policy);
    assert!(asked.host("good.org.", 80).is_ok());
    assert!(matches!(
        asked.host("good.org", 81),
        Err(NetworkRefusal::NotNamed { .. })
    ));
    assert!(matches!(
        asked.host("evil.org", 80),
        Err(NetworkRefusal::NotNamed { .. })
    ));
    for bad in ["169.254.169.254", "::ffff:169.254.169.254"] {
        let refused = asked.address("good.org", bad.parse().unwrap(), 80);
        assert!(
            matches!(
                refused,
                Err(NetworkRefusal::Ceiling {
                    property: "sandbox.network.denied",
                    ..
                })
            ),
            "{bad}"
        );
    }
    assert!(asked.address("good.org", "10.1.2.3".parse().unwrap(), 80).is_ok());
}

#[test]
fn a_wildcard_is_one_label() {
    let grants = grants(&["*.example.org:443"], &[], &GrantPolicy::default());
    assert!(grants.host("a.example.org", 443).is_ok());
    for other in [
        "example.org",
        "a.b.example.org",
        "a.example.org.evil.test",
        ".example.org",
    ] {
        assert!(grants.host(other, 443).is_err(), "{other}");
    }
}

#[test]
fn allowed_networks_are_the_only_ones_if_there_are_any() {
    let policy = GrantPolicy {
        network_allowed: vec!["10.0.0.0/8".into()],
        ..GrantPolicy::default()
    };
    let grants = grants(&["db:1"], &[], &policy);
    assert!(grants.address("db", "10.2.3.4".parse().unwrap(), 1).is_ok());
    assert!(grants.address("db", "11.2.3.4".parse().unwrap(), 1).is_err());
}
