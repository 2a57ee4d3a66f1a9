//! As much of a validation as the tests of routes and of the herder need.

use caisson_store::Config;

use super::{class_of, kind_of};
use crate::Error;
use crate::info::ConnectorKind;
use crate::validation::{ConfigInfo, ConfigInfos, ConfigKeyInfo, ConfigValueInfo};

pub(super) fn keys(kind: ConnectorKind) -> Vec<ConfigKeyInfo> {
    let own = match kind {
        ConnectorKind::Source => [("topic", "STRING", None), ("file", "STRING", Some(""))],
        ConnectorKind::Sink => [("topics", "LIST", Some("")), ("file", "STRING", Some(""))],
    };
    let common = [
        ("name", "STRING", None),
        ("connector.class", "STRING", None),
        ("tasks.max", "INT", Some("1")),
    ];
    own.into_iter()
        .chain(common)
        .map(|(name, kind, default)| key(name, kind, default))
        .collect()
}

fn key(name: &str, kind: &str, default: Option<&str>) -> ConfigKeyInfo {
    ConfigKeyInfo {
        name: name.to_owned(),
        kind: kind.to_owned(),
        required: default.is_none(),
        default_value: default.map(str::to_owned),
        importance: "HIGH".to_owned(),
        documentation: format!("The {name}."),
        group: Some("Common".to_owned()),
        order_in_group: 1,
        width: "MEDIUM".to_owned(),
        display_name: name.to_owned(),
        dependents: Vec::new(),
    }
}

pub(super) fn validate(config: &Config) -> Result<ConfigInfos, Error> {
    let Some(class) = class_of(config) else {
        let pairs: Vec<String> = config
            .iter()
            .map(|(key, value)| format!("{key}={}", value.as_deref().unwrap_or("null")))
            .collect();
        return Err(Error::BadRequest(format!(
            "Connector config {{{}}} contains no connector type",
            pairs.join(", ")
        )));
    };
    let kind = kind_of(class).ok_or_else(|| {
        Error::BadRequest(format!(
            "Failed to find any class that implements Connector and which name matches {class}, available connectors are: ..."
        ))
    })?;
    let configs: Vec<ConfigInfo> = keys(kind).into_iter().map(|key| checked(key, config)).collect();
    let error_count = configs.iter().map(|config| config.value.errors.len()).sum();
    Ok(ConfigInfos {
        name: class.to_owned(),
        error_count,
        groups: vec!["Common".to_owned()],
        configs,
    })
}

fn checked(key: ConfigKeyInfo, config: &Config) -> ConfigInfo {
    let given = config.get(&key.name).cloned();
    let mut errors = Vec::new();
    match (&given, key.name.as_str()) {
        (None, name) if key.required => {
            errors.push(format!(
                "Missing required configuration \"{name}\" which has no default value."
            ));
        }
        (Some(Some(text)), "name") if text.is_empty() => {
            errors.push("Invalid value  for configuration name: String may not be empty".to_owned());
        }
        (Some(Some(text)), "tasks.max") if text.trim().parse::<u32>().is_err() => {
            errors.push(format!(
                "Invalid value {text} for configuration tasks.max: Not a number of type INT"
            ));
        }
        _ => {}
    }
    let value = ConfigValueInfo {
        name: key.name.clone(),
        value: given.unwrap_or_else(|| key.default_value.clone()),
        recommended_values: Vec::new(),
        errors,
        visible: true,
    };
    ConfigInfo {
        definition: Some(key),
        value,
    }
}
