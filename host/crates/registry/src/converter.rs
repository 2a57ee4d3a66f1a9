//! The converter around a format: which schema a value was or is to be written with, and what is remembered of that.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use caisson_api::{SchemaRef, Value};
use caisson_convert::{ConvertError, Converter};

use crate::cache::Cache;
use crate::error::Error;
use crate::fault::{Fault, Words};
use crate::registry::{Registry, Resolved, SchemaText};
use crate::settings::{Common, Registration};
use crate::wire::{self, SchemaId, WireError};

/// An id that the registry does not know is not asked for again at once: a topic full of other bytes would be a request
/// per record.
const UNKNOWN_FOR: Duration = Duration::from_secs(5);

/// A format whose schemas stand in a registry.
pub trait Format: Send + Sync + 'static {
    /// What reads payloads of one schema.
    type Reader: Send + Sync;
    /// The schema that values of one schema of Kafka Connect are written with, if it is left to the converter.
    type Own;
    /// What writes payloads of one schema.
    type Writer: Send + Sync;

    const WORDS: Words;

    /// How many bytes stand between the id and the payload.
    fn front(rest: &[u8]) -> Result<usize, WireError>;

    /// The name that subjects may contain.
    fn name(schema: &Resolved, front: &[u8]) -> Result<Option<String>, Fault>;

    fn reader(&self, schema: &Resolved, front: &[u8], version: Option<i32>) -> Result<Self::Reader, Fault>;

    fn read(&self, reader: &Self::Reader, payload: &[u8]) -> Result<(Option<SchemaRef>, Value), Fault>;

    /// What a null is: `Ok(true)` a value that is written, `Ok(false)` no bytes at all.
    fn writes_null(&self, schema: Option<&SchemaRef>) -> Result<bool, Fault>;

    fn own(&self, schema: Option<&SchemaRef>) -> Result<Self::Own, Fault>;

    fn text(own: &Self::Own) -> &SchemaText;

    fn own_name(own: &Self::Own) -> Option<String>;

    /// A writer with the schema's own text, or with another one of the registry. It writes what stands between the id
    /// and the payload, too.
    fn writer(
        &self,
        schema: Option<&SchemaRef>,
        own: Self::Own,
        other: Option<&Resolved>,
    ) -> Result<Self::Writer, Fault>;

    /// Whether `reader` reads what is written with `own`; the reason if not.
    fn reads(reader: &Resolved, own: &Self::Own) -> Result<(), String>;

    fn write(&self, writer: &Self::Writer, value: &Value, out: &mut Vec<u8>) -> Result<(), Fault>;
}

/// A configured converter.
pub struct RegistryConverter<F: Format> {
    format: F,
    common: Common,
    registry: Registry,
    /// Guards the readers; held for a look-up in memory.
    readers: Mutex<Readers<F::Reader>>,
    /// Guards the writers; held for a look-up in memory.
    writers: Mutex<Writers<F::Writer>>,
    /// Guards what registering told; held for a look-up in memory.
    ids: Mutex<Cache<(String, String), i32>>,
    /// Guards the ids that the registry did not know a moment ago; held for a look-up in memory.
    unknown: Mutex<Cache<SchemaId, (Instant, Error)>>,
}

/// By topic, and by all bytes that stand in front of a payload.
struct Readers<R> {
    last: Option<(Origin, Arc<R>)>,
    all: Cache<Origin, Arc<R>>,
}

/// A topic, and what stands in front of a payload.
type Origin = (Box<str>, Box<[u8]>);

/// What reads a value, with the id of its schema and its payload.
struct Found<'b, R> {
    reader: Arc<R>,
    id: SchemaId,
    payload: &'b [u8],
}

struct Writers<W> {
    last: Option<(Box<str>, Arc<Prefixed<W>>)>,
    /// By topic and the address of the schema, which cannot be another's as long as the entry keeps the schema alive.
    all: Cache<(Box<str>, usize), Arc<Prefixed<W>>>,
}

/// A writer with the id of its schema.
struct Prefixed<W> {
    schema: Option<SchemaRef>,
    prefix: [u8; 5],
    writer: W,
    /// When the newest schema is to be asked for again.
    until: Option<Instant>,
}

/// A schema of the registry that values are to be written with, whatever their own is.
struct Prescribed {
    id: i32,
    schema: Resolved,
    /// The key that has it checked against the value's own.
    strict: Option<&'static str>,
}

impl<W> Prefixed<W> {
    fn is_of(&self, schema: Option<&SchemaRef>) -> bool {
        address(self.schema.as_ref()) == address(schema) && self.until.is_none_or(|until| Instant::now() < until)
    }
}

fn address(schema: Option<&SchemaRef>) -> usize {
    schema.map_or(0, |schema| Arc::as_ptr(schema) as usize)
}

impl<F: Format> RegistryConverter<F> {
    pub fn new(format: F, common: Common, registry: Registry) -> Self {
        let capacity = common.capacity;
        RegistryConverter {
            format,
            common,
            registry,
            readers: Mutex::new(Readers {
                last: None,
                all: Cache::new(capacity),
            }),
            writers: Mutex::new(Writers {
                last: None,
                all: Cache::new(capacity),
            }),
            ids: Mutex::new(Cache::new(capacity)),
            unknown: Mutex::new(Cache::new(capacity)),
        }
    }

    /// The reader for the bytes, and the payload in them.
    fn reader<'b>(&self, topic: &str, bytes: &'b [u8]) -> Result<Found<'b, F::Reader>, ConvertError> {
        let unreadable = |error| F::WORDS.unreadable(topic, describe(error, bytes));
        let (id, rest) = wire::split(bytes).map_err(unreadable)?;
        let front = F::front(rest).map_err(unreadable)?;
        let (front, payload) = rest.split_at(front);
        let prefix = &bytes[..bytes.len() - payload.len()];
        if let Some(reader) = lock(&self.readers).find(topic, prefix) {
            return Ok(Found { reader, id, payload });
        }
        let reader = self
            .new_reader(topic, id, front)
            .map(Arc::new)
            .map_err(|fault| F::WORDS.reading(topic, Some(id), fault))?;
        lock(&self.readers).insert(topic, prefix, reader.clone());
        Ok(Found { reader, id, payload })
    }

    fn new_reader(&self, topic: &str, id: SchemaId, front: &[u8]) -> Result<F::Reader, Fault> {
        let format = F::WORDS.format;
        let naming = self.common.naming;
        let part = self.common.part;
        // Without the schema its name is not known.
        let subject = match naming.uses_schema() {
            true => None,
            false => naming.subject(topic, part, None).ok(),
        };
        let failed = |error| Fault::registry(format!("Error retrieving {format} schema for id {id}"), error);
        let schema = self.schema(id, subject.as_deref()).map_err(failed)?;
        let schema = self.registry.resolve(schema).map_err(failed)?;
        let subject = match subject {
            Some(subject) => subject,
            None => naming
                .subject(topic, part, F::name(&schema, front)?.as_deref())
                .map_err(|message| Fault::format("org.apache.kafka.common.errors.SerializationException", message))?,
        };
        let version = self
            .registry
            .look_up(&subject, &schema.schema, self.common.normalize, true)
            .map_err(|error| Fault::registry(format!("Error retrieving {format} schema version for id {id}"), error))?
            .version;
        self.format.reader(&schema, front, (version > 0).then_some(version))
    }

    fn schema(&self, id: SchemaId, subject: Option<&str>) -> Result<SchemaText, Error> {
        if let Some((since, error)) = lock(&self.unknown).get(&id)
            && since.elapsed() < UNKNOWN_FOR
        {
            return Err(error.clone());
        }
        let schema = self.registry.schema(id, subject);
        if let Err(error) = &schema
            && error.is_unknown()
        {
            lock(&self.unknown).insert(id, (Instant::now(), error.clone()));
        }
        schema
    }

    fn writer(&self, topic: &str, schema: Option<&SchemaRef>) -> Result<Arc<Prefixed<F::Writer>>, Fault> {
        if let Some(writer) = lock(&self.writers).find(topic, schema) {
            return Ok(writer);
        }
        let writer = Arc::new(self.new_writer(topic, schema)?);
        lock(&self.writers).insert(topic, schema, writer.clone());
        Ok(writer)
    }

    fn new_writer(&self, topic: &str, schema: Option<&SchemaRef>) -> Result<Prefixed<F::Writer>, Fault> {
        let own = self.format.own(schema)?;
        let subject = self
            .common
            .naming
            .subject(topic, self.common.part, F::own_name(&own).as_deref())
            .map_err(|message| Fault::format("org.apache.kafka.common.errors.SerializationException", message))?;
        let (id, other) = self.target(&subject, &own)?;
        let until = match &self.common.registration {
            Registration::Latest { .. } | Registration::LatestWith(_) => {
                self.common.latest_lifetime.map(|life| Instant::now() + life)
            }
            Registration::Register | Registration::LookUp | Registration::Id { .. } => None,
        };
        Ok(Prefixed {
            schema: schema.cloned(),
            prefix: wire::prefix(id),
            writer: self.format.writer(schema, own, other.as_ref())?,
            until,
        })
    }

    /// The id to write, and the schema that stands under it if it is not the value's own.
    fn target(&self, subject: &str, own: &F::Own) -> Result<(i32, Option<Resolved>), Fault> {
        let Words { format, colon, .. } = F::WORDS;
        let text = F::text(own);
        let failed = |doing: &'static str| {
            move |error| Fault::registry(format!("Error {doing} {format} schema{colon}{}", text.text), error)
        };
        let normalize = self.common.normalize;
        let prescribed = match &self.common.registration {
            Registration::Register => {
                let id = self.known(subject, text, |registry| registry.register(subject, text, normalize));
                return id.map(|id| (id, None)).map_err(failed("registering"));
            }
            Registration::LookUp => {
                let id = self.known(subject, text, |registry| {
                    registry.look_up(subject, text, normalize, false).map(|found| found.id)
                });
                return id.map(|id| (id, None)).map_err(failed("retrieving"));
            }
            Registration::Id { id, strict } => self.by_id(subject, *id, *strict)?,
            Registration::Latest { strict } => self.latest(subject, text, *strict)?,
            Registration::LatestWith(metadata) => {
                let failed = |error| Fault::registry("Error retrieving latest with metadata", error);
                let latest = self.registry.latest_with(subject, metadata).map_err(failed)?;
                Prescribed {
                    id: latest.id,
                    schema: self.registry.resolve(latest.schema).map_err(failed)?,
                    strict: None,
                }
            }
        };
        let Prescribed { id, schema, strict } = prescribed;
        if let Some(key) = strict {
            F::reads(&schema, own).map_err(|reason| incompatible(key, &schema, text, &reason))?;
        }
        Ok((id, Some(schema)))
    }

    fn by_id(&self, subject: &str, id: i32, strict: bool) -> Result<Prescribed, Fault> {
        let schema = self
            .registry
            .schema(SchemaId::Number(id), Some(subject))
            .and_then(|schema| self.registry.resolve(schema))
            .map_err(|error| Fault::registry("Error retrieving schema ID", error))?;
        Ok(Prescribed {
            id,
            schema,
            strict: strict.then_some("id.compatibility.strict"),
        })
    }

    fn latest(&self, subject: &str, own: &SchemaText, strict: bool) -> Result<Prescribed, Fault> {
        let format = F::WORDS.format;
        let failed = |error| {
            Fault::registry(
                format!("Error retrieving latest version of {format} schema{}", own.text),
                error,
            )
        };
        let latest = self.registry.latest(subject).map_err(failed)?;
        Ok(Prescribed {
            id: latest.id,
            schema: self.registry.resolve(latest.schema).map_err(failed)?,
            strict: strict.then_some("latest.compatibility.strict"),
        })
    }

    fn known(
        &self,
        subject: &str,
        text: &SchemaText,
        ask: impl FnOnce(&Registry) -> Result<i32, Error>,
    ) -> Result<i32, Error> {
        let key = (subject.to_owned(), text.text.clone());
        if let Some(id) = lock(&self.ids).get(&key) {
            return Ok(*id);
        }
        let id = ask(&self.registry)?;
        lock(&self.ids).insert(key, id);
        Ok(id)
    }
}

impl<F: Format> Converter for RegistryConverter<F> {
    fn from_connect(
        &self,
        topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
        out: &mut Vec<u8>,
    ) -> Result<bool, ConvertError> {
        let write = |out: &mut Vec<u8>| {
            if value.is_null() && !self.format.writes_null(schema)? {
                return Ok(false);
            }
            let writer = self.writer(topic, schema)?;
            out.extend_from_slice(&writer.prefix);
            self.format.write(&writer.writer, value, out)?;
            Ok(true)
        };
        write(out).map_err(|fault| F::WORDS.writing(topic, fault))
    }

    fn to_connect(&self, topic: &str, bytes: Option<&[u8]>) -> Result<(Option<SchemaRef>, Value), ConvertError> {
        let Some(bytes) = bytes else {
            return Ok((None, Value::Null));
        };
        let found = self.reader(topic, bytes)?;
        self.format
            .read(&found.reader, found.payload)
            .map_err(|fault| F::WORDS.reading(topic, Some(found.id), fault))
    }
}

impl<R> Readers<R> {
    fn find(&mut self, topic: &str, prefix: &[u8]) -> Option<Arc<R>> {
        if let Some(((last_topic, last_prefix), reader)) = &self.last
            && **last_prefix == *prefix
            && **last_topic == *topic
        {
            return Some(reader.clone());
        }
        let key = (topic.into(), prefix.into());
        let reader = self.all.get(&key)?.clone();
        self.last = Some((key, reader.clone()));
        Some(reader)
    }

    fn insert(&mut self, topic: &str, prefix: &[u8], reader: Arc<R>) {
        self.all.insert((topic.into(), prefix.into()), reader);
    }
}

impl<W> Writers<W> {
    fn find(&mut self, topic: &str, schema: Option<&SchemaRef>) -> Option<Arc<Prefixed<W>>> {
        if let Some((last_topic, writer)) = &self.last
            && **last_topic == *topic
            && writer.is_of(schema)
        {
            return Some(writer.clone());
        }
        let writer = self
            .all
            .get(&(topic.into(), address(schema)))
            .filter(|writer| writer.is_of(schema))?
            .clone();
        self.last = Some((topic.into(), writer.clone()));
        Some(writer)
    }

    fn insert(&mut self, topic: &str, schema: Option<&SchemaRef>, writer: Arc<Prefixed<W>>) {
        self.all.insert((topic.into(), address(schema)), writer);
    }
}

/// A panic while the lock was held leaves a cache that is merely less full.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Confluent's words, and what the bytes look like instead: mostly somebody chose the wrong converter.
fn describe(error: WireError, bytes: &[u8]) -> String {
    let first: Vec<String> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let first = first.join(" ");
    match error {
        WireError::Magic if bytes.is_empty() => "Unknown magic byte! The value is empty".to_owned(),
        WireError::Magic => format!(
            "Unknown magic byte! The value begins with {first}: whoever wrote it used no schema registry, or another \
             converter is meant"
        ),
        WireError::Short => format!("the value ends within the id of its schema: {first}"),
        WireError::Indexes => format!("the value does not say which message it is: {first}"),
    }
}

fn incompatible(key: &str, schema: &Resolved, own: &SchemaText, reason: &str) -> Fault {
    let references: Vec<&str> = schema.references.iter().map(|(name, _)| name.as_str()).collect();
    Fault::format(
        "java.io.IOException",
        format!(
            "Incompatible schema {} with refs [{}] of type {:?} for schema {}. Set {key}=false to disable this check \
             ({reason})",
            schema.schema.text,
            references.join(", "),
            schema.schema.kind,
            own.text
        ),
    )
}
