//! Bytes as bytes, or as one of three texts.

use crate::types::form::BinaryMode;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Appends bytes in their form.
pub fn write(mode: BinaryMode, bytes: &[u8], out: &mut Vec<u8>) {
    match mode {
        BinaryMode::Bytes => out.extend_from_slice(bytes),
        BinaryMode::Hex => write_hex(bytes, out),
        BinaryMode::Base64 => write_base64(ALPHABET, bytes, out),
        BinaryMode::Base64UrlSafe => write_base64(URL_SAFE, bytes, out),
    }
}

/// Lower-case digits.
pub fn write_hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

fn write_base64(alphabet: &[u8; 64], bytes: &[u8], out: &mut Vec<u8>) {
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let word = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            if place <= chunk.len() {
                out.push(alphabet[(word >> (18 - 6 * place) & 63) as usize]);
            } else {
                out.push(b'=');
            }
        }
    }
}

/// The bytes of a `bytea`, which `bytea_output` gives as `\x` and hexadecimal digits, or as characters and escapes.
pub fn bytea(text: &[u8]) -> Option<Vec<u8>> {
    if let Some(digits) = text.strip_prefix(b"\\x") {
        return hex_bytes(digits);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = match (first, after) {
            (b'\\', [b'\\', after @ ..]) => {
                bytes.push(b'\\');
                after
            }
            (b'\\', [high @ b'0'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7', after @ ..]) => {
                bytes.push((high - b'0') << 6 | (middle - b'0') << 3 | (low - b'0'));
                after
            }
            (b'\\', _) => return None,
            (plain, after) => {
                bytes.push(*plain);
                after
            }
        };
    }
    Some(bytes)
}

/// The bytes that hexadecimal digits stand for.
pub fn hex_bytes(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
    let (pairs, []) = text.as_chunks::<2>() else {
        return None;
    };
    pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_three_texts() {
        let text = |mode| {
            let mut out = Vec::new();
            write(mode, &[0xfb, 0xff, 0xbf, 1], &mut out);
            String::from_utf8_lossy(&out).into_owned()
        };
        assert_eq!(text(BinaryMode::Hex), "fbffbf01");
        assert_eq!(text(BinaryMode::Base64), "+/+/AQ==");
        assert_eq!(text(BinaryMode::Base64UrlSafe), "-_-_AQ==");
        assert_eq!(hex_bytes(b"00fF"), Some(vec![0, 255]));
        assert_eq!(hex_bytes(b"0"), None);
        assert_eq!(hex_bytes(b"0g"), None);
    }

    #[test]
    fn a_bytea_has_two_forms() {
        for (text, bytes) in [
            (br"\x00fF".as_slice(), Some(vec![0, 255])),
            (br"\000\377a\\b", Some(vec![0, 255, b'a', b'\\', b'b'])),
            (b"", Some(vec![])),
            (br"\x0", None),
            (br"\40", None),
            (br"\400", None),
            (br"a\", None),
        ] {
            assert_eq!(bytea(text), bytes, "{}", String::from_utf8_lossy(text));
        }
    }
}
