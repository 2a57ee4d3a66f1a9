//! The transforms and predicates as the worker runs them: on decoded records, one after the other, without a frame.

use caisson_sdk::api::Members;
use caisson_sdk::api::frame::Entry;
use caisson_sdk::prelude::*;

/// A transform that the worker can run itself.
#[derive(Clone, Copy, Debug)]
pub struct NativeTransform {
    plugin: fn() -> Plugin,
    start: fn(&Settings) -> Result<Box<dyn DynTransform>, Error>,
}

impl NativeTransform {
    pub(crate) const fn of<T: Transform + Send>() -> Self {
        NativeTransform {
            plugin: T::plugin,
            start: |settings| Ok(Box::new(Whole(T::start(settings)?))),
        }
    }

    pub(crate) const fn by_member<T: ByMember + Send>() -> Self {
        NativeTransform {
            plugin: T::plugin,
            start: |settings| Ok(Box::new(Editing(T::start(settings)?))),
        }
    }

    /// Class, aliases, keys, and encodings. Where an encoding is `bytes` the transform does not look at that column:
    /// it passes on whatever stands in the record.
    pub fn plugin(&self) -> Plugin {
        (self.plugin)()
    }

    /// Starts it with settings that were parsed by the plugin's definitions.
    pub fn start(&self, settings: &Settings) -> Result<Box<dyn DynTransform>, Error> {
        (self.start)(settings)
    }
}

/// A started transform without its type.
pub trait DynTransform: Send {
    /// The record as it goes on; `None` drops it. An error is about this record alone if its kind is `Data`.
    fn apply(&mut self, record: Record, origin: Origin) -> Result<Option<Record>, Error>;

    /// What changes values that are maps without a schema member by member, if the transform does.
    fn by_member(&self) -> Option<&dyn Edit> {
        None
    }
}

/// Changes the members of a record's value, which is a map without a schema, and does not lie in the record.
pub trait Edit {
    /// As [`DynTransform::apply`], which drops no such record and changes nothing but the value.
    fn edit(&self, members: &mut dyn Members, record: &Record, origin: Origin) -> Result<(), Error>;
}

/// A transform of values that asks for members of a map by their names, and so leaves the others as they lie.
pub(crate) trait ByMember: Transform {
    /// Whether it does so with its settings.
    fn is_by_member(&self) -> bool {
        true
    }

    fn edit(&self, members: &mut dyn Members, record: &Record, origin: Origin) -> Result<(), Error>;
}

/// A transform that takes whole records.
struct Whole<T>(T);

impl<T: Transform + Send> DynTransform for Whole<T> {
    fn apply(&mut self, record: Record, origin: Origin) -> Result<Option<Record>, Error> {
        self.0.apply_from(record, origin)
    }
}

/// One that may take members alone.
struct Editing<T>(T);

impl<T: ByMember + Send> DynTransform for Editing<T> {
    fn apply(&mut self, record: Record, origin: Origin) -> Result<Option<Record>, Error> {
        self.0.apply_from(record, origin)
    }

    fn by_member(&self) -> Option<&dyn Edit> {
        self.0.is_by_member().then_some(self as &dyn Edit)
    }
}

impl<T: ByMember> Edit for Editing<T> {
    fn edit(&self, members: &mut dyn Members, record: &Record, origin: Origin) -> Result<(), Error> {
        self.0.edit(members, record, origin)
    }
}

/// A predicate that the worker can run itself.
#[derive(Clone, Copy, Debug)]
pub struct NativePredicate {
    plugin: fn() -> Plugin,
    start: fn(&Settings) -> Result<Box<dyn DynPredicate>, Error>,
}

impl NativePredicate {
    pub(crate) const fn of<P: Predicate + DynPredicate>() -> Self {
        NativePredicate {
            plugin: P::plugin,
            start: |settings| Ok(Box::new(P::start(settings)?)),
        }
    }

    /// Class, aliases, keys, and encodings; where an encoding is `bytes` the predicate does not look at that column.
    pub fn plugin(&self) -> Plugin {
        (self.plugin)()
    }

    /// Starts it with settings that were parsed by the plugin's definitions.
    pub fn start(&self, settings: &Settings) -> Result<Box<dyn DynPredicate>, Error> {
        (self.start)(settings)
    }
}

/// A started predicate without its type.
pub trait DynPredicate: Send {
    /// Whether the transform applies to the record.
    fn test(&mut self, record: &dyn Subject) -> Result<bool, Error>;
}

/// What predicates ask of a record, so that it need not be decoded for them.
pub trait Subject {
    fn topic(&self) -> &str;

    /// Whether the value is null.
    fn is_tombstone(&self) -> bool;

    fn has_header(&self, name: &str) -> bool;
}

impl Subject for Record {
    fn topic(&self) -> &str {
        &self.topic
    }

    fn is_tombstone(&self) -> bool {
        self.value.is_null()
    }

    fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|header| &*header.name == name)
    }
}

/// A record in a frame. It is a tombstone if there are no bytes, which is the whole truth only where the column holds
/// typed values: there is JSON that means null.
impl Subject for Entry<'_> {
    fn topic(&self) -> &str {
        self.topic
    }

    fn is_tombstone(&self) -> bool {
        self.value.is_none()
    }

    fn has_header(&self, name: &str) -> bool {
        self.headers.clone().any(|header| header.name == name)
    }
}

impl Subject for RecordView<'_> {
    fn topic(&self) -> &str {
        RecordView::topic(self)
    }

    fn is_tombstone(&self) -> bool {
        self.value_bytes().is_none()
    }

    fn has_header(&self, name: &str) -> bool {
        self.header_names().any(|known| known == name)
    }
}
