//! Transforms and predicates, each configured below its alias.

use std::fmt;

use caisson_api::config::{ConfigError, Setting, Type};

use crate::given::{Entries, Given, Names};

/// `caisson.runtime`: where a link runs that the worker has built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    Native,
    Component,
}

/// A transform of a chain.
#[derive(Clone, PartialEq, Eq)]
pub struct TransformConfig {
    pub alias: String,
    /// As it was written: a class or an alias of one.
    pub class: String,
    pub version: Option<String>,
    pub runtime: Runtime,
    /// Its own keys, without the prefix.
    pub options: Entries,
    /// `None`: for every record.
    pub condition: Option<Condition>,
}

/// Which records a transform is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The alias in `predicates`.
    pub predicate: String,
    /// For those that do not satisfy it.
    pub negate: bool,
}

/// A predicate.
#[derive(Clone, PartialEq, Eq)]
pub struct PredicateConfig {
    pub alias: String,
    /// As it was written: a class or an alias of one.
    pub class: String,
    pub version: Option<String>,
    pub runtime: Runtime,
    /// Its own keys, without the prefix.
    pub options: Entries,
}

pub(super) fn predicates(aliases: &[String], given: &Given) -> Result<Vec<PredicateConfig>, ConfigError> {
    let read = |alias: &String| {
        let mut link = Link::read("predicates", alias, "Predicate", given)?;
        Ok(PredicateConfig {
            alias: alias.clone(),
            version: link.version(),
            runtime: link.runtime(&format!("predicates.{alias}"))?,
            class: link.class,
            options: link.options,
        })
    };
    aliases.iter().map(read).collect()
}

pub(super) fn transforms(aliases: &[String], given: &Given) -> Result<Vec<TransformConfig>, ConfigError> {
    let read = |alias: &String| {
        let mut link = Link::read("transforms", alias, "Transformation", given)?;
        let key = |name: &str| format!("transforms.{alias}.{name}");
        let negate = link.options.remove("negate");
        let condition = match link.options.remove("predicate").map(|text| text.trim().to_owned()) {
            Some(predicate) if !predicate.is_empty() => {
                let negate = match negate {
                    Some(text) => {
                        Setting::parse(&key("negate"), &text, Type::Boolean)?;
                        // Kafka Connect checks the text without the space around it, and then goes by it as it stands.
                        text.eq_ignore_ascii_case("true")
                    }
                    None => false,
                };
                Some(Condition { predicate, negate })
            }
            Some(_) | None => {
                negated_nothing(alias, given)?;
                None
            }
        };
        Ok(TransformConfig {
            alias: alias.clone(),
            version: link.version(),
            runtime: link.runtime(&format!("transforms.{alias}"))?,
            class: link.class,
            options: link.options,
            condition,
        })
    };
    aliases.iter().map(read).collect()
}

/// A transform that negates has to have something to negate.
pub(crate) fn negated_nothing(alias: &str, given: &Given) -> Result<(), ConfigError> {
    let negate = format!("transforms.{alias}.negate");
    let predicate = format!("transforms.{alias}.predicate");
    if given.contains(&negate) && !given.contains(&predicate) {
        return Err(ConfigError::new(format!(
            "Config '{negate}' was provided but there is no config '{predicate}' defining a predicate to be negated."
        )));
    }
    Ok(())
}

/// What transforms and predicates have in common.
struct Link {
    class: String,
    options: Entries,
}

impl Link {
    fn read(kind: &str, alias: &str, interface: &str, given: &Given) -> Result<Link, ConfigError> {
        let mut options = given.entries_below(&format!("{kind}.{alias}."));
        match options.remove("type").map(|class| class.trim().to_owned()) {
            Some(class) => Ok(Link { class, options }),
            None => Err(ConfigError::invalid(
                &format!("{kind}.{alias}.type"),
                "null",
                &format!("Not a {interface}"),
            )),
        }
    }

    fn runtime(&mut self, prefix: &str) -> Result<Runtime, ConfigError> {
        const NAME: &str = "caisson.runtime";
        let Some(text) = self.options.remove(NAME) else {
            return Ok(Runtime::Native);
        };
        match text.trim() {
            "native" => Ok(Runtime::Native),
            "component" => Ok(Runtime::Component),
            _ => Err(ConfigError::invalid(
                &format!("{prefix}.{NAME}"),
                &text,
                "String must be one of: native, component",
            )),
        }
    }

    fn version(&mut self) -> Option<String> {
        self.options
            .remove("plugin.version")
            .filter(|version| !version.trim().is_empty())
    }
}

impl fmt::Debug for TransformConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TransformConfig")
            .field("alias", &self.alias)
            .field("class", &self.class)
            .field("options", &Names(&self.options))
            .field("condition", &self.condition)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PredicateConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PredicateConfig")
            .field("alias", &self.alias)
            .field("class", &self.class)
            .field("options", &Names(&self.options))
            .finish_non_exhaustive()
    }
}
