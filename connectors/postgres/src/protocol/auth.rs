//! Proving who we are: password in the open, MD5, SCRAM-SHA-256.

use md5::{Digest, Md5};

use super::fields::Fields;
use super::scram::{self, Scram};
use super::target::Target;
use crate::error::{Error, Result};
use crate::random;

/// Where the exchange stands.
pub enum Step {
    /// Send this, and wait for more.
    Answer(Vec<u8>),
    /// Nothing to send.
    Wait,
    /// The server is content.
    Done,
}

/// The exchange of one connection.
#[derive(Default)]
pub struct Authentication {
    scram: Option<Scram>,
}

impl Authentication {
    /// What to do about an Authentication message.
    pub fn step(&mut self, body: &[u8], target: &Target) -> Result<Step> {
        let mut fields = Fields::new(body);
        match fields.int32()? {
            0 => Ok(Step::Done),
            3 => Ok(Step::Answer(password_message(password(target)?.as_bytes()))),
            5 => {
                let salt = fields.bytes(4)?;
                let text = md5_response(&target.user, password(target)?, salt);
                Ok(Step::Answer(password_message(text.as_bytes())))
            }
            10 => self.begin_scram(fields, target),
            11 => {
                let scram = self.scram.as_mut().ok_or_else(out_of_order)?;
                let answer = scram.answer(utf8(fields.rest())?)?;
                Ok(Step::Answer(message(answer.as_bytes())))
            }
            12 => {
                let scram = self.scram.as_ref().ok_or_else(out_of_order)?;
                scram.finish(utf8(fields.rest())?)?;
                Ok(Step::Wait)
            }
            other => Err(Error::config(format!(
                "the server wants {} authentication of user {}, which is not supported; have pg_hba.conf ask for \
                 scram-sha-256, md5 or password",
                method(other),
                target.user
            ))),
        }
    }

    fn begin_scram(&mut self, mut fields: Fields<'_>, target: &Target) -> Result<Step> {
        let mut offered = Vec::new();
        while !fields.is_empty() {
            match fields.text()? {
                "" => break,
                mechanism => offered.push(mechanism.to_owned()),
            }
        }
        if !offered.iter().any(|mechanism| mechanism == scram::MECHANISM) {
            let offered = offered.join(", ");
            return Err(Error::config(format!(
                "the server offers the authentication mechanisms {offered}; only {} is supported",
                scram::MECHANISM
            )));
        }
        let scram = Scram::new(password(target)?, random::nonce()?);
        let first = scram.first();
        self.scram = Some(scram);
        let mut body = scram::MECHANISM.as_bytes().to_vec();
        body.push(0);
        body.extend_from_slice(&(first.len() as u32).to_be_bytes());
        body.extend_from_slice(first.as_bytes());
        Ok(Step::Answer(message(&body)))
    }
}

fn out_of_order() -> Error {
    Error::Protocol("the authentication has no beginning".into())
}

fn method(code: i32) -> String {
    match code {
        2 => "Kerberos V5".into(),
        7 => "GSSAPI".into(),
        9 => "SSPI".into(),
        other => format!("an unknown kind ({other}) of"),
    }
}

fn password(target: &Target) -> Result<&str> {
    target
        .password
        .as_deref()
        .ok_or_else(|| Error::config("the server asks for a password: set database.password"))
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| Error::Protocol("an authentication message is not UTF-8".into()))
}

/// A PasswordMessage or SASLResponse.
fn message(body: &[u8]) -> Vec<u8> {
    let mut message = vec![b'p'];
    message.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
    message.extend_from_slice(body);
    message
}

fn password_message(text: &[u8]) -> Vec<u8> {
    let mut body = text.to_vec();
    body.push(0);
    message(&body)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn md5_response(user: &str, password: &str, salt: &[u8]) -> String {
    let inner = hex(&Md5::new().chain_update(password).chain_update(user).finalize());
    let outer = Md5::new().chain_update(inner).chain_update(salt).finalize();
    format!("md5{}", hex(&outer))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::protocol::SslMode;

    fn target() -> Target {
        Target {
            host: "h".into(),
            port: 1,
            user: "user".into(),
            password: Some("password".into()),
            database: "d".into(),
            ssl: SslMode::Disable,
            root_certificate: None,
            certificate: None,
            key: None,
        }
    }

    #[test]
    fn md5_is_that_of_the_documentation() {
        // concat('md5', md5(concat(md5(concat(password, username)), salt)))
        let inner = hex(&Md5::digest(b"passworduser"));
        assert_eq!(inner, "4d45974e13472b5a0be3533de4666414");
        let expected = hex(&Md5::digest([inner.as_bytes(), &[1, 2, 3, 4]].concat()));
        assert_eq!(
            md5_response("user", "password", &[1, 2, 3, 4]),
            format!("md5{expected}")
        );
    }

    #[test]
    fn garbage_is_refused() {
        for body in [
            &b""[..],
            b"\0\0",
            b"\0\0\0\x05\0",
            b"\0\0\0\x0bx",
            b"\0\0\0\x0cv=",
            b"\0\0\0\x0aSCRAM-SHA-512\0\0",
            b"\0\0\0\x0ano end",
            b"\0\0\0\x63",
            b"\xff\xff\xff\xff",
        ] {
            assert!(Authentication::default().step(body, &target()).is_err(), "{body:?}");
        }
    }
}
