//! Points, and shapes that only have texts.

use super::java;

/// The coordinates of `(1.5,-2.25)`.
pub fn point(text: &[u8]) -> Option<(f64, f64)> {
    let text = std::str::from_utf8(text).ok()?;
    let (x, y) = text.strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
    Some((x.parse().ok()?, y.parse().ok()?))
}

/// A point in Well-Known Binary, little-endian.
pub fn point_wkb(x: f64, y: f64) -> [u8; 21] {
    let mut wkb = [0; 21];
    wkb[0] = 1;
    wkb[1] = 1;
    wkb[5..13].copy_from_slice(&x.to_le_bytes());
    wkb[13..21].copy_from_slice(&y.to_le_bytes());
    wkb
}

/// The text of a shape with its numbers as Java's `Double` writes them, as the JDBC driver's classes do.
pub fn java_shape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E')))
            .unwrap_or(rest.len());
        if end > 0 {
            match rest[..end].parse::<f64>() {
                Ok(number) => out.push_str(&java::double_text(number)),
                Err(_) => out.push_str(&rest[..end]),
            }
            rest = &rest[end..];
            continue;
        }
        let next = rest.chars().next().map_or(rest.len(), char::len_utf8);
        out.push_str(&rest[..next]);
        rest = &rest[next..];
    }
    out
}

/// The spatial reference and the standard WKB of PostGIS's text, which is EWKB in hexadecimal digits.
pub fn ewkb(text: &[u8]) -> Option<(Option<i32>, Vec<u8>)> {
    const HAS_SRID: u32 = 0x2000_0000;
    let bytes = super::codec::hex_bytes(text)?;
    let (order, kind) = (*bytes.first()?, bytes.get(1..5)?);
    let kind: [u8; 4] = kind.try_into().ok()?;
    let little = order == 1;
    let kind = if little {
        u32::from_le_bytes(kind)
    } else {
        u32::from_be_bytes(kind)
    };
    if kind & HAS_SRID == 0 {
        return Some((None, bytes));
    }
    let srid: [u8; 4] = bytes.get(5..9)?.try_into().ok()?;
    let srid = if little {
        i32::from_le_bytes(srid)
    } else {
        i32::from_be_bytes(srid)
    };
    Some((Some(srid), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_have_coordinates_and_wkb() {
        assert_eq!(point(b"(1.5,-2.25)"), Some((1.5, -2.25)));
        assert_eq!(point(b"1.5,-2.25"), None);
        assert_eq!(point_wkb(0.0, 0.0)[..6], [1, 1, 0, 0, 0, 0]);
    }

    #[test]
    fn shapes_have_javas_numbers() {
        for (text, expected) in [
            ("{1,2,3}", "{1.0,2.0,3.0}"),
            ("[(0,0),(1,1)]", "[(0.0,0.0),(1.0,1.0)]"),
            ("<(0,0),5>", "<(0.0,0.0),5.0>"),
            ("(1e+20,-0.5)", "(1.0E20,-0.5)"),
            ("é-", "é-"),
        ] {
            assert_eq!(java_shape(text), expected);
        }
    }
}
