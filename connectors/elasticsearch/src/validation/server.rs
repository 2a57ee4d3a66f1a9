//! What only the server can tell: whether it is there, whether it lets us in, whether it is new enough, and whether the
//! places that records are to go to will take them.

use caisson_sdk::http::{Cause, Failure};
use caisson_sdk::prelude::*;

use super::Findings;
use crate::bulk::answer;
use crate::client::{Answer, Client, segment};
use crate::keys;
use crate::options::{Options, Target, Usage};

pub(super) fn check(settings: &Settings, findings: &mut Findings) {
    let options = match Options::new(settings) {
        Ok(options) => options,
        Err(error) => return findings.at(&[keys::URL], error.message),
    };
    if let Err(error) = crate::tls::apply(settings) {
        return findings.at(&[keys::SECURITY], error.message);
    }
    let mut client = Client::new(options.connection.clone());
    match client.call("GET", "/", None) {
        Ok(answer) => {
            if !greeted(&answer, &options, findings) {
                return;
            }
        }
        Err(failure) => return unanswered(&failure, findings),
    }
    match &options.target {
        Target::Index => indexes(&mut client, settings, findings),
        Target::DataStream { .. } => {}
        Target::External { usage, resources } => external(&mut client, *usage, resources, findings),
    }
}

fn unanswered(failure: &Failure, findings: &mut Findings) {
    let words = match failure.cause {
        Cause::Refused => answer::advised(&failure.message),
        Cause::Unreachable => format!(
            "Could not connect to Elasticsearch. {}: see that it runs, that host and port are right, and that the worker may reach it.",
            failure.message
        ),
        Cause::Broken => format!(
            "Could not connect to Elasticsearch. {}: raise read.timeout.ms if it is slow; use https if it expects that.",
            failure.message
        ),
    };
    findings.at(&[keys::URL], words);
}

/// False: there is no point in asking for more.
fn greeted(answer: &Answer, options: &Options, findings: &mut Findings) -> bool {
    match answer.status {
        200 => {}
        401 => {
            let words = format!(
                "Could not authenticate the user. Check the '{}' and '{}'. Error message: {}",
                keys::USERNAME,
                keys::PASSWORD,
                answer.words()
            );
            findings.at(&[keys::USERNAME, keys::PASSWORD], words);
            return false;
        }
        // The user may write without being allowed to look around.
        403 => return false,
        _ => {
            let words = format!(
                "Could not connect to Elasticsearch. It answers with {}.",
                answer.words()
            );
            findings.at(&[keys::URL], words);
            return false;
        }
    }
    let version = &answer.body["version"];
    let Some(number) = version["number"].as_str() else {
        findings.at(
            &[keys::URL],
            "What answers there is neither Elasticsearch nor OpenSearch: it tells no version.",
        );
        return false;
    };
    // OpenSearch counts from 1, and begins where Elasticsearch 7.10 was.
    if version["distribution"] == "opensearch" {
        return true;
    }
    let mut parts = number.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or(0));
    let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if version < (7, 0) {
        let words = format!("The server has version {number}, the connector needs 7.0.0 or later.");
        findings.at(&[keys::URL], words);
    } else if version < (7, 9) && options.target.is_data_stream() {
        let words = format!("The server has version {number}, data streams need 7.9.0 or later.");
        findings.at(&[keys::URL, keys::STREAM_TYPE, keys::STREAM_DATASET], words);
    }
    true
}

/// The indexes that exist already must not be read-only.
fn indexes(client: &mut Client, settings: &Settings, findings: &mut Findings) {
    let topics = settings.given("topics").unwrap_or_default();
    let names = topics.split(',').map(str::trim).filter(|topic| !topic.is_empty());
    // An address has no room for thousands of names; those beyond are found out about when records come.
    for name in names.take(20).map(crate::options::index_of) {
        let path = format!("/{}/_settings?flat_settings=true", segment(&name));
        let Ok(answer) = client.call("GET", &path, None) else {
            return;
        };
        if answer.status != 200 {
            continue;
        }
        for (index, found) in answer.body.as_object().into_iter().flatten() {
            if let Some(block) = block_of(&found["settings"]) {
                let words = format!(
                    "Index {index} is read-only ({block}): lift the block with PUT /{index}/_settings and {{\"{block}\": null}}, \
                     after making room if the server's disk is nearly full."
                );
                findings.at(&["topics"], words);
            }
        }
    }
}

fn block_of(settings: &Json) -> Option<&'static str> {
    const BLOCKS: [&str; 3] = [
        "index.blocks.read_only_allow_delete",
        "index.blocks.read_only",
        "index.blocks.write",
    ];
    BLOCKS
        .into_iter()
        .find(|block| settings[*block] == "true" || settings[*block] == true)
}

fn external(client: &mut Client, usage: Usage, resources: &[(String, String)], findings: &mut Findings) {
    for (_, resource) in resources {
        let name = segment(resource);
        let path = match (usage.is_alias(), usage.is_data_stream()) {
            (true, _) => format!("/_alias/{name}"),
            (false, true) => format!("/_data_stream/{name}"),
            (false, false) => format!("/{name}/_settings"),
        };
        let kind = match usage {
            Usage::Index => "index",
            Usage::DataStream => "data stream",
            Usage::AliasIndex => "alias of an index",
            Usage::AliasDataStream => "alias of a data stream",
        };
        let found = client.call("GET", &path, None);
        let exists = match (&found, usage) {
            (Err(_), _) => continue,
            // An alias or a data stream would answer, too, with the indexes behind it.
            (Ok(answer), Usage::Index) => answer.status == 200 && answer.body.get(resource).is_some(),
            (Ok(answer), _) => answer.status == 200,
        };
        if !exists {
            let words = format!(
                "The {kind} '{resource}' does not exist: create it, or correct '{}'.",
                keys::RESOURCE_USAGE
            );
            findings.at(&[keys::RESOURCE_MAPPING], words);
        }
    }
}
