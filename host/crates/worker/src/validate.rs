//! What is known of plugins and configurations without running what they describe.

use caisson_api::manifest::{Plugin, PluginKind, ability};
use caisson_config::providers::Resolved;
use caisson_config::validate::{self, ConfigInfos, KeyInfo, OwnAnswers, OwnValue, Refusal, Request, Support};
use caisson_config::{Given, PluginInfo, Role};
use caisson_model::Failure;
use caisson_sandbox::{CallError, ConfigValue, ExactlyOnce, InstanceSpec, Label, SinkConnector, SourceConnector};
use caisson_store::Config;

use crate::connectors::on_thread;
use crate::plugins::Installed;
use crate::{Worker, given_of};

/// Why a configuration could not be validated.
#[derive(Debug, thiserror::Error)]
pub enum ValidationError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The plugin could not be asked.
    #[error("{0}")]
    Plugin(Failure),
}

impl Worker {
    /// All plugins, built in or not.
    pub fn all_plugins(&self) -> Vec<PluginInfo> {
        let plugins = self.plugins();
        Role::ALL.into_iter().flat_map(|role| plugins.of_role(role)).collect()
    }

    /// What a connector's class or alias is.
    pub fn connector_kind(&self, class: &str) -> Option<PluginKind> {
        self.plugins()
            .find(Role::Connector, class, None)
            .ok()
            .map(|plugin| plugin.kind)
    }

    /// The keys of a plugin, of the newest version that satisfies the requirement: its own and, for a connector, those
    /// of every connector. `None`: there is no such plugin.
    pub fn plugin_keys(&self, class: &str, version: Option<&str>) -> Option<Result<Vec<KeyInfo>, String>> {
        let keys = validate::plugin_keys(self.plugins().catalogue(), class, version)?;
        Some(keys.map_err(|missing| missing.to_string()))
    }

    /// Validates a configuration: the definitions' checks, and what the plugin itself has to say.
    pub async fn validate(&self, config: &Config) -> Result<ConfigInfos, ValidationError> {
        let given = given_of(config);
        let resolved = self.config.providers.resolve(&given);
        let own = self.own_answers(&resolved).await?;
        let plugins = self.plugins();
        Ok(validate::validate(&Request {
            given: &given,
            resolved: &resolved,
            worker: &self.config,
            plugins: plugins.catalogue(),
            own: &own,
        })?)
    }

    /// Asks the plugin, in an instance that has what the configuration grants. What cannot be found is left to the
    /// validation to say.
    async fn own_answers(&self, resolved: &Resolved) -> Result<OwnAnswers, ValidationError> {
        let Ok(installed) = self.installed_connector(&resolved.given) else {
            return Ok(OwnAnswers::default());
        };
        let plugin = installed.plugin();
        let questions = Questions::of(plugin, &resolved.given);
        if questions.none() {
            return Ok(OwnAnswers::default());
        }
        let spec = spec_of(&installed, &resolved.given);
        let kind = plugin.kind;
        let answers = on_thread(async move { ask(kind, spec, questions).await }).await;
        match answers.map_err(ValidationError::Plugin)? {
            Ok(answers) => Ok(answers),
            Err(error) => {
                let failure = Failure::from(error);
                let message = format!("validation by the plugin failed: {}", failure.message);
                Err(ValidationError::Plugin(Failure { message, ..failure }))
            }
        }
    }
}

/// What a plugin is asked about a configuration; each that is left out saves a call.
#[derive(Clone, Copy)]
struct Questions {
    values: bool,
    exactly_once: bool,
    boundaries: Option<Support>,
}

impl Questions {
    fn of(plugin: &Plugin, given: &Given) -> Questions {
        let says = |key: &str, word: &str| {
            given
                .get(key)
                .is_some_and(|value| value.trim().eq_ignore_ascii_case(word))
        };
        let defines = says("transaction.boundary", "connector");
        Questions {
            values: plugin.has(ability::VALIDATES),
            exactly_once: plugin.has(ability::EXACTLY_ONCE) && says("exactly.once.support", "required"),
            boundaries: defines.then_some(match plugin.has(ability::TRANSACTION_BOUNDARIES) {
                true => Support::Supported,
                false => Support::Unsupported,
            }),
        }
    }

    fn none(&self) -> bool {
        !self.values && !self.exactly_once && self.boundaries.is_none()
    }
}

async fn ask(kind: PluginKind, spec: InstanceSpec, questions: Questions) -> Result<OwnAnswers, CallError> {
    let mut answers = OwnAnswers {
        transaction_boundaries: questions.boundaries,
        ..OwnAnswers::default()
    };
    match kind {
        PluginKind::Sink => {
            if questions.values {
                answers.values = own_values(SinkConnector::create(spec).await?.validate().await?);
            }
        }
        PluginKind::Source
        | PluginKind::Transform
        | PluginKind::Predicate
        | PluginKind::Converter
        | PluginKind::HeaderConverter => {
            let mut source = SourceConnector::create(spec, None).await?;
            if questions.values {
                answers.values = own_values(source.validate().await?);
            }
            if questions.exactly_once {
                answers.exactly_once = match source.exactly_once_support().await? {
                    ExactlyOnce::Supported => Some(Support::Supported),
                    ExactlyOnce::Unsupported => Some(Support::Unsupported),
                    ExactlyOnce::Unknown => None,
                };
            }
        }
    }
    Ok(answers)
}

fn own_values(values: Vec<ConfigValue>) -> Vec<OwnValue> {
    let own = |value: ConfigValue| OwnValue {
        name: value.name,
        recommended_values: value.recommended_values,
        errors: value.errors,
        visible: value.visible,
    };
    values.into_iter().map(own).collect()
}

fn spec_of(installed: &Installed, given: &Given) -> InstanceSpec {
    InstanceSpec {
        module: installed.module.clone(),
        class: installed.plugin().class.clone(),
        config: given.to_config(),
        label: Label {
            connector: given.get("name").unwrap_or("validation").into(),
            task: None,
        },
        limits: None,
    }
}
