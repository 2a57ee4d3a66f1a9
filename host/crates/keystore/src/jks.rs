//! JKS, Java's own format until Java 9: entries one after the other, and a digest over all of them that is keyed with
//! the password. Private keys are hidden by a stream of SHA-1 digests of the password.

use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use sha1::{Digest, Sha1};

use crate::{Error, Identity};

const MAGIC: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];
/// Part of the digest over the whole store, besides the password.
const WHITENER: &[u8] = b"Mighty Aphrodite";
const DIGEST: usize = 20;
/// The object identifier of Java's protection of keys, 1.3.6.1.4.1.42.2.17.1.1, as DER.
const PROTECTION: &[u8] = &[6, 10, 43, 6, 1, 4, 1, 42, 2, 17, 1, 1];
/// Entries of a store, and certificates of a chain.
const MAX_ENTRIES: u32 = 10_000;

pub fn is_jks(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

pub fn identity(bytes: &[u8], password: Option<&str>, key_password: Option<&str>) -> Result<Identity, Error> {
    let entries = read(bytes, password)?;
    let (protected, chain) = entries
        .into_iter()
        .find_map(|entry| match entry {
            Entry::Key { protected, chain } => Some((protected, chain)),
            Entry::Trusted(_) => None,
        })
        .ok_or(Error::NoKey)?;
    if chain.is_empty() {
        return Err(Error::NoCertificate);
    }
    let password = key_password.or(password).ok_or(Error::NoPassword)?;
    let key = reveal(&protected, password)?;
    Ok(Identity {
        key: PrivatePkcs8KeyDer::from(key).into(),
        chain: chain.into_iter().map(CertificateDer::from).collect(),
    })
}

pub fn certificates(bytes: &[u8], password: Option<&str>) -> Result<Vec<CertificateDer<'static>>, Error> {
    let trusted = read(bytes, password)?.into_iter().filter_map(|entry| match entry {
        Entry::Trusted(certificate) => Some(CertificateDer::from(certificate)),
        Entry::Key { .. } => None,
    });
    Ok(trusted.collect())
}

enum Entry {
    Key { protected: Vec<u8>, chain: Vec<Vec<u8>> },
    Trusted(Vec<u8>),
}

/// All entries in their order; the digest is checked if there is a password.
fn read(bytes: &[u8], password: Option<&str>) -> Result<Vec<Entry>, Error> {
    let (content, digest) = bytes
        .len()
        .checked_sub(DIGEST)
        .and_then(|end| bytes.split_at_checked(end))
        .ok_or(malformed("it is too short"))?;
    if let Some(password) = password {
        let mut hash = Sha1::new();
        hash.update(utf16(password));
        hash.update(WHITENER);
        hash.update(content);
        if hash.finalize().as_slice() != digest {
            return Err(Error::Password);
        }
    }
    let mut reader = Reader { rest: content };
    if reader.take(MAGIC.len())? != MAGIC {
        return Err(malformed("it does not begin like one"));
    }
    let version = reader.number()?;
    if !matches!(version, 1 | 2) {
        return Err(malformed("its version is unknown"));
    }
    let count = reader.count()?;
    let mut entries = Vec::new();
    for _ in 0..count {
        entries.push(reader.entry(version)?);
    }
    Ok(entries)
}

fn malformed(problem: &'static str) -> Error {
    Error::Format { format: "JKS", problem }
}

/// Characters as Java's `char`s, high byte first.
fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// Numbers and texts as `DataOutputStream` writes them.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(malformed("it ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32, Error> {
        let bytes = self.take(4)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn count(&mut self) -> Result<u32, Error> {
        match self.number()? {
            count if count <= MAX_ENTRIES => Ok(count),
            _ => Err(malformed("it has too many entries")),
        }
    }

    fn blob(&mut self) -> Result<Vec<u8>, Error> {
        let length = self.number()? as usize;
        Ok(self.take(length)?.to_vec())
    }

    fn skip_text(&mut self) -> Result<(), Error> {
        let length = self.take(2)?;
        self.take(usize::from(length[0]) << 8 | usize::from(length[1]))?;
        Ok(())
    }

    fn entry(&mut self, version: u32) -> Result<Entry, Error> {
        let tag = self.number()?;
        // Alias and time of creation.
        self.skip_text()?;
        self.take(8)?;
        match tag {
            1 => {
                let protected = self.blob()?;
                let count = self.count()?;
                let chain = (0..count)
                    .map(|_| self.certificate(version))
                    .collect::<Result<_, _>>()?;
                Ok(Entry::Key { protected, chain })
            }
            2 => Ok(Entry::Trusted(self.certificate(version)?)),
            _ => Err(malformed("an entry is of unknown kind")),
        }
    }

    fn certificate(&mut self, version: u32) -> Result<Vec<u8>, Error> {
        if version == 2 {
            // `X.509`; there is no other.
            self.skip_text()?;
        }
        self.blob()
    }
}

/// Takes the protection off a private key: salt, the key under a stream of digests, and a digest to check it by.
fn reveal(protected: &[u8], password: &str) -> Result<Vec<u8>, Error> {
    let hidden = protected_bytes(protected).ok_or(malformed("the private key is protected in an unknown way"))?;
    let (salt, rest) = hidden
        .split_at_checked(DIGEST)
        .ok_or(malformed("the private key is too short"))?;
    let (encrypted, check) = rest
        .len()
        .checked_sub(DIGEST)
        .and_then(|end| rest.split_at_checked(end))
        .ok_or(malformed("the private key is too short"))?;
    let password = utf16(password);
    let mut digest = salt.to_vec();
    let mut key = Vec::with_capacity(encrypted.len());
    for block in encrypted.chunks(DIGEST) {
        digest = hash(&password, &digest);
        key.extend(block.iter().zip(&digest).map(|(byte, mask)| byte ^ mask));
    }
    if hash(&password, &key) != check {
        return Err(Error::Password);
    }
    Ok(key)
}

fn hash(password: &[u8], data: &[u8]) -> Vec<u8> {
    let mut hash = Sha1::new();
    hash.update(password);
    hash.update(data);
    hash.finalize().to_vec()
}

/// The octets of an `EncryptedPrivateKeyInfo` under Java's own protection: a sequence of the algorithm, of which the
/// parameters are null, and an octet string.
fn protected_bytes(der: &[u8]) -> Option<&[u8]> {
    let (sequence, _) = element(der, 0x30)?;
    let (algorithm, rest) = element(sequence, 0x30)?;
    if !algorithm.starts_with(PROTECTION) {
        return None;
    }
    element(rest, 0x04).map(|(octets, _)| octets)
}

/// The content of the DER element at the beginning, which has this tag, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = der.split_first()?;
    let (&length, rest) = rest.split_first()?;
    if first != tag {
        return None;
    }
    if length < 0x80 {
        return rest.split_at_checked(usize::from(length));
    }
    let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
    if digits.len() > 4 {
        return None;
    }
    let length = digits
        .iter()
        .fold(0_usize, |length, digit| length << 8 | usize::from(*digit));
    rest.split_at_checked(length)
}
