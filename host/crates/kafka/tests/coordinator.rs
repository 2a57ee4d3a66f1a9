//! A coordinator that is cut off, hangs, or dies: what members are told, and in which order.
#![allow(clippy::unwrap_used)]

#[path = "broker/harness.rs"]
#[allow(dead_code, reason = "shared with other tests, which use more of it")]
mod harness;
#[path = "broker/own.rs"]
mod own_broker;
#[path = "coordinator/proxy.rs"]
mod proxy;

use std::time::{Duration, Instant};

use caisson_kafka::{
    ClientSettings, GroupEvent, GroupEvents, GroupMember, GroupOptions, Joined, Layer, Loss, MemberAssignment,
    Subprotocol,
};

use harness::*;
use own_broker::OwnBroker;
use proxy::{Mode, Proxy};

const SESSION: Duration = Duration::from_secs(6);

/// One test, as all of it is done with one broker.
#[test]
fn members_outlive_their_coordinator_and_never_their_lease() {
    let Some(broker) = OwnBroker::reserve() else {
        println!("skipped: CAISSON_TEST_SYSTEMS is not set");
        return;
    };
    let [plain, controller, front, behind, _] = broker.ports;
    broker.start(&format!(
        "listeners=PLAINTEXT://127.0.0.1:{plain},BEHIND://127.0.0.1:{behind},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{plain},BEHIND://127.0.0.1:{front}\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,BEHIND:PLAINTEXT\n"
    ));
    let proxy = Proxy::start(front, behind);
    let (direct, proxied) = (format!("127.0.0.1:{plain}"), format!("127.0.0.1:{front}"));
    a_short_silence_is_no_loss(&proxied, &proxy);
    for mode in [Mode::Cut, Mode::Hang] {
        a_member_that_is_cut_off_stops_before_others_take_over(&direct, &proxied, &proxy, mode);
    }
    a_coordinator_that_restarts_keeps_its_members_or_takes_them_anew(&broker, &direct);
}

struct Worker {
    name: &'static str,
    member: GroupMember,
    events: GroupEvents,
}

impl Worker {
    fn start(bootstrap: &str, name: &'static str, group: &str) -> Worker {
        let base = properties(&[("bootstrap.servers", bootstrap), ("client.id", name)]);
        let settings = ClientSettings::admin(&[Layer::Client(&base)]).unwrap();
        let options = GroupOptions {
            session_timeout: SESSION,
            heartbeat_interval: Duration::from_secs(2),
            ..GroupOptions::new(group, "connect")
        };
        let (member, events) = GroupMember::start(&settings, options).unwrap();
        member.join("start");
        Worker { name, member, events }
    }

    async fn next(&mut self) -> GroupEvent {
        loop {
            self.member.poll();
            let Ok(event) = tokio::time::timeout(Duration::from_millis(100), self.events.recv()).await else {
                continue;
            };
            match event.unwrap() {
                GroupEvent::Preparing(preparing) => preparing.join(vec![Subprotocol::new("sessioned", self.name)]),
                GroupEvent::Leading(leading) => {
                    let size = leading.members.len().to_string();
                    let assignment = |member: &caisson_kafka::MemberMetadata| MemberAssignment {
                        member_id: member.member_id.clone(),
                        assignment: size.clone().into_bytes(),
                    };
                    let assignments = leading.members.iter().map(assignment).collect();
                    leading.assign(assignments);
                }
                event => return event,
            }
        }
    }

    /// Until a generation has so many members; other events are told by their order.
    async fn joined(&mut self, members: usize) -> (Joined, Vec<String>) {
        let mut before = Vec::new();
        loop {
            match self.next().await {
                GroupEvent::Joined(joined) if joined.assignment == members.to_string().as_bytes() => {
                    return (joined, before);
                }
                GroupEvent::Joined(_) => before.push("joined".to_owned()),
                GroupEvent::Unreachable => before.push("unreachable".to_owned()),
                GroupEvent::Lost(loss) => before.push(format!("{loss:?}")),
                event => panic!("{}: {event:?}", self.name),
            }
        }
    }
}

fn a_short_silence_is_no_loss(proxied: &str, proxy: &Proxy) {
    block_on(async {
        let mut worker = Worker::start(proxied, "worker", &fresh("workers"));
        let (before, _) = worker.joined(1).await;
        proxy.set(Mode::Hang);
        tokio::time::sleep(Duration::from_millis(1500)).await;
        proxy.set(Mode::Pass);
        worker.member.join("look");
        let (after, between) = worker.joined(1).await;
        assert_eq!((&after.member_id, between), (&before.member_id, Vec::new()));
        worker.member.close("end").await;
    });
}

fn a_member_that_is_cut_off_stops_before_others_take_over(direct: &str, proxied: &str, proxy: &Proxy, mode: Mode) {
    let group = fresh("workers");
    block_on(async {
        let mut stays = Worker::start(direct, "stays", &group);
        stays.joined(1).await;
        let mut cut = Worker::start(proxied, "cut", &group);
        tokio::join!(stays.joined(2), cut.joined(2));
        proxy.set(mode);
        let lost = async {
            assert!(matches!(cut.next().await, GroupEvent::Unreachable), "unreachable first");
            let event = cut.next().await;
            assert!(matches!(event, GroupEvent::Lost(Loss::LeaseExpired)), "{event:?}");
            assert!(cut.member.lease().is_none());
            Instant::now()
        };
        let taken_over = async {
            stays.joined(1).await;
            Instant::now()
        };
        let (lost, taken_over) = tokio::join!(lost, taken_over);
        println!(
            "{mode:?}: lost {:?} before others took over",
            taken_over.duration_since(lost)
        );
        assert!(lost < taken_over);
        proxy.set(Mode::Pass);
        tokio::join!(stays.joined(2), cut.joined(2));
        cut.member.close("end").await;
        stays.joined(1).await;
        stays.member.close("end").await;
    });
}

fn a_coordinator_that_restarts_keeps_its_members_or_takes_them_anew(broker: &OwnBroker, direct: &str) {
    let group = fresh("workers");
    block_on(async {
        let mut one = Worker::start(direct, "one", &group);
        one.joined(1).await;
        let mut two = Worker::start(direct, "two", &group);
        tokio::join!(one.joined(2), two.joined(2));
        std::thread::scope(|scope| {
            let restart = scope.spawn(|| {
                broker.perform(&["kill-node", "1"]);
                broker.perform(&["start-node", "1"]);
            });
            restart.join().unwrap();
        });
        // Whatever happened meanwhile, a rebalance that somebody wants finds both.
        one.member.join("look");
        two.member.join("look");
        let ((first, _), (second, _)) = tokio::join!(one.joined(2), two.joined(2));
        println!(
            "after a restart in generations {} and {}",
            first.generation, second.generation
        );
    });
}
