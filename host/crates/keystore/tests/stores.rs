//! Stores that `keytool` and OpenSSL made, all of them of one key, and stores that nobody made.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use caisson_keystore::{Error, Identity, Kind, PrivateKeyDer, certificates, identity, identity_from_pem};
use proptest::prelude::*;

const PASSWORD: Option<&str> = Some("secret12");
const KEY_PASSWORD: Option<&str> = Some("key-pass");

fn file(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stores").join(name);
    std::fs::read(path).unwrap()
}

fn plain() -> Identity {
    identity_from_pem(&file("own.key"), &file("own.crt"), None).unwrap()
}

fn check(found: Identity) {
    let plain = plain();
    assert_eq!(found.chain, plain.chain);
    assert_eq!(found.key.secret_der(), plain.key.secret_der());
}

#[test]
fn every_format_gives_the_same_identity() {
    check(identity(Kind::Pkcs12, &file("own.p12"), PASSWORD, None).unwrap());
    check(identity(Kind::Pkcs12, &file("openssl.p12"), PASSWORD, None).unwrap());
    check(identity(Kind::Jks, &file("own.jks"), PASSWORD, KEY_PASSWORD).unwrap());
    let both = [file("own.crt"), file("own.encrypted.key")].concat();
    check(identity(Kind::Pem, &both, None, KEY_PASSWORD).unwrap());
}

#[test]
fn old_protections_are_read() {
    let found = identity(Kind::Pkcs12, &file("legacy.p12"), PASSWORD, None).unwrap();
    assert_eq!(found.chain, plain().chain);
}

#[test]
fn a_binary_store_may_be_of_the_other_format_than_it_is_said_to_be() {
    check(identity(Kind::Jks, &file("own.p12"), PASSWORD, None).unwrap());
    check(identity(Kind::Pkcs12, &file("own.jks"), PASSWORD, KEY_PASSWORD).unwrap());
}

#[test]
fn keys_of_rsa_have_a_section_of_their_own() {
    let found = identity_from_pem(&file("own.rsa.key"), &file("own.crt"), None).unwrap();
    assert!(matches!(found.key, PrivateKeyDer::Pkcs1(_)));
}

#[test]
fn trust_stores_give_their_certificates() {
    for (kind, name, password) in [
        (Kind::Pkcs12, "trust.p12", PASSWORD),
        (Kind::Jks, "trust.jks", PASSWORD),
        (Kind::Jks, "trust.jks", None),
        (Kind::Pem, "own.crt", None),
    ] {
        assert_eq!(
            certificates(kind, &file(name), password).unwrap(),
            plain().chain,
            "{name}"
        );
    }
}

#[test]
fn what_is_wrong_is_said() {
    let wrong = Some("wrong");
    assert_eq!(
        certificates(Kind::Jks, &file("trust.jks"), wrong).unwrap_err(),
        Error::Password
    );
    assert_eq!(
        certificates(Kind::Pkcs12, &file("trust.p12"), wrong).unwrap_err(),
        Error::Password
    );
    let encrypted = file("own.encrypted.key");
    for (password, error) in [(None, Error::NoPassword), (wrong, Error::Password)] {
        assert_eq!(
            identity_from_pem(&encrypted, &file("own.crt"), password).unwrap_err(),
            error
        );
    }
    assert_eq!(
        identity(Kind::Jks, &file("own.jks"), PASSWORD, wrong).unwrap_err(),
        Error::Password
    );
    assert_eq!(
        identity(Kind::Pem, &file("own.crt"), None, None).unwrap_err(),
        Error::NoKey
    );
    assert_eq!(
        identity(Kind::Jks, &file("trust.jks"), PASSWORD, None).unwrap_err(),
        Error::NoKey
    );
    assert_eq!(certificates(Kind::Pem, b"", None).unwrap_err(), Error::NoCertificate);
    let large = vec![0; caisson_keystore::MAX_BYTES + 1];
    assert!(matches!(
        certificates(Kind::Jks, &large, None),
        Err(Error::TooLarge { .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Wherever bytes are changed, lost or added: an error or what was there, and never a panic.
    #[test]
    fn mutated_stores_do_no_harm(
        which in 0..5_usize,
        at in any::<prop::sample::Index>(),
        bytes in proptest::collection::vec(any::<u8>(), 0..6),
        cut in 0..6_usize,
    ) {
        let name = ["own.p12", "own.jks", "trust.jks", "own.key", "own.encrypted.key"][which];
        let mut store = file(name);
        let start = at.index(store.len());
        let end = (start + cut).min(store.len());
        store.splice(start..end, bytes);
        for kind in [Kind::Jks, Kind::Pkcs12, Kind::Pem] {
            let _ = identity(kind, &store, PASSWORD, KEY_PASSWORD);
            let _ = certificates(kind, &store, None);
        }
    }
}
