//! Measurements as Prometheus reads them, under the names that the usual rules of its JMX exporter give to those of Kafka
//! Connect: dashboards for Kafka Connect find what they look for.

use std::collections::BTreeMap;
use std::fmt::Write;

use caisson_model::{Metric, MetricGroup, MetricValue};

pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The samples of one name, which have to stand together.
struct Family {
    kind: &'static str,
    samples: String,
}

/// The text of all these.
pub fn text(metrics: &[Metric]) -> String {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for metric in metrics {
        let kind = match metric.value {
            MetricValue::Total(_) => "counter",
            MetricValue::Gauge(_) | MetricValue::Text(_) => "gauge",
        };
        let name = format!("{}_{}", prefix(metric.group), metric.name.replace('-', "_"));
        let family = families.entry(name.clone()).or_insert_with(|| Family {
            kind,
            samples: String::new(),
        });
        sample(&mut family.samples, &name, metric);
    }
    let mut text = String::new();
    for (name, Family { kind, samples }) in families {
        // Writing to a string cannot fail.
        let _ = write!(text, "# TYPE {name} {kind}\n{samples}");
    }
    text
}

fn prefix(group: MetricGroup) -> &'static str {
    match group {
        MetricGroup::Worker => "kafka_connect_worker",
        MetricGroup::Rebalance => "kafka_connect_worker_rebalance",
        MetricGroup::Connector => "kafka_connect_connector",
        MetricGroup::ConnectorTask => "kafka_connect_connector_task",
        MetricGroup::SourceTask => "kafka_connect_source_task",
        MetricGroup::SinkTask => "kafka_connect_sink_task",
        MetricGroup::TaskError => "kafka_connect_task_error",
        MetricGroup::Restart => "caisson_restart",
    }
}

fn sample(text: &mut String, name: &str, metric: &Metric) {
    let mut labels = Vec::new();
    if let Some(connector) = &metric.connector {
        labels.push(format!("connector=\"{}\"", escaped(connector)));
    }
    if let Some(task) = metric.task {
        labels.push(format!("task=\"{task}\""));
    }
    let value = match &metric.value {
        MetricValue::Total(total) => total.to_string(),
        MetricValue::Gauge(value) => number(*value),
        MetricValue::Text(value) => {
            labels.push(format!("{}=\"{}\"", metric.name.replace('-', "_"), escaped(value)));
            "1".to_owned()
        }
    };
    let _ = if labels.is_empty() {
        writeln!(text, "{name} {value}")
    } else {
        writeln!(text, "{name}{{{}}} {value}", labels.join(","))
    };
}

fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value == f64::INFINITY {
        "+Inf".to_owned()
    } else if value == f64::NEG_INFINITY {
        "-Inf".to_owned()
    } else {
        value.to_string()
    }
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(group: MetricGroup, name: &'static str, of: Option<(&str, u32)>, value: MetricValue) -> Metric {
        Metric {
            group,
            name,
            connector: of.map(|(connector, _)| connector.into()),
            task: of.map(|(_, task)| task),
            value,
        }
    }

    #[test]
    fn samples_of_one_name_stand_together_under_its_type() {
        let read = |task, total| {
            let total = MetricValue::Total(total);
            metric(
                MetricGroup::SinkTask,
                "sink-record-read-total",
                Some(("c", task)),
                total,
            )
        };
        let metrics = [
            read(0, 7),
            metric(MetricGroup::Worker, "task-count", None, MetricValue::Gauge(2.0)),
            read(1, 0),
        ];
        assert_eq!(
            text(&metrics),
            "# TYPE kafka_connect_sink_task_sink_record_read_total counter\n\
             kafka_connect_sink_task_sink_record_read_total{connector=\"c\",task=\"0\"} 7\n\
             kafka_connect_sink_task_sink_record_read_total{connector=\"c\",task=\"1\"} 0\n\
             # TYPE kafka_connect_worker_task_count gauge\n\
             kafka_connect_worker_task_count 2\n"
        );
    }

    #[test]
    fn text_becomes_a_label_and_odd_names_do_no_harm() {
        let status = MetricValue::Text("running".to_owned());
        let metrics = [metric(
            MetricGroup::ConnectorTask,
            "status",
            Some(("a\"b\\\n", 3)),
            status,
        )];
        assert_eq!(
            text(&metrics),
            "# TYPE kafka_connect_connector_task_status gauge\n\
             kafka_connect_connector_task_status{connector=\"a\\\"b\\\\\\n\",task=\"3\",status=\"running\"} 1\n"
        );
    }

    #[test]
    fn numbers_that_are_none_are_written_as_prometheus_reads_them() {
        let numbers = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.5].map(number);
        assert_eq!(numbers, ["NaN", "+Inf", "-Inf", "0.5"]);
    }
}
