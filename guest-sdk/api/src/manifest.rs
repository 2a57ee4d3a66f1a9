//! What a module says of itself (`wit/manifest.md`): JSON text, so that it can grow without breaking guests. Unknown
//! members are ignored, absent ones have defaults.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::config::{Default as KeyDefault, Importance, Key, Type, Validator, Width};
use crate::frame::{Encoding, Encodings};

/// The name of the custom section that holds the same text, so that a module can be listed without running it.
pub const SECTION: &str = "caisson:manifest";
/// The `format` that this version reads and writes.
pub const FORMAT: u32 = 1;

/// What a module is and offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    #[serde(default = "first_format")]
    pub format: u32,
    #[serde(default)]
    pub module: ModuleInfo,
    #[serde(default)]
    pub plugins: Vec<Plugin>,
}

fn first_format() -> u32 {
    FORMAT
}

/// For people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModuleInfo {
    pub name: String,
    pub version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub homepage: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub license: String,
}

/// What a plugin does; in `GET /connector-plugins` with Kafka Connect's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PluginKind {
    Source,
    Sink,
    Transform,
    Predicate,
    Converter,
    HeaderConverter,
}

/// One plugin of a module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plugin {
    /// The name that `connector.class`, `transforms.x.type`, ... gives.
    pub class: String,
    /// Other names, such as the Java class it stands in for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    pub kind: PluginKind,
    #[serde(default)]
    pub version: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub documentation: String,
    #[serde(default, with = "keys")]
    pub keys: Vec<Key>,
    /// How payloads reach or leave the plugin.
    #[serde(default, with = "encodings")]
    pub encoding: Encodings,
    /// What it can do beyond the least; each missing word saves calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub abilities: Vec<String>,
    #[serde(default)]
    pub grants: Grants,
    #[serde(default)]
    pub limits: Limits,
}

impl Plugin {
    pub fn is_able(&self, ability: &str) -> bool {
        self.abilities.iter().any(|own| own == ability)
    }
}

/// What a plugin wants to reach: literals, or `${key}` of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grants {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub network: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub write: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<String>,
}

/// What a plugin asks for beyond the defaults; the operator's ceiling decides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Such as `256MiB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
}

impl Manifest {
    /// Reads the text of a manifest; the message of an error says where it is wrong.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a manifest has string keys only and no numbers that JSON lacks")
    }
}

mod encodings {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Encoding, Encodings};

    #[derive(Clone, Copy, Default, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        #[default]
        Bytes,
        Json,
        Connect,
    }

    #[derive(Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Words {
        key: Word,
        value: Word,
        headers: Word,
    }

    fn word(encoding: Encoding) -> Word {
        match encoding {
            Encoding::Bytes => Word::Bytes,
            Encoding::Json => Word::Json,
            Encoding::Connect => Word::Connect,
        }
    }

    fn encoding(word: Word) -> Encoding {
        match word {
            Word::Bytes => Encoding::Bytes,
            Word::Json => Encoding::Json,
            Word::Connect => Encoding::Connect,
        }
    }

    pub fn serialize<S: Serializer>(encodings: &Encodings, serializer: S) -> Result<S::Ok, S::Error> {
        Words {
            key: word(encodings.key),
            value: word(encodings.value),
            headers: word(encodings.headers),
        }
        .serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Encodings, D::Error> {
        let words = Words::deserialize(deserializer)?;
        Ok(Encodings {
            key: encoding(words.key),
            value: encoding(words.value),
            headers: encoding(words.headers),
        })
    }
}

mod keys {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Json, Key, key_from_json, key_to_json};

    pub fn serialize<S: Serializer>(keys: &[Key], serializer: S) -> Result<S::Ok, S::Error> {
        keys.iter().map(key_to_json).collect::<Vec<_>>().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Key>, D::Error> {
        let texts = Vec::<Json>::deserialize(deserializer)?;
        texts
            .iter()
            .map(|json| key_from_json(json).map_err(D::Error::custom))
            .collect()
    }
}

const TYPES: [(&str, Type); 9] = [
    ("BOOLEAN", Type::Boolean),
    ("STRING", Type::String),
    ("INT", Type::Int),
    ("SHORT", Type::Short),
    ("LONG", Type::Long),
    ("DOUBLE", Type::Double),
    ("LIST", Type::List),
    ("CLASS", Type::Class),
    ("PASSWORD", Type::Password),
];
const IMPORTANCES: [(&str, Importance); 3] = [
    ("HIGH", Importance::High),
    ("MEDIUM", Importance::Medium),
    ("LOW", Importance::Low),
];
const WIDTHS: [(&str, Width); 4] = [
    ("NONE", Width::None),
    ("SHORT", Width::Short),
    ("MEDIUM", Width::Medium),
    ("LONG", Width::Long),
];

fn word_of<T: PartialEq + Copy>(table: &[(&'static str, T)], value: T) -> &'static str {
    table
        .iter()
        .find(|(_, each)| *each == value)
        .map_or("", |(word, _)| word)
}

fn by_word<T: Copy>(table: &[(&'static str, T)], word: &str) -> Option<T> {
    table
        .iter()
        .find(|(each, _)| each.eq_ignore_ascii_case(word))
        .map(|(_, value)| *value)
}

fn key_to_json(key: &Key) -> Json {
    let mut json = serde_json::Map::new();
    let mut put = |name: &str, value: Json| json.insert(name.to_owned(), value);
    put("name", key.name.as_str().into());
    put("type", word_of(&TYPES, key.kind).into());
    match &key.default {
        KeyDefault::Required => put("required", true.into()),
        KeyDefault::None => put("required", false.into()),
        KeyDefault::Text(text) => put("default", text.as_str().into()),
    };
    put("importance", word_of(&IMPORTANCES, key.importance).into());
    put("documentation", key.documentation.as_str().into());
    if let Some(group) = &key.group {
        put("group", group.as_str().into());
    }
    put("order", key.order.into());
    put("width", word_of(&WIDTHS, key.width).into());
    put("display", key.display.as_str().into());
    if !key.dependents.is_empty() {
        put("dependents", key.dependents.clone().into());
    }
    if let Some(validator) = &key.validator {
        put("validator", validator_to_json(validator));
    }
    Json::Object(json)
}

fn key_from_json(json: &Json) -> Result<Key, String> {
    let text = |member: &str| json.get(member).and_then(Json::as_str);
    let name = text("name").ok_or("a key without a name")?.to_owned();
    let kind = text("type").unwrap_or("STRING");
    let kind = by_word(&TYPES, kind).ok_or_else(|| format!("key {name} has the unknown type {kind}"))?;
    let default = match json.get("default") {
        Some(Json::String(text)) => KeyDefault::Text(text.clone()),
        Some(Json::Null) => KeyDefault::None,
        Some(other) => KeyDefault::Text(other.to_string()),
        None if json.get("required").and_then(Json::as_bool) == Some(true) => KeyDefault::Required,
        None => KeyDefault::None,
    };
    let dependents = json
        .get("dependents")
        .and_then(Json::as_array)
        .map(|list| strings(list))
        .unwrap_or_default();
    Ok(Key {
        kind,
        default,
        // One that is not known here is skipped: the plugin was made for a newer worker.
        validator: json.get("validator").and_then(validator_from_json),
        importance: text("importance")
            .and_then(|word| by_word(&IMPORTANCES, word))
            .unwrap_or(Importance::Medium),
        documentation: text("documentation").unwrap_or_default().to_owned(),
        group: text("group").map(str::to_owned),
        order: json
            .get("order")
            .and_then(Json::as_i64)
            .and_then(|order| i32::try_from(order).ok())
            .unwrap_or(-1),
        width: text("width")
            .and_then(|word| by_word(&WIDTHS, word))
            .unwrap_or(Width::None),
        display: text("display").unwrap_or(&name).to_owned(),
        dependents,
        name,
    })
}

fn strings(list: &[Json]) -> Vec<String> {
    list.iter()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

fn validator_to_json(validator: &Validator) -> Json {
    match validator {
        Validator::NonEmpty => serde_json::json!({"non-empty": true}),
        Validator::NonEmptyWithoutControl => serde_json::json!({"non-empty-without-control": true}),
        Validator::Range(least, most) => serde_json::json!({"range": [least, most]}),
        Validator::OneOf(words) => serde_json::json!({"one-of": words}),
        Validator::OneOfIgnoringCase(words) => serde_json::json!({"one-of-ignoring-case": words}),
        Validator::EachOneOf(words) => serde_json::json!({"each-one-of": words}),
        Validator::Pattern(pattern) => serde_json::json!({"pattern": pattern}),
    }
}

fn validator_from_json(json: &Json) -> Option<Validator> {
    let (name, argument) = json.as_object()?.iter().next()?;
    let words = || argument.as_array().map(|list| strings(list));
    match name.as_str() {
        "non-empty" => Some(Validator::NonEmpty),
        "non-empty-without-control" => Some(Validator::NonEmptyWithoutControl),
        "range" => {
            let bound = |index: usize| argument.get(index).and_then(Json::as_f64);
            Some(Validator::Range(bound(0), bound(1)))
        }
        "one-of" => words().map(Validator::OneOf),
        "one-of-ignoring-case" => words().map(Validator::OneOfIgnoringCase),
        "each-one-of" => words().map(Validator::EachOneOf),
        "pattern" => argument.as_str().map(|pattern| Validator::Pattern(pattern.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_survives_its_text() {
        let text = r#"{"format":1,"module":{"name":"m","version":"1"},"future":7,"plugins":[{"class":"a.B","kind":"sink",
            "version":"2","encoding":{"value":"connect"},"grants":{"write":["${file}"]},"keys":[
            {"name":"file","type":"STRING","importance":"HIGH","documentation":"d"},
            {"name":"n","type":"INT","default":5,"validator":{"range":[1,null]}},
            {"name":"x","type":"LIST","required":true,"validator":{"from-the-future":1}}]}]}"#;
        let manifest = Manifest::from_json(text).expect("it is right");
        let plugin = &manifest.plugins[0];
        assert_eq!(plugin.encoding.value, Encoding::Connect);
        assert_eq!(plugin.keys[0].default, KeyDefault::None);
        assert_eq!(plugin.keys[1].default, KeyDefault::Text("5".into()));
        assert_eq!(plugin.keys[1].validator, Some(Validator::Range(Some(1.0), None)));
        assert_eq!(plugin.keys[2].default, KeyDefault::Required);
        assert_eq!(plugin.keys[2].validator, None);
        assert_eq!(Manifest::from_json(&manifest.to_json()).expect("own text"), manifest);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let unknown = r#"{"plugins":[{"class":"A","kind":"wizard"}]}"#;
        assert!(
            Manifest::from_json(unknown)
                .expect_err("unknown kind")
                .to_string()
                .contains("wizard")
        );
        let nameless = r#"{"plugins":[{"class":"A","kind":"sink","keys":[{}]}]}"#;
        assert!(
            Manifest::from_json(nameless)
                .expect_err("no name")
                .to_string()
                .contains("without a name")
        );
    }
}
