//! What Java's own methods make of values, where the texts of the original show it.

/// `Double.toString`.
pub fn double_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let magnitude = number.abs();
    if magnitude == 0.0 || (1e-3..1e7).contains(&magnitude) {
        let text = number.to_string();
        return if text.contains('.') { text } else { format!("{text}.0") };
    }
    let text = format!("{number:E}");
    match text.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        _ => text,
    }
}

/// `String.hashCode`: over UTF-16 units.
fn hash_code(text: &str) -> u32 {
    text.encode_utf16()
        .fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)))
}

/// The order in which a `HashMap` of these keys, inserted in this order, gives them: indexes into `keys`.
pub fn hash_map_order<'a>(keys: impl ExactSizeIterator<Item = &'a str>) -> Vec<usize> {
    let mut capacity = 16_usize;
    while keys.len() > capacity / 4 * 3 {
        capacity *= 2;
    }
    let mut order: Vec<(usize, usize)> = keys
        .enumerate()
        .map(|(index, key)| {
            let hash = hash_code(key);
            ((hash ^ hash >> 16) as usize & (capacity - 1), index)
        })
        .collect();
    // Stable: keys of one bucket stay in the order in which they came.
    order.sort_by_key(|(bucket, _)| *bucket);
    order.into_iter().map(|(_, index)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_written_as_java_writes_them() {
        for (number, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (-2.25, "-2.25"),
            (1_234_567.0, "1234567.0"),
            (1e7, "1.0E7"),
            (9.223_372_036_854_776e16, "9.223372036854776E16"),
            (1e-4, "1.0E-4"),
            (0.001, "0.001"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(double_text(number), text);
        }
    }

    #[test]
    fn maps_are_ordered_as_java_orders_them() {
        let order = |keys: &[&str]| {
            hash_map_order(keys.iter().copied())
                .into_iter()
                .map(|index| keys[index].to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(order(&["k1", "k 2", "k3"]), ["k1", "k3", "k 2"]);
        assert_eq!(order(&["k1", "k3", "k 2", "new"]), ["new", "k1", "k3", "k 2"]);
        assert_eq!(
            order(&["public.accounts", "public.ledger"]),
            ["public.ledger", "public.accounts"]
        );
        assert!(order(&[]).is_empty());
    }
}
