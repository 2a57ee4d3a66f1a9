//! `/`, `/health` and `/metrics`.

use caisson_herder::Health;
use caisson_model::{Metric, MetricGroup, MetricValue};
use hyper::StatusCode;
use serde_json::json;

use super::{Call, Outcome, within};
use crate::reply::Reply;
use crate::{prometheus, shape, stage};

pub fn root(call: &Call) -> Outcome {
    Ok(Reply::ok(&shape::cluster(&call.herder.cluster_info())))
}

/// Not Kafka Connect's, which shows its metrics by JMX.
pub fn metrics(call: &Call) -> Outcome {
    let info = call.herder.cluster_info();
    let about = [("version", info.version), ("commit-id", info.commit)];
    let about = about.map(|(name, text)| Metric::new(MetricGroup::AppInfo, name, MetricValue::Text(text)));
    let mut metrics = call.herder.metrics();
    metrics.extend(about);
    Ok(Reply::metrics(prometheus::text(&metrics)))
}

/// Healthy is a worker whose herder answers in time.
pub async fn health(call: &Call) -> Outcome {
    if let Some(outcome) = within(call.limits.health, call.herder.ping()).await {
        outcome?;
        let message = "Worker has completed startup and is ready to handle requests.";
        return Ok(Reply::ok(&json!({"status": "healthy", "message": message})));
    }
    let sentence = stage::sentence(call.herder.stage().as_ref());
    let (code, status, message) = match call.herder.health() {
        Health::Starting => (
            StatusCode::SERVICE_UNAVAILABLE,
            "starting",
            "Worker is still starting up.",
        ),
        Health::Ready => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "unhealthy",
            "Worker was unable to handle this request and may be unable to handle other requests.",
        ),
    };
    let message = format!("{message} {sentence}");
    Err(Reply::json(
        code,
        &json!({"status": status, "message": message.trim_end()}),
    ))
}
