//! Samples of tasks in Prometheus' text format.

use std::collections::HashMap;

/// What all names begin with.
const PREFIX: &str = "kafka_connect_";
/// Samples that are kept; those of a thousand tasks are fewer.
const MOST: usize = 100_000;

/// Values by name without prefix, connector and task.
#[derive(Default)]
pub struct Metrics {
    samples: HashMap<(String, String, String), f64>,
}

impl Metrics {
    /// Takes the samples of tasks, and passes over everything else.
    pub fn parse(text: &str) -> Metrics {
        let samples = text.lines().filter_map(sample).take(MOST);
        Metrics {
            samples: samples.collect(),
        }
    }

    pub fn of_task(&self, name: &str, connector: &str, task: &str) -> Option<f64> {
        let key = (name.to_owned(), connector.to_owned(), task.to_owned());
        self.samples.get(&key).copied()
    }
}

/// `kafka_connect_NAME{connector="C",task="T"} VALUE`, with more labels or a time perhaps.
fn sample(line: &str) -> Option<((String, String, String), f64)> {
    let (name, rest) = line.strip_prefix(PREFIX)?.split_once('{')?;
    let (labels, rest) = labels(rest)?;
    let value = rest.split_whitespace().next()?.parse().ok()?;
    let label = |wanted: &str| {
        labels
            .iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, value)| value.clone())
    };
    Some(((name.to_owned(), label("connector")?, label("task")?), value))
}

/// What stands up to the closing brace, and what is behind it.
fn labels(mut text: &str) -> Option<(Vec<(&str, String)>, &str)> {
    let mut labels = Vec::new();
    loop {
        text = text.trim_start_matches([',', ' ']);
        if let Some(rest) = text.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, rest) = text.split_once("=\"")?;
        let (value, rest) = quoted(rest)?;
        labels.push((name.trim(), value));
        text = rest;
    }
}

/// A value up to its closing quote, and what is behind that.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_tasks_are_found_by_name_connector_and_task() {
        let text = "# TYPE kafka_connect_a counter\n\
            kafka_connect_a{connector=\"c\",task=\"0\"} 3\n\
            kafka_connect_a{task=\"1\", connector=\"d\\\"\\\\\\n}\",more=\"x\"} 1.5e3 1700000000\n\
            kafka_connect_b{connector=\"c\"} 4\nother{connector=\"c\",task=\"0\"} 5\nkafka_connect_worker 6\n";
        let metrics = Metrics::parse(text);
        assert_eq!(metrics.samples.len(), 2);
        assert_eq!(metrics.of_task("a", "c", "0"), Some(3.0));
        assert_eq!(metrics.of_task("a", "d\"\\\n}", "1"), Some(1500.0));
    }

    #[test]
    fn what_is_no_sample_is_passed_over() {
        let line = r#"kafka_connect_a{connector="é\n",task="0"} 3"#;
        let cut = line.char_indices().map(|(end, _)| &line[..end]);
        for text in cut.chain([
            "kafka_connect_a{{{",
            "kafka_connect_{=\"\"}",
            r#"kafka_connect_a{connector="c" "#,
        ]) {
            assert!(Metrics::parse(text).samples.is_empty(), "{text}");
        }
    }
}
