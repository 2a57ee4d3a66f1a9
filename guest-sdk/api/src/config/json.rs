//! Definitions as a manifest carries them (`wit/manifest.md`).

use serde::de::{Deserializer, Error as _};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::{Bound, Code, Default, Importance, Key, Type, Validator, Width};

/// A key as it stands in the text: absent members have the defaults of the contract.
#[derive(Serialize, Deserialize)]
struct Wire {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<Json>,
    #[serde(default)]
    required: bool,
    #[serde(default = "medium")]
    importance: String,
    #[serde(default)]
    documentation: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    width: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    display: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dependents: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    validator: Option<Json>,
}

fn medium() -> String {
    Importance::Medium.as_str().into()
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let wire = Wire {
            name: self.name.clone(),
            kind: self.kind.as_str().into(),
            default: match &self.default {
                Default::Required | Default::None => None,
                Default::Text(text) => Some(Json::String(text.clone())),
            },
            required: self.default == Default::Required,
            importance: self.importance.as_str().into(),
            documentation: self.documentation.clone(),
            group: self.group.clone(),
            order: (self.order != -1).then_some(self.order),
            width: (self.width != Width::None).then(|| self.width.as_str().into()),
            display: (self.display != self.name).then(|| self.display.clone()),
            dependents: self.dependents.clone(),
            validator: self.validator.as_ref().map(write_validator),
        };
        wire.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let unknown = |what: &str, word: &str| D::Error::custom(format!("key {}: unknown {what} {word}", wire.name));
        let find = |word: &str, name: &str| name.eq_ignore_ascii_case(word);
        let kind = Type::ALL.into_iter().find(|kind| find(&wire.kind, kind.as_str()));
        let importance = Importance::ALL
            .into_iter()
            .find(|one| find(&wire.importance, one.as_str()));
        let width = match &wire.width {
            None => Some(Width::None),
            Some(word) => Width::ALL.into_iter().find(|one| find(word, one.as_str())),
        };
        Ok(Key {
            kind: kind.ok_or_else(|| unknown("type", &wire.kind))?,
            importance: importance.ok_or_else(|| unknown("importance", &wire.importance))?,
            width: width.ok_or_else(|| unknown("width", wire.width.as_deref().unwrap_or_default()))?,
            default: match wire.default {
                None | Some(Json::Null) if wire.required => Default::Required,
                None | Some(Json::Null) => Default::None,
                Some(Json::String(text)) => Default::Text(text),
                Some(Json::Array(items)) => Default::Text(items.iter().map(plain).collect::<Vec<_>>().join(",")),
                Some(scalar @ (Json::Bool(_) | Json::Number(_) | Json::Object(_))) => Default::Text(scalar.to_string()),
            },
            validator: wire
                .validator
                .filter(|json| !json.is_null())
                .map(|json| read_validator(&json)),
            documentation: wire.documentation,
            group: wire.group,
            order: wire.order.unwrap_or(-1),
            display: wire.display.unwrap_or_else(|| wire.name.clone()),
            dependents: wire.dependents,
            name: wire.name,
        })
    }
}

fn plain(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), ToOwned::to_owned)
}

fn write_validator(validator: &Validator) -> Json {
    match validator {
        Validator::NonNull => json!({"non-null": true}),
        Validator::NonEmpty => json!({"non-empty": true}),
        Validator::NonEmptyWithoutControl => json!({"non-empty-without-control": true}),
        Validator::Range(min, max) => json!({"range": [bound(*min), bound(*max)]}),
        Validator::OneOf(values) => json!({"one-of": values}),
        Validator::OneOfOrNull(values) => json!({"one-of": values}),
        Validator::OneOfIgnoringCase(values) => json!({"one-of-ignoring-case": values}),
        Validator::EachOneOf(values) => json!({"each-one-of": values}),
        Validator::Distinct {
            empty_allowed,
            null_allowed,
            values,
        } => {
            json!({"distinct": {"empty": empty_allowed, "null": null_allowed, "values": values}})
        }
        Validator::MaxSize(max) => json!({"max-size": max}),
        Validator::Pattern(pattern) => json!({"pattern": pattern}),
        Validator::All(all) => json!({"all": all.iter().map(write_validator).collect::<Vec<_>>()}),
        Validator::Code(code) => json!({"code": code.description}),
        Validator::Unknown(name) => Json::Object(Map::from_iter([(name.clone(), Json::Bool(true))])),
    }
}

fn bound(bound: Option<Bound>) -> Json {
    match bound {
        Some(Bound::Whole(number)) => json!(number),
        Some(Bound::Real(number)) => json!(number),
        None => Json::Null,
    }
}

fn read_bound(json: &Json) -> Option<Bound> {
    match json.as_i64() {
        Some(whole) => Some(Bound::Whole(whole)),
        None => json.as_f64().map(Bound::Real),
    }
}

/// What is not understood, in name or in content, becomes [`Validator::Unknown`].
fn read_validator(json: &Json) -> Validator {
    let Some((name, content)) = json.as_object().and_then(|object| object.iter().next()) else {
        return Validator::Unknown(json.to_string());
    };
    let on = content.as_bool() == Some(true);
    let texts = |json: &Json| -> Option<Vec<String>> {
        json.as_array()?
            .iter()
            .map(|item| item.as_str().map(ToOwned::to_owned))
            .collect()
    };
    let flag = |member: &str| content.get(member).and_then(Json::as_bool);
    let known = match name.as_str() {
        "non-null" => on.then_some(Validator::NonNull),
        "non-empty" => on.then_some(Validator::NonEmpty),
        "non-empty-without-control" => on.then_some(Validator::NonEmptyWithoutControl),
        "range" => match content.as_array().map(Vec::as_slice) {
            Some([min, max]) => Some(Validator::Range(read_bound(min), read_bound(max))),
            Some(_) | None => None,
        },
        "one-of" => texts(content)
            .map(Validator::OneOf)
            .or_else(|| texts_or_null(content).map(Validator::OneOfOrNull)),
        "one-of-ignoring-case" => texts(content).map(Validator::OneOfIgnoringCase),
        "each-one-of" => texts(content).map(Validator::EachOneOf),
        "distinct" => Some(Validator::Distinct {
            empty_allowed: flag("empty").unwrap_or(true),
            null_allowed: flag("null").unwrap_or(false),
            values: content.get("values").and_then(texts).unwrap_or_default(),
        }),
        "max-size" => content
            .as_u64()
            .and_then(|max| usize::try_from(max).ok())
            .map(Validator::MaxSize),
        "pattern" => content.as_str().map(|pattern| Validator::Pattern(pattern.to_owned())),
        "all" => content
            .as_array()
            .map(|all| Validator::All(all.iter().map(read_validator).collect())),
        "code" => content.as_str().map(|description| {
            Validator::Code(Code {
                description: description.to_owned(),
                check: None,
            })
        }),
        _ => None,
    };
    known.unwrap_or_else(|| Validator::Unknown(name.clone()))
}

fn texts_or_null(json: &Json) -> Option<Vec<Option<String>>> {
    let text = |item: &Json| match item {
        Json::Null => Some(None),
        Json::String(text) => Some(Some(text.clone())),
        Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => None,
    };
    json.as_array()?.iter().map(text).collect()
}

impl Validator {
    /// The names of validators in here that this version does not know; worth a warning at upload.
    pub fn unknown(&self) -> Vec<&str> {
        match self {
            Validator::Unknown(name) => vec![name],
            Validator::All(all) => all.iter().flat_map(Validator::unknown).collect(),
            Validator::NonNull
            | Validator::NonEmpty
            | Validator::NonEmptyWithoutControl
            | Validator::Range(_, _)
            | Validator::OneOf(_)
            | Validator::OneOfOrNull(_)
            | Validator::OneOfIgnoringCase(_)
            | Validator::EachOneOf(_)
            | Validator::Distinct { .. }
            | Validator::MaxSize(_)
            | Validator::Pattern(_)
            | Validator::Code(_) => Vec::new(),
        }
    }
}
