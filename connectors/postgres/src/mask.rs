//! Columns whose texts are not shown as they are: `column.mask.with.N.chars`, `column.truncate.to.N.chars`,
//! `column.mask.hash.ALGORITHM.with.salt.SALT`.

use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use crate::types::codec::encodings::write_hex;

/// What is done to a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mask {
    /// That many asterisks, whatever it was.
    Asterisks(usize),
    /// At most that many characters of it.
    Truncate(usize),
    /// A digest in hexadecimal digits, cut to the column's length.
    Hash {
        algorithm: Algorithm,
        salt: String,
        strategy: Strategy,
        length: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// What the digest is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// The text as Java serializes it.
    Serialized,
    Text,
}

impl Algorithm {
    /// Java's names.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "MD5" => Algorithm::Md5,
            "SHA" | "SHA-1" | "SHA1" => Algorithm::Sha1,
            "SHA-256" => Algorithm::Sha256,
            "SHA-384" => Algorithm::Sha384,
            "SHA-512" => Algorithm::Sha512,
            _ => return None,
        })
    }

    fn digest(self, parts: [&[u8]; 2]) -> Vec<u8> {
        fn of<D: Digest>(parts: [&[u8]; 2]) -> Vec<u8> {
            let mut digest = D::new();
            parts.iter().for_each(|part| digest.update(part));
            digest.finalize().to_vec()
        }
        match self {
            Algorithm::Md5 => of::<Md5>(parts),
            Algorithm::Sha1 => of::<Sha1>(parts),
            Algorithm::Sha256 => of::<Sha256>(parts),
            Algorithm::Sha384 => of::<Sha384>(parts),
            Algorithm::Sha512 => of::<Sha512>(parts),
        }
    }
}

impl Mask {
    /// The parameter that its schema gets.
    pub fn parameter(&self) -> (&'static str, String) {
        match self {
            Mask::Truncate(length) => ("truncateLength", length.to_string()),
            Mask::Asterisks(_) | Mask::Hash { .. } => ("masked", "true".to_owned()),
        }
    }

    /// Whether a null is masked, too.
    pub fn is_for_null(&self) -> bool {
        matches!(self, Mask::Asterisks(_))
    }

    /// Appends what is shown of a text.
    pub fn write(&self, text: Option<&[u8]>, out: &mut Vec<u8>) {
        let text = text.unwrap_or_default();
        match self {
            Mask::Asterisks(count) => out.extend(std::iter::repeat_n(b'*', *count)),
            Mask::Truncate(length) => truncate(text, *length, out),
            Mask::Hash {
                algorithm,
                salt,
                strategy,
                length,
            } => {
                let serialized;
                let hashed = match strategy {
                    Strategy::Text => text,
                    Strategy::Serialized => {
                        serialized = java_serialized(text);
                        &serialized
                    }
                };
                let start = out.len();
                write_hex(&algorithm.digest([salt.as_bytes(), hashed]), out);
                out.truncate(start + (*length).min(out.len() - start));
            }
        }
    }
}

/// At most so many of Java's characters, which are UTF-16 units; of half a one a question mark is left.
fn truncate(text: &[u8], length: usize, out: &mut Vec<u8>) {
    let Ok(text) = std::str::from_utf8(text) else {
        out.extend_from_slice(&text[..text.len().min(length)]);
        return;
    };
    let mut left = length;
    for (at, c) in text.char_indices() {
        if c.len_utf16() > left {
            out.extend_from_slice(&text.as_bytes()[..at]);
            out.extend(std::iter::repeat_n(b'?', left));
            return;
        }
        left -= c.len_utf16();
    }
    out.extend_from_slice(text.as_bytes());
}

/// A string as `ObjectOutputStream` writes it.
fn java_serialized(text: &[u8]) -> Vec<u8> {
    let mut out = vec![0xac, 0xed, 0x00, 0x05];
    match u16::try_from(text.len()) {
        Ok(length) => {
            out.push(0x74);
            out.extend_from_slice(&length.to_be_bytes());
        }
        Err(_) => {
            out.push(0x7c);
            out.extend_from_slice(&(text.len() as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(text);
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn shown(mask: &Mask, text: Option<&str>) -> String {
        let mut out = Vec::new();
        mask.write(text.map(str::as_bytes), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn texts_are_hidden_cut_or_hashed() {
        assert_eq!(shown(&Mask::Asterisks(6), Some("secret")), "******");
        assert_eq!(shown(&Mask::Asterisks(6), None), "******");
        assert_eq!(shown(&Mask::Truncate(2), Some("öäü")), "öä");
        assert_eq!(shown(&Mask::Truncate(9), Some("abc")), "abc");
        assert_eq!(shown(&Mask::Truncate(3), Some("ß😀é")), "ß😀");
        assert_eq!(shown(&Mask::Truncate(2), Some("ß😀é")), "ß?");
        let hash = |strategy, length| Mask::Hash {
            algorithm: Algorithm::Sha256,
            salt: "salt".into(),
            strategy,
            length,
        };
        // sha256("salttext")
        let whole = shown(&hash(Strategy::Text, 1000), Some("text"));
        assert_eq!(whole.len(), 64);
        assert_eq!(shown(&hash(Strategy::Text, 10), Some("text")), whole[..10]);
        assert_ne!(shown(&hash(Strategy::Serialized, 1000), Some("text")), whole);
    }

    #[test]
    fn strings_are_serialized_as_java_does() {
        assert_eq!(java_serialized(b"ab"), [0xac, 0xed, 0, 5, 0x74, 0, 2, b'a', b'b']);
    }
}
