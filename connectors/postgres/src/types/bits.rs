//! Bit strings as little-endian bytes, without the high ones that are zero.

/// Appends the bytes of `0101…`; false for anything else.
pub fn write(text: &[u8], out: &mut Vec<u8>) -> bool {
    if !text.iter().all(|bit| matches!(bit, b'0' | b'1')) {
        return false;
    }
    let start = out.len();
    for chunk in text.rchunks(8) {
        out.push(chunk.iter().fold(0, |byte, bit| byte << 1 | (bit - b'0')));
    }
    let used = out[start..]
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    out.truncate(start + used);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_little_endian() {
        let bytes = |text: &str| {
            let mut out = vec![9];
            assert!(write(text.as_bytes(), &mut out));
            out[1..].to_vec()
        };
        assert_eq!(bytes("100000010"), [2, 1]);
        assert_eq!(bytes("00000001001000110100"), [0x34, 0x12]);
        assert!(bytes("000000000000").is_empty());
        assert!(bytes("").is_empty());
        assert!(!write(b"012", &mut Vec::new()));
    }
}
