//! What is known of schemas already, so that one schema is written and read once and not with every record.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use caisson_api::SchemaRef;

use super::typed_text::Plan;

/// Texts of schemas in envelopes, both ways. A cache that is full starts anew.
#[derive(Debug)]
pub(crate) struct SchemaCache {
    capacity: usize,
    /// Guards the schemas that were written; held for a look-up.
    written: Mutex<Written>,
    /// Guards the schemas that were read; held for a look-up.
    read: Mutex<Read>,
    /// Guards how blocks of a schema are written; held for a look-up.
    plans: Mutex<Plans>,
}

#[derive(Debug, Default)]
struct Plans {
    last: Option<(SchemaRef, Option<Arc<Plan>>)>,
    /// By the address of the schema.
    all: HashMap<usize, (SchemaRef, Option<Arc<Plan>>)>,
}

#[derive(Debug, Default)]
struct Written {
    last: Option<(SchemaRef, Arc<[u8]>)>,
    /// By the address of the schema, which cannot be another's as long as the entry keeps the schema alive.
    all: HashMap<usize, (SchemaRef, Arc<[u8]>)>,
}

#[derive(Debug, Default)]
struct Read {
    /// The one that was found last; mostly all records of a topic have it.
    last: Option<(Arc<str>, Option<SchemaRef>)>,
    all: HashMap<Arc<str>, Option<SchemaRef>>,
}

impl SchemaCache {
    pub fn new(capacity: usize) -> Self {
        SchemaCache {
            capacity: capacity.max(1),
            written: Mutex::default(),
            read: Mutex::default(),
            plans: Mutex::default(),
        }
    }

    /// The JSON text of a schema, made by `write` if it is not known.
    pub fn written<E>(&self, schema: &SchemaRef, write: impl FnOnce() -> Result<Vec<u8>, E>) -> Result<Arc<[u8]>, E> {
        let mut written = lock(&self.written);
        if let Some((last, text)) = &written.last
            && Arc::ptr_eq(last, schema)
        {
            return Ok(text.clone());
        }
        let address = Arc::as_ptr(schema) as usize;
        let text = match written.all.get(&address) {
            Some((_, text)) => text.clone(),
            None => {
                let text: Arc<[u8]> = write()?.into();
                if written.all.len() >= self.capacity {
                    written.all.clear();
                }
                written.all.insert(address, (schema.clone(), text.clone()));
                text
            }
        };
        written.last = Some((schema.clone(), text.clone()));
        Ok(text)
    }

    /// How to write typed blocks of a schema; `None` if they take the long way.
    pub fn plan(&self, schema: &SchemaRef, make: impl FnOnce() -> Option<Plan>) -> Option<Arc<Plan>> {
        let mut plans = lock(&self.plans);
        if let Some((last, plan)) = &plans.last
            && Arc::ptr_eq(last, schema)
        {
            return plan.clone();
        }
        let address = Arc::as_ptr(schema) as usize;
        let plan = match plans.all.get(&address) {
            Some((_, plan)) => plan.clone(),
            None => {
                let plan = make().map(Arc::new);
                if plans.all.len() >= self.capacity {
                    plans.all.clear();
                }
                plans.all.insert(address, (schema.clone(), plan.clone()));
                plan
            }
        };
        plans.last = Some((schema.clone(), plan.clone()));
        plan
    }

    /// The schema whose text stands at the beginning of `rest`, if it is the one found last: the length of the text
    /// and the schema.
    pub fn last_read(&self, rest: &str) -> Option<(usize, Option<SchemaRef>)> {
        let read = lock(&self.read);
        let (text, schema) = read.last.as_ref()?;
        // An object ends with its brace, so that a text that begins like it cannot go on.
        (text.ends_with('}') && rest.starts_with(&**text)).then(|| (text.len(), schema.clone()))
    }

    /// The schema that `text` stands for, parsed by `parse` if it is not known.
    pub fn read<E>(
        &self,
        text: &str,
        parse: impl FnOnce() -> Result<Option<SchemaRef>, E>,
    ) -> Result<Option<SchemaRef>, E> {
        let mut read = lock(&self.read);
        let (text, schema) = match read.all.get_key_value(text) {
            Some((text, schema)) => (text.clone(), schema.clone()),
            None => {
                let (text, schema) = (Arc::<str>::from(text), parse()?);
                if read.all.len() >= self.capacity {
                    read.all.clear();
                }
                read.all.insert(text.clone(), schema.clone());
                (text, schema)
            }
        };
        read.last = Some((text, schema.clone()));
        Ok(schema)
    }
}

/// A panic while the lock was held leaves a cache that is merely less full.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
