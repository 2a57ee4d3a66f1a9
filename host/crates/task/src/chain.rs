//! The transforms of a connector, in their order. Some are components, some the worker's own; a batch passes from one
//! to the next as a frame. Native ones that follow each other are one section, which decodes and encodes a record once;
//! a component that answers "unchanged" costs no copy.

mod assembly;
mod guest;
mod native;
mod parts;

use std::borrow::Cow;

use caisson_api::frame::{Encodings, Frame, Role};
use caisson_model::{Failure, FailureKind};

use self::assembly::{apart, converted, joined, started};
use self::guest::{GuestLink, GuestPredicate, Job};
use self::native::NativeSection;
pub use self::native::{LinkFailure, NativeLink, NativeLinks, NativePredicate};
use crate::columns::Forms;
use crate::errors::{Errors, Faults, Stage, Throwable, Trail};
use crate::recode::{Recoder, Trust};
use crate::settings::{ChainLink, Converters, Direction, TaskSettings, TransformPlugin};
use crate::swap::{Place, Swap};

pub struct Chain {
    links: Vec<Link>,
    recoder: Recoder,
}

/// Something that a batch passes, and which records of it do.
struct Link {
    /// The alias of a component, or of the worker's own that asks one; others are found by nobody.
    alias: String,
    work: Work,
    /// For components, and for the worker's own that ask a component.
    condition: Option<Condition>,
}

enum Work {
    Guest(Box<GuestLink>),
    Native(NativeSection),
}

struct Condition {
    predicate: Predicate,
    negate: bool,
}

enum Predicate {
    Guest(Box<GuestPredicate>),
    Native(NativePredicate),
}

/// A link that a batch has passed.
pub(crate) struct Passed<'l> {
    /// Empty for converters.
    pub alias: &'l str,
    pub class: &'l str,
    pub stage: Stage,
}

/// Who takes what comes out of a chain.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    Kafka,
    /// A sink that takes these encodings.
    Sink(Encodings),
}

/// A batch between two transforms.
pub struct Stream<'a> {
    pub frame: Cow<'a, [u8]>,
    pub forms: Forms,
    /// Per record, its index in the frame that entered the chain; `None` if that is its own index.
    pub origins: Option<Vec<u32>>,
    /// Whether Kafka's own bytes are known to be what the converters take.
    pub trust: Trust,
    /// The records have the offsets that they had in Kafka.
    pub keeps_offsets: bool,
}

impl<'a> Stream<'a> {
    /// A batch at the beginning.
    pub fn new(frame: &'a [u8], forms: Forms, trust: Trust) -> Self {
        Stream {
            frame: Cow::Borrowed(frame),
            forms,
            origins: None,
            trust,
            keeps_offsets: true,
        }
    }

    /// A batch of Kafka's own bytes, which nobody has looked at.
    pub fn consumed(frame: &'a [u8]) -> Self {
        Stream::new(frame, Forms::SERIALIZED, Trust::None)
    }

    /// What the worker itself made of this batch.
    fn made(&self, frame: Vec<u8>, forms: Forms, origins: Option<Vec<u32>>) -> Stream<'static> {
        Stream {
            frame: Cow::Owned(frame),
            forms,
            origins,
            trust: Trust::Full,
            keeps_offsets: self.keeps_offsets,
        }
    }

    /// The index that a record of this batch had at the beginning.
    pub fn origin(&self, index: u32) -> u32 {
        self.origins.as_ref().map_or(index, |origins| origins[index as usize])
    }

    /// The origins of records that are records `indexes` of this batch.
    fn origins_of(&self, mut indexes: Vec<u32>) -> Vec<u32> {
        if let Some(origins) = &self.origins {
            for index in &mut indexes {
                *index = origins[*index as usize];
            }
        }
        indexes
    }
}

/// What the links of a chain share while a batch passes.
pub struct Pass<'p> {
    pub recoder: &'p mut Recoder,
    pub faults: Faults<'p>,
}

impl Pass<'_> {
    /// A record failed in a transform or predicate; `at` is its index at the beginning of the chain.
    fn fail(&mut self, at: u32, class: &str, error: &Throwable) {
        self.faults.fail(at, Stage::Transformation, class, error);
    }
}

impl Chain {
    /// Of the worker's own links alone.
    pub fn native(links: NativeLinks, converters: &Converters, direction: Direction) -> Self {
        let section = Work::Native(NativeSection::new(links));
        Chain {
            links: vec![Link {
                alias: String::new(),
                work: section,
                condition: None,
            }],
            recoder: Recoder::new(converters, Role::Transform, direction.order()),
        }
    }

    /// The worker's own links, each under its alias, as [`Chain::start_apart`] has them.
    #[cfg(test)]
    pub(crate) fn native_apart(named: Vec<(&str, NativeLink)>, converters: &Converters, direction: Direction) -> Self {
        let link = |(alias, native): (&str, NativeLink)| {
            let mut links = NativeLinks::default();
            links.push(native);
            Link {
                alias: alias.to_owned(),
                work: Work::Native(NativeSection::new(links)),
                condition: None,
            }
        };
        Chain {
            links: apart(named.into_iter().map(link).collect(), direction),
            recoder: Recoder::new(converters, Role::Transform, direction.order()),
        }
    }

    pub(crate) async fn start(task: &TaskSettings) -> Result<Self, Failure> {
        Self::of(task, joined(started(task).await?)).await
    }

    /// A chain that can be watched between any two of its links. It does what [`Chain::start`]'s does, at the cost of
    /// laying each record down behind each of the worker's own links.
    pub(crate) async fn start_apart(task: &TaskSettings) -> Result<Self, Failure> {
        Self::of(task, apart(started(task).await?, task.direction)).await
    }

    async fn of(task: &TaskSettings, links: Vec<Link>) -> Result<Self, Failure> {
        Ok(Chain {
            links: converted(task, links).await?,
            recoder: Recoder::new(&task.converters, Role::Transform, task.direction.order()),
        })
    }

    /// What leaves the columns as they are that the last link gives, if that is one of the worker's own.
    pub(crate) fn last_looks(&self) -> Option<Encodings> {
        match &self.links.last()?.work {
            Work::Native(section) => Some(section.looks()),
            Work::Guest(_) => None,
        }
    }

    /// The link at a place.
    pub(crate) fn link(&self, at: usize) -> Option<Passed<'_>> {
        self.links.get(at).map(Link::passed)
    }

    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// What the first transform takes; `None` if it reads Kafka's own bytes by itself.
    pub fn first_encodings(&self) -> Option<Encodings> {
        match self.links.first()? {
            Link {
                work: Work::Native(_),
                condition: None,
                ..
            } => None,
            Link {
                work: Work::Guest(link),
                condition: None,
                ..
            } if matches!(link.job(), Job::Deserialize(_)) => None,
            link => Some(link.encodings()),
        }
    }

    /// Sends a batch through all transforms. `arrival` is the time that records without one of their own have.
    pub async fn apply<'a>(
        &mut self,
        stream: Stream<'a>,
        target: Target,
        arrival: i64,
        trail: Trail<'_>,
        errors: &mut Errors,
    ) -> Result<Stream<'a>, Failure> {
        let unwatched = |_: Passed<'_>, _: &Stream<'_>, _: &mut Errors| Ok(());
        self.apply_watched(stream, target, arrival, trail, errors, unwatched)
            .await
    }

    /// As [`Chain::apply`]; `watch` sees the batch behind each link.
    pub(crate) async fn apply_watched<'a>(
        &mut self,
        mut stream: Stream<'a>,
        target: Target,
        arrival: i64,
        trail: Trail<'_>,
        errors: &mut Errors,
        mut watch: impl FnMut(Passed<'_>, &Stream<'_>, &mut Errors) -> Result<(), Failure>,
    ) -> Result<Stream<'a>, Failure> {
        self.recoder.arrival = Some(arrival);
        let mut pass = Pass {
            recoder: &mut self.recoder,
            faults: Faults { errors, trail },
        };
        let mut links = self.links.iter_mut().peekable();
        while let Some(link) = links.next() {
            if stream.frame.is_empty() {
                break;
            }
            let next = links.peek().map_or(target, |next| Target::Sink(next.encodings()));
            stream = link.apply(stream, next, &mut pass).await?;
            watch(link.passed(), &stream, &mut *pass.faults.errors)?;
        }
        Ok(stream)
    }

    /// Whether a component may still be replaced by the one before it.
    pub(crate) fn is_on_trial(&self) -> bool {
        self.links
            .iter()
            .any(|link| matches!(&link.work, Work::Guest(transform) if transform.is_on_trial()))
    }

    /// Time has passed without a batch: who is on probation may have proved itself.
    pub(crate) fn look(&mut self) {
        for link in &mut self.links {
            if let Work::Guest(transform) = &mut link.work {
                transform.look();
            }
        }
    }

    /// Puts another component in the place of one, between two batches.
    pub(crate) async fn replace(&mut self, swap: Swap, task: &TaskSettings) {
        for link in &mut self.links {
            match (&swap.place, &mut link.work, &mut link.condition) {
                (Place::Transform(alias), Work::Guest(transform), _) if *alias == link.alias => {
                    return transform.replace(swap, task).await;
                }
                (
                    Place::Predicate(alias),
                    _,
                    Some(Condition {
                        predicate: Predicate::Guest(predicate),
                        ..
                    }),
                ) if *alias == link.alias => return predicate.replace(swap, task).await,
                _ => {}
            }
        }
        let text = format!("task {} has no component at {:?}", task.id, swap.place);
        // Who asked may have gone.
        let _ = swap.reply.send(Err(Failure::host(text)));
    }

    /// Memory for frames to come.
    pub fn recycle(&mut self, frame: Vec<u8>) {
        self.recoder.builder.recycle(frame);
    }

    pub async fn stop(&mut self) {
        for link in &mut self.links {
            if let Work::Guest(transform) = &mut link.work {
                transform.stop().await;
            }
            if let Some(Condition {
                predicate: Predicate::Guest(predicate),
                ..
            }) = &mut link.condition
            {
                predicate.stop().await;
            }
        }
    }
}

impl Link {
    async fn start(task: &TaskSettings, link: &ChainLink) -> Result<Self, Failure> {
        let alias = &link.alias;
        let unstarted = |error: caisson_api::Error| {
            let exception = Throwable::wrapping(&Throwable::from(&error));
            let message = format!("transform {alias} of task {} could not start: {error}", task.id);
            Failure::new(FailureKind::Guest, message).with_detail(exception.stack_trace())
        };
        let mut condition = match &link.condition {
            None => None,
            Some(condition) => Some(Condition {
                predicate: match &condition.plugin {
                    TransformPlugin::Guest { plugin, config } => {
                        Predicate::Guest(Box::new(GuestPredicate::start(task, alias, plugin, config).await?))
                    }
                    TransformPlugin::Native { plugin, settings } => {
                        Predicate::Native(NativePredicate::start(*plugin, settings).map_err(unstarted)?)
                    }
                },
                negate: condition.negate,
            }),
        };
        let work = match &link.plugin {
            TransformPlugin::Guest { plugin, config } => {
                Work::Guest(Box::new(GuestLink::transform(task, alias, plugin, config).await?))
            }
            TransformPlugin::Native { plugin, settings } => {
                let mut native = NativeLink::start(*plugin, settings).map_err(unstarted)?;
                match condition.take() {
                    Some(Condition {
                        predicate: Predicate::Native(predicate),
                        negate,
                    }) => native.ask(predicate, negate),
                    other => condition = other,
                }
                let mut links = NativeLinks::default();
                links.push(native);
                Work::Native(NativeSection::new(links))
            }
        };
        Ok(Link {
            alias: alias.clone(),
            work,
            condition,
        })
    }

    fn passed(&self) -> Passed<'_> {
        let (class, stage) = match &self.work {
            Work::Guest(guest) => (guest.class(), guest.job().stage()),
            Work::Native(section) => (section.class(), Stage::Transformation),
        };
        Passed {
            alias: &self.alias,
            class,
            stage,
        }
    }

    /// The worker's own, if it can be one section with others.
    fn section(&mut self) -> Option<&mut NativeSection> {
        match (&mut self.work, &self.condition) {
            (Work::Native(section), None) => Some(section),
            (Work::Native(_) | Work::Guest(_), _) => None,
        }
    }

    fn is_section(&self) -> bool {
        matches!(self.work, Work::Native(_)) && self.condition.is_none()
    }

    /// What it takes.
    fn encodings(&self) -> Encodings {
        match &self.work {
            Work::Guest(transform) => transform.encodings,
            Work::Native(section) => section.looks(),
        }
    }

    async fn apply<'a>(
        &mut self,
        stream: Stream<'a>,
        target: Target,
        pass: &mut Pass<'_>,
    ) -> Result<Stream<'a>, Failure> {
        let Some(condition) = &mut self.condition else {
            return self.work.apply(stream, target, pass).await;
        };
        // What passes the transform by has to be in the same forms as what it gives back.
        let encodings = match &self.work {
            Work::Guest(transform) => transform.encodings,
            Work::Native(section) => section.looks(),
        };
        let stream = parts::recoded(stream, encodings, pass)?;
        let records = parsed(&stream.frame, "")?.len();
        let Choice { mine, others } = condition.choose(&stream, pass).await?;
        if others.len() == records {
            return Ok(stream);
        }
        if mine.len() == records {
            return self.work.apply(stream, target, pass).await;
        }
        let part = parts::picked(&stream, mine, pass)?;
        let done = self.work.apply(part, Target::Sink(encodings), pass).await?;
        parts::merged(&stream, &others, &done, pass)
    }
}

impl Work {
    async fn apply<'a>(
        &mut self,
        stream: Stream<'a>,
        target: Target,
        pass: &mut Pass<'_>,
    ) -> Result<Stream<'a>, Failure> {
        match self {
            Work::Guest(transform) => {
                let stream = parts::recoded(stream, transform.encodings, pass)?;
                transform.apply(stream, pass).await
            }
            Work::Native(section) => section.apply(&stream, target, pass),
        }
    }
}

/// Which records of a batch a transform is to see, and which pass it by. Those for which the question failed are in
/// neither.
struct Choice {
    mine: Vec<u32>,
    others: Vec<u32>,
}

impl Condition {
    async fn choose(&mut self, stream: &Stream<'_>, pass: &mut Pass<'_>) -> Result<Choice, Failure> {
        let answers = match &mut self.predicate {
            Predicate::Guest(predicate) => predicate.test(stream, pass).await?,
            Predicate::Native(predicate) => predicate.test(stream, pass)?,
        };
        let mut choice = Choice {
            mine: Vec::new(),
            others: Vec::new(),
        };
        for (index, answer) in (0..).zip(answers) {
            match answer {
                Some(matches) if matches != self.negate => choice.mine.push(index),
                Some(_) => choice.others.push(index),
                None => {}
            }
        }
        Ok(choice)
    }
}

fn parsed<'a>(frame: &'a [u8], class: &str) -> Result<Frame<'a>, Failure> {
    Frame::parse(frame).map_err(|error| wrong(class, &error.to_string()))
}

fn wrong(class: &str, what: &str) -> Failure {
    Failure::new(FailureKind::Guest, format!("transform {class}: {what}"))
}
