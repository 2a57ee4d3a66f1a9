//! Comparison with a recorded answer, as the conformance runner does it.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Value, json};

/// Lists of keys become objects by key. Of a validation only the keys that the request sets and those with errors are
/// kept in full, unless the step says otherwise; of the rest the names.
pub fn shown(step: &Value, mut body: Value) -> Value {
    if let Some(configs) = body.get_mut("configs").map(Value::take) {
        let by_name: BTreeMap<String, Value> = configs
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| (entry["value"]["name"].as_str().unwrap().to_owned(), entry.clone()))
            .collect();
        let asked = |name: &str| match &step["show"] {
            Value::Null => step["body"].get(name).is_some(),
            Value::Array(names) => names.iter().any(|own| own == name),
            all => all == "all",
        };
        body["keys"] = by_name.keys().cloned().collect();
        let mut groups: Vec<String> = serde_json::from_value(body["groups"].take()).unwrap();
        groups.sort();
        body["groups"] = groups.into();
        body["configs"] = by_name
            .into_iter()
            .filter(|(name, entry)| asked(name) || !entry["value"]["errors"].as_array().unwrap().is_empty())
            .collect();
    } else if let Some(keys) = body.as_array().filter(|keys| !keys.is_empty()) {
        let pairs = keys
            .iter()
            .map(|key| (key["name"].as_str().unwrap().to_owned(), key.clone()));
        return pairs.collect();
    }
    body
}

/// The first difference between an expectation and what came.
pub fn difference(want: &Value, got: &Value, at: &str) -> Option<String> {
    if let Some((kind, argument)) = placeholder(want) {
        return placed(kind, argument, got, at);
    }
    match (want, got) {
        (Value::Object(wanted), Value::Object(have)) => {
            for (name, want) in wanted {
                let Some(got) = have.get(name) else {
                    return Some(format!("{at}.{name} is missing"));
                };
                if let Some(found) = difference(want, got, &format!("{at}.{name}")) {
                    return Some(found);
                }
            }
            let extra = have.iter().find(|(name, _)| !wanted.contains_key(*name));
            extra.map(|(name, got)| format!("{at}.{name} is unexpected: {got}"))
        }
        (Value::Array(wanted), Value::Array(have)) if wanted.len() == have.len() => wanted
            .iter()
            .zip(have)
            .enumerate()
            .find_map(|(index, (want, got))| difference(want, got, &format!("{at}[{index}]"))),
        _ if want == got => None,
        _ => Some(format!("{at} is {got}, want {want}")),
    }
}

fn placeholder(want: &Value) -> Option<(&str, &Value)> {
    let object = want.as_object().filter(|object| object.len() == 1)?;
    let (name, argument) = object.iter().next()?;
    name.starts_with('$').then_some((name.as_str(), argument))
}

fn placed(kind: &str, argument: &Value, got: &Value, at: &str) -> Option<String> {
    let matches = match kind {
        "$any" => match argument.as_str().unwrap() {
            "string" => got.is_string(),
            "number" => got.is_number(),
            "array" => got.is_array(),
            "object" => got.is_object(),
            _ => true,
        },
        "$regex" => {
            let pattern = Regex::new(argument.as_str().unwrap()).unwrap();
            got.as_str().is_some_and(|text| pattern.is_match(text))
        }
        "$contains" => {
            let got = got.as_array().cloned().unwrap_or_default();
            argument.as_array().unwrap().iter().all(|want| got.contains(want))
        }
        other => panic!("unknown placeholder {other}"),
    };
    (!matches).then(|| format!("{at} is {got}, want {}", json!({ kind: argument })))
}
