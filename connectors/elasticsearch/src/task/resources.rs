//! The places that records go to: made when they are missing, and given a mapping when they have none.

use std::collections::HashMap;

use caisson_sdk::http::{Cause, Failure};
use caisson_sdk::prelude::*;
use caisson_sdk::{debug, info};

use crate::bulk::answer;
use crate::client::{Answer, Client, segment};
use crate::document::TopicPlan;
use crate::mapping;
use crate::options::Target;

/// What has been seen to for each topic.
#[derive(Debug, Default)]
pub(super) struct Resources {
    topics: HashMap<String, State>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    exists: bool,
    /// It has a mapping, or is to get none from here.
    mapped: bool,
}

impl Resources {
    /// Whether there is nothing left to do for a topic.
    pub fn is_settled(&self, topic: &str) -> bool {
        self.topics.get(topic).is_some_and(|state| state.exists && state.mapped)
    }

    /// Does what is left to do for a topic. An error is retriable if it may go away by itself.
    pub fn prepare(
        &mut self,
        client: &mut Client,
        target: &Target,
        plan: &TopicPlan,
        schema: Option<&SchemaRef>,
    ) -> Result<(), Error> {
        let state = self.topics.entry(plan.topic.clone()).or_default();
        if !state.exists {
            match target {
                Target::Index => create_index(client, &plan.target)?,
                Target::DataStream { .. } => create_data_stream(client, &plan.target)?,
                Target::External { .. } => {}
            }
            state.exists = true;
        }
        if plan.schema_ignore || state.mapped {
            state.mapped = true;
            return Ok(());
        }
        // Records without a schema leave the mapping to the server; one with a schema may still come.
        if let Some(schema) = schema {
            if let Some(mapping) = mapping::of(schema)
                && !has_mapping(client, &plan.target)?
            {
                put_mapping(client, &plan.target, &mapping)?;
            }
            state.mapped = true;
        }
        Ok(())
    }
}

fn create_index(client: &mut Client, index: &str) -> Result<(), Error> {
    let path = format!("/{}", segment(index));
    let found = client.call("HEAD", &path, None).map_err(unanswered)?;
    match found.status {
        200 => return Ok(()),
        404 => {}
        _ => return Err(refused("look for", "index", index, &found)),
    }
    let made = client.call("PUT", &path, None).map_err(unanswered)?;
    match (made.status, made.body["error"]["type"].as_str()) {
        (200, _) => info!("created index {index}"),
        (400, Some("resource_already_exists_exception" | "invalid_index_name_exception"))
            if made.body["error"]["reason"]
                .as_str()
                .is_some_and(|reason| reason.contains("already exists")) =>
        {
            debug!("index {index} exists already");
        }
        _ => return Err(refused("create", "index", index, &made)),
    }
    Ok(())
}

fn create_data_stream(client: &mut Client, name: &str) -> Result<(), Error> {
    let path = format!("/_data_stream/{}", segment(name));
    let found = client.call("GET", &path, None).map_err(unanswered)?;
    if found.status == 200 {
        return Ok(());
    }
    let made = client.call("PUT", &path, None).map_err(unanswered)?;
    match (made.status, made.body["error"]["type"].as_str()) {
        (200, _) => info!("created data stream {name}"),
        (400, Some("resource_already_exists_exception")) => debug!("data stream {name} exists already"),
        _ => return Err(refused("create", "data stream", name, &made)),
    }
    Ok(())
}

fn has_mapping(client: &mut Client, target: &str) -> Result<bool, Error> {
    let answer = client
        .call("GET", &format!("/{}/_mapping", segment(target)), None)
        .map_err(unanswered)?;
    match answer.status {
        200 => {
            let indexes = answer.body.as_object();
            let mapped = |index: &Json| {
                index["mappings"]
                    .as_object()
                    .is_some_and(|mappings| !mappings.is_empty())
            };
            Ok(indexes.is_some_and(|indexes| indexes.values().any(mapped)))
        }
        404 => Ok(false),
        _ => Err(refused("read the mapping of", "index", target, &answer)),
    }
}

fn put_mapping(client: &mut Client, target: &str, mapping: &Json) -> Result<(), Error> {
    let path = format!("/{}/_mapping", segment(target));
    let answer = client.call("PUT", &path, Some(mapping)).map_err(unanswered)?;
    if !answer.is_success() {
        return Err(refused("put a mapping to", "index", target, &answer));
    }
    info!("put a mapping to index {target}");
    Ok(())
}

fn unanswered(failure: Failure) -> Error {
    match failure.cause {
        Cause::Refused => Error::fatal(answer::advised(&failure.message)),
        Cause::Unreachable | Cause::Broken => Error::retriable(failure.message),
    }
}

fn refused(what: &str, kind: &str, name: &str, answer: &Answer) -> Error {
    let message = format!("could not {what} {kind} {name}: {}", answer::advised(&answer.words()));
    match answer.status {
        429 | 500..600 => Error::retriable(message),
        _ => Error::fatal(message),
    }
}
