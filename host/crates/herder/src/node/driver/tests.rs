use std::collections::BTreeMap;

use caisson_model::{Failure, TaskId};
use caisson_store::{BoxFuture, Config, ConfigChange, ConfigStore, MemoryConfigStore, MemoryStatusStore};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::*;
use crate::assignor::Item;
use crate::fake::{FakeWorker, SINK};
use crate::node::{Grant, Leader, NodeOptions, NodeParts};
use crate::worker::WorkerEvent;

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
    bench_with(&[]).await
}

/// As [`bench`], with these settings besides.
async fn bench_with(settings: &[(&str, &str)]) -> Bench {
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
        .iter()
        .chain(settings)
        .map(|(key, value)| ((*key).to_owned(), Some((*value).to_owned())))
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

    /// The worker says that the task has failed; the trace that its status shows.
    async fn task_fails(&self) -> String {
        let id = TaskId::new("c", 0);
        self.worker
            .tell(WorkerEvent::TaskStatus {
                id: id.clone(),
                state: TaskState::Failed,
                failure: Some(Failure::host("out of luck")),
                version: None,
            })
            .await;
        let failed = || {
            let status = self.node.statuses().task(&id)?;
            (status.state == TaskState::Failed).then_some(status.trace)?
        };
        until(failed).await
    }

    async fn target(&self, target: TargetState) {
        let name = "c".into();
        let change = ConfigChange::PutTarget { name, target };
        self.leader.configs.write(change).await.unwrap();
        self.node.changed("c");
        soon(self.node.settle("c")).await;
    }

    async fn task_runs(&self) {
        let running = || {
            let status = self.node.statuses().task(&TaskId::new("c", 0))?;
            (status.state == TaskState::Running).then_some(())
        };
        until(running).await;
    }
}

/// Looks again and again, while nothing else happens.
async fn until<T>(mut condition: impl FnMut() -> Option<T>) -> T {
    let met = async {
        loop {
            match condition() {
                Some(met) => return met,
                None => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    };
    soon(met).await
}

#[tokio::test(start_paused = true)]
async fn what_has_failed_is_restarted_as_often_as_the_connector_wants() {
    let bench = bench_with(&[("errors.restart.attempts", "2")]).await;
    bench.leader.allowed.add_permits(1);
    bench.task_runs().await;
    bench.worker.commands();
    for attempt in 1..=2 {
        let trace = bench.task_fails().await;
        let told = format!("(attempt {attempt} of 2)");
        assert!(trace.starts_with("out of luck") && trace.ends_with(&told), "{trace}");
        bench.task_runs().await;
        assert_eq!(bench.worker.commands(), ["stop c-0", "start c-0"]);
    }
    let trace = bench.task_fails().await;
    assert!(trace.ends_with("(attempts in a row: 2)"), "{trace}");
    // No clock is waited for: this is as long as it takes until nothing is left to do.
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(bench.worker.commands(), Vec::<String>::new());
    soon(bench.node.restart("c", false, vec![0])).await.unwrap();
    bench.task_runs().await;
    let trace = bench.task_fails().await;
    assert!(trace.ends_with("(attempt 1 of 2)"), "{trace}");
}

#[tokio::test(start_paused = true)]
async fn a_connector_that_cannot_start_is_tried_again_and_what_is_paused_waits() {
    let bench = bench_with(&[("errors.restart.attempts", "-1")]).await;
    bench.leader.allowed.add_permits(9);
    bench.task_runs().await;
    bench.worker.set_failing("c", true);
    let failed = bench.node.restart("c", true, Vec::new()).await;
    assert!(failed.is_err());
    let trace = bench.node.statuses().connector("c").unwrap().trace.unwrap();
    assert!(trace.ends_with("(attempt 1)"), "{trace}");
    bench.target(TargetState::Paused).await;
    bench.worker.commands();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(bench.worker.commands(), Vec::<String>::new());
    bench.worker.set_failing("c", false);
    bench.target(TargetState::Started).await;
    until(|| {
        let status = bench.node.statuses().connector("c")?;
        (status.state == ConnectorState::Running).then_some(())
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn without_a_word_of_restarts_nothing_is_restarted() {
    let bench = bench().await;
    bench.leader.allowed.add_permits(1);
    bench.task_runs().await;
    bench.worker.commands();
    let trace = bench.task_fails().await;
    assert_eq!(trace, "out of luck [host]");
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(bench.worker.commands(), Vec::<String>::new());
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
