//! SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding.

use caisson_sdk::api::value::base64;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// The mechanism's name in the server's list.
pub const MECHANISM: &str = "SCRAM-SHA-256";
/// Rounds beyond this are an attack on the worker's processor.
const MAX_ROUNDS: u32 = 1_000_000;

/// One exchange.
pub struct Scram {
    password: Vec<u8>,
    nonce: String,
    /// What the server has to prove in the end.
    expected: Option<[u8; 32]>,
}

fn wrong(what: &str) -> Error {
    Error::Protocol(format!("SCRAM: {what}"))
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

impl Scram {
    /// `nonce` is random text without commas.
    pub fn new(password: &str, nonce: String) -> Self {
        Scram {
            password: password.as_bytes().to_vec(),
            nonce,
            expected: None,
        }
    }

    /// What the client says first. The user is that of the startup message.
    pub fn first(&self) -> String {
        format!("n,,n=,r={}", self.nonce)
    }

    /// The answer to the server's challenge.
    pub fn answer(&mut self, challenge: &str) -> Result<String> {
        let mut parts = challenge.split(',');
        let mut part = |name: &str| {
            parts
                .next()
                .and_then(|part| part.strip_prefix(name))
                .ok_or_else(|| wrong("the challenge has not the parts it should have"))
        };
        let (nonce, salt, rounds) = (part("r=")?, part("s=")?, part("i=")?);
        if !nonce.starts_with(&self.nonce) {
            return Err(wrong("the server's nonce does not continue ours"));
        }
        let salt = base64::decode(salt).ok_or_else(|| wrong("the salt is not base64"))?;
        let rounds: u32 = rounds.parse().map_err(|_| wrong("the number of rounds is none"))?;
        if !(1..=MAX_ROUNDS).contains(&rounds) {
            return Err(wrong("the number of rounds is out of range"));
        }
        let salted = self.salted(&salt, rounds);
        let client_key = mac(&salted, &[b"Client Key"]);
        let stored_key: [u8; 32] = Sha256::digest(client_key).into();
        let without_proof = format!("c=biws,r={nonce}");
        let bare = format!("n=,r={}", self.nonce);
        let message = format!("{bare},{challenge},{without_proof}");
        let signature = mac(&stored_key, &[message.as_bytes()]);
        let proof: Vec<u8> = client_key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        self.expected = Some(mac(&mac(&salted, &[b"Server Key"]), &[message.as_bytes()]));
        Ok(format!("{without_proof},p={}", base64::encode(&proof)))
    }

    /// Checks that the server knows the password, too.
    pub fn finish(&self, last: &str) -> Result<()> {
        let signature = last.strip_prefix("v=").and_then(base64::decode);
        match (&self.expected, signature) {
            (Some(expected), Some(signature)) if signature == expected => Ok(()),
            _ => Err(wrong("the server could not prove that it knows the password")),
        }
    }

    /// PBKDF2 with one block.
    fn salted(&self, salt: &[u8], rounds: u32) -> [u8; 32] {
        let mut last = mac(&self.password, &[salt, &[0, 0, 0, 1]]);
        let mut all = last;
        for _ in 1..rounds {
            last = mac(&self.password, &[&last]);
            all.iter_mut().zip(last).for_each(|(all, last)| *all ^= last);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// The example of RFC 7677, whose user name PostgreSQL leaves empty: checked by recomputing both sides.
    #[test]
    fn client_and_server_prove_each_other() {
        let mut client = Scram::new("pencil", "rOprNGfwEbeRWgbNEkqO".into());
        let challenge = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let answer = client.answer(challenge).unwrap();
        assert!(answer.starts_with("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p="));
        // StoredKey of the RFC's example follows from the proof and does not depend on the user name.
        let proof = base64::decode(answer.rsplit_once("p=").unwrap().1).unwrap();
        let stored = base64::decode("WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=").unwrap();
        let message = format!(
            "n=,r=rOprNGfwEbeRWgbNEkqO,{challenge},{}",
            answer.rsplit_once(",p=").unwrap().0
        );
        let signature = mac(&stored, &[message.as_bytes()]);
        let key: Vec<u8> = proof.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        assert_eq!(Sha256::digest(&key).as_slice(), stored);
        let server_key = base64::decode("wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=").unwrap();
        let last = format!("v={}", base64::encode(&mac(&server_key, &[message.as_bytes()])));
        client.finish(&last).unwrap();
        assert!(client.finish("v=AAAA").is_err());
        assert!(client.finish("e=other-error").is_err());
    }

    #[test]
    fn challenges_that_make_no_sense_are_refused() {
        for challenge in [
            "",
            "r=",
            "r=other,s=AAAA,i=4096",
            "r=own1,s=!,i=4096",
            "r=own1,s=AAAA,i=0",
            "r=own1,s=AAAA,i=99999999",
            "r=own1,s=AAAA",
        ] {
            assert!(Scram::new("x", "own".into()).answer(challenge).is_err(), "{challenge}");
        }
    }
}
