//! What an instance can reach: the files that its configuration names.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use caisson_sandbox::{CallError, InstanceSpec, SinkTask, SourceTask};

use crate::common::*;

/// A directory with a granted file, and what a guest should not see beside it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("in.txt"), "granted").unwrap();
        std::fs::write(directory.path().join("secret.txt"), "secret").unwrap();
        Place(directory)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// What a guest with `in.txt` to read and `out.txt` to write finds out.
    async fn ask(&self, command: &str) -> String {
        asked(&[
            ("file", &self.path("in.txt")),
            ("out", &self.path("out.txt")),
            ("poll", command),
        ])
        .await
    }
}

fn denied(answer: &str) {
    assert!(answer.starts_with("denied: "), "{answer}");
}

#[tokio::test]
async fn a_granted_file_can_be_read_and_no_other() {
    let place = Place::new();
    assert_eq!(
        place.ask(&format!("read:{}", place.path("in.txt"))).await,
        "ok: granted"
    );
    assert_eq!(place.ask(&format!("stat:{}", place.path("in.txt"))).await, "ok: 7");
    for other in [
        "secret.txt",
        "sub/../secret.txt",
        "in.txt/../secret.txt",
        "./secret.txt",
        "in.txt/",
        "absent",
        "",
    ] {
        let answer = place.ask(&format!("read:{}/{other}", place.path(""))).await;
        denied(&answer);
        assert!(!answer.contains("secret"), "{other}: {answer}");
    }
    for other in [
        "/etc/passwd",
        "/proc/self/environ",
        "/",
        ".",
        "..",
        "../../../../../../etc/passwd",
    ] {
        denied(&place.ask(&format!("read:{other}")).await);
    }
}

#[tokio::test]
async fn what_is_denied_does_not_tell_whether_it_exists() {
    let place = Place::new();
    let there = place.ask(&format!("stat:{}", place.path("secret.txt"))).await;
    let absent = place.ask(&format!("stat:{}", place.path("absent.txt"))).await;
    assert_eq!(there, absent);
}

#[tokio::test]
async fn a_file_to_read_cannot_be_changed() {
    let place = Place::new();
    for command in ["write", "append", "read-write", "truncate", "remove", "rename", "link"] {
        denied(&place.ask(&format!("{command}:{}", place.path("in.txt"))).await);
    }
    assert_eq!(std::fs::read_to_string(place.path("in.txt")).unwrap(), "granted");
    assert_eq!(std::fs::read_dir(place.path("")).unwrap().count(), 2);
}

#[tokio::test]
async fn a_file_to_write_is_made_and_grows() {
    let place = Place::new();
    let out = place.path("out.txt");
    denied(&place.ask(&format!("read:{out}")).await);
    assert!(place.ask(&format!("write:{out}")).await.starts_with("ok"));
    assert!(place.ask(&format!("append:{out}")).await.starts_with("ok"));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "writtenmore\n");
    assert!(place.ask(&format!("read-write:{out}")).await.starts_with("ok"));
    assert_eq!(place.ask(&format!("read:{out}")).await, "ok: overtenmore\n");
    for command in ["remove", "rename", "link"] {
        denied(&place.ask(&format!("{command}:{out}")).await);
    }
}

#[tokio::test]
async fn directories_cannot_be_listed_or_made() {
    let place = Place::new();
    denied(&place.ask(&format!("list:{}", place.path(""))).await);
    denied(&place.ask(&format!("mkdir:{}", place.path("new"))).await);
}

#[tokio::test]
async fn a_granted_file_that_appears_later_is_found() {
    let place = Place::new();
    let file = place.path("later.txt");
    let entries = [("file", file.as_str()), ("poll", &format!("read:{file}"))];
    let mut task = source(&entries).await.unwrap();
    let first = task.poll(std::time::Duration::ZERO, 1).await.unwrap_err();
    assert!(first.to_string().starts_with("denied: NotFound"), "{first}");
    std::fs::write(&file, "here").unwrap();
    let second = task.poll(std::time::Duration::ZERO, 1).await.unwrap_err();
    assert_eq!(second.to_string(), "ok: here");
}

#[tokio::test]
async fn a_relative_path_is_relative_to_the_worker() {
    let name = format!("sandbox-test-{}.tmp", std::process::id());
    std::fs::write(&name, "relative").unwrap();
    let spellings = [name.clone(), format!("./{name}"), format!("../sandbox/{name}")];
    for given in &spellings {
        assert_eq!(
            asked(&[("file", given), ("poll", &format!("read:{given}"))]).await,
            "ok: relative",
            "{given}"
        );
    }
    denied(&asked(&[("file", &name), ("poll", "read:Cargo.toml")]).await);
    std::fs::remove_file(&name).unwrap();
}

#[tokio::test]
async fn a_link_leads_only_where_the_operator_allows() {
    let place = Place::new();
    let through = |name: &str, target: &str| {
        let link = place.path(name);
        symlink(target, &link).unwrap();
        link
    };
    // The configuration names the link, and it ends in a permitted file.
    let inside = through("inside", &place.path("secret.txt"));
    assert_eq!(
        asked(&[("file", &inside), ("poll", &format!("read:{inside}"))]).await,
        "ok: secret"
    );
    // It ends in the kernel's files, directly or by way of a directory.
    let outside = through("outside", "/proc/self/environ");
    denied(&asked(&[("file", &outside), ("poll", &format!("read:{outside}"))]).await);
    through("directory", "/proc/self");
    let behind = place.path("directory/environ");
    denied(&asked(&[("file", &behind), ("poll", &format!("read:{behind}"))]).await);
    // Nothing is created through a link that leads nowhere.
    let dangling = through("dangling", &place.path("not-yet"));
    denied(&asked(&[("out", &dangling), ("poll", &format!("write:{dangling}"))]).await);
    assert!(!Path::new(&place.path("not-yet")).exists());
}

#[tokio::test]
async fn what_is_no_file_is_refused() {
    let place = Place::new();
    let directory = place.path("");
    let directory = directory.trim_end_matches('/');
    let answer = asked(&[("file", directory), ("poll", &format!("read:{directory}"))]).await;
    assert!(answer.contains("IsADirectory"), "{answer}");
    let pipe = place.path("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    denied(&asked(&[("file", &pipe), ("poll", &format!("read:{pipe}"))]).await);
    let missing = place.path("no/such/directory/out.txt");
    let answer = asked(&[("out", &missing), ("poll", &format!("write:{missing}"))]).await;
    assert!(answer.contains("NotFound"), "{answer}");
}

#[tokio::test]
async fn a_path_that_the_operator_refuses_stops_the_start() {
    let Err(error) = source(&[("file", "/proc/self/environ")]).await else {
        panic!("it started")
    };
    let CallError::Limit { which, message } = error else {
        panic!("{error:?}")
    };
    assert_eq!(which, "file.denied");
    assert!(message.starts_with("file: /proc/self/environ is refused"), "{message}");
}

#[tokio::test]
async fn nothing_else_of_the_world_is_there() {
    assert_eq!(asked(&[("poll", "env")]).await, "[]");
    assert_eq!(asked(&[("poll", "args")]).await, "[]");
    for address in ["127.0.0.1:22", "[::1]:22", "localhost:22", "169.254.169.254:80"] {
        // Even if the configuration names it: the network is not offered yet.
        denied(&asked(&[("url", address), ("poll", &format!("connect:{address}"))]).await);
    }
    // Clocks work, in whole milliseconds.
    let clock = asked(&[("poll", "clock")]).await;
    assert!(clock.ends_with("ms] 0") && !clock.contains('.'), "{clock}");
}

#[tokio::test]
async fn large_files_are_written_and_read_in_good_time() {
    let place = Place::new();
    let out = place.path("out.txt");
    let timed = async |command: &str| {
        let spec = InstanceSpec {
            limits: None,
            ..spec("probe.Sink", &[("out", &out), ("put", &format!("{command}:{out}"))]).await
        };
        let mut task = SinkTask::start(spec).await.unwrap();
        let started = std::time::Instant::now();
        let answer = task.put(&batch(1, 1)).await.unwrap_err().to_string();
        (answer, started.elapsed())
    };
    let (answer, writing) = timed("bulk").await;
    assert_eq!(answer, "ok: ");
    assert_eq!(std::fs::metadata(&out).unwrap().len(), 1_600 << 16);
    let (answer, reading) = timed("bulk-read").await;
    assert_eq!(answer, format!("ok: {}", 1_600 << 16));
    println!("100 MiB: written in {writing:?}, read in {reading:?}");
}

/// Run by the test below, with streams of its own.
#[tokio::test]
#[ignore = "a part of the test below"]
async fn the_other_side_of_the_standard_streams() {
    let mut task = source(&[("poll", "stdin"), ("committed", "stdout:1")]).await.unwrap();
    let heard = task.poll(std::time::Duration::ZERO, 1).await.unwrap_err();
    println!("heard {heard}");
    task.committed().await.unwrap();
}

#[test]
fn without_a_file_a_plugin_that_asks_has_the_workers_streams() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "files::the_other_side_of_the_standard_streams",
            "--ignored",
            "--nocapture",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"hello\nworld\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("heard ok: hello\n"), "{text}");
    assert!(text.contains("\nline 0 of the probe\n"), "{text}");
}

#[tokio::test]
async fn a_confined_module_reaches_nothing_that_its_configuration_names() {
    let place = Place::new();
    let confined = module().await.confined().await.unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (file, out, url) = (place.path("in.txt"), place.path("out.txt"), format!("http://{address}"));
    for (command, refusal) in [
        (format!("read:{file}"), "denied: "),
        (format!("net:{address}"), "ErrorKind::"),
    ] {
        let entries = [("file", &*file), ("out", &*out), ("url", &*url), ("poll", &*command)];
        let spec = spec_of(confined.clone(), "probe.Source", &entries);
        let mut task = SourceTask::start(spec, Arc::new(Offsets)).await.unwrap();
        let answer = task.poll(Duration::ZERO, 1).await;
        let Err(CallError::Guest(error)) = answer else {
            panic!("{command}: {answer:?}")
        };
        assert!(error.message.starts_with(refusal), "{command}: {error}");
    }
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "nobody has connected");
}
