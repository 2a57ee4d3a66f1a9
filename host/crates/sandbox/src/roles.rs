//! Instances in their roles: what the worker can call, in the words of the contract.

use std::sync::Arc;

use caisson_api::config::Config;
use caisson_api::manifest::PluginKind;
use caisson_model::Limits;
use wasmtime::Store;
use wasmtime::component::Instance as WasmInstance;

use crate::error::CallError;
use crate::files::Files;
use crate::grants::{FilePolicy, Grants};
use crate::instance::{Birth, Instance, State};
use crate::interrupt::Interrupt;
use crate::module::{Module, Ready};
use crate::network::Network;
use crate::{Label, OffsetReader};

mod sink;
mod source;
mod transform;

pub use sink::{SinkConnector, SinkOffsetChange, SinkTask};
pub use source::{Delivery, ExactlyOnce, Outcome, SourceConnector, SourceOffsetChange, SourceTask};
pub use transform::{Applied, Column, Converted, Converter, Predicate, Records, Tested, Transform};

/// What an instance is to be.
#[derive(Clone)]
pub struct InstanceSpec {
    pub module: Arc<Module>,
    /// The class or alias that the configuration names.
    pub class: String,
    pub config: Config,
    pub label: Label,
    /// Lower or raised for this connector; `None` takes the worker's defaults. Never above the ceilings.
    pub limits: Option<Limits>,
}

/// What a plugin says about one key of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigValue {
    pub name: String,
    pub recommended_values: Vec<String>,
    pub errors: Vec<String>,
    pub visible: bool,
}

impl From<crate::bindings::types::ConfigValue> for ConfigValue {
    fn from(value: crate::bindings::types::ConfigValue) -> Self {
        ConfigValue {
            name: value.name,
            recommended_values: value.recommended_values,
            errors: value.errors,
            visible: value.visible,
        }
    }
}

/// A configuration as the contract passes it.
fn pairs(config: &Config) -> Vec<(&str, &str)> {
    config
        .entries
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect()
}

/// A new instance, and the functions of one role in it. Grants are resolved before any guest code runs.
async fn instantiate<R>(
    spec: &InstanceSpec,
    kinds: &[PluginKind],
    offsets: Option<Arc<dyn OffsetReader>>,
    role: impl FnOnce(&Ready, &mut Store<State>, &WasmInstance) -> Option<wasmtime::Result<R>>,
) -> Result<(Instance, R), CallError> {
    let ready = spec.module.ready().await?;
    let plugin = spec.module.plugin_of(&spec.class, kinds)?;
    let options = &spec.module.shared().options;
    let grants = Grants::of(plugin, &spec.config, &options.policy)?;
    let files = Files::new(&grants, FilePolicy::shared(&options.policy))?;
    let limits = options.limits_for(plugin, spec.limits.as_ref())?;
    let trust = spec.module.shared().trust.clone();
    let network = Network::new(grants.network, trust, Interrupt::default(), limits.connections);
    let birth = Birth {
        label: spec.label.clone(),
        limits,
        files,
        network,
        environment: grants.environment,
        offsets,
    };
    let (mut instance, made) = Instance::create(&ready, birth).await?;
    let figures = &spec.module.shared().figures;
    figures.add(spec.label.clone(), &plugin.class, instance.metrics());
    let store = instance.enter("instantiation")?;
    let loaded = role(&ready, store, &made);
    match loaded {
        Some(loaded) => {
            let functions = instance.leave("instantiation", loaded.map(Ok))?;
            Ok((instance, functions))
        }
        // The manifest was checked against the exports, so a plugin of this kind has its role.
        None => Err(CallError::Host(format!(
            "module {} lost the role of {}",
            spec.module.name, spec.class
        ))),
    }
}

/// What every role can be asked about its instance.
macro_rules! about_instance {
    ($role:ident) => {
        impl $role {
            /// The figures that the guest keeps; the handle outlives the instance.
            pub fn metrics(&self) -> crate::Metrics {
                self.instance.metrics().clone()
            }

            /// Wakes the guest if it waits in a host call; may be kept while calls run.
            pub fn interrupt(&self) -> crate::Interrupt {
                self.instance.interrupt().clone()
            }

            /// Bytes of linear memory in use.
            pub fn memory(&self) -> u64 {
                self.instance.memory()
            }

            /// Lines of the guest that were dropped.
            pub fn dropped_lines(&self) -> u64 {
                self.instance.dropped_lines()
            }

            /// Whether it has given its state away, so that it cannot go on.
            pub fn is_suspended(&self) -> bool {
                self.instance.is_suspended()
            }

            /// Whether state can be taken from it, or given to it (the interface `handover`).
            pub fn hands_over(&self) -> bool {
                self.instance.hands_over()
            }

            /// Its state for the instance that takes its place. Nothing but dropping may follow.
            pub async fn suspend(&mut self) -> Result<Vec<u8>, crate::CallError> {
                self.instance.suspend().await
            }

            /// Gives it the state of the instance whose place it takes, and that one's version.
            pub async fn resume(&mut self, version: &str, state: &[u8]) -> Result<(), crate::CallError> {
                self.instance.resume(version, state).await
            }

            /// Whether it can still be called: not after a trap, a limit, or a call that was given up.
            pub fn is_alive(&self) -> bool {
                self.instance.alive()
            }
        }
    };
}
pub(crate) use about_instance;
