//! The steps of one record, told one after the other.

use caisson_model::Failure;
use caisson_model::preview::{Fault, Flow, Shown, Step, StepName, StepResult};

use super::view::Seen;
use crate::chain::Passed;
use crate::errors::{CONNECT_EXCEPTION, Noted, Stage, Throwable};

pub struct Steps {
    flow: Flow,
    list: Vec<Step>,
    /// Links of the chain that it has passed.
    links: usize,
    /// The record as it was behind the step before; empty if it could not be read.
    last: Vec<Shown>,
}

impl Steps {
    pub fn new(flow: Flow) -> Self {
        Steps {
            flow,
            list: Vec::new(),
            links: 0,
            last: Vec::new(),
        }
    }

    pub fn into_list(self) -> Vec<Step> {
        self.list
    }

    /// The record enters the chain. Records from Kafka have been read by then, or will be by the first who looks at them.
    pub fn began(&mut self, seen: Seen, noted: Vec<Noted>) {
        if let Seen::Records(records) = seen {
            self.last = records;
        }
        if self.flow == Flow::Sink {
            self.list.push(Step {
                name: StepName::Converters,
                result: StepResult::Done,
                records: self.last.clone(),
                faults: Vec::new(),
            });
        }
        self.converted(noted);
    }

    pub fn links(&self) -> usize {
        self.links
    }

    /// The record has passed a link of the chain.
    pub fn passed(&mut self, link: &Passed<'_>, seen: Seen, noted: Vec<Noted>) {
        self.links += 1;
        let (converters, own): (Vec<_>, Vec<_>) = noted.into_iter().partition(|noted| is_converter(noted.stage));
        let unconverted = !converters.is_empty();
        self.converted(converters);
        if is_converter(link.stage) {
            // A component has made values of what could not be read before.
            if let Seen::Records(records) = seen {
                if let (Flow::Sink, Some(first)) = (self.flow, self.list.first_mut()) {
                    first.records.clone_from(&records);
                }
                self.last = records;
            }
            return;
        }
        let gone = matches!(seen, Seen::Nothing);
        if unconverted && gone && own.is_empty() {
            return;
        }
        let (result, records) = match seen {
            _ if !own.is_empty() => (StepResult::Failed, Vec::new()),
            Seen::Nothing => (StepResult::Dropped, Vec::new()),
            Seen::Unreadable => (StepResult::Changed, Vec::new()),
            Seen::Records(records) if records == self.last => (StepResult::Unchanged, Vec::new()),
            Seen::Records(records) => {
                self.last.clone_from(&records);
                (StepResult::Changed, records)
            }
        };
        self.list.push(Step {
            name: StepName::Transform {
                alias: link.alias.to_owned(),
                class: link.class.to_owned(),
            },
            result,
            records,
            faults: own.into_iter().map(fault).collect(),
        });
    }

    /// Converters were at work; what they failed with belongs to their step, wherever in the chain that was.
    pub fn converted(&mut self, noted: Vec<Noted>) {
        if noted.is_empty() {
            return;
        }
        let at = self.list.iter().position(|step| step.name == StepName::Converters);
        let at = at.unwrap_or_else(|| {
            self.list.push(Step {
                name: StepName::Converters,
                result: StepResult::Failed,
                records: Vec::new(),
                faults: Vec::new(),
            });
            self.list.len() - 1
        });
        let step = &mut self.list[at];
        step.result = StepResult::Failed;
        step.faults.extend(noted.into_iter().map(fault));
    }

    /// The record is what Kafka would get.
    pub fn serialized(&mut self, seen: Seen, noted: Vec<Noted>) {
        if !noted.is_empty() {
            return self.converted(noted);
        }
        if let Seen::Records(records) = seen {
            self.list.push(Step {
                name: StepName::Converters,
                result: StepResult::Done,
                records,
                faults: Vec::new(),
            });
        }
    }

    /// The plugin was given the record, or would have been.
    pub fn put(&mut self, result: StepResult, faults: Vec<Fault>) {
        self.list.push(Step {
            name: StepName::Put,
            result,
            records: Vec::new(),
            faults,
        });
    }

    /// A task would have ended here, in a link of the chain or else in converters.
    pub fn ended(&mut self, link: Option<Passed<'_>>, failure: &Failure) {
        let (name, stage, class) = match link {
            Some(link) if !is_converter(link.stage) => (
                StepName::Transform {
                    alias: link.alias.to_owned(),
                    class: link.class.to_owned(),
                },
                link.stage,
                link.class,
            ),
            Some(link) => (StepName::Converters, link.stage, link.class),
            None => (StepName::Converters, Stage::ValueConverter, ""),
        };
        let fault = Fault {
            stage: stage.as_str(),
            class: class.to_owned(),
            exception_class: CONNECT_EXCEPTION.to_owned(),
            message: Some(failure.message.clone()),
            stack_trace: failure.trace(),
            kind: failure.kind.as_str(),
        };
        self.list.push(Step {
            name,
            result: StepResult::Failed,
            records: Vec::new(),
            faults: vec![fault],
        });
    }
}

fn is_converter(stage: Stage) -> bool {
    match stage {
        Stage::KeyConverter | Stage::ValueConverter | Stage::HeaderConverter => true,
        Stage::Transformation | Stage::Put | Stage::Poll | Stage::Produce | Stage::Consume => false,
    }
}

fn fault(noted: Noted) -> Fault {
    told(noted.stage.as_str(), &noted.class, &noted.error)
}

/// What is told of an exception.
pub fn told(stage: &'static str, class: &str, error: &Throwable) -> Fault {
    Fault {
        stage,
        class: class.to_owned(),
        exception_class: error.class.to_string(),
        message: error.message.clone(),
        stack_trace: error.stack_trace(),
        kind: error.kind.as_str(),
    }
}
