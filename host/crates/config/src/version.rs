//! Versions of plugins, and what a configuration asks of them (KIP-891): Maven's order and Maven's ranges.

use std::cmp::Ordering;
use std::fmt;

/// A version, compared as Maven compares: numbers as numbers, `1.0-rc1` before `1.0`, `1.0` the same as `1`.
#[derive(Clone, Debug)]
pub struct Version {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Number(u128),
    Word(String),
}

/// Words that come before the release, in order; the release itself is the empty word.
const WORDS: [&str; 7] = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];

impl Version {
    pub fn parse(text: &str) -> Version {
        let mut parts: Vec<Part> = Vec::new();
        let mut token = String::new();
        for character in text.to_lowercase().chars() {
            let separator = matches!(character, '.' | '-' | '_' | '+');
            let turn = token
                .chars()
                .next_back()
                .is_some_and(|last| last.is_ascii_digit() != character.is_ascii_digit());
            if separator || turn {
                parts.extend(part(&token));
                token.clear();
            }
            if !separator {
                token.push(character);
            }
        }
        parts.extend(part(&token));
        Version {
            text: text.to_owned(),
            parts,
        }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn part(token: &str) -> Option<Part> {
    if token.is_empty() {
        return None;
    }
    Some(match token.parse() {
        Ok(number) => Part::Number(number),
        Err(_) => Part::Word(match token {
            "a" => "alpha".to_owned(),
            "b" => "beta".to_owned(),
            "m" => "milestone".to_owned(),
            "cr" => "rc".to_owned(),
            "ga" | "final" | "release" => String::new(),
            other => other.to_owned(),
        }),
    })
}

impl Part {
    /// Known words by their place, others after them by the alphabet, numbers after all words; 0 is the release itself.
    fn rank(&self) -> (usize, u128, &str) {
        let release = 5;
        match self {
            Part::Number(0) => (release, 0, ""),
            Part::Number(number) => (WORDS.len() + 1, *number, ""),
            Part::Word(word) => match WORDS.iter().position(|known| known == word) {
                Some(place) => (place, 0, ""),
                None => (WORDS.len(), 0, word),
            },
        }
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let nothing = Part::Number(0);
        let length = self.parts.len().max(other.parts.len());
        (0..length)
            .map(|place| {
                let own = self.parts.get(place).unwrap_or(&nothing);
                own.rank().cmp(&other.parts.get(place).unwrap_or(&nothing).rank())
            })
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// The value of a `plugin.version` key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Whatever there is: `latest`, as if nothing were asked for.
    Any,
    /// One of these ranges; a version alone is the range of itself.
    Ranges(Vec<Range>),
}

/// `[1.0,2.0)` and the like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    from: Bound,
    to: Bound,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Bound {
    /// `None`: no bound, which has a bracket like any other all the same.
    version: Option<Version>,
    inclusive: bool,
}

/// A text that is no version and no range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequirementError {
    #[error("Unbounded range: {0}")]
    Unbounded(String),
    #[error("Range defies version ordering: {0}")]
    Order(String),
    #[error("Single version must be surrounded by []: {0}")]
    Single(String),
    #[error("Ranges overlap: {0}")]
    Overlap(String),
    #[error("Only fully-qualified sets allowed in multiple set scenario: {0}")]
    Sets(String),
}

impl Requirement {
    /// A text that is no range is a version, and what stands for it is the range of that version alone.
    pub fn parse(text: &str) -> Result<Requirement, RequirementError> {
        if text == "latest" {
            return Ok(Requirement::Any);
        }
        let text = text.trim();
        let ranges = match ranges(text)? {
            ranges if ranges.is_empty() => self::ranges(&format!("[{text}]"))?,
            ranges => ranges,
        };
        Ok(Requirement::Ranges(ranges))
    }

    pub fn allows(&self, version: &Version) -> bool {
        match self {
            Requirement::Any => true,
            Requirement::Ranges(ranges) => ranges.iter().any(|range| range.contains(version)),
        }
    }
}

/// `VersionRange.createFromVersionSpec`; empty if the text does not begin like a range.
fn ranges(text: &str) -> Result<Vec<Range>, RequirementError> {
    let mut ranges: Vec<Range> = Vec::new();
    let mut rest = text;
    while rest.starts_with(['[', '(']) {
        let end = rest
            .find([']', ')'])
            .ok_or_else(|| RequirementError::Unbounded(text.to_owned()))?;
        let range = Range::parse(&rest[..=end])?;
        let before = ranges.last().and_then(|range| range.to.version.as_ref());
        if before.is_some_and(|before| range.from.version.as_ref().is_none_or(|from| from < before)) {
            return Err(RequirementError::Overlap(text.to_owned()));
        }
        ranges.push(range);
        rest = rest[end + 1..].trim();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim();
    }
    if !rest.is_empty() && !ranges.is_empty() {
        return Err(RequirementError::Sets(text.to_owned()));
    }
    Ok(ranges)
}

impl Range {
    fn only(text: &str) -> Range {
        let bound = Bound {
            version: Some(Version::parse(text)),
            inclusive: true,
        };
        Range {
            from: bound.clone(),
            to: bound,
        }
    }

    /// With its brackets.
    fn parse(text: &str) -> Result<Range, RequirementError> {
        let inside = text[1..text.len() - 1].trim();
        let (from_inclusive, to_inclusive) = (text.starts_with('['), text.ends_with(']'));
        let Some((from, to)) = inside.split_once(',') else {
            if !from_inclusive || !to_inclusive {
                return Err(RequirementError::Single(text.to_owned()));
            }
            return Ok(Range::only(inside));
        };
        let bound = |text: &str, inclusive| Bound {
            version: Some(text.trim()).filter(|text| !text.is_empty()).map(Version::parse),
            inclusive,
        };
        let (from, to) = (bound(from, from_inclusive), bound(to, to_inclusive));
        let order = from
            .version
            .as_ref()
            .zip(to.version.as_ref())
            .map(|(from, to)| from.cmp(to));
        match order {
            Some(Ordering::Greater) => Err(RequirementError::Order(text.to_owned())),
            Some(Ordering::Equal) if !(from_inclusive && to_inclusive) => Err(RequirementError::Order(text.to_owned())),
            Some(Ordering::Less | Ordering::Equal) | None => Ok(Range { from, to }),
        }
    }

    fn contains(&self, version: &Version) -> bool {
        let beyond = |bound: &Bound, beyond: Ordering| {
            bound.version.as_ref().is_none_or(|limit| match version.cmp(limit) {
                Ordering::Equal => bound.inclusive,
                order => order == beyond,
            })
        };
        beyond(&self.from, Ordering::Greater) && beyond(&self.to, Ordering::Less)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = |bound: &Bound| bound.version.as_ref().map(Version::to_string).unwrap_or_default();
        let open = if self.from.inclusive { '[' } else { '(' };
        let close = if self.to.inclusive { ']' } else { ')' };
        write!(formatter, "{open}{},{}{close}", version(&self.from), version(&self.to))
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Requirement::Any => formatter.write_str("latest"),
            Requirement::Ranges(ranges) => {
                let texts: Vec<String> = ranges.iter().map(Range::to_string).collect();
                formatter.write_str(&texts.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_mavens_order() {
        let sorted = [
            "1.0-alpha-1",
            "1.0-beta",
            "1.0-rc1",
            "1.0-SNAPSHOT",
            "1.0",
            "1.0-sp",
            "1.0.1",
            "1.9",
            "1.10",
        ];
        for pair in sorted.windows(2) {
            assert!(Version::parse(pair[0]) < Version::parse(pair[1]), "{pair:?}");
        }
        assert_eq!(Version::parse("1"), Version::parse("1.0.0"));
        assert_eq!(Version::parse("1.0.final"), Version::parse("1.0"));
    }

    fn check(requirement: &str, text: &str, allowed: &[&str], refused: &[&str]) {
        let requirement = Requirement::parse(requirement).unwrap();
        assert_eq!(requirement.to_string(), text);
        for version in allowed {
            assert!(requirement.allows(&Version::parse(version)), "{requirement} {version}");
        }
        for version in refused {
            assert!(!requirement.allows(&Version::parse(version)), "{requirement} {version}");
        }
    }

    #[test]
    fn requirements_are_mavens_ranges() {
        check("", "[,]", &[], &["1"]);
        check("latest", "latest", &["1"], &[]);
        check("9.9.9", "[9.9.9,9.9.9]", &["9.9.9"], &["9.9.8"]);
        check("[1.0,2.0)", "[1.0,2.0)", &["1", "1.9"], &["2.0", "0.9"]);
        check("a,b", "[a,b]", &["a", "b"], &["c"]);
        check("[1.0,1.0]", "[1.0,1.0]", &["1"], &["1.1"]);
        check("(,1.0],[1.2,)", "(,1.0],[1.2,)", &["0.1", "1.0", "1.2", "7"], &["1.1"]);
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in [
            "[1.0",
            "(1.0)",
            "[2.0,1.0]",
            "[1.0,1.0)",
            "2.0,1.0",
            "[1],2",
            "a)",
            "[1,3],[2,4]",
        ] {
            assert!(Requirement::parse(text).is_err(), "{text}");
        }
    }
}
