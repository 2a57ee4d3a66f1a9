//! The result of validating a connector configuration (Kafka Connect's `ConfigInfos`).

use crate::Error;

/// All keys, with what is wrong with them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfigInfos {
    /// The connector's class as the configuration names it.
    pub name: String,
    pub error_count: usize,
    pub groups: Vec<String>,
    pub configs: Vec<ConfigInfo>,
}

/// One key.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigInfo {
    /// None for a key that nobody defines.
    pub definition: Option<ConfigKeyInfo>,
    pub value: ConfigValueInfo,
}

/// The definition of a key. Everything is text in the form that Kafka Connect shows.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigKeyInfo {
    pub name: String,
    pub kind: String,
    pub required: bool,
    pub default_value: Option<String>,
    pub importance: String,
    pub documentation: String,
    pub group: Option<String>,
    pub order_in_group: i32,
    pub width: String,
    pub display_name: String,
    pub dependents: Vec<String>,
}

/// The value of a key.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigValueInfo {
    pub name: String,
    pub value: Option<String>,
    pub recommended_values: Vec<String>,
    pub errors: Vec<String>,
    pub visible: bool,
}

impl ConfigInfos {
    /// The answer to a request that would have used this configuration, if it has errors.
    pub fn refusal(&self) -> Option<Error> {
        if self.error_count == 0 {
            return None;
        }
        let mut text = format!(
            "Connector configuration is invalid and contains the following {} error(s):",
            self.error_count
        );
        for error in self.configs.iter().flat_map(|config| &config.value.errors) {
            text.push('\n');
            text.push_str(error);
        }
        text.push_str(
            "\nYou can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`",
        );
        Some(Error::BadRequest(text))
    }
}
