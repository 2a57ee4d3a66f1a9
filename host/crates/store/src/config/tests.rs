//! What every config store does, and what the topic's records are, as recorded from Kafka Connect.

use serde_json::Value;

use super::*;
use crate::log::fake::FakeTopic;

fn config(value: &str) -> Config {
    Config::from([("a".to_owned(), Some(value.to_owned()))])
}

fn open(topic: &Arc<FakeTopic>) -> TopicConfigStore {
    let (store, reader) = TopicConfigStore::prepare();
    store(topic.open(reader))
}

/// One of each kind, and the lone leader of its cluster.
async fn stores() -> Vec<(&'static str, Box<dyn ConfigStore>)> {
    let topic = open(&FakeTopic::new());
    topic.claim().await.unwrap();
    vec![
        ("memory", Box::new(MemoryConfigStore::new())),
        ("topic", Box::new(topic)),
    ]
}

async fn put(store: &dyn ConfigStore, name: &str, config: Config, target: Option<TargetState>) {
    let name = name.into();
    let change = ConfigChange::PutConnector { name, config, target };
    store.write(change).await.unwrap();
}

async fn put_tasks(store: &dyn ConfigStore, name: &str, tasks: Vec<Config>) {
    let name = name.into();
    store.write(ConfigChange::PutTasks { name, tasks }).await.unwrap();
}

async fn put_target(store: &dyn ConfigStore, name: &str, target: TargetState) {
    let name = name.into();
    store.write(ConfigChange::PutTarget { name, target }).await.unwrap();
}

async fn remove(store: &dyn ConfigStore, name: &str) {
    store
        .write(ConfigChange::RemoveConnector { name: name.into() })
        .await
        .unwrap();
}

#[tokio::test]
async fn replacing_a_config_keeps_target_and_tasks() {
    for (kind, store) in stores().await {
        put(&*store, "c", config("1"), Some(TargetState::Paused)).await;
        put_tasks(&*store, "c", vec![config("t")]).await;
        let before = store.snapshot();
        put(&*store, "c", config("2"), None).await;
        let after = store.snapshot();
        let (old, new) = (before.get("c").unwrap(), after.get("c").unwrap());
        assert_eq!((new.target, new.tasks.len()), (TargetState::Paused, 1), "{kind}");
        assert_eq!(*new.config, config("2"), "{kind}");
        assert!(
            new.revision > old.revision && new.task_revision == old.task_revision,
            "{kind}"
        );
        assert_eq!(*old.config, config("1"), "{kind}: a snapshot never changes");
        assert_eq!(new.made_from.as_deref(), Some(&config("1")), "{kind}");
    }
}

#[tokio::test]
async fn a_stopped_connector_has_no_tasks_and_is_known_to_have_had_some() {
    for (kind, store) in stores().await {
        put(&*store, "c", config("1"), None).await;
        put_tasks(&*store, "c", vec![config("t"); 2]).await;
        let name: Arc<str> = "c".into();
        store.write(ConfigChange::StopConnector { name }).await.unwrap();
        let snapshot = store.snapshot();
        let entry = snapshot.get("c").unwrap();
        assert_eq!((entry.target, entry.tasks.len()), (TargetState::Stopped, 0), "{kind}");
        assert_eq!(entry.most_tasks, 2, "{kind}");
    }
}

#[tokio::test]
async fn what_is_said_of_a_removed_connector_has_no_effect() {
    for (kind, store) in stores().await {
        put(&*store, "c", config("1"), Some(TargetState::Stopped)).await;
        put_tasks(&*store, "c", vec![config("t")]).await;
        remove(&*store, "c").await;
        assert!(!store.snapshot().contains("c"), "{kind}");
        put_tasks(&*store, "c", vec![config("t")]).await;
        remove(&*store, "c").await;
        assert!(!store.snapshot().contains("c"), "{kind}");
        put(&*store, "c", config("2"), None).await;
        let snapshot = store.snapshot();
        let entry = snapshot.get("c").unwrap();
        assert_eq!((entry.target, entry.tasks.len()), (TargetState::Started, 0), "{kind}");
    }
}

#[tokio::test]
async fn new_task_configurations_make_fencing_due() {
    for (kind, store) in stores().await {
        let fencing = || store.snapshot().get("c").unwrap().fencing;
        put(&*store, "c", config("1"), None).await;
        assert_eq!(fencing(), Fencing::default(), "{kind}");
        put_tasks(&*store, "c", vec![config("t"); 3]).await;
        assert!(fencing().pending, "{kind}");
        let name: Arc<str> = "c".into();
        store
            .write(ConfigChange::PutTaskCount { name, tasks: 3 })
            .await
            .unwrap();
        let done = Fencing {
            pending: false,
            tasks: Some(3),
        };
        assert_eq!(fencing(), done, "{kind}");
        remove(&*store, "c").await;
        put(&*store, "c", config("2"), None).await;
        put_tasks(&*store, "c", Vec::new()).await;
        let due = Fencing {
            pending: true,
            tasks: Some(3),
        };
        assert_eq!(
            fencing(),
            due,
            "{kind}: producers outlive the connector's configuration"
        );
    }
}

#[tokio::test]
async fn wishes_and_the_session_key_are_seen() {
    for (kind, store) in stores().await {
        let mut watch = store.watch();
        put(&*store, "c", config("1"), None).await;
        let restart = ConfigChange::Restart {
            name: "c".into(),
            only_failed: true,
            include_tasks: false,
        };
        store.write(restart).await.unwrap();
        let level = ConfigChange::PutLevel {
            logger: "root".to_owned(),
            level: "debug".to_owned(),
        };
        store.write(level).await.unwrap();
        let key = SessionKey {
            key: vec![1, 2, 3],
            algorithm: "HmacSHA256".to_owned(),
            created: 5,
        };
        store.write(ConfigChange::PutSessionKey(key.clone())).await.unwrap();
        let snapshot = watch.borrow_and_update().clone();
        let wish = snapshot.restarts["c"];
        assert!(wish.only_failed && !wish.include_tasks, "{kind}");
        assert_eq!(snapshot.levels["root"].level, "debug", "{kind}");
        assert_eq!(snapshot.session_key.as_deref(), Some(&key), "{kind}");
        assert!(!format!("{key:?}").contains("[1, 2, 3]"), "a key is never shown");
    }
}

#[tokio::test]
async fn all_workers_see_the_same() {
    let topic = FakeTopic::new();
    let (leader, follower) = (open(&topic), open(&topic));
    leader.claim().await.unwrap();
    put(&leader, "c", config("1"), None).await;
    put_tasks(&leader, "c", vec![config("t0"), config("t1")]).await;
    put_target(&follower, "c", TargetState::Paused).await;
    put(&leader, "d", config("1"), None).await;
    remove(&leader, "d").await;
    follower.refresh().await.unwrap();
    assert_eq!(follower.snapshot(), leader.snapshot());
    assert_eq!(follower.snapshot().get("c").unwrap().target, TargetState::Paused);
    assert_eq!(follower.snapshot().offset, topic.records().len() as i64);
}

#[tokio::test]
async fn a_former_leader_cannot_write() {
    let topic = FakeTopic::new();
    let (old, new) = (open(&topic), open(&topic));
    old.claim().await.unwrap();
    put(&old, "c", config("1"), None).await;
    new.claim().await.unwrap();
    let change = ConfigChange::RemoveConnector { name: "c".into() };
    assert!(matches!(old.write(change).await, Err(Error::Fenced)));
    put_target(&old, "c", TargetState::Paused).await;
    new.refresh().await.unwrap();
    assert_eq!(new.snapshot().get("c").unwrap().target, TargetState::Paused);
}

#[tokio::test]
async fn a_change_that_was_not_written_is_told() {
    let topic = FakeTopic::new();
    let store = open(&topic);
    store.claim().await.unwrap();
    topic.set_down(true);
    let change = ConfigChange::PutConnector {
        name: "c".into(),
        config: config("1"),
        target: None,
    };
    let error = store.write(change).await.unwrap_err();
    assert_eq!(error.to_string(), "Error writing connector configuration to Kafka");
}

/// Reads records that stand in a topic, `None` for tombstones.
fn read(records: &[(&str, Option<&str>)]) -> Arc<ConfigSnapshot> {
    let mut state = State::default();
    for (offset, (key, value)) in (0..).zip(records) {
        let record = ConfigRecord::read(Some(key.as_bytes()), value.map(str::as_bytes)).unwrap();
        state.apply(record, offset);
    }
    state.snapshot().clone()
}

const CONFIG: Option<&str> = Some(r#"{"properties":{"a":"1"}}"#);

#[test]
fn task_configurations_take_effect_together() {
    let before = [("connector-c", CONFIG), ("task-c-0", CONFIG), ("task-c-1", CONFIG)];
    assert!(read(&before).get("c").unwrap().tasks.is_empty());
    let mut after = before.to_vec();
    after.push(("commit-c", Some(r#"{"tasks":2}"#)));
    assert_eq!(read(&after).get("c").unwrap().tasks.len(), 2);
}

#[test]
fn compaction_may_leave_a_commit_without_its_tasks() {
    let torn = [
        ("connector-c", CONFIG),
        ("task-c-1", CONFIG),
        ("commit-c", Some(r#"{"tasks":2}"#)),
    ];
    assert!(read(&torn).get("c").unwrap().tasks.is_empty());
    let leftover = [
        ("task-c-1", CONFIG),
        ("connector-c", CONFIG),
        ("task-c-0", CONFIG),
        ("commit-c", Some(r#"{"tasks":1}"#)),
    ];
    assert_eq!(read(&leftover).get("c").unwrap().tasks.len(), 1);
}

#[test]
fn tasks_of_a_deleted_connector_are_forgotten() {
    let records = [
        ("task-c-0", CONFIG),
        ("commit-c", Some(r#"{"tasks":1}"#)),
        ("connector-c", None),
        ("connector-c", CONFIG),
        ("commit-c", Some(r#"{"tasks":1}"#)),
    ];
    assert!(read(&records).get("c").unwrap().tasks.is_empty());
}

#[test]
fn target_states_of_older_workers_count() {
    let with = |value: Option<&str>| {
        let records = [("connector-c", CONFIG), ("target-state-c", value)];
        read(&records).get("c").unwrap().target
    };
    assert_eq!(with(Some(r#"{"state":"PAUSED"}"#)), TargetState::Paused);
    assert_eq!(
        with(Some(r#"{"state":"PAUSED","state.v2":"STOPPED"}"#)),
        TargetState::Stopped
    );
    assert_eq!(
        with(Some(r#"{"state":"PAUSED","state.v2":"DANCING"}"#)),
        TargetState::Paused
    );
    assert_eq!(with(None), TargetState::Started);
    let first = [
        ("target-state-c", Some(r#"{"state":"PAUSED"}"#)),
        ("connector-c", CONFIG),
    ];
    assert_eq!(read(&first).get("c").unwrap().target, TargetState::Paused);
}

/// Key and value of whatever another program may write.
type Raw<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

#[tokio::test]
async fn foreign_records_are_passed_over() {
    let topic = FakeTopic::new();
    let garbage: [Raw; 12] = [
        (None, None),
        (None, Some(b"x")),
        (Some(b"\xff\xfe"), Some(b"{}")),
        (Some(b"what-is-this"), Some(b"{}")),
        (Some(b"connector-x"), Some(b"not json")),
        (Some(b"connector-x"), Some(b"{\"properties\":{\"a\":5}}")),
        (Some(b"connector-x"), Some(b"[]")),
        (Some(b"task-x"), Some(b"{\"properties\":{}}")),
        (Some(b"task-x-99999999999"), Some(b"{\"properties\":{}}")),
        (Some(b"commit-x"), Some(b"{\"tasks\":-1}")),
        (Some(b"commit-x"), Some(b"{\"tasks\":99999999}")),
        (
            Some(b"session-key"),
            Some(b"{\"key\":\"?\",\"algorithm\":\"a\",\"creation-timestamp\":1}"),
        ),
    ];
    for (key, value) in garbage {
        topic.append(key.map(<[u8]>::to_vec), value.map(<[u8]>::to_vec));
    }
    let store = open(&topic);
    store.claim().await.unwrap();
    put(&store, "c", config("1"), None).await;
    let names: Vec<String> = store.snapshot().names().map(ToString::to_string).collect();
    assert_eq!(names, ["c"]);
    assert_eq!(store.snapshot().offset, garbage.len() as i64 + 1);
}

#[tokio::test]
async fn of_a_topic_that_was_made_anew_nothing_is_forgotten_and_to_it_nothing_is_written() {
    let topic = FakeTopic::new();
    let store = open(&topic);
    store.claim().await.unwrap();
    put(&store, "c", config("1"), None).await;
    let before = store.snapshot();
    topic.make_anew();
    store.refresh().await.unwrap();
    assert_eq!(store.snapshot(), before);
    let change = ConfigChange::RemoveConnector { name: "c".into() };
    assert!(matches!(store.write(change).await, Err(Error::NotWritten(_))));
    assert_eq!(topic.records(), []);
    // Who starts now begins with what is there.
    let later = open(&topic);
    later.claim().await.unwrap();
    put(&later, "d", config("1"), None).await;
    assert!(later.snapshot().contains("d") && !later.snapshot().contains("c"));
}

#[test]
fn records_are_read_and_written_as_recorded() {
    let mut kinds = std::collections::BTreeSet::new();
    for (id, key, value) in crate::vectors(&["topic-config-plain", "topic-config-eos"]) {
        let record = ConfigRecord::read(Some(key.as_bytes()), value.as_deref().map(str::as_bytes)).unwrap();
        kinds.insert(format!("{record:?}").split([' ', '(']).next().unwrap().to_owned());
        let (key_again, value_again) = record.write();
        assert_eq!(String::from_utf8(key_again).unwrap(), key, "{id}");
        let text_again = value_again.map(|value| String::from_utf8(value).unwrap());
        let parsed = |text: &Option<String>| text.as_deref().map(|text| serde_json::from_str::<Value>(text).unwrap());
        // The order of properties is that of a Java hash map, and free; all else is compared as bytes.
        if value.as_deref().is_some_and(|value| value.contains("properties")) {
            assert_eq!(parsed(&text_again), parsed(&value), "{id}");
        } else {
            assert_eq!(text_again, value, "{id}");
        }
    }
    assert_eq!(kinds.len(), 8, "one kind of record is missing: {kinds:?}");
}
