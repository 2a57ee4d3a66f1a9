//! `ConfigDef`: reading values, checks of values, definitions, and whole configurations against them.

mod input;

use std::collections::BTreeMap;

use caisson_api::config::{Checks, ConfigDef, ConfigError, Setting, Validated};
use serde_json::Value as Json;

use crate::notation::{self, Unbuildable};
use crate::{Expected, Outcome, Thrown, check_error};

/// The classes that the recordings take for granted.
struct Java;

impl Checks for Java {
    fn is_class(&self, name: &str) -> bool {
        // As the JVM does, names are taken with the case they have.
        name.starts_with("java.lang.") && name["java.lang.".len()..].starts_with(|c: char| c.is_ascii_uppercase())
            || caisson_config::builtin::plugins("")
                .iter()
                .any(|plugin| plugin.class == name)
    }
}

enum Result {
    Value(Setting),
    Text(Option<String>),
    Valid,
    Keys(usize),
    Values(Vec<(String, Setting)>),
    Configs(Vec<Validated>),
}

type Built<T> = std::result::Result<T, Unbuildable>;
type Attempt = Built<std::result::Result<Result, ConfigError>>;

pub fn replay(input: &Json, expect: &Json) -> Outcome {
    let result = match run(input) {
        Ok(result) => result,
        Err(Unbuildable(what)) => return Outcome::Skipped(what),
    };
    match (Expected::of(expect), result) {
        (Expected::Error(error), Err(ConfigError(message))) => {
            let class = "org.apache.kafka.common.config.ConfigException".to_owned();
            check_error(
                error,
                &Thrown {
                    phase: None,
                    chain: vec![(class, message)],
                },
            )
        }
        (Expected::Error(error), Ok(_)) => Outcome::Failed(format!("no error, expected {error}")),
        (Expected::Result(_), Err(thrown)) => Outcome::Failed(format!("error {thrown}")),
        (Expected::Result(expect), Ok(result)) => {
            check(expect, &result).unwrap_or_else(|Unbuildable(what)| Outcome::Skipped(what))
        }
    }
}

fn run(input: &Json) -> Attempt {
    let name = input["name"].as_str().unwrap_or_default();
    match input["op"].as_str().unwrap_or_default() {
        "parse" => {
            let kind = input::kind(&input["type"])?;
            let object = input::object(&input["value"])?;
            Ok(object.into_setting(name, kind, &Java).map(Result::Value))
        }
        "toText" => Ok(Ok(Result::Text(input::setting(&input["value"])?.to_text()))),
        "validate" => {
            let validator = input::validator(&input["validator"])?;
            let value = input::setting(&input["value"])?;
            Ok(validator.check(name, &value, &Java).map(|()| Result::Valid))
        }
        "validatorText" => Ok(Ok(Result::Text(Some(input::validator(&input["validator"])?.to_text())))),
        "define" => Ok(define(input)?.map(|definition| Result::Keys(definition.keys.len()))),
        "parseAll" => Ok(define(input)?.and_then(|definition| {
            let settings = definition.parse_with(&properties(input), &Java)?;
            let values = settings.iter().map(|(name, value)| (name.to_owned(), value.clone()));
            Ok(Result::Values(values.collect()))
        })),
        "validateAll" => {
            Ok(define(input)?.map(|definition| Result::Configs(definition.validate_with(&properties(input), &Java))))
        }
        other => Err(Unbuildable(format!("operation {other}"))),
    }
}

/// Defines the keys one by one; a default has to fit the type of its key.
fn define(input: &Json) -> Built<std::result::Result<ConfigDef, ConfigError>> {
    let mut definition = ConfigDef::new();
    for json in input["keys"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let key = match input::key(json, &Java)? {
            Ok(key) => key,
            Err(error) => return Ok(Err(error)),
        };
        if let Err(error) = definition.define(key) {
            return Ok(Err(error));
        }
    }
    Ok(Ok(definition))
}

fn properties(input: &Json) -> BTreeMap<String, Option<String>> {
    notation::config(&input["props"]).into_iter().collect()
}

fn check(expect: &Json, result: &Result) -> Built<Outcome> {
    let same = match result {
        Result::Value(value) => input::same(value, &input::setting(&expect["value"])?),
        Result::Text(text) => text.as_deref() == expect["text"].as_str(),
        Result::Valid => expect["valid"] == true,
        Result::Keys(count) => expect["keys"] == *count,
        Result::Values(values) => return check_values(expect, values),
        Result::Configs(configs) => return check_configs(expect, configs),
    };
    Ok(if same {
        Outcome::Passed
    } else {
        let got = match result {
            Result::Value(value) => format!("{value:?}"),
            Result::Text(text) => format!("{text:?}"),
            Result::Valid => "valid".to_owned(),
            Result::Keys(count) => format!("{count} keys"),
            Result::Values(_) | Result::Configs(_) => String::new(),
        };
        Outcome::Failed(format!("expected {expect}, got {got}"))
    })
}

fn check_values(expect: &Json, values: &[(String, Setting)]) -> Built<Outcome> {
    let wanted = expect["values"].as_object();
    if wanted.map(serde_json::Map::len) != Some(values.len()) {
        return Ok(Outcome::Failed(format!("{} values, expected {expect}", values.len())));
    }
    for (name, value) in values {
        if !input::same(value, &input::setting(&expect["values"][name])?) {
            let want = &expect["values"][name];
            return Ok(Outcome::Failed(format!("{name} is {value:?}, expected {want}")));
        }
    }
    Ok(Outcome::Passed)
}

/// What was found about each key, in the original's order.
fn check_configs(expect: &Json, configs: &[Validated]) -> Built<Outcome> {
    let wanted = expect["configs"].as_array().map(Vec::as_slice).unwrap_or_default();
    let names = |all: &mut dyn Iterator<Item = String>| all.collect::<Vec<_>>().join(",");
    let got_names = names(&mut configs.iter().map(|found| found.name.clone()));
    let wanted_names = names(
        &mut wanted
            .iter()
            .map(|want| want["name"].as_str().unwrap_or_default().to_owned()),
    );
    if got_names != wanted_names {
        return Ok(Outcome::Failed(format!("keys {got_names}, expected {wanted_names}")));
    }
    for (want, found) in wanted.iter().zip(configs) {
        let same = want["errors"] == serde_json::json!(found.errors)
            && want["recommended"] == serde_json::json!(found.recommended)
            && want["visible"] == found.visible
            && input::same(&found.value, &input::setting(&want["value"])?);
        if !same {
            return Ok(Outcome::Failed(format!("expected {want}, got {found:?}")));
        }
    }
    Ok(Outcome::Passed)
}
