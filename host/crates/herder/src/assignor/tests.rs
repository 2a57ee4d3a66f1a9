//! The assignor against rounds that were recorded from Kafka Connect's own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::*;

const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../tests/conformance/vectors/assignor.json"
);

/// A group that does what it is told, round by round.
struct Group {
    assignor: CooperativeAssignor,
    max_delay: Duration,
    now: Duration,
    generation: i32,
    last_completed: i32,
    members: BTreeMap<MemberId, Items>,
    /// What members ran when they left.
    left: BTreeMap<MemberId, Items>,
    configured: Items,
}

fn milliseconds(value: &Value) -> Duration {
    Duration::from_millis(value.as_u64().unwrap_or(0))
}

fn names(value: &Value) -> Vec<MemberId> {
    let list = value.as_array().cloned().unwrap_or_default();
    list.iter().map(|name| name.as_str().unwrap().into()).collect()
}

impl Group {
    fn new(max_delay: Duration) -> Group {
        Group {
            assignor: CooperativeAssignor::new(max_delay),
            max_delay,
            now: Duration::from_secs(1_000_000),
            generation: 0,
            last_completed: -1,
            members: BTreeMap::new(),
            left: BTreeMap::new(),
            configured: Items::new(),
        }
    }

    fn change(&mut self, round: &Value) {
        self.now += milliseconds(&round["advanceMs"]);
        for name in names(&round["leave"]) {
            let work = self.members.remove(&name).unwrap();
            self.left.insert(name, work);
        }
        for name in names(&round["join"]).into_iter().chain(names(&round["return"])) {
            self.members.insert(name, Items::new());
        }
        for name in names(&round["returnWithWork"]) {
            let work = self.left.remove(&name).unwrap();
            self.members.insert(name, work);
        }
        if let Some(config) = round["config"].as_object() {
            self.configured.clear();
            for (name, tasks) in config {
                self.configured.insert(Item::Connector(name.as_str().into()));
                let tasks = tasks.as_u64().unwrap() as u32;
                self.configured
                    .extend((0..tasks).map(|task| Item::Task(TaskId::new(name.as_str(), task))));
            }
        }
        if round["newLeader"] == true {
            self.assignor = CooperativeAssignor::new(self.max_delay);
        }
        for pair in round["duplicate"].as_array().into_iter().flatten() {
            let pair = names(pair);
            let holding = &self.members[&pair[0]];
            let first = |connectors: bool| holding.iter().find(|item| item.is_connector() == connectors).cloned();
            let copies: Vec<Item> = [first(true), first(false)].into_iter().flatten().collect();
            self.members.get_mut(&pair[1]).unwrap().extend(copies);
        }
    }

    fn round(&mut self, round: &Value) -> Value {
        self.change(round);
        self.generation += 1;
        let generations = Generations {
            current: self.generation,
            last_completed: self.last_completed,
        };
        let shares = self
            .assignor
            .share(&self.configured, generations, &self.members, self.now);
        if round["syncFails"] != true {
            self.last_completed = self.generation;
            for (member, share) in &shares.members {
                let own = self.members.get_mut(member).unwrap();
                own.retain(|item| !share.revoked.contains(item));
                own.extend(share.assigned.iter().cloned());
            }
        }
        self.summary(&shares)
    }

    /// What has to be equal; which item goes where depends on the order of Java's hash sets.
    fn summary(&self, shares: &Shares) -> Value {
        let count = |items: &Items, connectors: bool| items.iter().filter(|i| i.is_connector() == connectors).count();
        let mut members: Vec<_> = self
            .members
            .iter()
            .map(|(member, own)| {
                let share = &shares.members[member];
                [
                    count(&share.assigned, true),
                    count(&share.assigned, false),
                    count(&share.revoked, true),
                    count(&share.revoked, false),
                    count(own, true),
                    count(own, false),
                ]
            })
            .collect();
        members.sort_unstable();
        let running: BTreeSet<&Item> = self.members.values().flatten().collect();
        let scheduled = self.assignor.scheduled().map_or(Duration::ZERO, |at| at - self.now);
        json!({
            "delayMs": shares.delay.as_millis() as u64,
            "scheduledInMs": scheduled.as_millis() as u64,
            "running": running.len(),
            "members": members,
        })
    }
}

fn expected(round: &Value) -> Value {
    let mut members: Vec<_> = round["members"]
        .as_object()
        .unwrap()
        .values()
        .map(|member| {
            let list = |key: &str, tasks: bool| {
                let is_task = |name: &str| {
                    name.rsplit_once('-')
                        .is_some_and(|(_, number)| number.parse::<u32>().is_ok())
                };
                let names = member[key].as_array().unwrap();
                names
                    .iter()
                    .filter(|name| is_task(name.as_str().unwrap()) == tasks)
                    .count()
            };
            [
                list("assigned", false),
                list("assigned", true),
                list("revoked", false),
                list("revoked", true),
                member["connectors"].as_u64().unwrap() as usize,
                member["tasks"].as_u64().unwrap() as usize,
            ]
        })
        .collect();
    members.sort_unstable();
    json!({
        "delayMs": round["delayMs"],
        "scheduledInMs": round["scheduledInMs"],
        "running": round["running"],
        "members": members,
    })
}

#[test]
fn rounds_go_as_recorded() {
    let text = std::fs::read_to_string(FILE).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert!(vectors.len() > 100, "too few vectors: {}", vectors.len());
    for vector in vectors {
        let mut group = Group::new(milliseconds(&vector["input"]["maxDelayMs"]));
        let rounds = vector["input"]["rounds"].as_array().unwrap();
        let expect = vector["expect"]["rounds"].as_array().unwrap();
        for (number, (round, expect)) in rounds.iter().zip(expect).enumerate() {
            let given = group.round(round);
            assert_eq!(given, expected(expect), "{} round {number}: {round}", vector["id"]);
        }
    }
}

#[test]
fn eager_shares_go_round() {
    let configured: Items = [
        Item::Connector("a".into()),
        Item::Connector("b".into()),
        Item::Task(TaskId::new("a", 0)),
        Item::Task(TaskId::new("a", 1)),
        Item::Task(TaskId::new("b", 0)),
    ]
    .into();
    let shares = share_eagerly(&configured, ["m2".into(), "m1".into()]);
    let text = |member: &str| {
        let items = &shares.members[member].assigned;
        items.iter().map(Item::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!((text("m1").as_str(), text("m2").as_str()), ("a a-0 b-0", "b a-1"));
    assert!(shares.members.values().all(|share| share.revoked.is_empty()));
}
