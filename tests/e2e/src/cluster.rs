//! Several workers as one cluster.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::rest::Rest;
use crate::system::System;
use crate::wait::until;
use crate::worker::{Worker, WorkerSetup};

/// Workers that share a group and its topics.
pub struct Cluster {
    pub workers: Vec<Worker>,
}

impl Cluster {
    /// Starts so many workers, with these properties beyond the usual ones, one after the other, and waits until each answers.
    #[track_caller]
    pub fn start(system: &System, test: &str, size: usize, properties: &[(&str, &str)]) -> Self {
        let name = system.name(test);
        let start = |index| {
            let setup = system.worker(&format!("{test}-{index}")).distributed(&name);
            let set = |setup: WorkerSetup, (key, value): &(&str, &str)| setup.property(key, value);
            properties.iter().fold(setup, set).start()
        };
        Self {
            workers: (0..size).map(start).collect(),
        }
    }

    /// The worker that leads, once one does, by what the workers log. Only those are asked.
    #[track_caller]
    pub fn leader(&self, among: &[usize]) -> usize {
        until("one of the workers leads", || {
            let mut leading = among.iter().filter_map(|index| {
                let log = self.workers[*index].log();
                let last = log.lines().rfind(|line| line.contains("Joined group"))?;
                let generation = last.split("generation=").nth(1)?.split_whitespace().next()?;
                let generation: u32 = generation.parse().ok()?;
                last.contains("leader=true").then_some((generation, *index))
            });
            leading.by_ref().max().map(|(_, index)| index)
        })
    }
}

/// The name by which a worker goes in statuses.
pub fn worker_id(rest: &Rest) -> String {
    rest.address.trim_start_matches("http://").to_owned()
}

/// Creates a connector by way of any worker; while the group forms anew, the worker says so and is asked again.
#[track_caller]
pub fn create(rest: &Rest, name: &str, config: &Value) {
    let body = json!({"name": name, "config": config});
    until(&format!("{name} is created"), || {
        let answer = rest.try_call("POST", "/connectors", Some(&body))?;
        assert!(matches!(answer.status, 201 | 409), "{}: {}", answer.status, answer.body);
        (answer.status == 201).then_some(())
    });
}

/// Where the tasks of a connector run, once it and so many of them do.
#[track_caller]
pub fn owners(rest: &Rest, name: &str, tasks: usize) -> BTreeSet<String> {
    until(&format!("{name} and {tasks} tasks of it run"), || {
        let answer = rest.try_call("GET", &format!("/connectors/{name}/status"), None)?;
        let all = answer.body["tasks"].as_array()?;
        let running = all.iter().filter(|task| task["state"] == "RUNNING").count();
        let runs = answer.body["connector"]["state"] == "RUNNING";
        let owner = |task: &Value| task["worker_id"].as_str().unwrap_or_default().to_owned();
        (runs && all.len() == tasks && running == tasks).then(|| all.iter().map(owner).collect())
    })
}
