//! Fences off the producers of exactly-once source tasks, by their transactional ids.

use std::sync::Arc;
use std::time::Duration;

use caisson_herder::BoxFuture;
use caisson_herder::distributed::Fencer;
use caisson_kafka::Admin;

/// As long as a request may take.
const PATIENCE: Duration = Duration::from_secs(90);

pub struct ProducerFencer {
    admin: Arc<Admin>,
    group_id: String,
}

impl ProducerFencer {
    pub fn new(admin: Arc<Admin>, group_id: &str) -> ProducerFencer {
        ProducerFencer {
            admin,
            group_id: group_id.to_owned(),
        }
    }
}

impl Fencer for ProducerFencer {
    fn fence<'a>(&'a self, connector: &'a str, tasks: u32) -> BoxFuture<'a, Result<(), String>> {
        let ids: Vec<String> = (0..tasks)
            .map(|task| format!("{}-{connector}-{task}", self.group_id))
            .collect();
        let admin = self.admin.clone();
        Box::pin(async move {
            let fenced = tokio::task::spawn_blocking(move || {
                let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
                admin.fence_producers(&ids, PATIENCE)
            });
            let fenced = fenced.await.map_err(|error| format!("the worker has a bug: {error}"))?;
            for (id, outcome) in fenced.map_err(|error| error.to_string())? {
                outcome.map_err(|error| format!("{id}: {error}"))?;
            }
            Ok(())
        })
    }
}
