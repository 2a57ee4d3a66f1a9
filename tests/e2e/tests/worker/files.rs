//! Files that are missing, grow, are truncated, are directories, have enormous lines, or lie on a full disk.

use std::path::{Path, PathBuf};
use std::process::Command;

use caisson_e2e::{System, Worker, until};
use serde_json::{Value, json};

use crate::quickstart::append;

fn source(worker: &Worker, topic: &str) -> Value {
    json!({ "connector.class": "FileStreamSource", "topic": topic, "file": worker.path("in.txt") })
}

fn sink(file: &Path, topic: &str) -> Value {
    json!({ "connector.class": "FileStreamSink", "topics": topic, "file": file })
}

#[test]
fn a_source_waits_for_a_missing_file_and_follows_it_as_it_grows() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("missing-file").start();
    let topic = system.topic("missing-file", 1, &[]);
    worker.rest.create_running("lines", &source(&worker, &topic));
    worker.await_log(&["in.txt"]);
    std::fs::write(worker.path("in.txt"), "one\ntw").unwrap();
    assert_eq!(system.consume(&topic, 1), ["null\tone"]);
    append(&worker.path("in.txt"), "o\r\nthree\n");
    assert_eq!(system.consume(&topic, 3), ["null\tone", "null\ttwo", "null\tthree"]);
    worker.rest.await_states("lines", "RUNNING", "RUNNING");
}

#[test]
fn a_directory_in_place_of_a_file_fails_the_task_and_names_it() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("directory").start();
    let topic = system.topic("directory", 1, &[]);
    std::fs::create_dir(worker.path("in.txt")).unwrap();
    worker.rest.create("from", &source(&worker, &topic));
    let trace = worker.rest.await_failed_task("from");
    assert!(trace.contains("in.txt") && trace.contains("directory"), "{trace}");
    worker.rest.create("to", &sink(&worker.path("in.txt"), &topic));
    let trace = worker.rest.await_failed_task("to");
    assert!(trace.contains("in.txt") && trace.contains("directory"), "{trace}");
    worker.await_log(&["ERROR", "from"]);
}

#[test]
fn a_line_of_20_megabytes_is_refused_with_the_remedy_and_passes_with_it() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("long-line").start();
    let topic = system.topic("long-line", 1, &[("max.message.bytes", "31457280")]);
    let line = "x".repeat(20 << 20);
    std::fs::write(worker.path("in.txt"), format!("short\n{line}\nend\n")).unwrap();
    worker.rest.create("lines", &source(&worker, &topic));
    let trace = worker.rest.await_failed_task("lines");
    assert!(trace.contains("max.request.size"), "{trace}");
    assert!(trace.len() < 100_000, "the line itself is not in the trace");

    let mut larger = source(&worker, &topic);
    larger["producer.override.max.request.size"] = json!("31457280");
    worker
        .rest
        .call("PUT", "/connectors/lines/config", Some(&larger))
        .expect(200);
    worker.rest.create("back", &sink(&worker.path("out.txt"), &topic));
    let lines = until("the long line has come through", || {
        let text = worker.read("out.txt");
        text.ends_with("end\n")
            .then(|| text.lines().map(str::to_owned).collect::<Vec<_>>())
    });
    // What came before the long line may come twice, never not at all.
    assert_eq!(lines.first().map(String::as_str), Some("short"));
    assert!(lines.contains(&line), "the long line is not what it was");
}

#[test]
fn a_truncated_file_is_read_on_from_where_it_is_written_next() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("truncated").start();
    let topic = system.topic("truncated", 1, &[]);
    std::fs::write(worker.path("in.txt"), "one\ntwo\n").unwrap();
    worker.rest.create_running("lines", &source(&worker, &topic));
    system.consume(&topic, 2);
    // As in Kafka Connect: the reader stays where it was, and sees what grows beyond that.
    std::fs::File::options()
        .write(true)
        .open(worker.path("in.txt"))
        .unwrap()
        .set_len(0)
        .unwrap();
    append(&worker.path("in.txt"), "six\nsev\nthree\n");
    let records = system.consume(&topic, 3);
    assert_eq!(records[2], "null\tthree");
    worker.rest.await_states("lines", "RUNNING", "RUNNING");
}

#[test]
fn a_sink_on_a_full_disk_says_so_commits_nothing_and_goes_on_once_there_is_room() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("full-disk").start();
    let topic = system.topic("full-disk", 1, &[]);
    let disk = Disk::small(&worker.path("disk"));
    let lines: String = (0..20_000).map(|number| format!("{number:<50}\n")).collect();
    system.produce(&topic, None, &lines);
    let name = system.name("full");
    worker.rest.create(&name, &sink(&disk.file(), &topic));
    let told = worker.await_log(&["WARN", &disk.file().display().to_string(), "make room on its disk"]);
    assert!(
        told.contains("no storage space") || told.contains("No space left"),
        "{told}"
    );
    assert_eq!(
        system.committed(&format!("connect-{name}")),
        [],
        "what is not written is not committed"
    );
    if !disk.grow() {
        return;
    }
    until("every line is in the file", || {
        let text = std::fs::read_to_string(disk.file()).unwrap_or_default();
        (text.lines().count() == 20_000).then_some(())
    });
    let text = std::fs::read_to_string(disk.file()).unwrap();
    assert!(
        text == lines,
        "the lines are not those of the topic, each once and in order"
    );
    worker.rest.await_states(&name, "RUNNING", "RUNNING");
}

/// A disk that is full soon: a small one in memory where we may mount it, else the device that is always full.
struct Disk {
    mounted: Option<PathBuf>,
}

impl Disk {
    fn small(path: &Path) -> Self {
        std::fs::create_dir(path).unwrap();
        let mounted = mount(&["-t", "tmpfs", "-o", "size=256k", "caisson-test"], path).then(|| path.to_owned());
        Self { mounted }
    }

    fn file(&self) -> PathBuf {
        self.mounted
            .as_ref()
            .map_or_else(|| PathBuf::from("/dev/full"), |path| path.join("out.txt"))
    }

    fn grow(&self) -> bool {
        self.mounted
            .as_ref()
            .is_some_and(|path| mount(&["-o", "remount,size=64m"], path))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Some(path) = &self.mounted {
            // Lazily: the worker has the file open until it ends.
            let _ = Command::new("umount").arg("--lazy").arg(path).status();
        }
    }
}

fn mount(arguments: &[&str], path: &Path) -> bool {
    Command::new("mount")
        .args(arguments)
        .arg(path)
        .output()
        .is_ok_and(|output| output.status.success())
}
