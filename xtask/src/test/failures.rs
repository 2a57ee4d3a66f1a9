//! What failed tests have printed, found in the log of a stage.

/// How many lines of one failed test are shown: its panic comes last.
const LINES: usize = 40;
/// How much of the log is shown if no test has failed: a compiler's errors, the end of a command that hung.
const TAIL: usize = 60;

/// What says why a stage has failed: what its failed tests printed, or else the end of the log.
pub fn told(log: &str) -> Vec<&str> {
    let told: Vec<&str> = sections(log)
        .flat_map(|(title, lines)| std::iter::once(title).chain(end(lines, LINES)))
        .collect();
    if told.is_empty() {
        return end(log.lines().collect(), TAIL);
    }
    told
}

/// Each `---- a::test stdout ----` with the lines up to the next one, or to the list of names that follows the last.
fn sections(log: &str) -> impl Iterator<Item = (&str, Vec<&str>)> {
    let mut lines = log.lines().peekable();
    std::iter::from_fn(move || {
        let title = lines.find(|line| is_title(line))?;
        let mut section = Vec::new();
        while let Some(line) = lines.next_if(|line| !is_title(line) && *line != "failures:") {
            section.push(line);
        }
        Some((title, section))
    })
}

fn is_title(line: &str) -> bool {
    line.starts_with("---- ") && line.ends_with(" stdout ----")
}

fn end(mut lines: Vec<&str>, most: usize) -> Vec<&str> {
    lines.split_off(lines.len().saturating_sub(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "running 3 tests
test a ... ok
test b::one ... FAILED
test b::two ... FAILED

failures:

---- b::one stdout ----
thread 'b::one' panicked at src/lib.rs:3:5:
not so

---- b::two stdout ----
nor so


failures:
    b::one
    b::two

test result: FAILED. 1 passed; 2 failed; 0 ignored
     Running tests/others.rs
test c ... ok
";

    #[test]
    fn what_failed_tests_printed_is_told() {
        let told = told(LOG);
        let expected = [
            "---- b::one stdout ----",
            "thread 'b::one' panicked at src/lib.rs:3:5:",
            "not so",
            "",
            "---- b::two stdout ----",
            "nor so",
            "",
            "",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn without_a_failed_test_the_end_of_the_log_is() {
        let log: String = (0..100).map(|number| format!("{number}\n")).collect();
        let told = told(&log);
        assert_eq!((told.len(), told[0], told[TAIL - 1]), (TAIL, "40", "99"));
    }

    #[test]
    fn much_that_a_test_printed_is_told_from_its_end() {
        let mut log = "---- a stdout ----\n".to_owned();
        (0..100).for_each(|number| log.push_str(&format!("{number}\n")));
        let told = told(&log);
        assert_eq!(
            (told.len(), told[0], told[LINES]),
            (LINES + 1, "---- a stdout ----", "99")
        );
    }
}
