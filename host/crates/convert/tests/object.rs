//! Objects whose members stay text are written as if all members had become values, whatever is done to them.

#![allow(clippy::unwrap_used)]

use caisson_api::{Members, Value};
use caisson_convert::{Converter, JsonConverter, JsonObject, JsonOptions, ObjectParts};
use proptest::prelude::*;

fn converter() -> JsonConverter {
    JsonConverter::new(JsonOptions {
        schemas_enable: false,
        ..JsonOptions::default()
    })
}

fn value_of(text: &str) -> Vec<(Value, Value)> {
    match converter().to_connect("t", Some(text.as_bytes())).unwrap() {
        (None, Value::Map(entries)) => entries,
        other => panic!("no object: {other:?}"),
    }
}

fn text_of(entries: Vec<(Value, Value)>) -> String {
    let mut out = Vec::new();
    converter()
        .from_connect("t", None, &Value::Map(entries), &mut out)
        .unwrap();
    String::from_utf8(out).unwrap()
}

/// Reads `text` both ways, does the same to both, and compares.
fn check(text: &str, change: impl FnMut(&mut dyn Members)) {
    check_with(ObjectParts::default(), text, change);
}

/// As [`check`], with the memory of another object.
fn check_with(mut parts: ObjectParts, text: &str, mut change: impl FnMut(&mut dyn Members)) {
    let mut entries = value_of(text);
    change(&mut entries);
    // The second one has the first one's memory.
    for _ in 0..2 {
        let mut object = JsonObject::read(text.as_bytes(), &mut parts).unwrap();
        change(&mut object);
        assert_eq!(Members::len(&entries), object.len());
        let mut out = Vec::new();
        object.write(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), text_of(entries.clone()), "of {text}");
        parts = object.into_parts();
    }
    let mut object = JsonObject::read(text.as_bytes(), &mut parts).unwrap();
    change(&mut object);
    assert_eq!(object.into_value(), Value::Map(entries));
}

fn check_unchanged(text: &str) {
    check(text, |_| ());
}

#[test]
fn members_that_nobody_touches_are_written_as_kafka_connect_would() {
    for value in [
        "0",
        "-0",
        "1",
        "-12",
        "007",
        "-01",
        "123456789012345678",
        "1234567890123456789",
        "99999999999999999999",
        "0.0",
        "-0.0",
        "10.0",
        "10.75",
        "10.750",
        "1.50",
        "0.001",
        "0.0009",
        "9999999.5",
        "10000000.5",
        "1e3",
        "1E-3",
        "00.5",
        "0.1000000000000000055",
        "123456.7890123456",
        "-2.5",
        "1.0",
        "1.00",
        "5e-324",
        "1.0e1",
        r#""""#,
        r#""plain""#,
        r#""é/""#,
        r#""\u0041""#,
        r#""\/""#,
        r#""a\nb""#,
        r#""\ud83d\ude00""#,
        r#""\ud83d""#,
        "true",
        "false",
        "null",
        "[]",
        "{}",
        "[1,2]",
        "[1, 2]",
        "[1.50]",
        r#"{"a":{"b":[true,"x"]}}"#,
        r#"{ "a":1}"#,
        r#"{"a":1,"a":2}"#,
        r#"{"\u0061":1}"#,
        r#"[{"a":1},{"a":1}]"#,
        "[[[]]]",
        "[\n]",
    ] {
        check_unchanged(&format!(r#"{{"a":{value}}}"#));
        check_unchanged(&format!(
            r#" {{ "before" : 1 ,"a":{value},"b" :2 , "c": {value} }} behind"#
        ));
    }
    for text in [
        "{}",
        " { } ",
        r#"{"a":1,"b":2,"a":3}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"\"":1,"":2}"#,
        r#"{"a":1}x"#,
    ] {
        check_unchanged(text);
    }
}

/// What is left of an object once it is done with.
fn memory_of(text: &str) -> ObjectParts {
    let mut parts = ObjectParts::default();
    match JsonObject::read(text.as_bytes(), &mut parts) {
        Some(object) => object.into_parts(),
        None => parts,
    }
}

#[test]
fn an_object_with_other_members_than_the_one_before_is_read_as_well() {
    let many = |last: &str| {
        let members: Vec<_> = (0..60).map(|number| format!(r#""m{number}":{number}"#)).collect();
        format!("{{{},{last}}}", members.join(","))
    };
    let objects = [
        r#"{"a":1,"b":2}"#.to_owned(),
        r#"{"a":1}"#.to_owned(),
        r#"{"a":1,"b":2,"c":3}"#.to_owned(),
        r#"{"b":1,"a":2}"#.to_owned(),
        r#"{"a":1,"a":2}"#.to_owned(),
        r#"{"a":1,"b":2,"a":3}"#.to_owned(),
        r#"{"a":1,"\u0062":2,"b":3}"#.to_owned(),
        r#"{ "a" : 1, "b": 2 }"#.to_owned(),
        r#"{"aa":1,"b":2}"#.to_owned(),
        r#"{"a":1,"b":2,"":3}"#.to_owned(),
        r#"{"a":1,"b" 2}"#.to_owned(),
        format!(r#"{{"{}":1}}"#, "long".repeat(2000)),
        many(r#""m60":60"#),
        many(r#""m3":60"#),
        many(r#""m58":60"#),
    ];
    for before in &objects {
        for text in objects.iter().filter(|text| !text.contains("\"b\" 2")) {
            check_with(memory_of(before), text, |_| ());
        }
    }
}

#[test]
fn what_is_no_good_object_is_left_to_the_converter() {
    let deep = format!(r#"{{"a":{}}}"#, "[".repeat(2000));
    for text in [
        "",
        "1",
        "[]",
        "null",
        r#""a""#,
        "{",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r#"{"a":1 "b":2}"#,
        r#"{a:1}"#,
        r#"{"a":01x}"#,
        r#"{"a":"\x"}"#,
        "{\"a\":\"\n\"}",
        r#"{"a":1]"#,
        "\u{feff}{}",
        // It is written otherwise than it stands here.
        r#"{"a":"é😀"}"#,
        &deep,
    ] {
        assert!(
            JsonObject::read(text.as_bytes(), &mut ObjectParts::default()).is_none(),
            "{text}"
        );
    }
    assert!(JsonObject::read(b"{\"a\":\"\xff\"}", &mut ObjectParts::default()).is_none());
}

/// What transforms do to maps.
#[derive(Clone, Debug)]
enum Change {
    Set(String, i64),
    Write(String, String),
    Remove(String),
    Rename(String, String),
    Absorb(String, String),
    Keep(String),
    Look(String),
}

impl Change {
    fn apply(&self, members: &mut dyn Members) {
        match self {
            Change::Set(name, number) => match members.find(name) {
                Some(place) => *members.value(place) = Value::Int64(*number),
                None => members.push(name, Value::Int64(*number)),
            },
            Change::Write(name, text) => match members.find(name) {
                Some(place) => members.write_text(place, &mut |out| out.push_str(text)),
                None => members.push_text(name, text),
            },
            Change::Remove(name) => {
                if let Some(place) = members.find(name) {
                    members.remove(place);
                }
            }
            Change::Rename(old, new) => {
                if let (Some(place), None) = (members.find(old), members.find(new)) {
                    members.rename(place, new);
                }
            }
            Change::Absorb(one, other) => {
                if let (Some(one), Some(other)) = (members.find(one), members.find(other))
                    && one < other
                {
                    members.absorb(one, other);
                }
            }
            Change::Keep(name) => members.retain(&mut |known| known.len() > 1 || known == name),
            Change::Look(name) => {
                if let Some(place) = members.find(name) {
                    assert_eq!(members.name(place), name);
                    let is_text = members.is_text(place);
                    assert_eq!(is_text, matches!(members.value(place), Value::String(_)));
                }
            }
        }
    }
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-d]", 1 => "[a-b\"\\\\é\n]{0,2}"]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (name(), any::<i64>()).prop_map(|(name, number)| Change::Set(name, number)),
        4 => (name(), name()).prop_map(|(name, text)| Change::Write(name, text)),
        4 => name().prop_map(Change::Remove),
        4 => (name(), name()).prop_map(|(old, new)| Change::Rename(old, new)),
        2 => (name(), name()).prop_map(|(one, other)| Change::Absorb(one, other)),
        1 => name().prop_map(Change::Keep),
        4 => name().prop_map(Change::Look),
    ]
}

/// The text of a name or string, with more escapes than it needs.
fn quoted(text: String, escapes: bool) -> String {
    let escape = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        '\n' => "\\n".to_owned(),
        c if escapes && (c as u32) < 0x1_0000 => format!("\\u{:04x}", c as u32),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(escape).collect::<String>())
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        (-10_000_000i64..10_000_000).prop_map(|number| number.to_string()),
        "-?[0-9]{1,9}\\.[0-9]{1,9}",
        "-?[0-9]{1,20}(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?",
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|number| number.to_string()),
        ("[a-z\"\\\\é\n]{0,8}", any::<bool>()).prop_map(|(text, escapes)| quoted(text, escapes)),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let space = prop_oneof![6 => Just(""), 1 => Just(" "), 1 => Just("\n\t")];
        prop_oneof![
            (prop::collection::vec(inner.clone(), 0..4), space)
                .prop_map(|(elements, space)| { format!("[{}]", elements.join(&format!("{space},"))) }),
            object(inner),
        ]
    })
}

fn object(member: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let space = prop_oneof![6 => Just(""), 1 => Just(" "), 1 => Just("\n\t")];
    let escapes = prop_oneof![6 => Just(false), 1 => Just(true)];
    let member = (name(), escapes, space, member)
        .prop_map(|(name, escapes, space, value)| format!("{}{space}:{value}{space}", quoted(name, escapes)));
    prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(",")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn changes_come_to_the_same(text in object(json()), changes in prop::collection::vec(change(), 0..6)) {
        check(&text, |members| changes.iter().for_each(|change| change.apply(members)));
    }

    #[test]
    fn the_object_before_makes_no_difference(before in object(json()), text in object(json())) {
        check_with(memory_of(&before), &text, |_| ());
    }
}
