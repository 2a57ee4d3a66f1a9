//! Requests that change what should run.

use std::collections::BTreeMap;
use std::time::Duration;

use caisson_model::TargetState;
use caisson_store::Config;

use crate::herder::Replace;
use crate::info::{ConnectorInfo, Created};
use crate::{Error, StandaloneHerder};

/// How long the answer to a change of a configuration waits for it to be in effect.
const TAKES_EFFECT_WITHIN: Duration = Duration::from_secs(3);

impl StandaloneHerder {
    pub(super) async fn put(
        &self,
        name: &str,
        config: Config,
        target: Option<TargetState>,
        replace: Replace,
    ) -> Result<Created, Error> {
        self.refuse_invalid(&config).await?;
        let change = self.changes.lock().await;
        let existing = self.shared.entry(name);
        if existing.is_some() && replace == Replace::Refused {
            return Err(Error::AlreadyExists(format!("Connector {name} already exists")));
        }
        self.shared.configs.put_connector(name, config, target).await?;
        // Read under the lock, so that it is this change that is answered.
        let info = self.shared.info(name, &*self.shared.existing(name)?);
        drop(change);
        self.shared.changed(name);
        if existing.is_some() {
            // Who changes a configuration counts on it from the answer on; a record that arrives now must not meet
            // the old one. A connector that is slow to start is not waited for.
            let _ = tokio::time::timeout(TAKES_EFFECT_WITHIN, self.shared.settle(name)).await;
        }
        tracing::info!(connector = name, replaced = existing.is_some(), "connector configured");
        Ok(if existing.is_some() {
            Created::Replaced(info)
        } else {
            Created::New(info)
        })
    }

    pub(super) async fn patch(
        &self,
        name: &str,
        changes: BTreeMap<String, Option<String>>,
    ) -> Result<ConnectorInfo, Error> {
        let mut config = Config::clone(&self.shared.existing(name)?.config);
        for (key, value) in changes {
            match value {
                Some(value) => config.insert(key, Some(value)),
                None => config.remove(&key),
            };
        }
        match self.put(name, config, None, Replace::Allowed).await? {
            Created::New(info) | Created::Replaced(info) => Ok(info),
        }
    }

    /// A configuration that nobody could use is a bad request here, whatever the reason.
    async fn refuse_invalid(&self, config: &Config) -> Result<(), Error> {
        match self.shared.worker.validate(config.clone()).await {
            Ok(infos) => infos.refusal().map_or(Ok(()), Err),
            Err(Error::Other(text)) => Err(Error::BadRequest(text)),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn delete(&self, name: &str) -> Result<(), Error> {
        let change = self.changes.lock().await;
        self.shared.existing(name)?;
        self.shared.configs.remove_connector(name).await?;
        drop(change);
        self.shared.changed(name);
        self.shared.settle(name).await;
        tracing::info!(connector = name, "connector deleted");
        Ok(())
    }

    pub(super) async fn set_target(&self, name: &str, target: TargetState) -> Result<(), Error> {
        let change = self.changes.lock().await;
        self.shared.entry(name).ok_or_else(|| Error::unknown_connector(name))?;
        self.shared.configs.put_target(name, target).await?;
        drop(change);
        self.shared.changed(name);
        Ok(())
    }

    pub(super) async fn stop(&self, name: &str) -> Result<(), Error> {
        let change = self.changes.lock().await;
        self.shared.entry(name).ok_or_else(|| Error::unknown_connector(name))?;
        self.shared.configs.put_tasks(name, Vec::new()).await?;
        self.shared.configs.put_target(name, TargetState::Stopped).await?;
        drop(change);
        self.shared.changed(name);
        self.shared.settle(name).await;
        Ok(())
    }
}
