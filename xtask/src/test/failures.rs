//! What failed tests have printed, found in the log of a stage.

/// How many lines of one failed test are shown.
const LINES: usize = 40;
/// How many of them are its panic and what follows at once, if there is more: a worker's log may follow.
const REASON: usize = 10;
/// How much of the log is shown if no test has failed: a compiler's errors, the end of a command that hung.
const TAIL: usize = 60;

/// What says why a stage has failed: what its failed tests printed, or else the end of the log.
pub fn told(log: &str) -> Vec<&str> {
    let told: Vec<&str> = sections(log)
        .flat_map(|(title, lines)| std::iter::once(title).chain(essence(lines)))
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

/// The panic and the last lines, without the frames of the stack.
fn essence(mut lines: Vec<&str>) -> Vec<&str> {
    lines.retain(|line| !is_frame(line));
    let panic = lines.iter().position(|line| line.contains(" panicked at "));
    let mut from_panic = lines.split_off(panic.unwrap_or(0));
    if panic.is_none() || from_panic.len() <= LINES {
        return end(from_panic, LINES);
    }
    let rest = from_panic.split_off(REASON);
    from_panic.extend(end(rest, LINES - REASON));
    from_panic
}

/// Such as `   3: name` and `             at file:line:column`.
fn is_frame(line: &str) -> bool {
    let text = line.trim_start();
    let depth = line.len() - text.len();
    let (number, rest) = text.split_once(": ").unwrap_or_default();
    let is_numbered = !rest.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    depth >= 2 && is_numbered || depth >= 8 && text.starts_with("at ")
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
    fn a_panic_is_told_whatever_was_printed_around_it() {
        let mut log = "---- a stdout ----\nmuch before\n".to_owned();
        log.push_str("thread 'a' panicked at src/lib.rs:3:5:\nnot so\nstack backtrace:\n");
        (0..50).for_each(|number| log.push_str(&format!("  {number}: core::a\n             at ./src/a.rs:1:2\n")));
        (0..100).for_each(|number| log.push_str(&format!("line {number} of a worker's log\n")));
        let told = told(&log);
        assert_eq!(
            told[1..4],
            ["thread 'a' panicked at src/lib.rs:3:5:", "not so", "stack backtrace:"]
        );
        assert_eq!((told.len(), told[LINES]), (LINES + 1, "line 99 of a worker's log"));
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
