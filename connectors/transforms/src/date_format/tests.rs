//! Against what `java.text.SimpleDateFormat` of Java 17 does, in US English and UTC (`tests/java/dates.tsv`).

#![allow(clippy::unwrap_used)]

use super::DateFormat;

const RECORDED: &str = include_str!("../../tests/java/dates.tsv");

/// Eighty years after the start of the century that was set for the recording.
const NOW: i64 = 1_754_438_400_000;

fn format(pattern: &str) -> DateFormat {
    DateFormat::at(pattern, NOW).unwrap()
}

/// The difference, if there is one.
fn check(line: &str) -> Option<String> {
    let fields: Vec<&str> = line.split('\t').collect();
    let got = match fields[0] {
        "ok" | "bad" => match DateFormat::at(fields[1], NOW) {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.to_string(),
        },
        "write" => {
            let mut out = String::new();
            format(fields[1]).write(fields[2].parse().unwrap(), &mut out);
            out
        }
        _ => {
            let text = fields[2].replace("\\t", "\t");
            let parsed = format(fields[1]).parse(&text);
            parsed.map_or("-".to_owned(), |millis| millis.to_string())
        }
    };
    let expected = match fields[0] {
        "ok" => "ok",
        "bad" => fields[2],
        _ => fields[3],
    };
    (got != expected).then(|| format!("{line}: {got}"))
}

#[test]
fn patterns_mean_what_they_mean_in_java() {
    let wrong: Vec<String> = RECORDED.lines().filter_map(check).collect();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_moment_is_written_the_same_whatever_came_before() {
    let moments = [
        1_700_000_000_000,
        1_700_000_000_007,
        1_700_000_000_999,
        1_700_000_001_000,
        1_700_000_001_000,
        -1,
        -999,
        -1_000,
        -1_001,
        0,
        86_399_999,
        86_400_000,
    ];
    for pattern in [
        "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'",
        "SSSS|ss|SSS",
        "S ss",
        "SS",
        "yyyy-MM-dd",
        "'SSS'",
    ] {
        let kept = format(pattern);
        for millis in moments {
            let (mut one, mut other) = (String::new(), String::new());
            kept.write(millis, &mut one);
            format(pattern).write(millis, &mut other);
            assert_eq!(one, other, "{millis} as {pattern}");
        }
    }
}
