//! A component with every role, whose configuration says what each call does.

wit_bindgen::generate!({
    path: "../../../wit",
    inline: "
        package test:probe;

        world probe {
            include caisson:connect/source@0.1.0;
            include caisson:connect/sink@0.1.0;
            include caisson:connect/transforms@0.1.0;
            include caisson:connect/predicates@0.1.0;
            include caisson:connect/converters@0.1.0;
            include caisson:connect/network@0.1.0;
        }
    ",
    world: "test:probe/probe",
    generate_all,
});

mod behave;
mod network;
mod requests;

use std::cell::RefCell;

use caisson::connect::types::{ConfigValue, Error, ErrorKind, Failure, PartitionOffset, TopicPartition};
use exports::caisson::connect::{
    converter, manifest, predicate, sink_connector, sink_task, source_connector, source_task, transform,
};

type Config = Vec<(String, String)>;

thread_local! {
    static CONFIG: RefCell<Config> = const { RefCell::new(Vec::new()) };
}

struct Probe;
export!(Probe);

fn setting(name: &str) -> Option<String> {
    CONFIG.with(|config| {
        let config = config.borrow();
        config
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    })
}

/// Does what the configuration says for `call`.
fn act(call: &str) -> Result<Vec<u8>, Error> {
    let command = CONFIG.with(|config| {
        let config = config.borrow();
        config
            .iter()
            .find(|(key, _)| key == call)
            .map(|(_, value)| value.clone())
    });
    behave::perform(command.as_deref().unwrap_or("ok"))
}

fn begin(config: Config) -> Result<(), Error> {
    CONFIG.with(|own| *own.borrow_mut() = config);
    act("start").map(drop)
}

impl manifest::Guest for Probe {
    fn describe() -> String {
        let plugin = |class: &str, kind: &str, more: &str| {
            format!(r#"{{"class":"probe.{class}","kind":"{kind}","version":"1"{more}}}"#)
        };
        let grants = r#","grants":{"read":["${file}","-"],"write":["${out}","-"],"network":["${url}"],"environment":["PROBE_VARIABLE"]}"#;
        format!(
            r#"{{"format":1,"module":{{"name":"probe","version":"1"}},"plugins":[{},{},{},{},{}]}}"#,
            plugin("Source", "source", grants),
            plugin(
                "Sink",
                "sink",
                r#","aliases":["ProbeSink"],"grants":{"read":["${file}"],"write":["${out}"]}"#
            ),
            plugin("Transform", "transform", ""),
            plugin("Predicate", "predicate", ""),
            plugin("Converter", "converter", ""),
        )
    }
}

fn task_configs(max: u32) -> Result<Vec<Config>, Error> {
    act("task-configs")?;
    let extra = u32::from(CONFIG.with(|config| config.borrow().iter().any(|(key, _)| key == "one-too-many")));
    let own = CONFIG.with(|config| config.borrow().clone());
    let of_task = |task: u32| {
        let mut config = own.clone();
        config.push(("task".to_owned(), task.to_string()));
        config
    };
    Ok((0..max + extra).map(of_task).collect())
}

fn validate(config: Config) -> Result<Vec<ConfigValue>, Error> {
    CONFIG.with(|own| *own.borrow_mut() = config);
    act("validate")?;
    Ok(vec![ConfigValue {
        name: "put".into(),
        recommended_values: vec!["ok".into()],
        errors: vec![],
        visible: true,
    }])
}

impl source_connector::Guest for Probe {
    fn validate(_: String, config: Config) -> Result<Vec<ConfigValue>, Error> {
        validate(config)
    }

    fn exactly_once_support(_: String, _: Config) -> source_connector::ExactlyOnce {
        source_connector::ExactlyOnce::Supported
    }

    fn start(_: String, config: Config) -> Result<(), Error> {
        begin(config)
    }

    fn task_configs(max: u32) -> Result<Vec<Config>, Error> {
        task_configs(max)
    }

    fn alter_offsets(_: String, _: Config, changes: Vec<source_connector::OffsetChange>) -> Result<bool, Error> {
        Ok(changes.iter().any(|change| change.offset.is_none()))
    }

    fn stop() {
        let _ = act("stop");
    }
}

impl source_task::Guest for Probe {
    fn start(_: String, config: Config) -> Result<(), Error> {
        begin(config)
    }

    fn poll(_: u32, _: u32) -> Result<Vec<u8>, Error> {
        act("poll")
    }

    fn delivered(deliveries: Vec<source_task::Delivery>) -> Result<(), Error> {
        let records: u32 = deliveries.iter().map(|delivery| delivery.count).sum();
        caisson::connect::metrics::add("delivered", &[], records.into());
        Ok(())
    }

    fn committed() -> Result<(), Error> {
        act("committed").map(drop)
    }

    fn stop() {
        let _ = act("stop");
    }
}

impl sink_connector::Guest for Probe {
    fn validate(_: String, config: Config) -> Result<Vec<ConfigValue>, Error> {
        validate(config)
    }

    fn start(_: String, config: Config) -> Result<(), Error> {
        begin(config)
    }

    fn task_configs(max: u32) -> Result<Vec<Config>, Error> {
        task_configs(max)
    }

    fn alter_offsets(_: String, _: Config, changes: Vec<sink_connector::OffsetChange>) -> Result<bool, Error> {
        Ok(changes.iter().any(|change| change.offset.is_none()))
    }

    fn stop() {
        let _ = act("stop");
    }
}

impl sink_task::Guest for Probe {
    fn start(_: String, config: Config) -> Result<(), Error> {
        begin(config)
    }

    fn open(_: Vec<TopicPartition>) -> Result<(), Error> {
        act("open").map(drop)
    }

    fn put(batch: Vec<u8>) -> Result<Vec<Failure>, Error> {
        caisson::connect::metrics::add("bytes", &[], batch.len() as u64);
        act("put")?;
        let failing = CONFIG.with(|config| {
            config
                .borrow()
                .iter()
                .find(|(key, _)| key == "fail-index")
                .map(|(_, at)| at.clone())
        });
        if let Some(text) = setting("late") {
            behave::remember(&batch, &text)?;
        }
        let rejected = setting("reject").map_or(Ok(Vec::new()), |text| behave::rejected(&batch, &text))?;
        Ok(failing
            .into_iter()
            .map(|at| Failure {
                index: at.parse().unwrap(),
                kind: ErrorKind::Data,
                message: "as asked".into(),
            })
            .chain(rejected)
            .collect())
    }

    fn pre_commit(current: Vec<PartitionOffset>) -> Result<Option<Vec<PartitionOffset>>, Error> {
        act("pre-commit")?;
        behave::report_remembered();
        Ok(match current.len() {
            0 | 1 => None,
            _ => Some(current.into_iter().take(1).collect()),
        })
    }

    fn close(_: Vec<TopicPartition>) -> Result<(), Error> {
        act("close").map(drop)
    }

    fn stop() {
        let _ = act("stop");
    }
}

impl transform::Guest for Probe {
    fn start(_: String, config: Config) -> Result<(), Error> {
        begin(config)
    }

    fn apply(batch: Vec<u8>) -> Result<transform::Applied, Error> {
        let command = CONFIG.with(|config| {
            config
                .borrow()
                .iter()
                .find(|(key, _)| key == "apply")
                .map_or(String::new(), |(_, value)| value.clone())
        });
        let (word, argument) = command.split_once(':').unwrap_or((&command, ""));
        let failures = match word {
            "reject" => behave::rejected(&batch, argument)?,
            _ => Vec::new(),
        };
        let records = match word {
            "" | "unchanged" | "reject" => transform::Records::Unchanged,
            "crash" => {
                assert!(
                    behave::rejected(&batch, argument)?.is_empty(),
                    "the probe crashes on a record"
                );
                transform::Records::Unchanged
            }
            "patience" => {
                behave::ask_patience(argument)?;
                transform::Records::Unchanged
            }
            "same" => transform::Records::Replaced(batch),
            "walk" => {
                behave::walk(&batch)?;
                transform::Records::Unchanged
            }
            "copy" => transform::Records::Replaced(behave::copy(&batch)?),
            "keep" => transform::Records::Kept(vec![1]),
            "short" => transform::Records::Kept(vec![]),
            _ => transform::Records::Replaced(behave::perform(&command)?),
        };
        Ok(transform::Applied { records, failures })
    }

    fn stop() {}
}

impl predicate::Guest for Probe {
    fn start(_: String, config: Config) -> Result<(), Error> {
        begin(config)
    }

    fn test(_: Vec<u8>) -> Result<predicate::Tested, Error> {
        Ok(predicate::Tested {
            matches: act("test")?,
            failures: vec![],
        })
    }

    fn stop() {}
}

impl converter::Guest for Probe {
    fn start(_: String, config: Config, _: converter::Column) -> Result<(), Error> {
        begin(config)
    }

    fn serialize(batch: Vec<u8>) -> Result<converter::Converted, Error> {
        Ok(converter::Converted {
            batch,
            failures: vec![],
        })
    }

    fn deserialize(batch: Vec<u8>) -> Result<converter::Converted, Error> {
        Ok(converter::Converted {
            batch,
            failures: vec![],
        })
    }

    fn stop() {}
}
