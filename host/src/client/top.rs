//! `caisson top`: what tasks do. Rates come from `GET /metrics` of the worker that is asked, so that of tasks of other
//! workers, and of all tasks where a worker has no such thing, there are states alone.

mod metrics;

use std::io::IsTerminal;

use caisson_rest::{Remote, RemoteError};
use serde_json::{Value, json};
use tokio::time::Instant;

use self::metrics::Metrics;
use super::complain;
use super::connection::remote;
use super::get::connectors;
use super::screen::{Table, is_read, text};
use crate::cli::{Output, TopArguments};

/// Goes to the upper left corner of an empty screen.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

pub async fn run(arguments: &TopArguments) -> anyhow::Result<()> {
    let worker = remote(&arguments.worker)?;
    let redraws = std::io::stdout().is_terminal() && arguments.output.form == Output::Table;
    let mut before = Look::take(&worker).await?;
    let mut rows = before.rows(None);
    let mut looks = 1;
    loop {
        let text = match arguments.output.form {
            Output::Json => format!("{}\n", Value::from_iter(rows.iter().map(Row::to_json))),
            Output::Table if redraws => format!("{CLEAR}{}\n{}", worker.url(), table(&rows).render()),
            Output::Table => format!("{}\n", table(&rows).render()),
        };
        let goes_on = is_read(&text)?;
        if !goes_on || arguments.looks.is_some_and(|most| looks >= most) {
            return Ok(());
        }
        looks += 1;
        tokio::time::sleep(arguments.interval).await;
        match Look::take(&worker).await {
            Ok(look) => {
                rows = look.rows(Some(&before));
                before = look;
            }
            // It may come back; what it said last stays on the screen.
            Err(error) => complain(&error.into()),
        }
    }
}

/// What a worker says at one time.
struct Look {
    at: Instant,
    connectors: Vec<Value>,
    metrics: Option<Metrics>,
}

impl Look {
    async fn take(worker: &Remote) -> Result<Look, RemoteError> {
        let connectors = connectors(worker).await?;
        let metrics = match worker.text("/metrics").await {
            Ok(text) => Some(Metrics::parse(&text)),
            // Kafka Connect's workers have none.
            Err(RemoteError::Refused { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(Look {
            at: Instant::now(),
            connectors,
            metrics,
        })
    }

    fn rows(&self, before: Option<&Look>) -> Vec<Row> {
        let mut rows = Vec::new();
        for connector in &self.connectors {
            let status = &connector["status"];
            let tasks = status["tasks"].as_array().map_or(&[][..], Vec::as_slice);
            if tasks.is_empty() {
                rows.push(Row::new(connector, &status["connector"]));
            }
            rows.extend(tasks.iter().map(|task| self.row(connector, task, before)));
        }
        rows
    }

    fn row(&self, connector: &Value, task: &Value, before: Option<&Look>) -> Row {
        let mut row = Row::new(connector, task);
        let (Some(metrics), Some(name)) = (&self.metrics, connector["name"].as_str()) else {
            return row;
        };
        let number = text(&task["id"]);
        let value = |what: &str| metrics.of_task(what, name, &number);
        // Between two looks, or else what the worker says of the last minute.
        let rate = |what: &str| {
            let now = value(&format!("{what}_total"))?;
            let earlier = before.and_then(|look| {
                let earlier = look
                    .metrics
                    .as_ref()?
                    .of_task(&format!("{what}_total"), name, &number)?;
                Some((earlier, self.at.duration_since(look.at).as_secs_f64()))
            });
            match earlier {
                // A task that was started again counts from zero.
                Some((earlier, seconds)) if now >= earlier && seconds > 0.0 => Some((now - earlier) / seconds),
                _ => value(&format!("{what}_rate")),
            }
        };
        let (of, [taken, given, active]) = match connector["type"].as_str() {
            Some("source") => (
                "source_task",
                [
                    "source_record_poll",
                    "source_record_write",
                    "source_record_active_count",
                ],
            ),
            _ => (
                "sink_task",
                ["sink_record_read", "sink_record_send", "sink_record_active_count"],
            ),
        };
        row.taken = rate(&format!("{of}_{taken}"));
        row.given = rate(&format!("{of}_{given}"));
        row.total = value(&format!("{of}_{given}_total"));
        row.active = value(&format!("{of}_{active}"));
        row.errors = value("task_error_total_record_errors");
        row
    }
}

/// A task, or a connector without any.
struct Row {
    connector: Value,
    task: Value,
    state: Value,
    worker: Value,
    /// Records a second: of a source's plugin, or of Kafka.
    taken: Option<f64>,
    /// Records a second: into Kafka, or to a sink's plugin.
    given: Option<f64>,
    total: Option<f64>,
    /// Records on their way.
    active: Option<f64>,
    errors: Option<f64>,
}

impl Row {
    fn new(connector: &Value, status: &Value) -> Row {
        Row {
            connector: connector["name"].clone(),
            task: status["id"].clone(),
            state: status["state"].clone(),
            worker: status["worker_id"].clone(),
            taken: None,
            given: None,
            total: None,
            active: None,
            errors: None,
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "connector": self.connector, "task": self.task, "state": self.state, "worker_id": self.worker,
            "in_rate": self.taken, "out_rate": self.given, "total": self.total, "active": self.active, "errors": self.errors,
        })
    }
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(&[
        "CONNECTOR",
        "TASK",
        "STATE",
        "WORKER",
        "IN/S",
        "OUT/S",
        "TOTAL",
        "ACTIVE",
        "ERRORS",
    ]);
    let figure = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.0}"));
    for row in rows {
        let mut cells = [&row.connector, &row.task, &row.state, &row.worker].map(text).to_vec();
        cells.extend([row.taken, row.given, row.total, row.active, row.errors].map(figure));
        table.row(cells);
    }
    table
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn look(at: Instant, total: u32) -> Look {
        let labels = r#"{connector="c",task="0"}"#;
        let text = format!(
            "kafka_connect_sink_task_sink_record_read_total{labels} {total}\n\
             kafka_connect_sink_task_sink_record_read_rate{labels} 7\n\
             kafka_connect_sink_task_sink_record_send_total{labels} {total}\n"
        );
        let status =
            json!({"connector": {"state": "RUNNING"}, "tasks": [{"id": 0, "state": "RUNNING", "worker_id": "w"}]});
        let idle = json!({"connector": {"state": "STOPPED", "worker_id": "w"}, "tasks": []});
        Look {
            at,
            connectors: vec![
                json!({"name": "c", "type": "sink", "status": status}),
                json!({"name": "idle", "type": "source", "status": idle}),
            ],
            metrics: Some(Metrics::parse(&text)),
        }
    }

    #[test]
    fn rates_are_those_between_two_looks_or_else_what_the_worker_says() {
        let now = Instant::now();
        let (first, second) = (look(now, 100), look(now + Duration::from_secs(2), 500));
        assert_eq!(first.rows(None)[0].taken, Some(7.0));
        let rows = second.rows(Some(&first));
        assert_eq!(
            (rows[0].taken, rows[0].given, rows[0].total),
            (Some(200.0), Some(200.0), Some(500.0))
        );
        assert_eq!(first.rows(Some(&second))[0].taken, Some(7.0));
        assert_eq!(
            table(&rows).render(),
            "CONNECTOR   TASK   STATE     WORKER   IN/S   OUT/S   TOTAL   ACTIVE   ERRORS\n\
             c           0      RUNNING   w        200    200     500     -        -\n\
             idle        -      STOPPED   w        -      -       -       -        -\n"
        );
    }
}
