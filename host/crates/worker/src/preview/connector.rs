//! The connector of a preview: started without files and network to say what its first task would be given, and stopped.

use std::sync::Arc;
use std::time::Duration;

use caisson_api::config::Config as GuestConfig;
use caisson_api::manifest::PluginKind;
use caisson_config::Given;
use caisson_model::Failure;
use caisson_model::preview::Fault;
use caisson_sandbox::{CallError, InstanceSpec, Label, SinkConnector, SourceConnector};
use caisson_store::{Config, MemoryOffsetStore};
use caisson_task::preview::fault;

use super::{TOPIC, Tried};
use crate::Worker;
use crate::connectors::{complete, on_thread};
use crate::offsets::StoredOffsets;

/// What the connector said of its first task.
pub(super) struct FirstTask {
    /// What the task is given. If the connector could not tell, the connector's own configuration.
    pub config: GuestConfig,
    /// The same as REST shows it; none if the connector could not tell.
    pub shown: Option<Config>,
    /// Why it could not.
    pub fault: Option<Fault>,
}

impl Worker {
    /// Asks a connector that can reach nothing for the configuration of its first task.
    pub(super) async fn first_task(&self, tried: &Tried<'_>, time: Duration) -> Result<FirstTask, Failure> {
        let Tried { installed, given, .. } = *tried;
        let class = &installed.plugin().class;
        let module = installed.module.confined().await;
        let spec = InstanceSpec {
            module: module.map_err(|error| Failure::from(CallError::from(error)))?,
            class: class.clone(),
            config: given.to_config(),
            label: Label {
                connector: TOPIC.into(),
                task: None,
            },
            limits: self.limits(given)?,
        };
        let kind = installed.plugin().kind;
        let asked = tokio::time::timeout(time, on_thread(asked(kind, spec))).await;
        let told = match asked {
            Ok(asked) => asked?,
            Err(_) => Err(("task-configs", CallError::Host(format!("no answer within {time:?}")))),
        };
        let fault = match told {
            Ok(Some(own)) => {
                let shown = complete((installed, given), &tried.config.flow, tried.secrets, own);
                return Ok(FirstTask {
                    config: self.resolve(&shown).to_config(),
                    shown: Some(shown),
                    fault: None,
                });
            }
            Ok(None) => fault(
                "task-configs",
                class,
                &CallError::Host("there is no work for a task".to_owned()),
            ),
            Err((call, error)) => fault(call, class, &error),
        };
        Ok(FirstTask {
            config: Given::to_config(given),
            shown: None,
            fault: Some(fault),
        })
    }
}

/// Starts a connector, asks it, and stops it.
async fn asked(kind: PluginKind, spec: InstanceSpec) -> Result<Option<GuestConfig>, (&'static str, CallError)> {
    let start = |error| ("connector start", error);
    let configs = if kind == PluginKind::Sink {
        let mut sink = SinkConnector::start(spec).await.map_err(start)?;
        let configs = sink.task_configs(1).await;
        stopped(sink.stop().await);
        configs
    } else {
        // Nothing is stored of what does not run.
        let offsets = StoredOffsets::new(&TOPIC.into(), Arc::new(MemoryOffsetStore::new()));
        let mut source = SourceConnector::start(spec, Some(Arc::new(offsets)))
            .await
            .map_err(start)?;
        let configs = source.task_configs(1).await;
        stopped(source.stop().await);
        configs
    };
    let configs = configs.map_err(|error| ("task-configs", error))?;
    Ok(configs.into_iter().next())
}

fn stopped(outcome: Result<(), CallError>) {
    if let Err(error) = outcome {
        tracing::debug!(%error, "stop of a previewed connector failed");
    }
}
