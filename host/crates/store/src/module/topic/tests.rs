use super::*;
use crate::log::fake::FakeTopic;
use crate::module::CanaryStage;

struct Worker {
    store: TopicModuleStore,
    directory: tempfile::TempDir,
}

async fn open(topic: &Arc<FakeTopic>, directory: tempfile::TempDir) -> Worker {
    let local = DirectoryModuleStore::open(directory.path()).unwrap();
    let (store, hand) = TopicModuleStore::prepare(local);
    let log = topic.open(hand);
    log.read_to_end().await.unwrap();
    Worker {
        store: store(log),
        directory,
    }
}

async fn worker(topic: &Arc<FakeTopic>) -> Worker {
    open(topic, tempfile::tempdir().unwrap()).await
}

impl Worker {
    async fn upload(&self, bytes: &[u8]) -> Result<(Digest, Published), Error> {
        let mut upload = self.store.begin(MOST_BYTES).await?;
        upload.write(bytes).await?;
        let spooled = upload.finish().await?;
        let digest = spooled.digest;
        Ok((digest, self.store.publish(spooled, "m".to_owned()).await?))
    }

    fn bytes(&self, digest: Digest) -> Option<Vec<u8>> {
        self.store.file(digest).map(|file| fs::read(file).unwrap())
    }
}

/// More than one window of chunks, and no whole number of them.
fn large() -> Vec<u8> {
    (0..CHUNK * (WINDOW + 1) + 77).map(|at| (at / 7) as u8).collect()
}

#[tokio::test]
async fn what_one_worker_uploads_every_worker_has_also_one_that_joins_later() {
    let topic = FakeTopic::new();
    let (one, other) = (worker(&topic).await, worker(&topic).await);
    let mut changes = other.store.changes().unwrap();
    let bytes = large();
    let (digest, published) = one.upload(&bytes).await.unwrap();
    assert_eq!(published, Published::New);
    other.store.refresh().await.unwrap();
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    assert_eq!(other.bytes(digest), Some(bytes.clone()));
    assert_eq!(other.upload(&bytes).await.unwrap(), (digest, Published::Known));
    let late = worker(&topic).await;
    assert_eq!(
        (late.bytes(digest), late.store.modules()),
        (Some(bytes), one.store.modules())
    );

    // One that was away while the module was removed has it no more.
    let Worker { store, directory } = late;
    drop(store);
    assert!(one.store.remove(digest).await.unwrap());
    other.store.refresh().await.unwrap();
    let late = open(&topic, directory).await;
    assert_eq!((other.bytes(digest), late.bytes(digest)), (None, None));
    assert!(!late.store.remove(digest).await.unwrap());
}

#[tokio::test]
async fn half_an_upload_is_no_module_and_the_next_one_completes_it() {
    let topic = FakeTopic::new();
    let bytes = large();
    let digest = Digest::of(&bytes);
    topic.append(Some(Key::Chunk(digest, 0).write()), Some(bytes[..CHUNK].to_vec()));
    let one = worker(&topic).await;
    assert_eq!((one.store.modules(), one.bytes(digest)), (Vec::new(), None));
    assert_eq!(one.upload(&bytes).await.unwrap().1, Published::New);
    assert_eq!(worker(&topic).await.bytes(digest), Some(bytes));
}

#[tokio::test]
async fn what_an_upload_without_an_end_has_left_is_removed_after_a_while() {
    let topic = FakeTopic::new();
    let bytes = large();
    let digest = Digest::of(&bytes);
    let chunk = |number| Key::Chunk(digest, number).write();
    for number in [0, 1] {
        topic.append(Some(chunk(number)), Some(bytes[..CHUNK].to_vec()));
    }
    let one = worker(&topic).await;
    // It may still go on.
    one.store.tidy().await.unwrap();
    assert_eq!(topic.records().len(), 2);
    one.store.tidy_up(Duration::ZERO).await.unwrap();
    let removed = [0, 1].map(|number| (Some(chunk(number)), None));
    let last: Vec<_> = topic.records()[2..]
        .iter()
        .map(|record| (record.key.clone(), record.value.clone()))
        .collect();
    assert_eq!(last, removed);
    one.store.refresh().await.unwrap();
    one.store.tidy_up(Duration::ZERO).await.unwrap();
    assert_eq!(topic.records().len(), 4);
    assert_eq!(one.upload(&bytes).await.unwrap().1, Published::New);
    assert_eq!(worker(&topic).await.bytes(digest), Some(bytes));
}

#[tokio::test]
async fn what_does_not_fit_its_digest_is_discarded_and_the_rest_is_read() {
    let topic = FakeTopic::new();
    let digest = Digest::of(b"true");
    let entry = |digest| {
        let module = StoredModule {
            digest,
            name: String::new(),
            size: 4,
            uploaded: 0,
        };
        serde_json::to_vec(&module).unwrap()
    };
    topic.append(None, None);
    topic.append(Some(b"\xff/x".to_vec()), Some(Vec::new()));
    topic.append(Some(b"chunk/xyz/0".to_vec()), Some(Vec::new()));
    topic.append(Some(Key::Chunk(digest, u64::MAX).write()), Some(b"x".to_vec()));
    topic.append(Some(Key::Chunk(digest, 0).write()), Some(vec![0; CHUNK + 1]));
    topic.append(Some(Key::Chunk(digest, 0).write()), Some(b"liar".to_vec()));
    topic.append(Some(Key::Module(digest).write()), Some(entry(digest)));
    topic.append(
        Some(Key::Module(Digest::of(b"no chunks")).write()),
        Some(entry(Digest::of(b"no chunks"))),
    );
    topic.append(Some(Key::Module(digest).write()), Some(b"{".to_vec()));
    topic.append(Some(Key::Binding("c".to_owned()).write()), Some(b"[{}]".to_vec()));
    let one = worker(&topic).await;
    assert_eq!((one.store.modules(), one.store.bindings().len()), (Vec::new(), 0));
    let (digest, _) = one.upload(b"true").await.unwrap();
    assert_eq!(worker(&topic).await.bytes(digest), Some(b"true".to_vec()));
}

#[tokio::test]
async fn of_two_bindings_of_one_generation_one_is_refused() {
    let topic = FakeTopic::new();
    let (one, other) = (worker(&topic).await, worker(&topic).await);
    let next = History::default().next(None, None, "one", None);
    one.store.bind("c".to_owned(), next.clone()).await.unwrap();
    let late = History::default().next(None, None, "other", None);
    let refused = other.store.bind("c".to_owned(), late).await.unwrap_err();
    assert!(matches!(refused, Error::Superseded { generation: 1 }), "{refused}");
    assert_eq!(other.store.bindings()["c"].all(), [next]);
    topic.set_down(true);
    let next = one.store.bindings()["c"].next(None, None, "one", None);
    assert!(matches!(
        one.store.bind("c".to_owned(), next).await,
        Err(Error::NotWritten("binding"))
    ));
    assert!(matches!(one.upload(b"x").await, Err(Error::NotWritten("module"))));
    topic.set_down(false);
    assert_eq!(one.upload(b"x").await.unwrap().1, Published::New);
}

#[tokio::test]
async fn what_one_task_tries_is_known_to_every_worker_and_its_end_too() {
    let topic = FakeTopic::new();
    topic.append(Some(Key::Canary("c".to_owned()).write()), Some(b"{".to_vec()));
    let (one, other) = (worker(&topic).await, worker(&topic).await);
    assert!(one.store.canaries().is_empty());
    let offered = Canary {
        id: 1,
        module: Digest::of(b"new"),
        version: None,
        task: "t-0".to_owned(),
        by: "me".to_owned(),
        generation: 1,
        stage: CanaryStage::Offered,
    };
    one.store
        .set_canary("c".to_owned(), Some(offered.clone()))
        .await
        .unwrap();
    other.store.refresh().await.unwrap();
    assert_eq!(other.store.canaries()["c"], offered);
    let on = offered.at(CanaryStage::Probation);
    other.store.set_canary("c".to_owned(), Some(on.clone())).await.unwrap();
    one.store.refresh().await.unwrap();
    assert_eq!(one.store.canaries()["c"], on);
    assert_eq!(worker(&topic).await.store.canaries()["c"], on);
    one.store.set_canary("c".to_owned(), None).await.unwrap();
    assert!(worker(&topic).await.store.canaries().is_empty());
    topic.set_down(true);
    let failed = one.store.set_canary("c".to_owned(), Some(on)).await;
    assert!(matches!(failed, Err(Error::NotWritten("canary"))));
}
