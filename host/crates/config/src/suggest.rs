//! The known key that a misspelt one was probably meant to be.

/// The nearest of `known`, if it is near enough to be a slip of the keyboard.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 200;
    if word.len() > LONGEST {
        return None;
    }
    let most = (word.chars().count() / 6).clamp(1, 3);
    known
        .filter(|candidate| candidate.len().abs_diff(word.len()) <= most)
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Letters to insert, remove, replace, or swap with their neighbour.
fn distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().collect();
    let other: Vec<char> = other.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for i in 1..=one.len() {
        let mut row = vec![i];
        for j in 1..=other.len() {
            let same = one[i - 1] == other[j - 1];
            let mut best = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + usize::from(!same));
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let known = [
            "offset.flush.interval.ms",
            "offset.flush.timeout.ms",
            "listeners",
            "group.id",
        ];
        let nearest = |word| nearest(word, known.into_iter());
        assert_eq!(nearest("ofset.flush.interval.ms"), Some("offset.flush.interval.ms"));
        assert_eq!(nearest("listenres"), Some("listeners"));
        assert_eq!(nearest("group.di"), Some("group.id"));
        assert_eq!(nearest("colour"), None);
        assert_eq!(nearest(&"x".repeat(100_000)), None);
    }
}
