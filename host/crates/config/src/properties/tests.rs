use proptest::prelude::*;

use super::*;

fn check(text: &str, expected: &[(&str, &str)]) {
    check_bytes(text.as_bytes(), expected);
}

fn check_bytes(bytes: &[u8], expected: &[(&str, &str)]) {
    let given = parse(bytes, "test.properties").unwrap();
    let found: Vec<_> = given.iter().map(|(name, value)| (name, value.unwrap())).collect();
    assert_eq!(found, expected, "{:?}", String::from_utf8_lossy(bytes));
}

#[test]
fn separators_are_equals_colon_and_blank() {
    check(
        "a=1\nb:2\nc 3\nd = 4\ne : 5\nf\t6\ng  =  7 ",
        &[
            ("a", "1"),
            ("b", "2"),
            ("c", "3"),
            ("d", "4"),
            ("e", "5"),
            ("f", "6"),
            ("g", "7 "),
        ],
    );
}

#[test]
fn a_second_separator_belongs_to_the_value() {
    check(
        "a==b\nb=:c\nlisteners=http://:8083",
        &[("a", "=b"), ("b", ":c"), ("listeners", "http://:8083")],
    );
}

#[test]
fn comments_and_empty_lines_are_left_out() {
    check("# one\n  ! two\n\n \t \na=#b\n#c=d\\\ne=f", &[("a", "#b"), ("e", "f")]);
}

#[test]
fn lines_continue_without_their_indentation() {
    check(
        "a=1,\\\n   2,\\\r\n\t3\nb=x\\\\\nc=\\\n",
        &[("a", "1,2,3"), ("b", "x\\"), ("c", "")],
    );
    check("a=1\\\n#2", &[("a", "1#2")]);
}

#[test]
fn line_ends_are_those_of_every_system() {
    check(
        "a=1\rb=2\r\nc=3\n\rd=4",
        &[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")],
    );
}

#[test]
fn escapes_are_read() {
    check(
        r"a\ b\=c\:d = \t\n\u00e9\uD83D\uDE00\q\\",
        &[("a b=c:d", "\t\n\u{e9}\u{1f600}q\\")],
    );
}

#[test]
fn a_name_alone_has_an_empty_value() {
    check("a\nb=\n=c", &[("a", ""), ("b", ""), ("", "c")]);
}

#[test]
fn the_last_of_two_values_counts() {
    check("a=1\nb=2\na=3", &[("a", "3"), ("b", "2")]);
}

#[test]
fn both_encodings_are_read() {
    check_bytes("a=\u{e9}\u{20ac}".as_bytes(), &[("a", "\u{e9}\u{20ac}")]);
    check_bytes(b"a=\xe9", &[("a", "\u{e9}")]);
    check_bytes(b"\xef\xbb\xbfa=b", &[("a", "b")]);
}

#[test]
fn a_bad_escape_names_file_and_line() {
    let error = parse(b"a=1\n\nb=\\u12x4\n", "worker.properties").unwrap_err();
    let text = error.to_string();
    assert!(text.contains("worker.properties") && text.contains("line 3"), "{text}");
}

#[test]
fn too_much_is_refused() {
    assert!(parse(&vec![b' '; MAX_BYTES + 1], "f").is_err());
    let many: String = (0..=MAX_ENTRIES).map(|index| format!("{index}=\n")).collect();
    assert!(parse(many.as_bytes(), "f").is_err());
}

/// Writes a name or value so that any reader gives it back.
fn escape(text: &str) -> String {
    text.chars()
        .flat_map(|character| match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' => vec![character],
            other => other
                .encode_utf16(&mut [0; 2])
                .iter()
                .flat_map(|unit| format!("\\u{unit:04x}").chars().collect::<Vec<_>>())
                .collect(),
        })
        .collect()
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes, "f");
    }

    #[test]
    fn no_likely_text_panics(text in "[a-c=: \\t\\\\u0-9#!\\r\\n\u{e9}]{0,200}") {
        let _ = parse(text.as_bytes(), "f");
    }

    #[test]
    fn what_is_escaped_comes_back(name in ".{1,20}", value in ".{0,40}") {
        let text = format!("{}={}", escape(&name), escape(&value));
        let given = parse(text.as_bytes(), "f").unwrap();
        prop_assert_eq!(given.get(&name), Some(value.as_str()));
    }
}
