//! Settings that have no effect, reported once by name.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::{ClientKind, Rule};

/// What was reported already. Names come from configurations, so there are few.
static SAID: Mutex<BTreeSet<(ClientKind, String)>> = Mutex::new(BTreeSet::new());

pub(super) fn no_equal(kind: ClientKind, name: &str, rule: Rule) {
    if !first(kind, name) {
        return;
    }
    let client = kind.as_str();
    if matches!(rule, Rule::Fixed) {
        tracing::warn!(
            setting = name,
            client,
            "Kafka client setting has no effect: the worker decides it"
        );
    } else {
        tracing::warn!(
            setting = name,
            client,
            "Kafka client setting has no effect: it has no equal outside of Java"
        );
    }
}

pub(super) fn unused(kind: ClientKind, name: &str) {
    if first(kind, name) {
        tracing::warn!(
            setting = name,
            client = kind.as_str(),
            "Kafka client setting has no effect: only librdkafka's own fetching and batching know it"
        );
    }
}

pub(super) fn unknown(kind: ClientKind, name: &str) {
    if first(kind, name) {
        tracing::warn!(
            setting = name,
            client = kind.as_str(),
            "Kafka client setting is not known, and ignored"
        );
    }
}

fn first(kind: ClientKind, name: &str) -> bool {
    SAID.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert((kind, name.to_owned()))
}
