//! The keys that the three converters share, as typed values.

use std::time::Duration;

use caisson_api::config::{ConfigDef, Password, Settings};
use caisson_config::Given;
use caisson_config::builtin::SchemaRegistryConverter;
use caisson_config::builtin::schema_registry::CLIENT_PREFIX;
use caisson_convert::registry::Options;

use crate::error::Error;
use crate::subject::{Naming, Part};

/// All options of one converter: read by its table, and as they were given.
pub struct Read {
    pub values: Settings,
    given: Given,
}

/// Keys that Confluent's converters have and these do not: with another value than this one they would mean something
/// else than what is done here.
const ONLY: [(&str, &str); 9] = [
    ("schema.reflection", "false"),
    ("rule.executors", ""),
    ("rule.actions", ""),
    ("schema.format", ""),
    ("propagate.schema.tags", "false"),
    (
        "context.name.strategy",
        "io.confluent.kafka.serializers.context.NullContextNameStrategy",
    ),
    (
        "key.schema.id.serializer",
        "io.confluent.kafka.serializers.schema.id.PrefixSchemaIdSerializer",
    ),
    (
        "value.schema.id.serializer",
        "io.confluent.kafka.serializers.schema.id.PrefixSchemaIdSerializer",
    ),
    ("schema.backup.enabled", "false"),
];

impl Read {
    pub fn new(converter: SchemaRegistryConverter, options: &Options) -> Result<Self, Error> {
        let given: Given = options.iter().cloned().collect();
        let definitions = converter.definitions();
        let keys = definitions.iter().map(|definition| definition.key.clone()).collect();
        let values = ConfigDef { keys }.parse_with(&Prefixed(&given), &caisson_api::config::NoChecks)?;
        for (name, only) in ONLY {
            if let Some(value) = given.get(name).map(str::trim)
                && value != only
            {
                return Err(Error::config(name, format!("{value} is not supported")));
            }
        }
        Ok(Read { values, given })
    }

    pub fn flag(&self, name: &str) -> bool {
        self.values.boolean(name).unwrap_or_default()
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.values
            .string(name)
            .or_else(|| self.secret(name))
            .filter(|text| !text.is_empty())
    }

    pub fn secret(&self, name: &str) -> Option<&str> {
        self.values
            .password(name)
            .map(Password::reveal)
            .filter(|text| !text.is_empty())
    }

    pub fn count(&self, name: &str) -> usize {
        usize::try_from(self.values.int(name).unwrap_or_default()).unwrap_or(0)
    }

    pub fn milliseconds(&self, name: &str) -> Duration {
        Duration::from_millis(self.count(name) as u64)
    }

    /// Whether somebody gave the key, with or without the prefix of the client's keys.
    pub fn is_given(&self, name: &str) -> bool {
        Prefixed(&self.given).find(name).is_some_and(|value| value.is_some())
    }

    /// The keys below `request.header.`.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.given
            .below("request.header.")
            .filter_map(|(name, value)| Some((name, value?)))
    }
}

/// Keys of the registry's client are found with their prefix in front, too.
struct Prefixed<'a>(&'a Given);

impl Prefixed<'_> {
    fn find(&self, name: &str) -> Option<Option<&str>> {
        self.0
            .given(&format!("{CLIENT_PREFIX}{name}"))
            .or_else(|| self.0.given(name))
    }
}

impl caisson_api::config::Properties for Prefixed<'_> {
    fn property(&self, key: &str) -> Option<Option<&str>> {
        self.find(key)
    }
}

/// Which schema of the registry a value is written with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registration {
    /// Its own, which is registered if it is not there.
    Register,
    /// Its own, which has to be there.
    LookUp,
    /// The newest of the subject.
    Latest { strict: bool },
    /// The newest of the subject that has this metadata.
    LatestWith(Vec<(String, String)>),
    /// The one of this id.
    Id { id: i32, strict: bool },
}

/// What all formats are told.
#[derive(Clone, Debug)]
pub struct Common {
    pub part: Part,
    pub naming: Naming,
    pub registration: Registration,
    pub normalize: bool,
    /// After this time the newest schema is asked for again.
    pub latest_lifetime: Option<Duration>,
    /// Schemas to keep, of the registry and converted.
    pub capacity: usize,
}

impl Common {
    pub fn new(part: Part, read: &Read) -> Result<Self, Error> {
        let key = format!("{}.subject.name.strategy", part.as_str());
        let naming = Naming::find(&key, read.text(&key).unwrap_or("TopicNameStrategy"))?;
        let lifetime = read.values.int("latest.cache.ttl.sec").unwrap_or(-1);
        Ok(Common {
            part,
            naming,
            registration: registration(read)?,
            normalize: read.flag("normalize.schemas"),
            latest_lifetime: u64::try_from(lifetime).ok().map(Duration::from_secs),
            capacity: read
                .count("max.schemas.per.subject")
                .max(read.count("schemas.cache.config"))
                .clamp(1, 1_000_000),
        })
    }
}

/// The first of these that is asked for counts, as it does in Confluent's serializers.
fn registration(read: &Read) -> Result<Registration, Error> {
    let id = read.values.int("use.schema.id").unwrap_or(-1);
    Ok(if read.flag("auto.register.schemas") {
        Registration::Register
    } else if id >= 0 {
        Registration::Id {
            id,
            strict: read.flag("id.compatibility.strict"),
        }
    } else if let Some(text) = read.text("use.latest.with.metadata") {
        Registration::LatestWith(metadata(text)?)
    } else if read.flag("use.latest.version") {
        Registration::Latest {
            strict: read.flag("latest.compatibility.strict"),
        }
    } else {
        Registration::LookUp
    })
}

/// `key=value,key=value`; an entry may stand in single quotes.
fn metadata(text: &str) -> Result<Vec<(String, String)>, Error> {
    text.split(',')
        .map(|entry| {
            let entry = entry.trim();
            let entry = entry
                .strip_prefix('\'')
                .and_then(|entry| entry.strip_suffix('\''))
                .unwrap_or(entry);
            let (key, value) = entry
                .split_once('=')
                .ok_or_else(|| Error::config("use.latest.with.metadata", format!("{entry} has no equals sign")))?;
            Ok((key.to_owned(), value.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(options: &[(&str, &str)]) -> Result<Read, Error> {
        let mut all = vec![("schema.registry.url".to_owned(), Some("http://r".to_owned()))];
        all.extend(options.iter().map(|(k, v)| ((*k).to_owned(), Some((*v).to_owned()))));
        Read::new(SchemaRegistryConverter::Avro, &all)
    }

    fn registration_of(options: &[(&str, &str)]) -> Registration {
        Common::new(Part::Value, &read(options).unwrap()).unwrap().registration
    }

    #[test]
    fn registering_counts_more_than_any_other_way() {
        let off = ("auto.register.schemas", "false");
        let latest = ("use.latest.version", "true");
        assert_eq!(registration_of(&[latest]), Registration::Register);
        assert_eq!(registration_of(&[off]), Registration::LookUp);
        assert_eq!(registration_of(&[off, latest]), Registration::Latest { strict: true });
        let id = [
            off,
            latest,
            ("use.schema.id", "7"),
            ("id.compatibility.strict", "false"),
        ];
        assert_eq!(registration_of(&id), Registration::Id { id: 7, strict: false });
        let metadata = [off, latest, ("use.latest.with.metadata", "a.b=v1,'c=d'")];
        let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
        assert_eq!(
            registration_of(&metadata),
            Registration::LatestWith(vec![pair("a.b", "v1"), pair("c", "d")])
        );
    }

    #[test]
    fn a_key_of_the_client_may_have_its_prefix() {
        let read = read(&[("schema.registry.basic.auth.user.info", "u:p")]).unwrap();
        assert_eq!(read.secret("basic.auth.user.info"), Some("u:p"));
        assert!(read.is_given("basic.auth.user.info") && !read.is_given("bearer.auth.token"));
    }

    #[test]
    fn what_would_mean_something_else_is_refused() {
        fn error(options: &[(&str, &str)]) -> String {
            read(options).err().unwrap().to_string()
        }
        assert!(error(&[("rule.executors", "r")]).contains("rule.executors"));
        let class = "io.confluent.kafka.serializers.schema.id.HeaderSchemaIdSerializer";
        assert!(error(&[("value.schema.id.serializer", class)]).contains(class));
        assert!(read(&[("rule.executors", "")]).is_ok());
        assert!(error(&[("max.retries", "many")]).contains("Not a number of type INT"));
        let none = Read::new(SchemaRegistryConverter::Avro, &[]).err().unwrap().to_string();
        assert!(none.contains("schema.registry.url"), "{none}");
    }
}
