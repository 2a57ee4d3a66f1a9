//! Producers shared by those who use the same settings.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::SourceProducer;
use crate::error::Error;
use crate::settings::{ClientSettings, Profile};

/// The producers of a worker: one for each set of settings. A producer costs a thread for each broker and its own
/// buffers, so that tasks share one unless their settings differ in more than the client id.
#[derive(Default)]
pub struct ProducerPool {
    producers: Mutex<HashMap<Profile, Weak<SourceProducer>>>,
}

impl ProducerPool {
    pub fn new() -> Self {
        Self::default()
    }

    /// The producer of these settings; a new one if there is none, or if the one that is there has failed for good.
    pub fn get(&self, settings: &ClientSettings) -> Result<Arc<SourceProducer>, Error> {
        let profile = settings.profile();
        let mut producers = self.producers.lock().unwrap_or_else(PoisonError::into_inner);
        producers.retain(|_, producer| producer.strong_count() > 0);
        if let Some(producer) = producers.get(&profile).and_then(Weak::upgrade)
            && producer.fatal_error().is_none()
        {
            return Ok(producer);
        }
        let producer = Arc::new(SourceProducer::start(settings)?);
        producers.insert(profile, Arc::downgrade(&producer));
        Ok(producer)
    }
}
