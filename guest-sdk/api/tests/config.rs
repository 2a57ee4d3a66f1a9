//! Definitions of configurations: what Kafka itself says, as recorded.

#![allow(clippy::unwrap_used)]

#[path = "support/vectors.rs"]
#[allow(dead_code)]
mod vectors;

use std::collections::BTreeMap;

use caisson_api::config::{
    Checks, Config, ConfigDef, Default, Importance, Key, NoChecks, Password, Setting, Type, Validator, Width,
};
use serde_json::Value as Json;

/// The classes that the recordings take for granted.
struct Java;

impl Checks for Java {
    fn is_class(&self, name: &str) -> bool {
        matches!(
            name,
            "java.lang.String" | "java.lang.Integer" | "org.apache.kafka.connect.transforms.Cast$Value"
        )
    }
}

fn kind(word: &Json) -> Type {
    Type::ALL
        .into_iter()
        .find(|kind| kind.as_str() == word.as_str().unwrap())
        .unwrap()
}

/// A value; `None` if it is one that text never becomes.
fn setting(json: &Json) -> Option<Setting> {
    let Some((tag, content)) = json.as_object().and_then(|object| object.iter().next()) else {
        return Some(Setting::Null);
    };
    let text = || content.as_str().unwrap().to_owned();
    Some(match tag.as_str() {
        "bool" => Setting::Boolean(content.as_bool().unwrap()),
        "i16" => Setting::Short(content.as_i64().unwrap() as i16),
        "i32" => Setting::Int(content.as_i64().unwrap() as i32),
        "i64" => Setting::Long(content.as_i64().unwrap()),
        "f64" => Setting::Double(text().parse().unwrap()),
        "str" => Setting::String(text()),
        "class" => Setting::Class(text()),
        "password" => Setting::Password(Password::new(text())),
        "list" => Setting::List(
            content
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["str"].as_str().map(ToOwned::to_owned))
                .collect::<Option<_>>()?,
        ),
        _ => return None,
    })
}

/// `None` for the few that cannot be written here.
fn validator(json: &Json) -> Option<Validator> {
    let values = || match &json["values"] {
        Json::Array(values) => values
            .iter()
            .map(|value| value.as_str().map(ToOwned::to_owned))
            .collect(),
        _ => Some(Vec::new()),
    };
    Some(match json["kind"].as_str()? {
        "range" => Validator::Range(json["min"].as_f64(), json["max"].as_f64()),
        "validString" => Validator::OneOf(values()?),
        "caseInsensitiveValidString" => Validator::OneOfIgnoringCase(values()?),
        "nonNull" => Validator::NonNull,
        "nonEmptyString" => Validator::NonEmpty,
        "nonEmptyStringWithoutControlChars" => Validator::NonEmptyWithoutControl,
        "listSize" => Validator::MaxSize(json["max"].as_u64()? as usize),
        "validList" if json.get("emptyAllowed").is_none() => Validator::EachOneOf(values()?),
        "validList" => Validator::Distinct {
            empty_allowed: json["emptyAllowed"].as_bool()?,
            null_allowed: json["nullAllowed"].as_bool().unwrap_or(false),
            values: values()?,
        },
        "all" => Validator::All(json["of"].as_array()?.iter().map(validator).collect::<Option<_>>()?),
        _ => return None,
    })
}

fn key(json: &Json) -> Key {
    let mut key = Key::new(json["name"].as_str().unwrap(), kind(&json["type"]));
    key.validator = validator(&json["validator"]);
    if let Some(default) = json.get("default") {
        key.default = setting(default).unwrap().to_text().map_or(Default::None, Default::Text);
    }
    key
}

fn definition(input: &Json) -> ConfigDef {
    input["keys"].as_array().unwrap().iter().map(key).collect()
}

fn properties(input: &Json) -> BTreeMap<String, Option<String>> {
    let properties = input["props"].as_object().unwrap().iter();
    properties
        .map(|(name, value)| (name.clone(), value.as_str().map(ToOwned::to_owned)))
        .collect()
}

/// Settings with NaN are not equal to themselves.
fn same(a: &Setting, b: &Setting) -> bool {
    matches!((a, b), (Setting::Double(a), Setting::Double(b)) if a.is_nan() && b.is_nan()) || a == b
}

/// Checks one vector; false if it is about something that does not exist here.
fn check(vector: &Json) -> bool {
    let (input, expect, id) = (&vector["input"], &vector["expect"], &vector["id"]);
    let message = expect["error"]["message"].as_str();
    match input["op"].as_str().unwrap() {
        "parse" => {
            let Some(text) = input["value"]["str"].as_str() else {
                return false;
            };
            let name = input["name"].as_str().unwrap();
            let mut properties = BTreeMap::new();
            properties.insert(name.to_owned(), text.to_owned());
            match Key::new(name, kind(&input["type"])).parse(&properties, &Java) {
                Ok(value) => assert!(same(&value, &setting(&expect["value"]).unwrap()), "{id}: {value}"),
                Err(error) => assert_eq!(Some(error.0.as_str()), message, "{id}"),
            }
        }
        "toText" => {
            let text = setting(&input["value"]).unwrap().to_text();
            assert_eq!(text.as_deref(), expect["text"].as_str(), "{id}");
        }
        "validate" => {
            let (Some(validator), Some(value)) = (validator(&input["validator"]), setting(&input["value"])) else {
                return false;
            };
            let result = validator.check(input["name"].as_str().unwrap(), &value, &NoChecks);
            assert_eq!(result.err().map(|error| error.0).as_deref(), message, "{id}");
        }
        "validatorText" => {
            let Some(validator) = validator(&input["validator"]) else {
                return false;
            };
            let kind = if input["validator"]["min"].is_f64() {
                Type::Double
            } else {
                Type::Int
            };
            assert_eq!(Some(validator.to_text(kind).as_str()), expect["text"].as_str(), "{id}");
        }
        "define" => {
            let mut definition = ConfigDef::new();
            let result = input["keys"]
                .as_array()
                .unwrap()
                .iter()
                .try_for_each(|json| definition.define(key(json)));
            assert_eq!(result.err().map(|error| error.0).as_deref(), message, "{id}");
        }
        "parseAll" => match definition(input).parse_with(&properties(input), &Java) {
            Ok(settings) => {
                for (name, value) in expect["values"].as_object().unwrap() {
                    assert!(same(settings.get(name), &setting(value).unwrap()), "{id}: {name}");
                }
            }
            Err(error) => assert_eq!(Some(error.0.as_str()), message, "{id}"),
        },
        "validateAll" => {
            for found in definition(input).validate_with(&properties(input), &Java) {
                let configs = expect["configs"].as_array().unwrap();
                let expected = configs
                    .iter()
                    .find(|config| config["name"] == found.name.as_str())
                    .unwrap();
                assert_eq!(
                    serde_json::json!(found.errors),
                    expected["errors"],
                    "{id}: {}",
                    found.name
                );
                assert!(
                    same(&found.value, &setting(&expected["value"]).unwrap()),
                    "{id}: {}",
                    found.name
                );
                assert_eq!(found.visible, expected["visible"], "{id}: {}", found.name);
            }
        }
        other => panic!("operation {other}"),
    }
    true
}

#[test]
fn configurations_are_read_and_judged_as_recorded() {
    let vectors = vectors::load("configdef.json");
    let skipped: Vec<&Json> = vectors
        .iter()
        .filter(|vector| !check(vector))
        .map(|vector| &vector["id"])
        .collect();
    println!("{} of {} skipped: {skipped:?}", skipped.len(), vectors.len());
    // Values that are not text, and choices that include null.
    assert!(skipped.len() < 90, "{} skipped", skipped.len());
}

#[test]
fn a_definition_gives_typed_values() {
    let definition: ConfigDef = [
        Key::new("file", Type::String)
            .importance(Importance::High)
            .documentation("A file."),
        Key::new("batch.size", Type::Int)
            .default("2000")
            .validator(Validator::Range(Some(1.0), None)),
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
