//! What this node measures, and what it knows of the connectors that run here.

use caisson_model::{Metric, MetricGroup, MetricValue};

use super::Node;
use crate::ConnectorKind;
use crate::assignor::Item;

impl Node {
    pub fn metrics(&self) -> Vec<Metric> {
        let mut metrics = self.worker().metrics();
        metrics.extend(self.restart_metrics());
        for (name, entry) in self.configs().snapshot().connectors() {
            let status = self.statuses().connector(name);
            let Some(status) = status.filter(|_| self.has(&Item::Connector(name.clone()))) else {
                continue;
            };
            let class = entry.config.get("connector.class").cloned().flatten();
            let kind = self.kind(&entry.config).map(|kind| match kind {
                ConnectorKind::Source => "source",
                ConnectorKind::Sink => "sink",
            });
            let texts = [
                ("status", Some(status.state.as_str().to_lowercase())),
                ("connector-class", class),
                ("connector-type", kind.map(str::to_owned)),
                ("connector-version", status.version),
            ];
            metrics.extend(texts.into_iter().filter_map(|(text_name, text)| {
                let metric = Metric::new(MetricGroup::Connector, text_name, MetricValue::Text(text?));
                Some(metric.of(name.clone(), None))
            }));
        }
        metrics
    }
}
