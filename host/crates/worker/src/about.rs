//! What tasks are made of, as Kafka Connect 4.1 and later shows it among its measurements (KIP-891).

use caisson_config::connector::Flow;
use caisson_config::worker::ConverterConfig;
use caisson_config::{ConnectorConfig, Role, WorkerConfig};
use caisson_model::{Metric, MetricGroup, MetricValue, TaskId};

use crate::plugins::{Installed, Plugins};

/// Of one task, when it was started.
pub(crate) struct About {
    texts: Vec<(&'static str, String)>,
    links: Vec<Link>,
}

/// A transform or a predicate.
struct Link {
    kind: &'static LinkKind,
    alias: String,
    class: String,
    version: String,
}

struct LinkKind {
    group: MetricGroup,
    role: Role,
    label: &'static str,
    class: &'static str,
    version: &'static str,
}

const TRANSFORM: LinkKind = LinkKind {
    group: MetricGroup::Transform,
    role: Role::Transform,
    label: "transform",
    class: "transform-class",
    version: "transform-version",
};

const PREDICATE: LinkKind = LinkKind {
    group: MetricGroup::Predicate,
    role: Role::Predicate,
    label: "predicate",
    class: "predicate-class",
    version: "predicate-version",
};

impl About {
    pub(crate) fn new(
        config: &ConnectorConfig,
        installed: &Installed,
        task_class: String,
        worker: &WorkerConfig,
        plugins: &Plugins,
    ) -> About {
        let plugin = installed.plugin();
        let kind = match config.flow {
            Flow::Source(_) => "source",
            Flow::Sink(_) => "sink",
        };
        let mut texts = vec![
            ("connector-class", plugin.class.clone()),
            ("connector-type", kind.to_owned()),
            ("task-class", task_class),
        ];
        let key = ["key-converter-class", "key-converter-version"];
        let value = ["value-converter-class", "value-converter-version"];
        let header = ["header-converter-class", "header-converter-version"];
        for (names, role, converter) in [
            (key, Role::Converter, config.key_converter(worker)),
            (value, Role::Converter, config.value_converter(worker)),
            (header, Role::HeaderConverter, config.header_converter(worker)),
        ] {
            texts.extend(converter_texts(names, role, converter, plugins));
        }
        let transforms = config.transforms.iter().filter_map(|link| {
            let given = (link.alias.as_str(), link.class.as_str(), link.version.as_deref());
            Link::find(&TRANSFORM, given, plugins)
        });
        let predicates = config.predicates.iter().filter_map(|link| {
            let given = (link.alias.as_str(), link.class.as_str(), link.version.as_deref());
            Link::find(&PREDICATE, given, plugins)
        });
        About {
            texts,
            links: transforms.chain(predicates).collect(),
        }
    }

    /// `version`: of the plugin that runs now.
    pub(crate) fn metrics(&self, id: &TaskId, version: Option<&str>) -> Vec<Metric> {
        let text = |group, name: &'static str, text: &str| {
            let metric = Metric::new(group, name, MetricValue::Text(text.to_owned()));
            metric.of(id.connector.clone(), Some(id.task))
        };
        let own = version.into_iter().flat_map(|version| {
            ["connector-version", "task-version"].map(|name| text(MetricGroup::ConnectorTask, name, version))
        });
        let texts = self
            .texts
            .iter()
            .map(|(name, of)| text(MetricGroup::ConnectorTask, name, of));
        let links = self.links.iter().flat_map(|link| {
            [(link.kind.class, &link.class), (link.kind.version, &link.version)]
                .map(|(name, of)| text(link.kind.group, name, of).labelled(link.kind.label, link.alias.clone()))
        });
        own.chain(texts).chain(links).collect()
    }
}

fn converter_texts(
    [class, version]: [&'static str; 2],
    role: Role,
    converter: &ConverterConfig,
    plugins: &Plugins,
) -> Vec<(&'static str, String)> {
    match plugins.find(role, &converter.class, converter.version.as_deref()) {
        Ok(found) => vec![(class, found.class), (version, found.version)],
        Err(_) => vec![(class, converter.class.clone())],
    }
}

impl Link {
    /// None if it is not there any more.
    fn find(
        kind: &'static LinkKind,
        (alias, class, version): (&str, &str, Option<&str>),
        plugins: &Plugins,
    ) -> Option<Link> {
        let found = plugins.find(kind.role, class, version).ok()?;
        Some(Link {
            kind,
            alias: alias.to_owned(),
            class: found.class,
            version: found.version,
        })
    }
}
