//! The way from this worker's node to the leader of the cluster.

use std::sync::Arc;

use caisson_store::{BoxFuture, Config, SessionKey};

use super::core::Request;
use super::run::Shared;
use super::{Link, signature};
use crate::Error;
use crate::herder::RequestSignature;
use crate::node::Leader;

/// The other workers, as this one speaks to them.
pub trait Peers: Send + Sync {
    /// Gives the leader the task configurations of a connector, and the revision of the connector's configuration that
    /// they were made from.
    fn put_task_configs<'a>(
        &'a self,
        leader_url: &'a str,
        name: &'a str,
        configs: &'a [Config],
        made_from: u64,
        signer: &'a Signer,
    ) -> BoxFuture<'a, Result<(), Error>>;

    /// Has the leader fence off earlier producers of a connector.
    fn fence_zombies<'a>(
        &'a self,
        leader_url: &'a str,
        name: &'a str,
        signer: &'a Signer,
    ) -> BoxFuture<'a, Result<(), Error>>;
}

/// Signs the body of a request, if the cluster wants that.
#[derive(Clone, Debug, Default)]
pub struct Signer(Option<(Arc<SessionKey>, String)>);

impl Signer {
    pub(super) fn new(key: Arc<SessionKey>, algorithm: String) -> Signer {
        Signer(Some((key, algorithm)))
    }

    pub fn sign(&self, body: &[u8]) -> Option<RequestSignature> {
        let (key, algorithm) = self.0.as_ref()?;
        signature::sign(key, algorithm, body)
    }
}

impl Link {
    fn shared(&self) -> Result<Arc<Shared>, Error> {
        let shared = self.shared.get().and_then(std::sync::Weak::upgrade);
        shared.ok_or_else(|| Error::Other("Worker is shutting down".to_owned()))
    }
}

impl Leader for Link {
    fn put_task_configs(
        &self,
        name: Arc<str>,
        configs: Vec<Config>,
        made_from: u64,
    ) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let shared = self.shared()?;
            let request = Request::PutTasks {
                name: name.clone(),
                configs: configs.clone(),
                made_from: Some(made_from),
            };
            match shared.request(request).await {
                Ok(_) => Ok(()),
                Err(Error::Elsewhere { url: Some(url) }) => {
                    let signer = shared.signer();
                    shared
                        .outside
                        .peers
                        .put_task_configs(&url, &name, &configs, made_from, &signer)
                        .await
                }
                Err(error) => Err(error),
            }
        })
    }

    fn fence_zombies(&self, name: Arc<str>) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let shared = self.shared()?;
            match shared.request(Request::Fence { name: name.clone() }).await {
                Ok(_) => Ok(()),
                Err(Error::Elsewhere { url: Some(url) }) => {
                    let signer = shared.signer();
                    shared.outside.peers.fence_zombies(&url, &name, &signer).await
                }
                Err(error) => Err(error),
            }
        })
    }
}
