//! Members of groups of Kafka Connect's type: joining, leaving, dying, and what they must not do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use caisson_kafka::{
    Admin, ClientSettings, ErrorCode, GroupEvent, GroupEvents, GroupMember, GroupOptions, Joined, Layer, Loss,
    MemberAssignment, MemberMetadata, Subprotocol,
};

use crate::harness::*;

/// The shortest session that brokers allow.
const SESSION: Duration = Duration::from_secs(6);

struct Worker {
    name: String,
    member: Arc<GroupMember>,
    events: GroupEvents,
}

fn options(group: &str) -> GroupOptions {
    GroupOptions {
        session_timeout: SESSION,
        rebalance_timeout: Duration::from_secs(20),
        heartbeat_interval: Duration::from_millis(500),
        ..GroupOptions::new(group, "connect")
    }
}

impl Worker {
    fn start(bootstrap: &str, name: &str, options: GroupOptions) -> Worker {
        let base = properties(&[("bootstrap.servers", bootstrap), ("client.id", name)]);
        let settings = ClientSettings::admin(&[Layer::Client(&base)]).unwrap();
        let (member, events) = GroupMember::start(&settings, options).unwrap();
        member.join("start");
        Worker {
            name: name.to_owned(),
            member: Arc::new(member),
            events,
        }
    }

    /// Answers what is asked, as a herder would, until something else happens.
    async fn next(&mut self) -> GroupEvent {
        loop {
            self.member.poll();
            let Ok(event) = tokio::time::timeout(Duration::from_millis(100), self.events.recv()).await else {
                continue;
            };
            match event.expect("the membership goes on") {
                GroupEvent::Preparing(preparing) => {
                    preparing.join(vec![
                        Subprotocol::new("sessioned", self.name.as_bytes()),
                        Subprotocol::new("default", "old"),
                    ]);
                }
                GroupEvent::Leading(leading) => {
                    let names = names(&leading.members);
                    let assignment = |member: &MemberMetadata| MemberAssignment {
                        member_id: member.member_id.clone(),
                        assignment: format!("{} of {names}", text(&member.metadata)).into_bytes(),
                    };
                    let assignments = leading.members.iter().map(assignment).collect();
                    leading.assign(assignments);
                }
                event => return event,
            }
        }
    }

    /// Until a generation has these members.
    async fn joined(&mut self, members: &str) -> Joined {
        let expected = format!("{} of {members}", self.name);
        loop {
            match self.next().await {
                GroupEvent::Joined(joined) if text(&joined.assignment) == expected => return joined,
                GroupEvent::Joined(other) => println!("{}: {}", self.name, text(&other.assignment)),
                event => panic!("{}: unexpected {event:?}", self.name),
            }
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn names(members: &[MemberMetadata]) -> String {
    let mut names: Vec<String> = members.iter().map(|member| text(&member.metadata)).collect();
    names.sort();
    names.join(",")
}

#[test]
fn members_elect_one_leader_and_get_what_it_assigns() {
    let Some(bootstrap) = bootstrap("members_elect_one_leader_and_get_what_it_assigns") else {
        return;
    };
    let group = fresh("workers");
    block_on(async {
        let mut one = Worker::start(&bootstrap, "one", options(&group));
        let alone = one.joined("one").await;
        assert!(alone.is_leader() && alone.protocol == "sessioned", "{alone:?}");
        assert!(alone.member_id.starts_with("one-"), "{}", alone.member_id);
        let mut two = Worker::start(&bootstrap, "two", options(&group));
        let mut three = Worker::start(&bootstrap, "three", options(&group));
        let all = "one,three,two";
        let (first, second, third) = tokio::join!(one.joined(all), two.joined(all), three.joined(all));
        assert!(first.is_leader() && !second.is_leader() && !third.is_leader());
        assert_eq!(
            (&first.leader_id, first.generation),
            (&second.leader_id, third.generation)
        );
        assert!(one.member.lease().is_some());
        // A follower with nothing new to say gets what it has; a leader's join is a rebalance.
        three.member.join("nothing new");
        assert_eq!(three.joined(all).await, third);
        one.member.join("configuration has changed");
        let (again, _, _) = tokio::join!(one.joined(all), two.joined(all), three.joined(all));
        assert_eq!(again.generation, first.generation + 1);
        assert_eq!(again.member_id, first.member_id);
    });
}

#[test]
fn who_leaves_is_missed_at_once_and_who_dies_after_the_session() {
    let Some(bootstrap) = bootstrap("who_leaves_is_missed_at_once_and_who_dies_after_the_session") else {
        return;
    };
    let group = fresh("workers");
    block_on(async {
        let mut one = Worker::start(&bootstrap, "one", options(&group));
        one.joined("one").await;
        let mut two = Worker::start(&bootstrap, "two", options(&group));
        tokio::join!(one.joined("one,two"), two.joined("one,two"));
        let before = Instant::now();
        two.member.leave("shutdown").await;
        assert!(two.member.lease().is_none());
        one.joined("one").await;
        assert!(before.elapsed() < SESSION, "{:?}", before.elapsed());
        // It comes back when it is told to.
        two.member.join("again");
        tokio::join!(one.joined("one,two"), two.joined("one,two"));
        let before = Instant::now();
        drop(two);
        one.joined("one").await;
        let missed = before.elapsed();
        assert!(
            missed + Duration::from_secs(1) > SESSION - Duration::from_millis(500),
            "{missed:?}"
        );
        println!("a member that died was missed after {missed:?}");
    });
}

#[test]
fn a_closed_membership_has_left_and_ends_its_events() {
    let Some(bootstrap) = bootstrap("a_closed_membership_has_left_and_ends_its_events") else {
        return;
    };
    let group = fresh("workers");
    block_on(async {
        let mut one = Worker::start(&bootstrap, "one", options(&group));
        one.joined("one").await;
        let Worker { member, mut events, .. } = one;
        Arc::into_inner(member).unwrap().close("end").await;
        assert!(events.recv().await.is_none());
        let base = properties(&[("bootstrap.servers", &bootstrap)]);
        let admin = Admin::start(&ClientSettings::admin(&[Layer::Client(&base)]).unwrap()).unwrap();
        // Only a group without members can be deleted.
        let deleted = admin.delete_groups(&[&group], LONG).unwrap();
        assert!(deleted[0].1.is_ok(), "{deleted:?}");
    });
}

#[test]
fn a_group_of_another_type_is_refused_by_name() {
    let Some(bootstrap) = bootstrap("a_group_of_another_type_is_refused_by_name") else {
        return;
    };
    let group = fresh("registries");
    block_on(async {
        let mut registry = Worker::start(
            &bootstrap,
            "registry",
            GroupOptions {
                protocol_type: "sr".to_owned(),
                ..options(&group)
            },
        );
        registry.joined("registry").await;
        let mut worker = Worker::start(&bootstrap, "worker", options(&group));
        let GroupEvent::Failed(error) = worker.next().await else {
            panic!("it cannot join")
        };
        assert_eq!(error.code(), Some(ErrorCode::INCONSISTENT_GROUP_PROTOCOL));
        assert!(error.to_string().contains(&group), "{error}");
        assert!(worker.events.recv().await.is_none());
        // There is nobody left to do it.
        let left = tokio::time::timeout(LONG, worker.member.leave("stopping"));
        left.await.expect("leaving returns");
    });
}

#[test]
fn a_worker_that_stops_polling_leaves_and_comes_back_when_it_polls() {
    let Some(bootstrap) = bootstrap("a_worker_that_stops_polling_leaves_and_comes_back_when_it_polls") else {
        return;
    };
    let group = fresh("workers");
    block_on(async {
        let patience = GroupOptions {
            rebalance_timeout: Duration::from_secs(7),
            ..options(&group)
        };
        let mut worker = Worker::start(&bootstrap, "worker", patience);
        let first = worker.joined("worker").await;
        let event = worker.events.recv().await;
        assert!(matches!(event, Some(GroupEvent::Lost(Loss::PollExpired))), "{event:?}");
        assert!(worker.member.lease().is_none());
        let second = worker.joined("worker").await;
        assert_ne!(first.member_id, second.member_id);
    });
}

#[test]
fn what_is_withdrawn_is_asked_again() {
    let Some(bootstrap) = bootstrap("what_is_withdrawn_is_asked_again") else {
        return;
    };
    let group = fresh("workers");
    block_on(async {
        let mut worker = Worker::start(&bootstrap, "worker", options(&group));
        // A withdrawn join leaves the group until the next wish.
        let Some(GroupEvent::Preparing(preparing)) = worker.events.recv().await else {
            panic!("a join is prepared")
        };
        drop(preparing);
        let silence = tokio::time::timeout(Duration::from_millis(500), worker.events.recv()).await;
        assert!(silence.is_err(), "{silence:?}");
        worker.member.join("after all");
        let Some(GroupEvent::Preparing(preparing)) = worker.events.recv().await else {
            panic!("a join is prepared")
        };
        preparing.join(vec![Subprotocol::new("sessioned", "worker")]);
        let Some(GroupEvent::Leading(leading)) = worker.events.recv().await else {
            panic!("it leads")
        };
        // A withdrawn assignment is a new join.
        drop(leading);
        worker.joined("worker").await;
    });
}
