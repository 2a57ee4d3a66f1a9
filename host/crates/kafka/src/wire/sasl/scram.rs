//! SCRAM (RFC 5802) with SHA-256 and SHA-512, as Kafka uses it: without channel binding.

use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::SecureRandom;
use ring::{digest, hmac, pbkdf2, rand};

use crate::secret::Secret;

/// Iterations that Kafka's brokers ask for at least, and what a client can be made to compute at most.
const LEAST_ITERATIONS: u32 = 4096;
const MOST_ITERATIONS: u32 = 10_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::wire) enum Hash {
    Sha256,
    Sha512,
}

impl Hash {
    fn hmac(self) -> hmac::Algorithm {
        match self {
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha512 => hmac::HMAC_SHA512,
        }
    }

    fn digest(self) -> &'static digest::Algorithm {
        match self {
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha512 => &digest::SHA512,
        }
    }

    fn pbkdf2(self) -> pbkdf2::Algorithm {
        match self {
            Hash::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Hash::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }
}

/// What was said first.
pub(super) struct Exchange {
    hash: Hash,
    nonce: String,
    message: String,
}

/// What was said last, and what the broker has to prove in turn.
pub(super) struct Answered {
    message: String,
    expected: Vec<u8>,
}

/// No channel binding, no other identity.
const HEADER: &str = "n,,";

impl Exchange {
    pub(super) fn begin(hash: Hash, user: &str) -> Result<Exchange, String> {
        let mut random = [0_u8; 24];
        rand::SystemRandom::new()
            .fill(&mut random)
            .map_err(|_| "no random numbers to be had".to_owned())?;
        Ok(Exchange::with_nonce(hash, user, BASE64.encode(random)))
    }

    fn with_nonce(hash: Hash, user: &str, nonce: String) -> Exchange {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        Exchange {
            hash,
            message: format!("{HEADER}n={user},r={nonce}"),
            nonce,
        }
    }

    pub(super) fn message(&self) -> &[u8] {
        self.message.as_bytes()
    }

    /// Answers the broker's challenge: nonce, salt and iterations.
    pub(super) fn answer(&self, challenge: &[u8], password: &Secret) -> Result<Answered, String> {
        let challenge = std::str::from_utf8(challenge).map_err(|_| unreadable())?;
        let nonce = attribute(challenge, "r").ok_or_else(unreadable)?;
        let salt = attribute(challenge, "s").and_then(decode).ok_or_else(unreadable)?;
        let iterations: u32 = attribute(challenge, "i")
            .and_then(|iterations| iterations.parse().ok())
            .ok_or_else(unreadable)?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err("the broker's nonce does not continue the client's".to_owned());
        }
        if !(LEAST_ITERATIONS..=MOST_ITERATIONS).contains(&iterations) {
            return Err(format!("the broker asks for {iterations} iterations"));
        }
        let rounds = NonZeroU32::new(iterations).ok_or_else(unreadable)?;
        let mut salted = vec![0; self.hash.digest().output_len()];
        pbkdf2::derive(
            self.hash.pbkdf2(),
            rounds,
            &salt,
            password.reveal().as_bytes(),
            &mut salted,
        );
        let salted = hmac::Key::new(self.hash.hmac(), &salted);
        let client_key = hmac::sign(&salted, b"Client Key");
        let stored_key = digest::digest(self.hash.digest(), client_key.as_ref());
        let without_proof = format!("c={},r={nonce}", BASE64.encode(HEADER));
        let said = format!("{},{challenge},{without_proof}", &self.message[HEADER.len()..]);
        let sign = |key: &[u8]| hmac::sign(&hmac::Key::new(self.hash.hmac(), key), said.as_bytes());
        let signature = sign(stored_key.as_ref());
        let proof: Vec<u8> = client_key
            .as_ref()
            .iter()
            .zip(signature.as_ref())
            .map(|(key, mask)| key ^ mask)
            .collect();
        let server_key = hmac::sign(&salted, b"Server Key");
        Ok(Answered {
            message: format!("{without_proof},p={}", BASE64.encode(&proof)),
            expected: sign(server_key.as_ref()).as_ref().to_vec(),
        })
    }
}

impl Answered {
    pub(super) fn message(&self) -> &[u8] {
        self.message.as_bytes()
    }

    /// Whether the broker knows the password, too.
    pub(super) fn verify(&self, last: &[u8]) -> Result<(), String> {
        let last = std::str::from_utf8(last).map_err(|_| unreadable())?;
        if let Some(error) = attribute(last, "e") {
            return Err(error.to_owned());
        }
        let signature = attribute(last, "v").and_then(decode).ok_or_else(unreadable)?;
        // Not secret: it has been sent in the clear.
        if signature == self.expected {
            Ok(())
        } else {
            Err("the broker does not know the password".to_owned())
        }
    }
}

fn attribute<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message
        .split(',')
        .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

fn unreadable() -> String {
    "the broker's answer cannot be read".to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_is_the_exchange_of_rfc_7677() {
        let first = Exchange::with_nonce(Hash::Sha256, "user", "rOprNGfwEbeRWgbNEkqO".to_owned());
        assert_eq!(first.message(), b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let challenge = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let last = first.answer(challenge, &Secret::new("pencil")).unwrap();
        assert_eq!(
            std::str::from_utf8(last.message()).unwrap(),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        last.verify(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").unwrap();
        assert!(last.verify(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=").is_err());
        assert_eq!(last.verify(b"e=unknown-user"), Err("unknown-user".to_owned()));
    }

    #[test]
    fn what_a_broker_must_not_ask_is_refused() {
        let first = Exchange::with_nonce(Hash::Sha512, "a=b,c", "abc".to_owned());
        assert_eq!(first.message(), b"n,,n=a=3Db=2Cc,r=abc");
        let password = Secret::new("p");
        for challenge in [
            "r=abc,s=AAAA,i=4096",
            "r=xyzabc,s=AAAA,i=4096",
            "r=abcd,s=AAAA,i=1",
            "r=abcd,s=AAAA,i=4294967295",
            "r=abcd,s=!,i=4096",
            "r=abcd,i=4096",
            "",
        ] {
            assert!(first.answer(challenge.as_bytes(), &password).is_err(), "{challenge}");
        }
    }

    proptest! {
        #[test]
        fn garbage_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let first = Exchange::with_nonce(Hash::Sha256, "user", "nonce".to_owned());
            prop_assert!(first.answer(&bytes, &Secret::new("p")).is_err());
        }
    }
}
