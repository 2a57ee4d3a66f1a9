//! Random names: nonces and UUIDs.

use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result};

fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::config(format!("there are no random numbers: {error}")))?;
    Ok(bytes)
}

/// Text that nobody can guess, without commas.
pub fn nonce() -> Result<String> {
    Ok(caisson_sdk::api::value::base64::encode(&bytes::<18>()?))
}

/// A UUID that begins with the time (version 7).
pub fn time_uuid() -> Result<String> {
    let mut bytes = bytes::<16>()?;
    let millis = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64);
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    bytes[6] = bytes[6] & 0x0f | 0x70;
    Ok(format_uuid(bytes))
}

/// A UUID that is nothing but random (version 4).
pub fn uuid() -> Result<String> {
    let mut bytes = bytes::<16>()?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    Ok(format_uuid(bytes))
}

/// The text of a UUID, its variant set.
pub fn format_uuid(mut bytes: [u8; 16]) -> String {
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn uuids_have_their_version_and_variant() {
        let uuid = time_uuid().unwrap();
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14] as char, '7');
        assert!(matches!(uuid.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{uuid}");
        assert_ne!(uuid, time_uuid().unwrap());
    }
}
