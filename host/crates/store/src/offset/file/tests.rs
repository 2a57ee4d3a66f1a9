use super::*;
use crate::OffsetKey;

fn key(connector: &str, file: &str) -> Vec<u8> {
    OffsetKey::new(connector, &format!("{{\"filename\":\"{file}\"}}"))
        .unwrap()
        .to_bytes()
}

#[tokio::test]
async fn offsets_outlive_the_process() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("connect.offsets");
    let store = FileOffsetStore::open(&file).unwrap();
    store
        .put(vec![(key("c", "a"), Some(b"{\"position\":1}".to_vec()))])
        .await
        .unwrap();
    store
        .put(vec![
            (key("c", "b"), Some(b"{\"position\":2}".to_vec())),
            (key("c", "a"), None),
        ])
        .await
        .unwrap();

    let store = FileOffsetStore::open(&file).unwrap();
    let values = store.get(vec![key("c", "a"), key("c", "b")]).await.unwrap();
    assert_eq!(values, [None, Some(b"{\"position\":2}".to_vec())]);
    assert_eq!(
        fs::read_dir(directory.path()).unwrap().count(),
        1,
        "no temporary file stays behind"
    );
}

#[tokio::test]
async fn entries_are_those_of_the_connector() {
    let directory = tempfile::tempdir().unwrap();
    let store = FileOffsetStore::open(directory.path().join("o")).unwrap();
    let value = || Some(b"{\"position\":1}".to_vec());
    let foreign = (b"not a key".to_vec(), value());
    store
        .put(vec![(key("c", "a"), value()), (key("cc", "a"), value()), foreign])
        .await
        .unwrap();
    let entries = store.entries("c").await.unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].partition, serde_json::json!({"filename": "a"}));
    assert_eq!(entries[0].offset, serde_json::json!({"position": 1}));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_at_once_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("o");
    let store = Arc::new(FileOffsetStore::open(&file).unwrap());
    let writers: Vec<_> = (0..50)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.put(vec![(key("c", &n.to_string()), Some(b"{}".to_vec()))]).await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(
        FileOffsetStore::open(&file).unwrap().entries("c").await.unwrap().len(),
        50
    );
}

#[test]
fn missing_directory_is_named() {
    let error = FileOffsetStore::open("/no/such/directory/offsets").unwrap_err();
    assert!(
        matches!(&error, Error::DirectoryMissing { directory, .. } if directory == Path::new("/no/such/directory"))
    );
    assert!(error.to_string().contains("create it"), "{error}");
}

#[test]
fn directory_in_place_of_the_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    assert!(matches!(
        FileOffsetStore::open(directory.path()),
        Err(Error::IsDirectory { .. })
    ));
}

#[test]
fn garbage_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("o");
    fs::write(&file, "position=5\n").unwrap();
    assert!(matches!(
        FileOffsetStore::open(&file),
        Err(Error::Corrupt { at: 0, .. })
    ));
    assert_eq!(fs::read_to_string(&file).unwrap(), "position=5\n");
}

#[tokio::test]
async fn failed_write_is_made_good_by_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let inside = directory.path().join("inside");
    fs::create_dir(&inside).unwrap();
    let store = FileOffsetStore::open(inside.join("o")).unwrap();
    fs::remove_dir(&inside).unwrap();
    let failed = store.put(vec![(key("c", "a"), Some(b"{}".to_vec()))]).await;
    assert!(matches!(failed, Err(Error::DirectoryMissing { .. })), "{failed:?}");

    fs::create_dir(&inside).unwrap();
    store.put(vec![(key("c", "b"), Some(b"{}".to_vec()))]).await.unwrap();
    assert_eq!(
        FileOffsetStore::open(inside.join("o"))
            .unwrap()
            .entries("c")
            .await
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn full_disk_says_so() {
    // /dev/full is the one full disk that every machine has; the temporary file stands in for it here.
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("o");
    let store = FileOffsetStore::open(&file).unwrap();
    std::os::unix::fs::symlink("/dev/full", directory.path().join("o.tmp")).unwrap();
    let failed = store.put(vec![(key("c", "a"), Some(b"{}".to_vec()))]).await;
    assert!(matches!(failed, Err(Error::DiskFull { .. })), "{failed:?}");
}

#[tokio::test]
async fn link_to_the_file_stays_a_link() {
    let directory = tempfile::tempdir().unwrap();
    let (file, link) = (directory.path().join("real"), directory.path().join("link"));
    fs::write(&file, "").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let store = FileOffsetStore::open(&link).unwrap();
    store.put(vec![(key("c", "a"), Some(b"{}".to_vec()))]).await.unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::metadata(&file).unwrap().len() > 0);
}
