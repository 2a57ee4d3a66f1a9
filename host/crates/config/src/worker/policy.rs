//! Which client settings connectors may change (`connector.client.config.override.policy`).

use caisson_api::config::ConfigError;

use crate::typed::Typed;

const KEY: &str = "connector.client.config.override.policy";
/// What the policy `Principal` allows.
const PRINCIPAL: [&str; 3] = ["sasl.jaas.config", "sasl.mechanism", "security.protocol"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OverridePolicy {
    All,
    None,
    Principal,
    /// These and no others.
    Allowlist(Vec<String>),
}

impl OverridePolicy {
    pub(super) fn read(typed: &Typed) -> Result<OverridePolicy, ConfigError> {
        let given = typed.text(KEY);
        let simple = given.rsplit('.').next().unwrap_or(&given);
        let simple = simple
            .strip_suffix("ConnectorClientConfigOverridePolicy")
            .unwrap_or(simple);
        match simple {
            "All" => Ok(OverridePolicy::All),
            "None" => Ok(OverridePolicy::None),
            "Principal" => Ok(OverridePolicy::Principal),
            "Allowlist" => Ok(OverridePolicy::Allowlist(
                typed.list("connector.client.config.override.allowlist"),
            )),
            _ => Err(ConfigError::invalid(
                KEY,
                &given,
                "String must be one of: All, None, Principal, Allowlist",
            )),
        }
    }

    /// The name that users know it by.
    pub fn name(&self) -> &'static str {
        match self {
            OverridePolicy::All => "All",
            OverridePolicy::None => "None",
            OverridePolicy::Principal => "Principal",
            OverridePolicy::Allowlist(_) => "Allowlist",
        }
    }

    /// Whether a connector may set this client setting; the name is without prefix.
    pub fn allows(&self, name: &str) -> bool {
        match self {
            OverridePolicy::All => true,
            OverridePolicy::None => false,
            OverridePolicy::Principal => PRINCIPAL.contains(&name),
            OverridePolicy::Allowlist(names) => names.iter().any(|own| own == name),
        }
    }

    /// Kafka Connect's words for a setting that is not allowed.
    pub fn refusal(&self, name: &str) -> Option<String> {
        (!self.allows(name)).then(|| {
            format!(
                "The '{}' policy does not allow '{name}' to be overridden in the connector configuration.",
                self.name()
            )
        })
    }
}
