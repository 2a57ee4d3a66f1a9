//! Links that the worker runs itself. Those that follow each other are one section: a record is decoded once, passes all
//! of them, and is encoded once, in the form that whoever comes next wants.

use std::sync::Arc;

use caisson_api::Record;
use caisson_api::frame::{Encoding, Encodings, Entry, Frame};
use caisson_convert::JsonObject;
use caisson_model::Failure;
use caisson_sdk::settings::Settings;
use caisson_sdk::transform::Origin;
use caisson_transforms::{DynPredicate, DynTransform, Subject};

use super::{Pass, Stream, Target, parsed, parts};
use crate::columns::{Form, Forms};
use crate::errors::Throwable;
use crate::recode::{Opened, Refusal, Seen, does_not_fit};

/// Native links in a row, on batches.
pub struct NativeSection {
    links: NativeLinks,
    /// Topics of the frame at hand as records own them, by their index in it.
    topics: Vec<Option<Arc<str>>>,
}

/// Native links in a row, on records.
#[derive(Default)]
pub struct NativeLinks {
    links: Vec<NativeLink>,
    /// Columns that any of them looks at have another encoding than bytes.
    looks: Encodings,
    /// The first that looks at values asks for single members.
    by_member: bool,
}

/// A transform, and which records it is for.
pub struct NativeLink {
    class: String,
    looks: Encodings,
    /// The transform itself, whatever its predicate does, looks at values.
    sees_value: bool,
    transform: Box<dyn DynTransform>,
    condition: Option<(NativePredicate, bool)>,
}

/// A predicate.
pub struct NativePredicate {
    class: String,
    looks: Encodings,
    predicate: Box<dyn DynPredicate>,
}

/// A link failed on a record.
#[derive(Debug)]
pub struct LinkFailure<'l> {
    /// The class of the transform. Kafka Connect names it too where its predicate failed.
    pub class: &'l str,
    pub error: caisson_api::Error,
}

impl NativeLinks {
    /// Adds one behind those that there are.
    pub fn push(&mut self, link: NativeLink) {
        let is_first = !self.links.iter().any(|link| link.sees_value);
        if is_first && link.sees_value {
            self.by_member = link.transform.by_member().is_some();
        }
        self.looks = both(self.looks, link.looks);
        self.links.push(link);
    }

    /// The record as it comes out; none if it is dropped on the way. All its columns are decoded.
    pub fn apply(&mut self, record: Record, origin: Origin) -> Result<Option<Record>, LinkFailure<'_>> {
        let mut record = Some(record);
        self.apply_seen(&mut record, origin, None, &mut None)?;
        Ok(record)
    }

    /// Leaves the record as it comes out, or none. While the members of its value lie in `object`, the record has none.
    fn apply_seen(
        &mut self,
        record: &mut Option<Record>,
        origin: Origin,
        seen: Option<&Seen<'_>>,
        object: &mut Option<JsonObject<'_>>,
    ) -> Result<(), LinkFailure<'_>> {
        for link in &mut self.links {
            let Some(current) = record else {
                return Ok(());
            };
            let class = &link.class;
            let failed = |error| LinkFailure { class, error };
            if let Some((predicate, negate)) = &mut link.condition {
                let chosen = match seen {
                    Some(seen) => predicate.predicate.test(&InPlace {
                        record: current,
                        is_object: object.is_some(),
                        seen,
                    }),
                    None => predicate.predicate.test(&*current),
                };
                if chosen.map_err(failed)? == *negate {
                    continue;
                }
            }
            if link.sees_value
                && let Some(members) = object
            {
                if let Some(transform) = link.transform.by_member() {
                    transform.edit(members, current, origin).map_err(failed)?;
                    continue;
                }
                current.value = object.take().map(JsonObject::into_value).unwrap_or_default();
            }
            if let Some(current) = record.take() {
                *record = link.transform.apply(current, origin).map_err(failed)?;
            }
        }
        Ok(())
    }
}

impl NativeLink {
    /// A transform with settings that were parsed by its own definitions.
    pub fn start(plugin: caisson_transforms::NativeTransform, settings: &Settings) -> Result<Self, caisson_api::Error> {
        let described = plugin.plugin();
        Ok(NativeLink {
            class: described.class().to_owned(),
            looks: described.encodings(),
            sees_value: described.encodings().value != Encoding::Bytes,
            transform: plugin.start(settings)?,
            condition: None,
        })
    }

    /// From now on it is only for records that the predicate chooses, or, negated, does not choose.
    pub fn ask(&mut self, predicate: NativePredicate, negate: bool) {
        self.looks = both(self.looks, predicate.looks);
        self.condition = Some((predicate, negate));
    }
}

/// A record in a section, for predicates: what nobody looks at as a value is seen where it lies.
struct InPlace<'a> {
    record: &'a Record,
    /// The value is an object, and does not lie in the record.
    is_object: bool,
    seen: &'a Seen<'a>,
}

impl Subject for InPlace<'_> {
    fn topic(&self) -> &str {
        &self.record.topic
    }

    fn is_tombstone(&self) -> bool {
        match self.seen.looks.value {
            Encoding::Bytes => self.seen.entry.value.is_none(),
            Encoding::Json | Encoding::Connect => !self.is_object && self.record.value.is_null(),
        }
    }

    fn has_header(&self, name: &str) -> bool {
        match self.seen.looks.headers {
            Encoding::Bytes => Subject::has_header(self.seen.entry, name),
            Encoding::Json | Encoding::Connect => Subject::has_header(self.record, name),
        }
    }
}

impl NativeSection {
    pub fn new(links: NativeLinks) -> Self {
        NativeSection {
            links,
            topics: Vec::new(),
        }
    }

    /// Adds the links of a section that comes behind this one.
    pub fn append(&mut self, other: NativeSection) {
        for link in other.links.links {
            self.links.push(link);
        }
    }

    /// From now on it looks at these columns, too.
    pub fn look_at(&mut self, looks: Encodings) {
        self.links.looks = both(self.links.looks, looks);
    }

    /// The class of its first link.
    pub fn class(&self) -> &str {
        self.links.links.first().map_or("", |link| &link.class)
    }

    /// The columns that it looks at are those with another encoding than bytes.
    pub fn looks(&self) -> Encodings {
        self.links.looks
    }

    pub fn apply(
        &mut self,
        stream: &Stream<'_>,
        target: Target,
        pass: &mut Pass<'_>,
    ) -> Result<Stream<'static>, Failure> {
        let frame = parsed(&stream.frame, "")?;
        let schemas = pass.recoder.schemas_of(&frame)?;
        let to = self.forms_towards(stream.forms, target, pass);
        pass.recoder.begin(to.encodings(), frame.len());
        pass.recoder.builder.set_boundary(frame.boundary());
        self.topics.clear();
        let mut origins = Kept::default();
        for (index, entry) in (0..).zip(frame.records()) {
            let seen = Seen {
                entry: &entry,
                schemas: &schemas,
                forms: (stream.forms, to),
                looks: self.looks(),
                by_member: self.links.by_member,
                trust: stream.trust,
            };
            match self.send(&frame, &seen, stream.origin(index), pass)? {
                true => origins.keep(index),
                false => origins.drop(index),
            }
        }
        let origins = match (origins.kept, &stream.origins) {
            (Some(kept), _) => Some(stream.origins_of(kept)),
            (None, origins) => origins.clone(),
        };
        Ok(stream.made(pass.recoder.builder.take(), to, origins))
    }

    /// The forms that it gives its columns.
    fn forms_towards(&self, from: Forms, target: Target, pass: &Pass<'_>) -> Forms {
        let Target::Sink(encodings) = target else {
            return Forms::SERIALIZED;
        };
        // A column that was looked at is a value, and has no raw bytes any more.
        let seen = |from: Form, looks: Encoding| match looks {
            Encoding::Json | Encoding::Connect => Form::Typed,
            Encoding::Bytes => from,
        };
        let looks = self.looks();
        let from = Forms {
            key: seen(from.key, looks.key),
            value: seen(from.value, looks.value),
            headers: seen(from.headers, looks.headers),
        };
        pass.recoder.towards(from, encodings)
    }

    /// Sends one record through; `at` is its index at the beginning of the chain. False: it does not come out.
    fn send(&mut self, frame: &Frame<'_>, seen: &Seen<'_>, at: u32, pass: &mut Pass<'_>) -> Result<bool, Failure> {
        let topic = self.topic(frame, seen.entry);
        let errors = &mut *pass.faults.errors;
        let mut opened = match pass.recoder.open(*seen, topic, errors) {
            Ok(opened) => opened,
            Err(refusal) => return refused(refusal, seen, at, pass),
        };
        if !self.run(&mut opened, seen, at, pass) {
            return Ok(false);
        }
        let errors = &mut *pass.faults.errors;
        match pass.recoder.close(*seen, &mut opened, seen.entry.offset, errors) {
            Ok(()) => Ok(true),
            Err(refusal) => refused(refusal, seen, at, pass),
        }
    }

    /// False: it is dropped, or failed and reported.
    fn run(&mut self, opened: &mut Opened<'_>, seen: &Seen<'_>, at: u32, pass: &mut Pass<'_>) -> bool {
        let origin = Origin::of(seen.entry.offset, seen.entry.timestamp);
        let Opened { record, object, .. } = opened;
        match self.links.apply_seen(record, origin, Some(seen), object) {
            Ok(()) => record.is_some(),
            Err(LinkFailure { class, error }) => {
                pass.fail(at, class, &Throwable::from(&error));
                false
            }
        }
    }

    fn topic(&mut self, frame: &Frame<'_>, entry: &Entry<'_>) -> Arc<str> {
        let index = usize::from(entry.topic_index);
        if self.topics.len() <= index {
            self.topics.resize(index + 1, None);
        }
        self.topics[index]
            .get_or_insert_with(|| Arc::from(frame.topic(entry.topic_index)))
            .clone()
    }
}

impl NativePredicate {
    /// A predicate with settings that were parsed by its own definitions.
    pub fn start(plugin: caisson_transforms::NativePredicate, settings: &Settings) -> Result<Self, caisson_api::Error> {
        let described = plugin.plugin();
        Ok(NativePredicate {
            class: described.class().to_owned(),
            looks: described.encodings(),
            predicate: plugin.start(settings)?,
        })
    }

    /// The answer for each record of a batch; none for those that failed.
    pub fn test(&mut self, stream: &Stream<'_>, pass: &mut Pass<'_>) -> Result<Vec<Option<bool>>, Failure> {
        let mut answers = vec![None; parsed(&stream.frame, &self.class)?.len()];
        let asked = parts::asked(stream, self.looks, pass)?;
        let frame = parsed(&asked.frame, &self.class)?;
        for (entry, index) in frame.records().zip(&asked.indexes) {
            match self.predicate.test(&entry) {
                Ok(answer) => answers[*index as usize] = Some(answer),
                Err(error) => pass.fail(stream.origin(*index), &self.class, &Throwable::from(&error)),
            }
        }
        Ok(answers)
    }
}

/// The records that come out of a section. While all do, nothing is noted.
#[derive(Default)]
struct Kept {
    kept: Option<Vec<u32>>,
}

impl Kept {
    fn keep(&mut self, index: u32) {
        if let Some(kept) = &mut self.kept {
            kept.push(index);
        }
    }

    fn drop(&mut self, index: u32) {
        self.kept.get_or_insert_with(|| (0..index).collect());
    }
}

fn refused(refusal: Refusal, seen: &Seen<'_>, at: u32, pass: &mut Pass<'_>) -> Result<bool, Failure> {
    match refusal {
        Refusal::Record { stage, class, error } => {
            pass.faults.fail(at, stage, &class, &error);
            Ok(false)
        }
        Refusal::Frame(error) => Err(does_not_fit(seen.entry.topic, &error)),
    }
}

/// What two look at together.
pub fn both(one: Encodings, other: Encodings) -> Encodings {
    let union = |one: Encoding, other: Encoding| match (one, other) {
        (Encoding::Bytes, Encoding::Bytes) => Encoding::Bytes,
        (_, _) => Encoding::Connect,
    };
    Encodings {
        key: union(one.key, other.key),
        value: union(one.value, other.value),
        headers: union(one.headers, other.headers),
    }
}
