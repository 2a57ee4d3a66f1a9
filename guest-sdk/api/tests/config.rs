//! Definitions of configurations.

#![allow(clippy::unwrap_used)]

use caisson_api::config::{Config, ConfigDef, Importance, Key, NoChecks, Object, Setting, Type, Validator, Width};

#[test]
fn a_definition_gives_typed_values() {
    let definition: ConfigDef = [
        Key::new("file", Type::String)
            .importance(Importance::High)
            .documentation("A file."),
        Key::new("batch.size", Type::Int)
            .default(2000)
            .validator(Validator::at_least(1)),
        Key::new("names", Type::List).default(""),
        Key::new("password", Type::Password)
            .optional()
            .group("Security", 1)
            .width(Width::Short)
            .display("Secret"),
    ]
    .into_iter()
    .collect();
    let config: Config = [("file", " /tmp/x "), ("password", "secret"), ("other", "1")]
        .into_iter()
        .collect();
    let settings = definition.parse(&config).unwrap();
    assert_eq!(settings.string("file"), Some("/tmp/x"));
    assert_eq!(
        (settings.int("batch.size"), settings.long("batch.size")),
        (Some(2000), Some(2000))
    );
    assert_eq!(settings.list("names"), Some(&[][..]));
    assert_eq!(settings.password("password").unwrap().reveal(), "secret");
    let printed = format!("{settings:?} {config:?} {}", settings.get("password"));
    assert!(printed.contains("[hidden]") && !printed.contains("secret"), "{printed}");
    let error = definition.parse(&Config::default()).unwrap_err();
    assert_eq!(
        error.0,
        "Missing required configuration \"file\" which has no default value."
    );
}

#[test]
fn dependents_have_to_be_defined() {
    let definition = ConfigDef::new().key(Key::new("a", Type::Int).optional().dependents(["b"]));
    let error = definition.parse(&Config::default()).unwrap_err();
    assert_eq!(
        error.0,
        "Some configurations in are referred in the dependents, but not defined: b"
    );
    let validated = definition.validate(&Config::default());
    assert_eq!(
        validated[1].errors,
        ["b is referred in the dependents, but not defined."]
    );
    assert!(!validated[1].visible);
}

#[test]
fn a_value_of_a_program_has_to_be_of_the_type() {
    let read = |object: Object, kind: Type| object.into_setting("k", kind, &NoChecks);
    assert_eq!(read(5.into(), Type::Long), Ok(Setting::Long(5)));
    assert_eq!(read(5.into(), Type::Double), Ok(Setting::Double(5.0)));
    assert_eq!(read("5".into(), Type::Short), Ok(Setting::Short(5)));
    assert_eq!(
        read(5i64.into(), Type::Int).unwrap_err().0,
        "Invalid value 5 for configuration k: Expected value to be a 32-bit integer, but it was a java.lang.Long"
    );
}
