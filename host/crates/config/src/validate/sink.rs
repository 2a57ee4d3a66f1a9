//! What keys of a sink say together.

use super::Request;
use super::entry::{Entries, Entry};
use crate::connector::{BOTH, NEITHER, Topics, dead_letter_conflict};
use crate::pattern::Pattern;
use crate::worker::Mode;

pub(super) fn check(entries: &mut Entries, request: &Request<'_>) {
    topics(entries, request);
    if let Mode::Distributed(cluster) = &request.worker.mode {
        group(entries, request, &cluster.group_id);
    }
}

/// Either topics or a pattern, and no dead letters among them.
fn topics(entries: &mut Entries, request: &Request<'_>) {
    let filled = |name: &str| request.resolved.given.get(name).filter(|text| !text.trim().is_empty());
    let (names, regex) = (filled("topics"), filled("topics.regex"));
    let message = match (names, regex) {
        (Some(_), Some(_)) => Some(BOTH),
        (None, None) => Some(NEITHER),
        (Some(_), None) | (None, Some(_)) => None,
    };
    if let Some(message) = message {
        entries.add_error("topics", message);
        entries.add_error("topics.regex", message);
    }
    let Some(letters) = filled("errors.deadletterqueue.topic.name").map(str::trim) else {
        return;
    };
    let names = names.map(Topics::parse_names);
    let pattern = regex.and_then(|text| Pattern::new(text).ok()).map(Topics::Pattern);
    for topics in names.iter().chain(&pattern) {
        if let Some((key, message)) = dead_letter_conflict(topics, letters) {
            entries.add_error(key, message);
        }
    }
}

/// The consumers of a sink cannot share a group with the workers.
fn group(entries: &mut Entries, request: &Request<'_>, workers: &str) {
    const OVERRIDE: &str = "consumer.override.group.id";
    let given = &request.resolved.given;
    if given.contains(OVERRIDE) {
        let group = given.get(OVERRIDE);
        entries.push(Entry::undefined(OVERRIDE, group));
        if group == Some(workers) {
            let text = format!("Consumer group {workers} conflicts with Connect worker group {workers}");
            entries.add_error(OVERRIDE, text);
        }
        return;
    }
    let name = entries
        .get("name")
        .and_then(|entry| entry.value.to_text())
        .unwrap_or_else(|| "null".to_owned());
    if format!("connect-{name}") == workers {
        let text =
            format!("Consumer group for sink connector named {name} conflicts with Connect worker group {workers}");
        entries.add_error("name", text);
    }
}
