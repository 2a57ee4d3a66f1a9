use std::collections::BTreeMap;

use caisson_model::TaskId;
use caisson_store::{BoxFuture, Config, ConfigChange, ConfigStore, MemoryConfigStore, MemoryStatusStore};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::*;
use crate::assignor::Item;
use crate::fake::{FakeWorker, SINK};
use crate::node::{Grant, Leader, NodeOptions, NodeParts};

/// A leader that answers as often as it is allowed to.
struct Slow {
    configs: Arc<MemoryConfigStore>,
    asked: watch::Sender<usize>,
    allowed: Semaphore,
}

impl Leader for Slow {
    fn put_task_configs(&self, name: Arc<str>, tasks: Vec<Config>, _: u64) -> BoxFuture<'_, Result<(), Error>> {
        self.asked.send_modify(|asked| *asked += 1);
        Box::pin(async {
            self.allowed.acquire().await.expect("it is never closed").forget();
            Ok(self.configs.write(ConfigChange::PutTasks { name, tasks }).await?)
        })
    }

    fn fence_zombies(&self, _name: Arc<str>) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }
}

struct Bench {
    node: Arc<Node>,
    worker: Arc<FakeWorker>,
    leader: Arc<Slow>,
}

/// A node whose connector `c` waits for the leader.
async fn bench() -> Bench {
    let (worker, events) = FakeWorker::new();
    let configs = Arc::new(MemoryConfigStore::new());
    let leader = Arc::new(Slow {
        configs: configs.clone(),
        asked: watch::Sender::new(0),
        allowed: Semaphore::new(0),
    });
    let parts = NodeParts {
        worker: worker.clone(),
        events,
        configs: configs.clone(),
        statuses: Arc::new(MemoryStatusStore::new()),
        leader: leader.clone(),
    };
    let options = NodeOptions {
        worker_id: "here:8083".to_owned(),
        topic_tracking: true,
        topic_tracking_reset: true,
        exactly_once: false,
    };
    let pairs = [("name", "c"), ("connector.class", SINK), ("topics", "t")];
    let config: BTreeMap<String, Option<String>> = pairs
        .into_iter()
        .map(|(key, value)| (key.to_owned(), Some(value.to_owned())))
        .collect();
    let change = ConfigChange::PutConnector {
        name: "c".into(),
        config,
        target: None,
    };
    configs.write(change).await.unwrap();
    let bench = Bench {
        node: Node::start(parts, options, Grant::Everything),
        worker,
        leader,
    };
    bench.node.changed("c");
    bench.asked(1).await;
    bench
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(5), what)
        .await
        .expect("it takes no five seconds")
}

impl Bench {
    /// Until the leader was asked so often.
    async fn asked(&self, times: usize) {
        let mut asked = self.leader.asked.subscribe();
        soon(asked.wait_for(|asked| *asked >= times)).await.unwrap();
    }
}

#[tokio::test]
async fn whoever_waits_for_the_leader_holds_up_nobody_who_waits_for_stops() {
    let bench = bench().await;
    soon(bench.node.settle_stops()).await;
    // Its wait went on: it has not asked again, and the one answer is enough.
    bench.leader.allowed.add_permits(1);
    soon(bench.node.settle("c")).await;
    assert_eq!(*bench.leader.asked.borrow(), 1);
    assert_eq!(bench.node.entry("c").unwrap().tasks.len(), 1);
}

#[tokio::test]
async fn a_connector_that_waits_for_the_leader_stops_when_it_is_taken_away_and_asks_again_when_it_is_back() {
    let bench = bench().await;
    bench.worker.commands();
    bench.node.grant(Grant::Nothing, 1);
    soon(bench.node.settle_stops()).await;
    assert!(
        bench.worker.commands().iter().any(|command| command == "stop c"),
        "the connector was not stopped"
    );
    let items = [Item::Connector("c".into()), Item::Task(TaskId::new("c", 0))];
    let back = Grant::Items {
        items: items.into_iter().collect(),
        offset: i64::MAX,
    };
    bench.node.grant(back, 2);
    bench.asked(2).await;
    bench.leader.allowed.add_permits(2);
    soon(bench.node.settle("c")).await;
    assert_eq!(bench.node.entry("c").unwrap().tasks.len(), 1);
}

#[tokio::test]
async fn a_restart_is_taken_while_the_leader_is_waited_for() {
    let bench = bench().await;
    soon(bench.node.restart("c", true, Vec::new())).await.unwrap();
    bench.asked(2).await;
    bench.leader.allowed.add_permits(1);
    soon(bench.node.settle("c")).await;
    bench.node.begin_restart("c", true, Vec::new()).await;
    soon(bench.node.settle("c")).await;
    assert_eq!(*bench.leader.asked.borrow(), 2, "they are known to be written down");
}

#[tokio::test]
async fn offsets_that_are_to_change_meanwhile_wait_and_are_refused_afterwards() {
    let bench = bench().await;
    let node = bench.node.clone();
    let changed = tokio::spawn(async move { node.change_offsets("c", OffsetCommand::Reset).await });
    soon(bench.node.settle_stops()).await;
    bench.leader.allowed.add_permits(1);
    let outcome = soon(changed).await.unwrap();
    assert!(outcome.is_err(), "{outcome:?}");
}
