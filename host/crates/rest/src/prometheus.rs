//! Measurements as Prometheus reads them, under the names that the usual rules of its JMX exporter give to those of Kafka
//! Connect: dashboards for Kafka Connect find what they look for.

use std::collections::BTreeMap;
use std::fmt::Write;

use caisson_model::{Metric, MetricGroup, MetricValue};

pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The samples of one name, which have to stand together.
struct Family {
    kind: &'static str,
    /// By their labels, as no two may have the same.
    samples: BTreeMap<String, MetricValue>,
}

/// The text of all these.
pub fn text(metrics: &[Metric]) -> String {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for metric in metrics {
        let kind = match metric.value {
            MetricValue::Total(_) => "counter",
            MetricValue::Gauge(_) | MetricValue::Text(_) => "gauge",
            MetricValue::Distribution(_) => "histogram",
        };
        let name = format!("{}_{}", prefix(metric.group), identifier(&metric.name));
        let family = families.entry(name).or_insert_with(|| Family {
            kind,
            samples: BTreeMap::new(),
        });
        let labels = labels(metric);
        match (family.samples.get_mut(&labels), &metric.value) {
            // Two plugins of one class in one task.
            (Some(MetricValue::Total(known)), MetricValue::Total(more)) => *known = known.saturating_add(*more),
            _ => drop(family.samples.insert(labels, metric.value.clone())),
        }
    }
    let mut text = String::new();
    for (name, Family { kind, samples }) in &families {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# TYPE {name} {kind}");
        for (labels, value) in samples {
            write_sample(&mut text, name, labels, value);
        }
    }
    text
}

fn prefix(group: MetricGroup) -> &'static str {
    match group {
        MetricGroup::Worker => "kafka_connect_worker",
        MetricGroup::Rebalance => "kafka_connect_worker_rebalance",
        MetricGroup::Coordinator => "kafka_connect_coordinator",
        MetricGroup::Connector => "kafka_connect_connector",
        MetricGroup::ConnectorTask => "kafka_connect_connector_task",
        MetricGroup::Transform => "kafka_connect_connector_transform",
        MetricGroup::Predicate => "kafka_connect_connector_predicate",
        MetricGroup::AppInfo => "kafka_connect_app_info",
        MetricGroup::SourceTask => "kafka_connect_source_task",
        MetricGroup::SinkTask => "kafka_connect_sink_task",
        MetricGroup::TaskError => "kafka_connect_task_error",
        MetricGroup::Restart => "caisson_restart",
        MetricGroup::Stage => "caisson_task",
        MetricGroup::Module => "caisson_module",
        MetricGroup::Plugin => "caisson_plugin",
    }
}

/// A name in the letters that Prometheus takes; plugins choose any.
fn identifier(name: &str) -> String {
    let letter = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    name.chars().map(letter).collect()
}

/// The labels of a sample, without their braces.
fn labels(metric: &Metric) -> String {
    let mut labels: Vec<(String, String)> = Vec::new();
    if let Some(connector) = &metric.connector {
        labels.push(("connector".to_owned(), connector.to_string()));
    }
    if let Some(task) = metric.task {
        labels.push(("task".to_owned(), task.to_string()));
    }
    if let MetricValue::Text(value) = &metric.value {
        labels.push((identifier(&metric.name), value.clone()));
    }
    for (name, value) in &metric.labels {
        let mut name = identifier(name);
        // Neither a digit nor two underscores may stand in front.
        if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
            name.insert(0, 'l');
        }
        if labels.iter().all(|(known, _)| *known != name) {
            labels.push((name, value.clone()));
        }
    }
    let label = |(name, value): &(String, String)| format!("{name}=\"{}\"", escaped(value));
    labels.iter().map(label).collect::<Vec<_>>().join(",")
}

fn write_sample(text: &mut String, name: &str, labels: &str, value: &MetricValue) {
    let mut line = |name: &str, labels: &str, value: &str| {
        let _ = match labels {
            "" => writeln!(text, "{name} {value}"),
            labels => writeln!(text, "{name}{{{labels}}} {value}"),
        };
    };
    match value {
        MetricValue::Total(total) => line(name, labels, &total.to_string()),
        MetricValue::Gauge(value) => line(name, labels, &number(*value)),
        MetricValue::Text(_) => line(name, labels, "1"),
        MetricValue::Distribution(read) => {
            let comma = if labels.is_empty() { "" } else { "," };
            let (bucket, count) = (format!("{name}_bucket"), read.count.to_string());
            for (bound, counted) in &read.buckets {
                let labels = format!("{labels}{comma}le=\"{bound}\"");
                line(&bucket, &labels, &counted.to_string());
            }
            line(&bucket, &format!("{labels}{comma}le=\"+Inf\""), &count);
            line(&format!("{name}_sum"), labels, &number(read.sum));
            line(&format!("{name}_count"), labels, &count);
        }
    }
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
    use caisson_model::Distribution;

    use super::*;

    fn metric(group: MetricGroup, name: &'static str, of: Option<(&str, u32)>, value: MetricValue) -> Metric {
        let metric = Metric::new(group, name, value);
        match of {
            Some((connector, task)) => metric.of(connector.into(), Some(task)),
            None => metric,
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
    fn a_distribution_becomes_buckets_with_a_sum_and_a_count() {
        let read = MetricValue::Distribution(Distribution {
            buckets: vec![(0.001, 2), (10.0, 3)],
            count: 4,
            sum: 70.5,
        });
        let metrics = [metric(MetricGroup::Stage, "stage-seconds", None, read).labelled("stage", "put")];
        assert_eq!(
            text(&metrics),
            "# TYPE caisson_task_stage_seconds histogram\n\
             caisson_task_stage_seconds_bucket{stage=\"put\",le=\"0.001\"} 2\n\
             caisson_task_stage_seconds_bucket{stage=\"put\",le=\"10\"} 3\n\
             caisson_task_stage_seconds_bucket{stage=\"put\",le=\"+Inf\"} 4\n\
             caisson_task_stage_seconds_sum{stage=\"put\"} 70.5\n\
             caisson_task_stage_seconds_count{stage=\"put\"} 4\n"
        );
    }

    #[test]
    fn what_plugins_choose_cannot_spoil_the_text() {
        let plugin = |count| {
            let count = MetricValue::Total(count);
            metric(MetricGroup::Plugin, "a.b\nc{é", Some(("c", 0)), count)
                .labelled("task", "9")
                .labelled("1x", "a\"b")
                .labelled("", "\n")
                .labelled("__name__", "evil")
        };
        // Two instances that look the same are one.
        assert_eq!(
            text(&[plugin(2), plugin(3)]),
            "# TYPE caisson_plugin_a_b_c__ counter\n\
             caisson_plugin_a_b_c__{connector=\"c\",task=\"0\",l1x=\"a\\\"b\",l=\"\\n\",l__name__=\"evil\"} 5\n"
        );
    }

    #[test]
    fn numbers_that_are_none_are_written_as_prometheus_reads_them() {
        let numbers = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.5].map(number);
        assert_eq!(numbers, ["NaN", "+Inf", "-Inf", "0.5"]);
    }
}
