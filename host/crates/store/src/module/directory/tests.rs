use super::*;

async fn uploaded(store: &DirectoryModuleStore, bytes: &[u8]) -> Spooled {
    let mut upload = store.begin(1 << 20).await.unwrap();
    for piece in bytes.chunks(3) {
        upload.write(piece).await.unwrap();
    }
    upload.finish().await.unwrap()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "lock")
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_was_published_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = DirectoryModuleStore::open(directory.path()).unwrap();
    let upload = uploaded(&store, b"some module").await;
    let digest = upload.digest;
    assert_eq!(digest, Digest::of(b"some module"));
    assert_eq!(store.publish(upload, "m".to_owned()).await.unwrap(), Published::New);
    let again = uploaded(&store, b"some module").await;
    assert_eq!(store.publish(again, "m".to_owned()).await.unwrap(), Published::Known);
    let modules = store.modules();
    drop(store);
    let store = DirectoryModuleStore::open(directory.path()).unwrap();
    assert_eq!(store.modules(), modules);
    assert_eq!(fs::read(store.file(digest).unwrap()).unwrap(), b"some module");
    assert!(store.remove(digest).await.unwrap());
    assert!(!store.remove(digest).await.unwrap());
    assert_eq!((store.file(digest), names(directory.path())), (None, Vec::new()));
}

#[tokio::test]
async fn what_was_not_published_is_garbage() {
    let directory = tempfile::tempdir().unwrap();
    let store = DirectoryModuleStore::open(directory.path()).unwrap();
    let given_up = uploaded(&store, b"given up").await;
    assert_eq!(names(directory.path()).len(), 1);
    drop(given_up);
    assert_eq!(names(directory.path()), Vec::<String>::new());
    // As a crash leaves it: half an upload, bytes without an entry, half an entry, an entry without bytes.
    let digest = Digest::of(b"x");
    let alone = Digest::of(b"alone");
    for name in [
        "upload-0.partial".to_owned(),
        format!("{digest}.wasm"),
        format!("{digest}.json.partial"),
        "bindings.json.partial".to_owned(),
    ] {
        fs::write(directory.path().join(name), b"x").unwrap();
    }
    let module = StoredModule {
        digest: alone,
        name: String::new(),
        size: 5,
        uploaded: 0,
    };
    fs::write(directory.path().join(entry_name(alone)), json(&module).unwrap()).unwrap();
    drop(store);
    let store = DirectoryModuleStore::open(directory.path()).unwrap();
    assert_eq!(store.modules(), Vec::new());
    assert_eq!(names(directory.path()), [entry_name(alone)]);
}

#[tokio::test]
async fn an_upload_ends_at_its_limit() {
    let directory = tempfile::tempdir().unwrap();
    let store = DirectoryModuleStore::open(directory.path()).unwrap();
    let mut upload = store.begin(10).await.unwrap();
    upload.write(&[0; 10]).await.unwrap();
    let refused = upload.write(&[0]).await.unwrap_err();
    assert!(matches!(refused, Error::ModuleTooLarge { limit: 10 }), "{refused}");
    drop(upload);
    assert_eq!(names(directory.path()), Vec::<String>::new());
}

#[tokio::test]
async fn bindings_follow_each_other_and_outlive_the_worker() {
    let directory = tempfile::tempdir().unwrap();
    let store = DirectoryModuleStore::open(directory.path()).unwrap();
    let first = History::default().next(Some(Digest::of(b"1")), Some("1".to_owned()), "me", None);
    store.bind("c".to_owned(), first.clone()).await.unwrap();
    let refused = store.bind("c".to_owned(), first.clone()).await.unwrap_err();
    assert!(matches!(refused, Error::Superseded { generation: 1 }), "{refused}");
    let second = store.bindings()["c"].next(None, None, "rollback", Some("it trapped".to_owned()));
    store.bind("c".to_owned(), second.clone()).await.unwrap();
    drop(store);
    let store = DirectoryModuleStore::open(directory.path()).unwrap();
    assert_eq!(store.bindings()["c"].all(), [first, second]);
    let locked = DirectoryModuleStore::open(directory.path()).err().unwrap();
    assert!(matches!(locked, Error::ModulesLocked { .. }), "{locked}");
}

#[test]
fn bindings_that_cannot_be_read_stop_the_start() {
    let directory = tempfile::tempdir().unwrap();
    for garbage in [
        "",
        "{",
        "[]",
        r#"{"format":2,"classes":{}}"#,
        r#"{"format":1,"classes":{"c":[{}]}}"#,
    ] {
        fs::write(directory.path().join(BINDINGS), garbage).unwrap();
        let refused = DirectoryModuleStore::open(directory.path()).err().unwrap();
        assert!(matches!(refused, Error::BindingsCorrupt { .. }), "{garbage}: {refused}");
    }
}
