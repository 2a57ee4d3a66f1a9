//! What was worked out about topics, so that records of one topic cost no work twice.

use std::collections::HashMap;

/// More topics than that, one after the other, come from an expression that makes them up.
const CAPACITY: usize = 1000;

#[derive(Debug)]
pub struct Topics<T> {
    known: HashMap<Box<str>, T>,
}

impl<T> Default for Topics<T> {
    fn default() -> Self {
        Topics { known: HashMap::new() }
    }
}

impl<T> Topics<T> {
    /// What is known of a topic, or is found out now.
    pub fn get_or_try_insert<E>(&mut self, topic: &str, find_out: impl FnOnce(&str) -> Result<T, E>) -> Result<&T, E> {
        if !self.known.contains_key(topic) {
            let found = find_out(topic)?;
            if self.known.len() >= CAPACITY {
                self.known.clear();
            }
            self.known.insert(topic.into(), found);
        }
        Ok(&self.known[topic])
    }
}
