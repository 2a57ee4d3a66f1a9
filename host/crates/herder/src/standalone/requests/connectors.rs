//! Requests that change what should run.

use std::collections::BTreeMap;
use std::time::Duration;

use caisson_model::TargetState;
use caisson_store::{Config, ConfigChange};

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
        self.node.refuse_invalid(&config).await?;
        let change = self.changes.lock().await;
        let existing = self.node.entry(name);
        if existing.is_some() && replace == Replace::Refused {
            return Err(Error::AlreadyExists(format!("Connector {name} already exists")));
        }
        let put = ConfigChange::PutConnector {
            name: name.into(),
            config,
            target,
        };
        self.node.configs().write(put).await?;
        // Read under the lock, so that it is this change that is answered.
        let info = self.node.info(name)?;
        drop(change);
        self.node.changed(name);
        // Who creates a connector asks for its status next, and who changes one counts on that from the answer on: a
        // record that arrives now must not meet the old one. A connector that is slow to start is not waited for.
        let _ = tokio::time::timeout(TAKES_EFFECT_WITHIN, self.node.settle(name)).await;
        self.node.drain_events();
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
        let mut config = Config::clone(&*self.node.config(name)?);
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

    pub(super) async fn delete(&self, name: &str) -> Result<(), Error> {
        let change = self.changes.lock().await;
        self.node.existing(name)?;
        let remove = ConfigChange::RemoveConnector { name: name.into() };
        self.node.configs().write(remove).await?;
        drop(change);
        self.node.changed(name);
        self.node.settle(name).await;
        tracing::info!(connector = name, "connector deleted");
        Ok(())
    }

    pub(super) async fn set_target(&self, name: &str, target: TargetState) -> Result<(), Error> {
        let change = self.changes.lock().await;
        self.node.entry(name).ok_or_else(|| Error::unknown_connector(name))?;
        let put = ConfigChange::PutTarget {
            name: name.into(),
            target,
        };
        self.node.configs().write(put).await?;
        drop(change);
        self.node.changed(name);
        Ok(())
    }

    pub(super) async fn stop(&self, name: &str) -> Result<(), Error> {
        let change = self.changes.lock().await;
        self.node.entry(name).ok_or_else(|| Error::unknown_connector(name))?;
        let stop = ConfigChange::StopConnector { name: name.into() };
        self.node.configs().write(stop).await?;
        drop(change);
        self.node.changed(name);
        self.node.settle(name).await;
        Ok(())
    }
}
