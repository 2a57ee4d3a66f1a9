//! Signatures of internal requests (KIP-507): a MAC over the body, by the session key that is in the config topic.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use caisson_store::SessionKey;
use hmac::{Hmac, Mac};

use crate::Error;
use crate::herder::RequestSignature;

/// The algorithms that this worker has, by Java's names.
const ALGORITHMS: [&str; 4] = ["HmacSHA1", "HmacSHA256", "HmacSHA384", "HmacSHA512"];

/// Whether there is such an algorithm here.
pub fn is_known(algorithm: &str) -> bool {
    ALGORITHMS.iter().any(|known| known.eq_ignore_ascii_case(algorithm))
}

/// How long a key of an algorithm is, in bytes, unless the worker's configuration says otherwise; as Java's.
pub fn key_size(algorithm: &str) -> usize {
    match algorithm.to_ascii_lowercase().as_str() {
        "hmacsha1" | "hmacsha512" => 64,
        "hmacsha384" => 48,
        _ => 32,
    }
}

/// A new key; fails only where the machine has no random numbers.
pub fn new_key(algorithm: &str, size: usize, created: i64) -> Result<SessionKey, Error> {
    let mut key = vec![0; size];
    getrandom::fill(&mut key).map_err(|error| Error::Other(format!("no random numbers for a session key: {error}")))?;
    Ok(SessionKey {
        key,
        algorithm: algorithm.to_owned(),
        created,
    })
}

/// Signs a body; none for an algorithm that is not here.
pub fn sign(key: &SessionKey, algorithm: &str, body: &[u8]) -> Option<RequestSignature> {
    let signature = match algorithm.to_ascii_lowercase().as_str() {
        "hmacsha1" => mac::<Hmac<sha1::Sha1>>(&key.key, body),
        "hmacsha256" => mac::<Hmac<sha2::Sha256>>(&key.key, body),
        "hmacsha384" => mac::<Hmac<sha2::Sha384>>(&key.key, body),
        "hmacsha512" => mac::<Hmac<sha2::Sha512>>(&key.key, body),
        _ => None,
    }?;
    Some(RequestSignature {
        algorithm: algorithm.to_owned(),
        signature: STANDARD.encode(signature),
        body: body.to_vec(),
    })
}

fn mac<M: Mac + hmac::digest::KeyInit>(key: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    let mut mac = <M as Mac>::new_from_slice(key).ok()?;
    mac.update(body);
    Some(mac.finalize().into_bytes().to_vec())
}

/// Refuses a request that no member of this cluster has signed, in Kafka Connect's words.
pub fn verify(signature: Option<&RequestSignature>, key: Option<&SessionKey>, allowed: &[String]) -> Result<(), Error> {
    let Some(signature) = signature else {
        return Err(Error::BadRequest(
            "Internal request missing required signature".to_owned(),
        ));
    };
    if !allowed.contains(&signature.algorithm) {
        return Err(Error::BadRequest(format!(
            "This worker does not support the '{}' key signing algorithm used by other workers. This worker is currently configured to use: [{}]. Check that all workers' configuration files permit the same set of signature algorithms, and correct any misconfigured worker and restart it.",
            signature.algorithm,
            allowed.join(", ")
        )));
    }
    let Some(key) = key else {
        let text =
            "This worker is still starting up and has not been able to read a session key from the config topic yet";
        return Err(Error::Unavailable(text.to_owned()));
    };
    let own = sign(key, &signature.algorithm, &signature.body);
    let given = STANDARD.decode(signature.signature.as_bytes()).unwrap_or_default();
    let same = own
        .and_then(|own| STANDARD.decode(own.signature).ok())
        .is_some_and(|own| equal(&own, &given));
    if same {
        Ok(())
    } else {
        Err(Error::Untrusted(
            "Internal request contained invalid signature.".to_owned(),
        ))
    }
}

/// In a time that does not tell where the difference is.
fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |different, (a, b)| different | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const FILE: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../tests/conformance/vectors/protocol.json"
    );

    fn key(key: Vec<u8>) -> SessionKey {
        SessionKey {
            key,
            algorithm: "HmacSHA256".to_owned(),
            created: 0,
        }
    }

    #[test]
    fn bodies_are_signed_as_recorded() {
        let file: Value = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
        let mut checked = 0;
        for vector in file["vectors"].as_array().unwrap() {
            let input = &vector["input"];
            if input["op"] != "sign" {
                continue;
            }
            let key = key(STANDARD.decode(input["key"].as_str().unwrap()).unwrap());
            let body = input["body"].as_str().unwrap_or_default().as_bytes();
            let algorithm = input["algorithm"].as_str().unwrap();
            let signed = sign(&key, algorithm, body).unwrap();
            assert_eq!(
                vector["expect"]["X-Connect-Authorization"], signed.signature,
                "{}",
                vector["id"]
            );
            let allowed = [algorithm.to_owned()];
            assert_eq!(verify(Some(&signed), Some(&key), &allowed), Ok(()));
            checked += 1;
        }
        assert!(checked > 10, "too few vectors: {checked}");
    }

    #[test]
    fn whatever_was_not_signed_by_the_session_key_is_refused() {
        let (own, other) = (key(vec![1; 32]), key(vec![2; 32]));
        let allowed = ["HmacSHA256".to_owned()];
        let refused = |signature: Option<RequestSignature>, key| verify(signature.as_ref(), key, &allowed).unwrap_err();
        assert!(matches!(refused(None, Some(&own)), Error::BadRequest(_)));
        let forged = sign(&other, "HmacSHA256", b"[]");
        assert!(matches!(refused(forged.clone(), Some(&own)), Error::Untrusted(_)));
        assert!(matches!(refused(forged, None), Error::Unavailable(_)));
        let weak = sign(&own, "HmacSHA1", b"[]");
        assert!(matches!(refused(weak, Some(&own)), Error::BadRequest(_)));
        let mut changed = sign(&own, "HmacSHA256", b"[]").unwrap();
        changed.body = b"[{}]".to_vec();
        assert!(matches!(
            refused(Some(changed.clone()), Some(&own)),
            Error::Untrusted(_)
        ));
        changed.signature = "?".to_owned();
        assert!(matches!(refused(Some(changed), Some(&own)), Error::Untrusted(_)));
    }
}
