//! Questions to the cluster, and changes to it.

use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::ffi::{Client, Context};
use crate::settings::ClientSettings;

/// An admin client. All calls wait for Kafka.
pub struct Admin {
    client: Arc<Client>,
}

impl Admin {
    pub fn start(settings: &ClientSettings) -> Result<Admin, Error> {
        let context = Context {
            reporter: settings.reporter(),
            delivered: None,
        };
        Ok(Admin {
            client: Arc::new(settings.client(context)?),
        })
    }

    /// The cluster's id; none if no broker answers in time.
    pub fn cluster_id(&self, timeout: Duration) -> Option<String> {
        self.client.cluster_id(timeout)
    }
}
