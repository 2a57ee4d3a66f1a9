//! Which servers are believed: by who vouches for them, and by their names.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use caisson_keystore::{Authorities, CertificateDer, Error, ServerVerifier, Verification};
use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{ServerName, UnixTime};

/// Years after 1970 at which a certificate of [`expired`] is over, and at which all are looked at.
const OVER: i32 = 2001;
const NOW: Duration = Duration::from_secs(60 * 365 * 24 * 60 * 60);

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn params(name: &str) -> CertificateParams {
    CertificateParams::new([name.to_owned()]).unwrap()
}

fn signed_by(authority: &CertifiedIssuer<'static, KeyPair>, params: CertificateParams) -> CertificateDer<'static> {
    let signed: Certificate = params.signed_by(&KeyPair::generate().unwrap(), authority).unwrap();
    signed.der().clone()
}

fn expired(mut params: CertificateParams) -> CertificateParams {
    params.not_after = rcgen::date_time_ymd(OVER, 1, 1);
    params
}

fn by_itself(params: CertificateParams) -> CertificateDer<'static> {
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
}

/// Whether who calls itself `broker.example` is believed.
fn believed(verification: Verification, trusted: &[CertificateDer<'static>], server: &CertificateDer<'_>) -> bool {
    let authorities = Authorities::new(trusted.to_vec());
    let verifier = ServerVerifier::new(&authorities, verification, Arc::new(default_provider())).unwrap();
    let name = ServerName::try_from("broker.example").unwrap();
    let now = UnixTime::since_unix_epoch(NOW);
    verifier.verify_server_cert(server, &[], &name, &[], now).is_ok()
}

#[test]
fn a_chain_and_a_name_are_checked_as_far_as_is_asked() {
    use Verification::{Chain, Full, None};
    let (ours, theirs) = (authority(), authority());
    let trusted = [ours.der().clone()];
    let of = |authority, params| signed_by(authority, params);
    for (full, chain, what, server) in [
        (true, true, "vouched for", of(&ours, params("broker.example"))),
        (false, true, "another name", of(&ours, params("other.example"))),
        (false, false, "expired", of(&ours, expired(params("broker.example")))),
        (false, false, "unknown", of(&theirs, params("broker.example"))),
        (false, false, "for itself", by_itself(params("broker.example"))),
        (false, false, "garbage", CertificateDer::from(vec![0x30, 0x82, 0xff])),
    ] {
        assert_eq!(believed(Full, &trusted, &server), full, "{what}, full");
        assert_eq!(believed(Chain, &trusted, &server), chain, "{what}, chain");
        assert!(believed(None, &trusted, &server), "{what}, none");
    }
}

#[test]
fn a_server_that_is_in_the_list_itself_needs_nobody_else() {
    let named = by_itself(params("broker.example"));
    let other = by_itself(params("other.example"));
    let trusted = [named.clone(), other.clone()];
    assert!(believed(Verification::Full, &trusted, &named));
    assert!(!believed(Verification::Full, &trusted, &other));
    assert!(believed(Verification::Chain, &trusted, &other));
}

#[test]
fn where_nobody_is_trusted_there_is_no_verifier() {
    for garbage in [vec![], vec![CertificateDer::from(vec![1, 2, 3])]] {
        let nobody = Authorities::new(garbage);
        let verifier = ServerVerifier::new(&nobody, Verification::Full, Arc::new(default_provider()));
        assert_eq!(verifier.err(), Some(Error::NoAuthority));
    }
}
