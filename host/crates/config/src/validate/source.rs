//! What a source asks of transactions, against what worker and plugin can do. Only a cluster has transactions.

use super::entry::Entries;
use super::{Request, Support};
use crate::worker::{Cluster, ExactlyOnce, Mode};

const SUPPORT: &str = "exactly.once.support";
const BOUNDARY: &str = "transaction.boundary";

pub(super) fn check(entries: &mut Entries, request: &Request<'_>) {
    if let Mode::Distributed(cluster) = &request.worker.mode {
        exactly_once(entries, request, cluster);
        boundary(entries, request);
    }
}

/// The value of a key, unless something is wrong with it already.
fn good(entries: &Entries, key: &str) -> Option<String> {
    let entry = entries.get(key).filter(|entry| entry.errors.is_empty())?;
    entry.value.to_text().map(|text| text.to_lowercase())
}

fn exactly_once(entries: &mut Entries, request: &Request<'_>, cluster: &Cluster) {
    if good(entries, SUPPORT).as_deref() != Some("required") {
        return;
    }
    if cluster.exactly_once != ExactlyOnce::Enabled {
        entries.add_error(
            SUPPORT,
            "This worker does not have exactly-once source support enabled.",
        );
    }
    match request.own.exactly_once {
        Some(Support::Supported) => {}
        Some(Support::Unsupported) => entries.add_error(
            SUPPORT,
            "The connector does not support exactly-once semantics with the provided configuration.",
        ),
        None => entries.add_error(
            SUPPORT,
            "The connector does not implement the API required for preflight validation of exactly-once source support. \
             Please consult the documentation for the connector to determine whether it supports exactly-once semantics, \
             and then consider reconfiguring the connector to use the value \"requested\" for this property (which will \
             disable this preflight check and allow the connector to be created).",
        ),
    }
}

fn boundary(entries: &mut Entries, request: &Request<'_>) {
    if good(entries, BOUNDARY).as_deref() != Some("connector") {
        return;
    }
    match request.own.transaction_boundaries {
        Some(Support::Supported) => {}
        Some(Support::Unsupported) | None => entries.add_error(
            BOUNDARY,
            "The connector does not support connector-defined transaction boundaries with the given configuration. \
             Please reconfigure it to use a different transaction boundary definition.",
        ),
    }
}
