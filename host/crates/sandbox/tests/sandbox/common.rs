//! Guests, sandboxes and instances for tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use caisson_api::config::Config;
use caisson_api::frame::{Encoding, Encodings, FrameBuilder, NewRecord, Role};
use caisson_model::Limits;
use caisson_sandbox::{
    CallError, CompilerOptions, InstanceSpec, Label, Module, OffsetAnswer, OffsetReader, Sandbox, SandboxOptions,
    SinkTask, SourceTask,
};
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

pub fn tree() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../..")
        .canonicalize()
        .unwrap()
}

/// The component `probe`, built if it is not up to date.
pub fn probe() -> Vec<u8> {
    static BUILT: OnceLock<Vec<u8>> = OnceLock::new();
    BUILT.get_or_init(|| built("tests/guests", "probe.wasm")).clone()
}

/// The guest that was built against the first version of the contract.
pub fn frozen() -> Vec<u8> {
    static BUILT: OnceLock<Vec<u8>> = OnceLock::new();
    BUILT
        .get_or_init(|| built("tests/frozen/guest-0.1.0", "frozen_guest.wasm"))
        .clone()
}

/// A guest of one of the workspaces for them, made anew if its code has changed.
pub fn built(workspace: &str, file: &str) -> Vec<u8> {
    let workspace = tree().join(workspace);
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo
        .args(["build", "--quiet", "--release", "--target", "wasm32-wasip2"])
        .current_dir(&workspace);
    // The settings of this build are not those of the guests.
    for name in [
        "CARGO_TARGET_DIR",
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTC_WRAPPER",
    ] {
        cargo.env_remove(name);
    }
    let status = cargo.status().unwrap();
    assert!(status.success(), "the guests of {} do not build", workspace.display());
    std::fs::read(workspace.join("target/wasm32-wasip2/release").join(file)).unwrap()
}

/// A core module of `tests/guests/cores` as a component that exports `exports` of the contract. `edit` may make another
/// contract of it.
pub fn core(file: &str, world: &str, edit: impl Fn(String) -> String) -> Vec<u8> {
    let path = tree().join("tests/guests/cores").join(file);
    let text = edit(std::fs::read_to_string(&path).unwrap());
    wrap(&text, world, edit)
}

pub fn wrap(wat: &str, world: &str, edit: impl Fn(String) -> String) -> Vec<u8> {
    let mut module = wat::parse_str(wat).unwrap();
    let mut resolve = Resolve::default();
    let mut contract = String::new();
    for part in ["types", "host", "source", "sink", "transform", "worlds"] {
        let text = std::fs::read_to_string(tree().join("wit").join(format!("{part}.wit"))).unwrap();
        // One text has one package line.
        contract.push_str(&if part == "types" {
            text
        } else {
            text.replace("package caisson:connect@0.1.0;", "")
        });
    }
    let contract = edit(contract);
    resolve.push_str("contract.wit", &contract).unwrap();
    let package = resolve
        .push_str(
            "test.wit",
            &format!("package test:core;\nworld core {{\n{}\n}}", edit(world.to_owned())),
        )
        .unwrap();
    let world = resolve.select_world(&[package], Some("core")).unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .unwrap()
        .encode()
        .unwrap()
}

/// The world of most cores: a transform and its manifest.
pub const TRANSFORM: &str = "export caisson:connect/manifest@0.1.0; export caisson:connect/transform@0.1.0;";

/// Settings with a cache of their own, compiling in a process of its own.
pub fn options(cache: &Path) -> SandboxOptions {
    // tests lie in target/<profile>/deps, examples in target/<profile>/examples
    let profile = std::env::current_exe()
        .unwrap()
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .to_owned();
    let program = profile.join("examples/compiler");
    assert!(program.exists(), "{} is missing: build the examples", program.display());
    SandboxOptions {
        compiler: CompilerOptions {
            program: Some(program),
            ..CompilerOptions::default()
        },
        ..SandboxOptions::new(cache)
    }
}

/// One sandbox for all tests that have no need of their own.
pub fn sandbox() -> Sandbox {
    static SHARED: OnceLock<Sandbox> = OnceLock::new();
    SHARED
        .get_or_init(|| Sandbox::new(options(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"))).unwrap())
        .clone()
}

/// The probe as a module of the shared sandbox. The module is kept, so that it is linked once.
pub async fn module() -> Arc<Module> {
    static KEPT: OnceLock<Arc<Module>> = OnceLock::new();
    let module = sandbox().load("probe.wasm", probe()).await.unwrap();
    KEPT.get_or_init(|| module).clone()
}

pub fn label() -> Label {
    Label {
        connector: "test".into(),
        task: Some(0),
    }
}

/// What an instance of the probe is told.
pub async fn spec(class: &str, entries: &[(&str, &str)]) -> InstanceSpec {
    spec_of(module().await, class, entries)
}

pub fn spec_of(module: Arc<Module>, class: &str, entries: &[(&str, &str)]) -> InstanceSpec {
    let entries = entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    InstanceSpec {
        module,
        class: class.to_owned(),
        config: Config { entries },
        label: label(),
        limits: None,
    }
}

/// Tight limits, so that tests of limits are quick.
pub fn tight() -> Limits {
    Limits {
        memory: 16 << 20,
        call: Duration::from_millis(300),
        lifecycle_call: Duration::from_millis(500),
        output: 1 << 20,
        log_lines: 20,
        log_line: 200,
        metric_series: 10,
        ..Limits::default()
    }
}

pub async fn sink(entries: &[(&str, &str)]) -> SinkTask {
    SinkTask::start(limited("probe.Sink", entries).await).await.unwrap()
}

pub async fn source(entries: &[(&str, &str)]) -> Result<SourceTask, CallError> {
    SourceTask::start(limited("probe.Source", entries).await, Arc::new(Offsets)).await
}

pub async fn limited(class: &str, entries: &[(&str, &str)]) -> InstanceSpec {
    InstanceSpec {
        limits: Some(tight()),
        ..spec(class, entries).await
    }
}

/// What the probe found out when it polled as it was told.
pub async fn asked(entries: &[(&str, &str)]) -> String {
    let mut task = source(entries).await.unwrap();
    match task.poll(Duration::ZERO, 1000).await {
        Ok(batch) => format!("{} bytes", batch.len()),
        Err(CallError::Guest(error)) => error.message,
        Err(other) => panic!("{other:?}"),
    }
}

/// Answers every partition with `{"at":1}`, and fails for `broken`.
pub struct Offsets;

impl OffsetReader for Offsets {
    fn get(&self, partitions: Vec<String>) -> OffsetAnswer<'_> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            if partitions.iter().any(|partition| partition == "broken") {
                return Err("the store is away".to_owned());
            }
            Ok(partitions.iter().map(|_| Some(r#"{"at":1}"#.to_owned())).collect())
        })
    }
}

/// A batch of so many records of so many bytes.
pub fn batch(records: usize, size: usize) -> Vec<u8> {
    let value = vec![b'v'; size];
    let mut builder = FrameBuilder::new(Role::Sink);
    builder.begin(
        Encodings {
            key: Encoding::Bytes,
            value: Encoding::Bytes,
            headers: Encoding::Bytes,
        },
        records,
    );
    let topic = builder.topic("topic").unwrap();
    for offset in 0..records {
        let record = NewRecord {
            topic,
            offset: Some(offset as i64),
            partition: Some(0),
            value: Some(&value),
            ..NewRecord::default()
        };
        builder.push(&record).unwrap();
    }
    builder.take()
}

/// What was logged on this thread while the guard lives.
pub struct Captured {
    lines: Arc<Mutex<Vec<u8>>>,
    _guard: tracing::subscriber::DefaultGuard,
}

impl Captured {
    pub fn begin() -> Self {
        let lines: Arc<Mutex<Vec<u8>>> = Arc::default();
        let sink = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .without_time()
            .with_writer(move || Writer(sink.clone()))
            .with_max_level(tracing::Level::DEBUG)
            .finish();
        Captured {
            lines,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.lines.lock().unwrap().clone()).unwrap()
    }

    /// Lines that came from the guest.
    pub fn guest(&self) -> Vec<String> {
        self.text()
            .lines()
            .filter(|line| line.contains(" guest: "))
            .map(str::to_owned)
            .collect()
    }
}

struct Writer(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
