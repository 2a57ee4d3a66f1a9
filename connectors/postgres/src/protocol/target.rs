//! Which server to speak to, as whom, and how protected.

use std::fmt;

use caisson_sdk::net::{Tls, Verification};

use crate::error::{Error, Result};

/// `database.sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SslMode {
    Disable,
    /// In the open, under TLS if the server insists.
    Allow,
    /// Under TLS if the server has it.
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl SslMode {
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.trim().to_ascii_lowercase().as_str() {
            "disable" => SslMode::Disable,
            "allow" => SslMode::Allow,
            "prefer" => SslMode::Prefer,
            "require" | "required" => SslMode::Require,
            "verify-ca" => SslMode::VerifyCa,
            "verify-full" => SslMode::VerifyFull,
            _ => return None,
        })
    }

    fn verification(self) -> Verification {
        match self {
            SslMode::Disable | SslMode::Allow | SslMode::Prefer | SslMode::Require => Verification::None,
            SslMode::VerifyCa => Verification::Chain,
            SslMode::VerifyFull => Verification::Full,
        }
    }
}

/// Where to connect.
#[derive(Clone)]
pub struct Target {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: Option<String>,
    pub database: String,
    pub ssl: SslMode,
    /// Files of `database.sslrootcert`, `database.sslcert` and `database.sslkey`.
    pub root_certificate: Option<String>,
    pub certificate: Option<String>,
    pub key: Option<String>,
}

/// Without the password.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}:{}/{}", self.user, self.host, self.port, self.database)
    }
}

impl Target {
    /// What the TLS handshake is to verify and to show.
    pub fn tls(&self) -> Result<Tls> {
        let trusted = match &self.root_certificate {
            Some(path) if self.ssl.verification() != Verification::None => {
                Some(read_text("database.sslrootcert", path)?)
            }
            Some(_) | None => None,
        };
        let identity = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => {
                let certificate = read_text("database.sslcert", certificate)?;
                Some((certificate, private_key(key)?))
            }
            (None, None) => None,
            (Some(_), None) => return Err(Error::config("database.sslcert needs database.sslkey beside it")),
            (None, Some(_)) => return Err(Error::config("database.sslkey needs database.sslcert beside it")),
        };
        Ok(Tls {
            verification: self.ssl.verification(),
            server_name: None,
            trusted,
            identity,
        })
    }
}

fn read(key: &str, path: &str) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::config(format!("{key}: {path} cannot be read: {error}")))
}

fn read_text(key: &str, path: &str) -> Result<String> {
    String::from_utf8(read(key, path)?)
        .map_err(|_| Error::config(format!("{key}: {path} is not PEM (-----BEGIN CERTIFICATE-----)")))
}

/// A key in PEM; the JDBC driver's form, PKCS#8 in DER, is turned into it.
fn private_key(path: &str) -> Result<String> {
    let bytes = read("database.sslkey", path)?;
    match String::from_utf8(bytes) {
        Ok(text) if text.contains("-----BEGIN ENCRYPTED") || text.contains("Proc-Type: 4,ENCRYPTED") => {
            Err(Error::config(format!(
                "database.sslkey: {path} has a password, which is not supported; decrypt it: openssl pkcs8 -in {path} \
                 -out plain.pem"
            )))
        }
        Ok(text) if text.contains("-----BEGIN") => Ok(text),
        Ok(text) => Ok(pem(text.as_bytes())),
        Err(error) => Ok(pem(error.as_bytes())),
    }
}

fn pem(der: &[u8]) -> String {
    let text = caisson_sdk::api::value::base64::encode(der);
    let mut out = String::from("-----BEGIN PRIVATE KEY-----\n");
    for line in text.as_bytes().chunks(64) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    out.push_str("-----END PRIVATE KEY-----\n");
    out
}
