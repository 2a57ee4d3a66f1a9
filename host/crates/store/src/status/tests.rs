//! What every status store does, and what the topic's records are, as recorded from Kafka Connect.

use std::sync::Arc;

use super::*;
use crate::log::fake::FakeTopic;

fn status<S>(state: S) -> Status<S> {
    at("w:8083", 0, state)
}

fn at<S>(worker_id: &str, generation: i32, state: S) -> Status<S> {
    Status {
        state,
        worker_id: worker_id.to_owned(),
        trace: None,
        version: None,
        generation,
    }
}

fn open(topic: &Arc<FakeTopic>) -> TopicStatusStore {
    let (store, reader) = TopicStatusStore::prepare();
    store(topic.open(reader))
}

enum Store {
    Memory(MemoryStatusStore),
    Topic(TopicStatusStore),
}

impl Store {
    fn all() -> [Store; 2] {
        [
            Store::Memory(MemoryStatusStore::new()),
            Store::Topic(open(&FakeTopic::new())),
        ]
    }

    fn get(&self) -> &dyn StatusStore {
        match self {
            Store::Memory(store) => store,
            Store::Topic(store) => store,
        }
    }

    /// Makes visible what was reported.
    async fn settle(&self) {
        match self {
            Store::Memory(_) => {}
            Store::Topic(store) => {
                store.flush().await;
                store.refresh().await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn tasks_are_those_of_the_connector_by_number() {
    for store in Store::all() {
        for id in [
            TaskId::new("c", 10),
            TaskId::new("c", 2),
            TaskId::new("c-2", 0),
            TaskId::new("b", 0),
        ] {
            store.get().put_task(&id, status(TaskState::Running));
        }
        store.settle().await;
        let numbers: Vec<u32> = store.get().tasks("c").into_iter().map(|(number, _)| number).collect();
        assert_eq!(numbers, [2, 10]);
        assert_eq!(store.get().connectors(), ["b", "c", "c-2"]);
    }
}

#[tokio::test]
async fn the_newest_status_counts() {
    for store in Store::all() {
        for state in [ConnectorState::Running, ConnectorState::Failed, ConnectorState::Paused] {
            store.get().put_connector("c", status(state));
        }
        store.settle().await;
        assert_eq!(store.get().connector("c"), Some(status(ConnectorState::Paused)));
    }
}

#[tokio::test]
async fn removing_a_connector_removes_its_tasks() {
    for store in Store::all() {
        store.get().put_connector("c", status(ConnectorState::Running));
        store.get().put_task(&TaskId::new("c", 0), status(TaskState::Running));
        store.get().put_task(&TaskId::new("d", 0), status(TaskState::Running));
        store.settle().await;
        store.get().remove_connector("c");
        store.settle().await;
        assert_eq!(store.get().connector("c"), None);
        assert!(store.get().tasks("c").is_empty());
        assert_eq!(store.get().tasks("d").len(), 1);
    }
}

#[tokio::test]
async fn first_use_of_a_topic_is_kept_until_reset() {
    let used = |task| TopicUse {
        connector: "c".to_owned(),
        topic: "t".to_owned(),
        task,
        discovered: 5,
    };
    for store in Store::all() {
        store.get().put_topic(used(0));
        store.settle().await;
        store.get().put_topic(used(1));
        store.settle().await;
        assert_eq!(store.get().topics("c"), [used(0)]);
        store.get().remove_topics("c");
        store.settle().await;
        assert!(store.get().topics("c").is_empty());
    }
}

#[tokio::test]
async fn who_lets_go_does_not_hide_the_next_owner() {
    let topic = FakeTopic::new();
    let (old, new) = (open(&topic), open(&topic));
    let id = TaskId::new("c", 0);
    new.put_task(&id, at("new", 7, TaskState::Running));
    new.put_connector("c", at("new", 7, ConnectorState::Running));
    new.flush().await;
    old.put_task(&id, at("old", 6, TaskState::Unassigned));
    old.put_connector("c", at("old", 0, ConnectorState::Unassigned));
    old.flush().await;
    for store in [&old, &new] {
        store.refresh().await.unwrap();
        assert_eq!(store.task(&id).unwrap().worker_id, "new");
        assert_eq!(store.connector("c").unwrap().worker_id, "new");
    }
    // Who has it says so.
    new.put_connector("c", at("new", 7, ConnectorState::Unassigned));
    new.flush().await;
    old.refresh().await.unwrap();
    assert_eq!(old.connector("c").unwrap().state, ConnectorState::Unassigned);
    // By now the old owner has seen that there is another.
    old.put_task(&id, at("old", 6, TaskState::Failed));
    old.flush().await;
    new.refresh().await.unwrap();
    assert_eq!(new.task(&id).unwrap().state, TaskState::Running);
}

#[tokio::test(start_paused = true)]
async fn a_status_waits_for_the_topic() {
    let topic = FakeTopic::new();
    let store = open(&topic);
    topic.set_down(true);
    store.put_connector("c", status(ConnectorState::Running));
    tokio::time::timeout(std::time::Duration::from_secs(60), store.flush())
        .await
        .expect_err("nothing can be written");
    store.put_connector("c", status(ConnectorState::Paused));
    topic.set_down(false);
    store.flush().await;
    store.refresh().await.unwrap();
    assert_eq!(store.connector("c"), Some(status(ConnectorState::Paused)));
    assert_eq!(
        topic.records().len(),
        1,
        "the older status was replaced while it waited"
    );
}

/// Key and value of whatever another program may write.
type Raw<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

#[tokio::test]
async fn foreign_records_are_passed_over() {
    let topic = FakeTopic::new();
    let garbage: [Raw; 8] = [
        (None, Some(b"{}")),
        (Some(b"\xff"), Some(b"{}")),
        (Some(b"status-what-c"), None),
        (Some(b"status-topic-t"), None),
        (Some(b"status-connector-c"), Some(b"nonsense")),
        (
            Some(b"status-connector-c"),
            Some(b"{\"state\":\"DANCING\",\"worker_id\":\"w\",\"generation\":1}"),
        ),
        (
            Some(b"status-task-c"),
            Some(b"{\"state\":\"RUNNING\",\"worker_id\":\"w\",\"generation\":1}"),
        ),
        (
            Some(b"status-task-c-0"),
            Some(b"{\"state\":\"RUNNING\",\"worker_id\":null,\"generation\":1}"),
        ),
    ];
    for (key, value) in garbage {
        topic.append(key.map(<[u8]>::to_vec), value.map(<[u8]>::to_vec));
    }
    let store = open(&topic);
    store.refresh().await.unwrap();
    assert!(store.connectors().is_empty());
}

#[test]
fn records_are_read_and_written_as_recorded() {
    for (id, key, value) in crate::vectors(&["topic-status-plain", "topic-status-eos"]) {
        let record = StatusRecord::read(Some(key.as_bytes()), value.as_deref().map(str::as_bytes)).unwrap();
        let (key_again, value_again) = record.write();
        assert_eq!(String::from_utf8(key_again).unwrap(), key, "{id}");
        assert_eq!(
            value_again.map(|value| String::from_utf8(value).unwrap()),
            value,
            "{id}"
        );
    }
}

#[test]
fn records_of_older_workers_have_no_version() {
    let value = br#"{"state":"RUNNING","trace":null,"worker_id":"w","generation":3,"more":[]}"#;
    let record = StatusRecord::read(Some(b"status-connector-c"), Some(value)).unwrap();
    let expected = StatusRecord::Connector {
        name: "c".to_owned(),
        status: Some(at("w", 3, ConnectorState::Running)),
    };
    assert_eq!(record, expected);
}
