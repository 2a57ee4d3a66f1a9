//! From a connector's configuration to what a task is made of.

use std::sync::Arc;

use caisson_api::config::{Config as GuestConfig, ConfigDef, ConfigError};
use caisson_api::manifest::PluginKind;
use caisson_config::connector::{DeadLetterHeaders, ErrorHandling, Flow, TransformConfig};
use caisson_config::worker::ConverterConfig;
use caisson_config::{ConnectorConfig, ConnectorKind, Entries, Given, Role, WorkerConfig};
use caisson_convert::ConvertError;
use caisson_convert::registry::Bundled;
use caisson_model::{Failure, FailureKind, Limits, TaskId};
use caisson_registry::{Gate, Part};
use caisson_sdk::settings::Settings;
use caisson_task::errors::{DeadLetterSettings, ErrorPolicy, LetterHeaders, RetryPolicy};
use caisson_task::meters::Meters;
use caisson_task::{
    ChainLink, ConverterKind, ConverterPlugin, ConverterRef, Converters, Direction, PluginRef, TaskSettings,
    TransformPlugin,
};
use caisson_transforms::{NativePredicate, NativeTransform};

use crate::Worker;
use crate::plugins::{Installed, Link, Plugins};

impl Worker {
    /// The plugin that `connector.class` names.
    pub(crate) fn installed_connector(&self, given: &Given) -> Result<Installed, Failure> {
        installed_connector(&self.plugins(), given)
    }

    pub(crate) fn task_settings(
        &self,
        id: &TaskId,
        installed: &Installed,
        (given, config): (&Given, &ConnectorConfig),
        own: GuestConfig,
    ) -> Result<TaskSettings, Failure> {
        let plugins = self.plugins();
        let direction = match config.flow {
            Flow::Source(_) => Direction::ToKafka,
            Flow::Sink(_) => Direction::FromKafka,
        };
        let chain = chain(&plugins, config)?;
        Ok(TaskSettings {
            id: id.clone(),
            plugin: plugin_ref(installed),
            config: own,
            limits: self.limits(given)?,
            converters: Converters {
                key: converter(&plugins, "key", config.key_converter(&self.config), Some(self.gate()?))?,
                value: converter(
                    &plugins,
                    "value",
                    config.value_converter(&self.config),
                    Some(self.gate()?),
                )?,
                header: header_converter(&plugins, config.header_converter(&self.config))?,
            },
            chain,
            errors: error_policy(&config.errors),
            dead_letters: self.dead_letters(id, config)?,
            direction,
            meters: Arc::new(Meters::new(direction)),
            commit_interval: self.config.commit_interval,
            commit_timeout: self.config.commit_timeout,
        })
    }

    /// Keeps schema registries that a configuration names within what the operator allows.
    fn gate(&self) -> Result<Gate, Failure> {
        let ceiling = self.sandbox.network_ceiling().map_err(Failure::from)?;
        Ok(Arc::new(move |host, address| {
            let checked = ceiling.check(host, address.ip(), address.port());
            checked.map_err(|refusal| refusal.to_string())
        }))
    }

    fn dead_letters(&self, id: &TaskId, config: &ConnectorConfig) -> Result<Option<DeadLetterSettings>, Failure> {
        let letters = match &config.flow {
            Flow::Source(source) => &source.dead_letters,
            Flow::Sink(sink) => &sink.dead_letters,
        };
        let Some(letters) = letters else { return Ok(None) };
        Ok(Some(DeadLetterSettings {
            topic: letters.topic.clone(),
            headers: LetterHeaders {
                context: letters.headers == DeadLetterHeaders::On,
                class: config.errors.letter_class,
            },
            producer: self.letter_producer(id, config)?,
            topics: self.letter_topic_creator(id, letters.replication_factor, config)?,
        }))
    }

    /// The limits that a connector sets for its own instances, within the worker's ceilings.
    pub(crate) fn limits(&self, given: &Given) -> Result<Option<Limits>, Failure> {
        self.sandbox
            .options()
            .connector_limits(&given.to_config())
            .map_err(|error| Failure::host(error.to_string()))
    }
}

/// The plugin that `connector.class` names.
pub(crate) fn installed_connector(plugins: &Plugins, given: &Given) -> Result<Installed, Failure> {
    let class = given.get("connector.class").unwrap_or_default();
    plugins
        .installed(Role::Connector, class, given.get("connector.plugin.version"))
        .map_err(|error| Failure::host(error.to_string()))
}

/// The links of a connector's chain.
pub(crate) fn chain(plugins: &Plugins, config: &ConnectorConfig) -> Result<Vec<ChainLink>, Failure> {
    let links = config.transforms.iter();
    links.map(|transform| link(plugins, config, transform)).collect()
}

fn link(plugins: &Plugins, config: &ConnectorConfig, transform: &TransformConfig) -> Result<ChainLink, Failure> {
    let TransformConfig {
        alias, class, runtime, ..
    } = transform;
    let found = plugins
        .transform(class, transform.version.as_deref(), *runtime)
        .map_err(|error| Failure::host(error.to_string()))?;
    let condition = match &transform.condition {
        None => None,
        Some(condition) => Some(caisson_task::Condition {
            plugin: predicate(plugins, config, &condition.predicate)?,
            negate: condition.negate,
        }),
    };
    let what = format!("transforms.{alias}");
    let definitions = |native: &NativeTransform| native.plugin().config().clone();
    Ok(ChainLink {
        alias: alias.clone(),
        plugin: transform_plugin(found, &what, &transform.options, definitions)?,
        condition,
    })
}

fn predicate(
    plugins: &Plugins,
    config: &ConnectorConfig,
    alias: &str,
) -> Result<TransformPlugin<NativePredicate>, Failure> {
    let predicate = config.predicate(alias).map_err(|error| config_error(&error))?;
    let found = plugins
        .predicate(&predicate.class, predicate.version.as_deref(), predicate.runtime)
        .map_err(|error| Failure::host(error.to_string()))?;
    let definitions = |native: &NativePredicate| native.plugin().config().clone();
    transform_plugin(found, &format!("predicates.{alias}"), &predicate.options, definitions)
}

fn transform_plugin<N>(
    found: Link<N>,
    what: &str,
    options: &Entries,
    definitions: impl Fn(&N) -> ConfigDef,
) -> Result<TransformPlugin<N>, Failure> {
    let config = guest_config(options);
    Ok(match found {
        Link::Module(installed) => TransformPlugin::Guest {
            plugin: plugin_ref(&installed),
            config,
        },
        Link::Native(plugin) => {
            let settings = Settings::parse(&definitions(&plugin), config).map_err(|error| {
                let failure = Failure::new(FailureKind::Guest, format!("{what} is not configured well: {error}"));
                failure.with_detail(format!("{}: {error}", error.class()))
            })?;
            TransformPlugin::Native { plugin, settings }
        }
    })
}

fn error_policy(errors: &ErrorHandling) -> ErrorPolicy {
    ErrorPolicy {
        tolerance: errors.tolerance,
        retry: RetryPolicy {
            timeout: errors.retry_timeout,
            longest_delay: errors.retry_delay_max,
        },
        log: errors.log,
    }
}

/// The words of the configuration's crate for the two kinds of connectors.
pub(crate) fn kind_of(kind: PluginKind) -> ConnectorKind {
    match kind {
        PluginKind::Sink => ConnectorKind::Sink,
        PluginKind::Source
        | PluginKind::Transform
        | PluginKind::Predicate
        | PluginKind::Converter
        | PluginKind::HeaderConverter => ConnectorKind::Source,
    }
}

pub(crate) fn config_error(error: &ConfigError) -> Failure {
    Failure::new(FailureKind::Guest, error.to_string())
}

pub(crate) fn plugin_ref(installed: &Installed) -> PluginRef {
    PluginRef {
        module: installed.module.clone(),
        class: installed.plugin().class.clone(),
        version: installed.plugin().version.clone(),
    }
}

fn guest_config(options: &Entries) -> GuestConfig {
    GuestConfig {
        entries: options
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    }
}

fn options(role: &str, config: &ConverterConfig) -> Vec<(String, Option<String>)> {
    let mut options: Vec<_> = config
        .options
        .iter()
        .map(|(name, value)| (name.clone(), Some(value.clone())))
        .collect();
    options.push(("converter.type".to_owned(), Some(role.to_owned())));
    options
}

fn unusable(role: &str, config: &ConverterConfig, error: &ConvertError) -> Failure {
    Failure::new(
        FailureKind::Guest,
        format!("{role}.converter {} cannot be used: {error}", config.class),
    )
}

/// The converter of keys or values: one of a schema registry, one that is built in, or a module's.
fn converter(
    plugins: &Plugins,
    role: &str,
    config: &ConverterConfig,
    gate: Option<Gate>,
) -> Result<ConverterRef, Failure> {
    if let Some(kind) = caisson_registry::find(&config.class) {
        let part = if role == "key" { Part::Key } else { Part::Value };
        let converter = caisson_registry::converter(kind, part, &options(role, config), gate)
            .map_err(|error| unusable(role, config, &error))?;
        return Ok(ConverterRef {
            class: kind.class().to_owned(),
            kind: ConverterKind::Other,
            converter: ConverterPlugin::Native(converter),
        });
    }
    let Some(bundled) = Bundled::find(&config.class) else {
        return component(plugins, Role::Converter, role, config);
    };
    let converter = bundled
        .converter(&options(role, config))
        .map_err(|error| unusable(role, config, &error))?;
    Ok(ConverterRef {
        class: bundled.class().to_owned(),
        kind: kind(bundled),
        converter: ConverterPlugin::Native(converter),
    })
}

/// A converter of a module.
fn component(plugins: &Plugins, of: Role, role: &str, config: &ConverterConfig) -> Result<ConverterRef, Failure> {
    let installed = plugins
        .installed(of, &config.class, config.version.as_deref())
        .map_err(|error| Failure::host(format!("{role}.converter: {error}")))?;
    let given = options(role, config)
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    Ok(ConverterRef {
        class: installed.plugin().class.clone(),
        kind: ConverterKind::Other,
        converter: ConverterPlugin::Guest {
            plugin: plugin_ref(&installed),
            config: GuestConfig {
                entries: given.collect(),
            },
        },
    })
}

/// Whether the worker's own converters exist and take their settings: better said at the start than by each task.
pub fn check_converters(config: &WorkerConfig, plugins: &Plugins) -> Result<(), Failure> {
    converter(plugins, "key", &config.key_converter, None)?;
    converter(plugins, "value", &config.value_converter, None)?;
    header_converter(plugins, &config.header_converter)?;
    Ok(())
}

fn header_converter(plugins: &Plugins, config: &ConverterConfig) -> Result<ConverterRef, Failure> {
    let Some(bundled) = Bundled::find(&config.class) else {
        return component(plugins, Role::HeaderConverter, "header", config);
    };
    let converter = bundled
        .header_values(&options("header", config))
        .map_err(|error| unusable("header", config, &error))?;
    Ok(ConverterRef {
        class: bundled.class().to_owned(),
        kind: kind(bundled),
        converter: ConverterPlugin::Native(converter),
    })
}

fn kind(bundled: Bundled) -> ConverterKind {
    match bundled {
        Bundled::ByteArray => ConverterKind::Bytes,
        Bundled::String | Bundled::Json | Bundled::Boolean | Bundled::Number(_) | Bundled::SimpleHeader => {
            ConverterKind::Other
        }
    }
}
