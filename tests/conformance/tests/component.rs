//! The vectors of transforms and predicates once more, through the component: what runs in the worker and what runs in a
//! sandbox are one source, and the boundary between must lose nothing of a record, a message or an exception.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::Arc;

use caisson_api::config::Config;
use caisson_api::frame::{Encoding, Encodings, Timestamp};
use caisson_api::{Error, Failure, Record};
use caisson_conformance::kinds::{predicate, transform};
use caisson_conformance::notation::Unbuildable;
use caisson_conformance::{Outcome, Report, Thrown, VectorFile, excused, own_vectors};
use caisson_sandbox::{
    CallError, CompilerOptions, InstanceSpec, Label, Module, Predicate, Records, Sandbox, SandboxOptions, Transform,
};
use caisson_sdk::sink::SinkRecord;
use caisson_sdk::testing;
use caisson_sdk::transform::Origin;
use tokio::runtime::Runtime;

/// Some values are nested a thousand levels deep.
const STACK: usize = 256 << 20;

/// All columns as values: a vector has nothing else.
const ENCODINGS: Encodings = Encodings {
    key: Encoding::Connect,
    value: Encoding::Connect,
    headers: Encoding::Connect,
};

/// Vectors whose result breaks its own schema: Kafka Connect checks no value of a transform, and what is no value of its
/// schema has no form at the boundary. A decimal arrives with the scale of its schema, a number as the day or time that
/// it counts.
const NO_VALUES_OF_THEIR_SCHEMA: [&str; 7] = [
    "transform-cast/whole-logical-optional/Date/3",
    "transform-cast/whole-logical-optional/Time/3",
    "transform-cast/whole-logical/Time/3",
    "transform-maskfield/replacement-schema/37",
    "transform-maskfield/replacement-schema/39",
    "transform-maskfield/schema-key/4",
    "transform-maskfield/schema/10",
];

#[test]
fn the_component_passes_the_vectors_of_transforms_and_predicates() {
    let Some(component) = Component::load() else {
        eprintln!("skipped: needs the components; run `cargo x test --only unit`");
        return;
    };
    let files = VectorFile::read_directory(&own_vectors()).unwrap();
    let replay = move || {
        let mut report = Report::default();
        for file in files {
            for vector in &file.vectors {
                let outcome = match &*file.kind {
                    "transform" => {
                        transform::replay_by(&vector.input, &vector.expect, |input| component.transform(&input))
                    }
                    "predicate" => {
                        predicate::replay_by(&vector.input, &vector.expect, |input| component.predicate(&input))
                    }
                    _ => continue,
                };
                let outcome = match excused(&vector.id, &vector.input, outcome) {
                    Outcome::Failed(_) if NO_VALUES_OF_THEIR_SCHEMA.contains(&&*vector.id) => {
                        Outcome::Excused("no value of its schema")
                    }
                    outcome => outcome,
                };
                report.add(&file.kind, &vector.id, outcome);
            }
        }
        report
    };
    let report = std::thread::Builder::new().stack_size(STACK).spawn(replay).unwrap();
    let report = report.join().unwrap();
    println!("{report}");
    assert_eq!(report.failed(), 0, "{report}");
    assert!(report.passed() > 1000, "{report}");
}

/// The module, and what its calls run on.
struct Component {
    runtime: Runtime,
    module: Arc<Module>,
}

impl Component {
    fn load() -> Option<Component> {
        let file = PathBuf::from(std::env::var_os("CAISSON_TEST_COMPONENTS")?).join("caisson-transforms.wasm");
        let runtime = Runtime::new().unwrap();
        // Tests lie in target/PROFILE/deps, the compiler among the examples of the sandbox.
        let test = std::env::current_exe().unwrap();
        let program = test.ancestors().nth(2).unwrap().join("examples/compiler");
        assert!(
            program.exists(),
            "{} is missing: build the workspace",
            program.display()
        );
        let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("component");
        let options = SandboxOptions {
            compiler: CompilerOptions {
                program: Some(program),
                ..CompilerOptions::default()
            },
            ..SandboxOptions::new(cache)
        };
        let module = runtime.block_on(async { Sandbox::new(options).unwrap().load_file(&file).await.unwrap() });
        Some(Component { runtime, module })
    }

    fn spec(&self, class: &str, config: &std::collections::BTreeMap<String, Option<String>>) -> Built<InstanceSpec> {
        let entry = |(name, value): (&String, &Option<String>)| {
            let value = value.clone().ok_or_else(|| Unbuildable(format!("null for {name}")))?;
            Ok((name.clone(), value))
        };
        Ok(InstanceSpec {
            module: self.module.clone(),
            class: class.to_owned(),
            config: Config {
                entries: config.iter().map(entry).collect::<Built<_>>()?,
            },
            label: Label {
                connector: "vectors".into(),
                task: None,
            },
            limits: None,
        })
    }

    fn transform(&self, input: &transform::Input) -> Built<Result<transform::Applied, Thrown>> {
        let spec = self.spec(&input.class, &input.config)?;
        let started = self.runtime.block_on(Transform::start(spec));
        let mut started = match started {
            Ok(started) => started,
            Err(error) => return Ok(Err(thrown("configure", error))),
        };
        let Some((record, origin)) = &input.record else {
            return Ok(Ok(transform::Applied::Configured));
        };
        let batch = batch(record, *origin)?;
        Ok(self.runtime.block_on(async {
            let applied = started.apply(&batch).await.map_err(|error| thrown("apply", error))?;
            if let Some(failure) = applied.failures.first() {
                return Err(failed(failure));
            }
            let records = match applied.records {
                Records::Unchanged => testing::records(&batch).unwrap(),
                Records::Kept(bits) if bits == [1] => testing::records(&batch).unwrap(),
                Records::Kept(_) => Vec::new(),
                Records::Replaced(batch) => testing::records(&batch).unwrap(),
            };
            Ok(match records.into_iter().next() {
                Some(record) => transform::Applied::Record(Box::new(record.record)),
                None => transform::Applied::Dropped,
            })
        }))
    }

    fn predicate(&self, input: &predicate::Input) -> Built<Result<Option<bool>, Thrown>> {
        let spec = self.spec(&input.class, &input.config)?;
        let mut started = match self.runtime.block_on(Predicate::start(spec)) {
            Ok(started) => started,
            Err(error) => return Ok(Err(thrown("configure", error))),
        };
        let Some((record, origin)) = &input.record else {
            return Ok(Ok(None));
        };
        let batch = batch(record, *origin)?;
        Ok(self.runtime.block_on(async {
            let tested = started.test(&batch).await.map_err(|error| thrown("apply", error))?;
            match tested.failures.first() {
                Some(failure) => Err(failed(failure)),
                None => Ok(Some(tested.matches == [1])),
            }
        }))
    }
}

type Built<T> = Result<T, Unbuildable>;

/// A batch of one record.
fn batch(record: &Record, origin: Origin) -> Built<Vec<u8>> {
    let created = record.timestamp.map_or(Timestamp::None, Timestamp::Create);
    let (offset, timestamp) = match origin {
        Origin::Source => (None, created),
        Origin::Sink { offset, timestamp } => (Some(offset), timestamp),
    };
    if timestamp.millis() != record.timestamp {
        return Err(Unbuildable(
            "a record with another time than Kafka has of it".to_owned(),
        ));
    }
    let record = SinkRecord {
        record: record.clone(),
        offset,
        timestamp,
    };
    testing::batch(ENCODINGS, &[record]).map_err(|error| Unbuildable(error.message))
}

fn failed(failure: &Failure) -> Thrown {
    let mut error = Error::new(failure.kind, failure.message.clone());
    error.exception = failure.exception.clone();
    Thrown::by_plugin("apply", &error)
}

fn thrown(phase: &'static str, error: CallError) -> Thrown {
    match error {
        CallError::Guest(error) => Thrown::by_plugin(phase, &error),
        other => Thrown::by_plugin(phase, &Error::fatal(format!("not an error of the plugin: {other}"))),
    }
}
