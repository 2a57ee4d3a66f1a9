//! What was worked out about a schema, kept for the records that share it (`SynchronizedUpdateCache`).

use std::sync::Arc;

use caisson_sdk::api::SchemaRef;

/// As many as Kafka Connect keeps. More schemas than that in turns mean work for every record.
const CAPACITY: usize = 16;

/// Keyed by the schema's identity: records of one schema share one, and comparing two would cost more than it saves.
#[derive(Debug)]
pub struct SchemaCache<T> {
    /// The most recently found is the last. It holds the schema, so that its address cannot come to mean another one.
    known: Vec<(SchemaRef, T)>,
}

impl<T> Default for SchemaCache<T> {
    fn default() -> Self {
        SchemaCache { known: Vec::new() }
    }
}

impl<T> SchemaCache<T> {
    /// What is known of a schema, or is found out now.
    pub fn get_or_try_insert<E>(
        &mut self,
        schema: &SchemaRef,
        find_out: impl FnOnce(&SchemaRef) -> Result<T, E>,
    ) -> Result<&T, E> {
        match self.known.iter().rposition(|(known, _)| Arc::ptr_eq(known, schema)) {
            Some(place) if place + 1 == self.known.len() => {}
            Some(place) => self.known[place..].rotate_left(1),
            None => {
                let found = find_out(schema)?;
                if self.known.len() == CAPACITY {
                    self.known.remove(0);
                }
                self.known.push((schema.clone(), found));
            }
        }
        let last = self.known.len() - 1;
        Ok(&self.known[last].1)
    }
}
