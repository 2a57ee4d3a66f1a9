//! Chains: a whole configuration of a connector, and what its transforms make of a record.

use caisson_api::Record;
use caisson_config::connector::TransformConfig;
use caisson_config::plugins::{Catalogue, PluginInfo, Plugins, Role};
use caisson_config::{ConnectorConfig, ConnectorKind, Given, builtin, validate};
use caisson_model::Tolerance;
use caisson_sdk::settings::Settings;
use caisson_task::chain::{NativeLink, NativeLinks, NativePredicate};
use caisson_task::errors::{Occasion, Stage, Throwable, Verdict};
use caisson_transforms::{predicates, transforms};
use serde_json::Value as Json;

use super::failure::{Built, outcome};
use crate::notation::{self, Unbuildable};
use crate::{Outcome, Thrown, check_error, same_record};

const CONFIG_EXCEPTION: &str = "org.apache.kafka.common.config.ConfigException";

/// What came of a record, or of the attempt to make a chain for it.
enum Run {
    Record(Box<Record>),
    Dropped,
    /// Tolerated; the class is the transform's.
    Failed(Throwable, String),
    /// Not tolerated, or not even begun.
    Thrown(Throwable, Option<String>),
}

pub fn replay(input: &Json, expect: &Json) -> Outcome {
    match run(input).and_then(|run| check(run, expect)) {
        Ok(outcome) => outcome,
        Err(Unbuildable(what)) => Outcome::Skipped(what),
    }
}

fn check(run: Run, expect: &Json) -> Built<Outcome> {
    let same_class = |class: Option<&str>| expect["stageClass"].as_str() == class;
    Ok(match run {
        Run::Record(record) => match expect.get("record") {
            Some(json) => {
                let (expected, _) = notation::record(json)?;
                let same = same_record(&expected, &record);
                outcome(same, || format!("expected {expected:?}, got {record:?}"))
            }
            None => Outcome::Failed(format!("expected {expect}, got {record:?}")),
        },
        Run::Dropped => outcome(expect["dropped"] == true && expect["failed"].is_null(), || {
            "dropped".to_owned()
        }),
        Run::Failed(error, class) => match expect.get("failure") {
            Some(failure) if same_class(Some(&class)) => check_error(failure, &Thrown::from(&error)),
            _ => Outcome::Failed(format!("{class} failed with {error}")),
        },
        Run::Thrown(error, class) => match expect.get("error") {
            Some(expected) if same_class(class.as_deref()) => check_error(expected, &Thrown::from(&error)),
            _ => Outcome::Failed(format!("{class:?} threw {error}")),
        },
    })
}

fn run(input: &Json) -> Built<Run> {
    let given: Given = notation::config(&input["config"]).into_iter().collect();
    let refused = |error: caisson_api::config::ConfigError| {
        Run::Thrown(Throwable::new(CONFIG_EXCEPTION, error.to_string()), None)
    };
    if let Err(error) = validate::check_links(&given, &FullNames::new()) {
        return Ok(refused(error));
    }
    // Without topics there is no sink, and to a chain it is all the same.
    let config = match ConnectorConfig::new(&given, ConnectorKind::Source) {
        Ok(config) => config,
        Err(error) => return Ok(refused(error)),
    };
    let mut links = match chain(&config) {
        Ok(links) => links,
        Err(error) => return Ok(Run::Thrown(Throwable::wrapping(&error), None)),
    };
    let (record, origin) = notation::record(&input["record"])?;
    let failure = match links.apply(record, origin) {
        Ok(Some(record)) => return Ok(Run::Record(Box::new(record))),
        Ok(None) => return Ok(Run::Dropped),
        Err(failure) => failure,
    };
    let (error, class) = (Throwable::from(&failure.error), failure.class.to_owned());
    let tolerance = match given.get("errors.tolerance") {
        Some("all") => Tolerance::All,
        _ => Tolerance::None,
    };
    let verdict = Verdict::on(&error, Stage::Transformation, Occasion::Operation, tolerance);
    Ok(match (verdict, verdict.exception(&error)) {
        (Verdict::Skip, _) | (_, None) => Run::Failed(error, class),
        (Verdict::Exceeded | Verdict::Unhandled, Some(thrown)) => Run::Thrown(thrown, Some(class)),
    })
}

fn chain(config: &ConnectorConfig) -> Result<NativeLinks, Throwable> {
    let mut links = NativeLinks::default();
    for transform in &config.transforms {
        links.push(link(config, transform)?);
    }
    Ok(links)
}

fn link(config: &ConnectorConfig, transform: &TransformConfig) -> Result<NativeLink, Throwable> {
    let missing = |class: &str| Throwable::new(CONFIG_EXCEPTION, format!("{class} is not built in"));
    let native = transforms()
        .iter()
        .find(|native| native.plugin().class() == transform.class)
        .ok_or_else(|| missing(&transform.class))?;
    let start = || NativeLink::start(*native, &settings(native.plugin().config(), &transform.options)?);
    let mut link = start().map_err(|error: caisson_api::Error| Throwable::from(&error))?;
    let condition = match &transform.condition {
        None => None,
        Some(condition) => match config.predicate(&condition.predicate) {
            Ok(predicate) => Some((predicate, condition.negate)),
            // A predicate is made within the making of its transform, and each wraps what it catches.
            Err(error) => {
                let error = Throwable::new(CONFIG_EXCEPTION, error.to_string());
                return Err(Throwable::wrapping(&error));
            }
        },
    };
    let condition = match condition {
        None => None,
        Some((predicate, negate)) => {
            let native = predicates()
                .iter()
                .find(|native| native.plugin().class() == predicate.class)
                .ok_or_else(|| missing(&predicate.class))?;
            Some((native, &predicate.options, negate))
        }
    };
    if let Some((native, options, negate)) = condition {
        let start = || NativePredicate::start(*native, &settings(native.plugin().config(), options)?);
        let predicate = start().map_err(|error: caisson_api::Error| Throwable::from(&error))?;
        link.ask(predicate, negate);
    }
    Ok(link)
}

fn settings(
    definitions: &caisson_api::config::ConfigDef,
    options: &caisson_config::Entries,
) -> Result<Settings, caisson_api::Error> {
    let entries = options.iter().map(|(name, value)| (name.clone(), value.clone()));
    let config = caisson_api::config::Config {
        entries: entries.collect(),
    };
    Settings::parse(definitions, config)
}

/// Where the vectors were recorded there was no plugin path, and so no short names of classes.
struct FullNames(Catalogue);

impl FullNames {
    fn new() -> Self {
        let mut catalogue = Catalogue::default();
        for plugin in builtin::plugins("4.3.1") {
            catalogue.add(plugin, Vec::new());
        }
        FullNames(catalogue)
    }
}

impl Plugins for FullNames {
    fn versions(&self, role: Role, name: &str) -> Vec<PluginInfo> {
        let mut versions = self.0.versions(role, name);
        versions.retain(|plugin| plugin.class == name);
        versions
    }

    fn classes(&self, role: Role) -> Vec<String> {
        self.0.classes(role)
    }
}
