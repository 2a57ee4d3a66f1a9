//! Restarts: of the connector alone, of one task, or of what a request selects.

use crate::herder::RestartRequest;
use crate::info::ConnectorStatus;
use crate::{Error, StandaloneHerder};

impl StandaloneHerder {
    pub(super) async fn restart_only_connector(&self, name: &str) -> Result<(), Error> {
        self.node.known(name)?;
        self.node.restart(name, true, Vec::new()).await
    }

    pub(super) async fn restart_one_task(&self, name: &str, task: i32) -> Result<(), Error> {
        let number = self.node.known_task(name, task)?;
        self.node.restart(name, false, vec![number]).await
    }

    pub(super) async fn restart_parts(&self, request: RestartRequest) -> Result<ConnectorStatus, Error> {
        self.node.known(&request.connector)?;
        let selected = self.node.select(&request)?;
        self.node.restart_selected(&selected).await;
        Ok(selected.status)
    }
}
