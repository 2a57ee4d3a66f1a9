//! Who is made of which module: what runs here, and what a configuration would be made of, wherever it runs.

use caisson_config::providers::Secrets;
use caisson_config::worker::ConverterConfig;
use caisson_config::{ConnectorConfig, Role};
use caisson_model::{Digest, Failure, TaskId};
use caisson_store::Config;
use caisson_task::PluginRef;
use caisson_task::swap::{Place, places};

use crate::Worker;
use crate::assemble::{self, kind_of, plugin_ref};
use crate::connectors::hidden;
use crate::plugins::{Installed, Plugins};
use crate::tasks::Running;

/// A module that a connector's tasks need, and what of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingredient {
    pub class: String,
    pub module: Digest,
    /// The connector itself is made of it too, not its tasks alone.
    pub connector: bool,
}

impl Worker {
    /// Connectors and tasks that are made of a module.
    pub fn users(&self, digest: Digest) -> Vec<String> {
        let mut users: Vec<String> = {
            let modules = self.connector_modules();
            let using = modules.iter().filter(|(_, module)| **module == digest);
            using.map(|(name, _)| name.to_string()).collect()
        };
        {
            let tasks = self.tasks();
            let uses = |running: &Running| running.places.iter().any(|(_, plugin)| plugin.module.digest == digest);
            users.extend(
                tasks
                    .iter()
                    .filter(|(_, running)| uses(running))
                    .map(|(id, _)| id.to_string()),
            );
        }
        users.sort();
        users
    }

    /// Whether a task was started here, and has not ended.
    pub fn runs(&self, task: &str) -> bool {
        let tasks = self.tasks();
        let mut found = tasks.iter().filter(|(id, _)| id.to_string() == task);
        found.any(|(_, running)| !running.handle.orders().is_closed())
    }

    /// Tasks that run here with something else for a class than this module, and would take it if it served the class.
    pub fn takers(&self, class: &str, module: Digest) -> Vec<TaskId> {
        let plugins = self.plugins().with_bound(class, module);
        let mut takers: Vec<TaskId> = self
            .look(&plugins, class, None)
            .vacant
            .into_iter()
            .map(|vacancy| vacancy.task)
            .collect();
        takers.sort();
        takers.dedup();
        takers
    }

    /// The modules that a connector of this configuration would be made of: by the bindings, or as if `tried` were one.
    pub fn made_of(&self, connector: &Config, tried: Option<(&str, Digest)>) -> Result<Vec<Ingredient>, Failure> {
        let plugins = match tried {
            Some((class, module)) => self.plugins().with_bound(class, module).into(),
            None => self.plugins(),
        };
        let (installed, config, secrets) = self.looked_up(&plugins, connector)?;
        let chain = assemble::chain(&plugins, &config).map_err(|failure| hidden(&secrets, failure))?;
        let mut all: Vec<Ingredient> = places(&plugin_ref(&installed), &chain)
            .into_iter()
            .map(|(place, plugin)| Ingredient {
                class: plugin.class,
                module: plugin.module.digest,
                connector: place == Place::Plugin,
            })
            .collect();
        all.extend(self.converters_of(&plugins, &config));
        Ok(all)
    }

    /// The components that a task of this connector would be started with by these plugins, and that can be swapped.
    pub(crate) fn wanted_places(
        &self,
        plugins: &Plugins,
        connector: &Config,
    ) -> Result<Vec<(Place, PluginRef)>, Failure> {
        let (installed, config, secrets) = self.looked_up(plugins, connector)?;
        let chain = assemble::chain(plugins, &config).map_err(|failure| hidden(&secrets, failure))?;
        Ok(places(&plugin_ref(&installed), &chain))
    }

    fn looked_up(
        &self,
        plugins: &Plugins,
        connector: &Config,
    ) -> Result<(Installed, ConnectorConfig, Secrets), Failure> {
        let (given, secrets) = self.resolve_with_secrets(connector);
        let installed = assemble::installed_connector(plugins, &given)?;
        let config = ConnectorConfig::new(&given, kind_of(installed.plugin().kind))
            .map_err(|error| hidden(&secrets, assemble::config_error(&error)))?;
        Ok((installed, config, secrets))
    }

    /// Converters that are modules; all that is built in is left out.
    fn converters_of(&self, plugins: &Plugins, config: &ConnectorConfig) -> Vec<Ingredient> {
        let named = [
            (Role::Converter, config.key_converter(&self.config)),
            (Role::Converter, config.value_converter(&self.config)),
            (Role::HeaderConverter, config.header_converter(&self.config)),
        ];
        let module = |(role, converter): (Role, &ConverterConfig)| {
            let found = plugins.installed(role, &converter.class, converter.version.as_deref());
            let found = found.ok()?;
            Some(Ingredient {
                class: found.plugin().class.clone(),
                module: found.module.digest,
                connector: false,
            })
        };
        named.into_iter().filter_map(module).collect()
    }
}
