//! The notation of values, checks and keys of `configdef` vectors.

use caisson_api::config::{Bound, Checks, ConfigError, Default, Key, Object, Password, Setting, Type, Validator};
use serde_json::Value as Json;

use crate::notation::Unbuildable;

type Built<T> = Result<T, Unbuildable>;

pub(super) fn kind(word: &Json) -> Built<Type> {
    Type::ALL
        .into_iter()
        .find(|kind| word == kind.as_str())
        .ok_or_else(|| Unbuildable(format!("type {word}")))
}

/// A value of any type, before it is a key's.
pub(super) fn object(json: &Json) -> Built<Object> {
    let Some((tag, content)) = json.as_object().and_then(|members| members.iter().next()) else {
        return Ok(Object::Null);
    };
    let unbuildable = || Unbuildable(format!("value {json}"));
    let integer = || content.as_i64().ok_or_else(unbuildable);
    let text = || content.as_str().map(str::to_owned).ok_or_else(unbuildable);
    let double = || text()?.parse::<f64>().map_err(|_| unbuildable());
    Ok(match tag.as_str() {
        "bool" => Object::Boolean(content == true),
        "i8" => Object::Byte(integer()? as i8),
        "i16" => Object::Short(integer()? as i16),
        "i32" => Object::Integer(integer()? as i32),
        "i64" => Object::Long(integer()?),
        "f32" => Object::Float(double()? as f32),
        "f64" => Object::Double(double()?),
        "str" => Object::String(text()?),
        "class" => Object::Class(text()?),
        "password" => Object::Password(Password::new(text()?)),
        "list" => Object::List(
            content
                .as_array()
                .into_iter()
                .flatten()
                .map(|item| item["str"].as_str().map(str::to_owned).ok_or_else(unbuildable))
                .collect::<Built<_>>()?,
        ),
        _ => return Err(unbuildable()),
    })
}

/// The value of a key.
pub(super) fn setting(json: &Json) -> Built<Setting> {
    Ok(match object(json)? {
        Object::Null => Setting::Null,
        Object::Boolean(value) => Setting::Boolean(value),
        // There is no key of this type; a check sees a number.
        Object::Byte(value) => Setting::Short(value.into()),
        Object::Short(value) => Setting::Short(value),
        Object::Integer(value) => Setting::Int(value),
        Object::Long(value) => Setting::Long(value),
        Object::Float(value) => Setting::Double(value.into()),
        Object::Double(value) => Setting::Double(value),
        Object::String(value) => Setting::String(value),
        Object::List(value) => Setting::List(value),
        Object::Class(value) => Setting::Class(value),
        Object::Password(value) => Setting::Password(value),
    })
}

/// The same value of the same type; NaN is like NaN.
pub(super) fn same(a: &Setting, b: &Setting) -> bool {
    matches!((a, b), (Setting::Double(a), Setting::Double(b)) if a.is_nan() && b.is_nan()) || a == b
}

/// A key with its check. Its default is read as a value of its type, as a definition does.
pub(super) fn key(json: &Json, checks: &dyn Checks) -> Built<Result<Key, ConfigError>> {
    let name = json["name"].as_str().unwrap_or_default();
    let mut key = Key::new(name, kind(&json["type"])?);
    if !json["validator"].is_null() {
        key.validator = Some(validator(&json["validator"])?);
    }
    if let Some(default) = json.get("default") {
        let default = object(default)?;
        if let Err(error) = default.clone().into_setting(name, key.kind, checks) {
            return Ok(Err(error));
        }
        key.default = default.into_text().map_or(Default::None, Default::Text);
    }
    Ok(Ok(key))
}

pub(super) fn validator(json: &Json) -> Built<Validator> {
    let texts = |name: &str| -> Built<Vec<Option<String>>> {
        let text = |value: &Json| match value {
            Json::Null => Ok(None),
            Json::String(text) => Ok(Some(text.clone())),
            other => Err(Unbuildable(format!("choice {other}"))),
        };
        json[name].as_array().into_iter().flatten().map(text).collect()
    };
    let words = || -> Built<Vec<String>> { Ok(texts("values")?.into_iter().flatten().collect()) };
    Ok(match json["kind"].as_str().unwrap_or_default() {
        "range" => Validator::Range(bound(&json["min"]), bound(&json["max"])),
        "validString" => {
            let values = texts("values")?;
            match values.contains(&None) {
                true => Validator::OneOfOrNull(values),
                false => Validator::OneOf(values.into_iter().flatten().collect()),
            }
        }
        "caseInsensitiveValidString" => Validator::OneOfIgnoringCase(words()?),
        "nonNull" => Validator::NonNull,
        "nonEmptyString" => Validator::NonEmpty,
        "nonEmptyStringWithoutControlChars" => Validator::NonEmptyWithoutControl,
        "listSize" => Validator::MaxSize(json["max"].as_u64().unwrap_or_default() as usize),
        "validList" if json.get("emptyAllowed").is_none() => Validator::EachOneOf(words()?),
        "validList" => Validator::Distinct {
            empty_allowed: json["emptyAllowed"] == true,
            null_allowed: json["nullAllowed"] == true,
            values: words()?,
        },
        "all" => {
            let all = json["of"].as_array().into_iter().flatten();
            Validator::All(all.map(validator).collect::<Built<_>>()?)
        }
        other => return Err(Unbuildable(format!("check {other}"))),
    })
}

fn bound(json: &Json) -> Option<Bound> {
    match json.as_i64() {
        Some(whole) => Some(Bound::Whole(whole)),
        None => json.as_f64().map(Bound::Real),
    }
}
