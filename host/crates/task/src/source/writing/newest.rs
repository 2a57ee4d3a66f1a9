//! Source partitions and offsets on their way to where they are kept.

use std::sync::Arc;

use caisson_model::{Failure, FailureKind};
use caisson_store::OffsetKey;

/// Key and value as offsets are stored.
pub type Pair = (Vec<u8>, Option<Vec<u8>>);

/// The newest offset of each source partition of one connector, as JSON texts.
pub struct Newest {
    connector: Arc<str>,
    offsets: Vec<(Arc<str>, Arc<str>)>,
}

impl Newest {
    pub fn of(connector: &Arc<str>) -> Self {
        Newest {
            connector: connector.clone(),
            offsets: Vec::new(),
        }
    }

    pub fn add(&mut self, partition: Arc<str>, offset: Arc<str>) {
        self.offsets.retain(|(known, _)| *known != partition);
        self.offsets.push((partition, offset));
    }

    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    pub fn clear(&mut self) {
        self.offsets.clear();
    }

    pub fn to_pairs(&self) -> Result<Vec<Pair>, Failure> {
        let pair = |(partition, offset): &(Arc<str>, Arc<str>)| {
            let key = OffsetKey::new(&self.connector, partition).map_err(|error| {
                let message = format!("source partition {partition} cannot be stored: {error}");
                Failure::new(FailureKind::Guest, message)
            })?;
            Ok((key.to_bytes(), Some(offset.as_bytes().to_vec())))
        };
        self.offsets.iter().map(pair).collect()
    }
}
