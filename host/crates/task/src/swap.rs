//! Putting a new instance in a plugin's place while its task runs.
//!
//! What takes long is done beforehand and elsewhere: compiling, instantiating and, but for sources, starting
//! ([`Preparer`]). The task takes what is ready between two batches. What it replaced comes back by itself if the new
//! one fails within its probation ([`Trial`]).

mod trial;

use std::sync::Arc;
use std::time::Duration;

use caisson_api::manifest::ability;
use caisson_model::Failure;
use caisson_sandbox::{CallError, OffsetReader, Predicate, SinkTask, SourceTask, Transform};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::settings::{ChainLink, Direction, PluginRef, TaskSettings, TransformPlugin};
pub use trial::Terms;
pub(crate) use trial::{Probation, Step, Tally, Trial, worse};

/// Where in a task a plugin stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The connector's own.
    Plugin,
    /// The transform of this alias.
    Transform(String),
    /// The predicate of the transform of this alias.
    Predicate(String),
}

/// What is wanted of a running task beside going on.
#[derive(Debug)]
pub enum Order {
    Swap(Box<Swap>),
    /// To show this failure in its status, though it goes on.
    Tell(Failure),
}

/// An instance that is to take a plugin's place.
#[derive(Debug)]
pub struct Swap {
    pub(crate) place: Place,
    pub(crate) plugin: PluginRef,
    pub(crate) fresh: Fresh,
    /// None: who is replaced does not come back by itself.
    pub(crate) terms: Option<Terms>,
    /// Shown in the status, if nobody asked for it.
    pub(crate) reason: Option<Failure>,
    pub(crate) reply: oneshot::Sender<Result<Swapped, Failure>>,
    pub(crate) verdict: oneshot::Sender<Result<(), Failure>>,
}

/// A swap that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swapped {
    /// For so long the task took no records.
    pub pause: Duration,
}

/// What a task answers to a swap.
#[derive(Debug)]
pub struct Answers {
    /// Whether the new instance is in its place; if not, the old one goes on.
    pub swapped: oneshot::Receiver<Result<Swapped, Failure>>,
    /// Whether it has proved itself. Dropped: nobody will ever know.
    pub verdict: oneshot::Receiver<Result<(), Failure>>,
}

/// A new instance, as far as it can be made before it is needed.
pub enum Fresh {
    Sink(SinkTask),
    /// Created; started when everything before it is written.
    Source(SourceTask),
    /// Its manifest forbids that two of them are there at once: it is made when the old one has gone.
    Exclusive,
    Transform(Transform),
    Predicate(Predicate),
}

impl std::fmt::Debug for Fresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Fresh::Sink(_) => "Sink",
            Fresh::Source(_) => "Source",
            Fresh::Exclusive => "Exclusive",
            Fresh::Transform(_) => "Transform",
            Fresh::Predicate(_) => "Predicate",
        })
    }
}

/// Makes instances for a task, beside it.
#[derive(Clone)]
pub struct Preparer {
    pub(crate) settings: Arc<TaskSettings>,
    /// For sources.
    pub(crate) offsets: Option<Arc<dyn OffsetReader>>,
}

impl Preparer {
    /// An instance of `plugin` for a place of the task. Calls the guest: not for a thread that others wait for.
    pub async fn prepare(&self, place: &Place, plugin: &PluginRef) -> Result<Fresh, Failure> {
        let compiled = plugin.module.prepare().await;
        compiled.map_err(|error| Failure::from(CallError::from(error)))?;
        let task = &self.settings;
        let fresh = match place {
            Place::Plugin if plugin.is_able(ability::EXCLUSIVE) => return Ok(Fresh::Exclusive),
            Place::Plugin => {
                let spec = task.instance(plugin, &task.config);
                match (task.direction, &self.offsets) {
                    (Direction::ToKafka, Some(offsets)) => {
                        SourceTask::create(&spec, offsets.clone()).await.map(Fresh::Source)
                    }
                    (Direction::ToKafka, None) | (Direction::FromKafka, _) => {
                        SinkTask::start(spec).await.map(Fresh::Sink)
                    }
                }
            }
            Place::Transform(alias) => {
                let config = self.link_config(alias, Part::Transform)?;
                let started = Transform::start(task.instance(plugin, config)).await;
                started.map(Fresh::Transform)
            }
            Place::Predicate(alias) => {
                let config = self.link_config(alias, Part::Predicate)?;
                let started = Predicate::start(task.instance(plugin, config)).await;
                started.map(Fresh::Predicate)
            }
        };
        fresh.map_err(|error| task.failed_for(plugin, "start", error))
    }

    fn link_config(&self, alias: &str, part: Part) -> Result<&caisson_api::config::Config, Failure> {
        let link = self.settings.chain.iter().find(|link| link.alias == alias);
        let config = link.and_then(|link| match (part, &link.plugin, &link.condition) {
            (Part::Transform, TransformPlugin::Guest { config, .. }, _) => Some(config),
            (Part::Predicate, _, Some(condition)) => match &condition.plugin {
                TransformPlugin::Guest { config, .. } => Some(config),
                TransformPlugin::Native { .. } => None,
            },
            (Part::Transform, TransformPlugin::Native { .. }, _) | (Part::Predicate, _, None) => None,
        });
        config.ok_or_else(|| Failure::host(format!("task {} has no component at {alias}", self.settings.id)))
    }
}

/// Where components stand in a task, and which: its own plugin, and those of its chain.
pub fn places(plugin: &PluginRef, chain: &[ChainLink]) -> Vec<(Place, PluginRef)> {
    let mut places = vec![(Place::Plugin, plugin.clone())];
    for link in chain {
        if let TransformPlugin::Guest { plugin, .. } = &link.plugin {
            places.push((Place::Transform(link.alias.clone()), plugin.clone()));
        }
        if let Some(condition) = &link.condition
            && let TransformPlugin::Guest { plugin, .. } = &condition.plugin
        {
            places.push((Place::Predicate(link.alias.clone()), plugin.clone()));
        }
    }
    places
}

#[derive(Clone, Copy)]
enum Part {
    Transform,
    Predicate,
}

impl Swap {
    /// A swap, and where the task answers.
    pub fn new(
        place: Place,
        plugin: PluginRef,
        fresh: Fresh,
        terms: Option<Terms>,
        reason: Option<Failure>,
    ) -> (Swap, Answers) {
        let (reply, swapped) = oneshot::channel();
        let (verdict, judged) = oneshot::channel();
        let swap = Swap {
            place,
            plugin,
            fresh,
            terms,
            reason,
            reply,
            verdict,
        };
        let answers = Answers {
            swapped,
            verdict: judged,
        };
        (swap, answers)
    }
}

/// Lets an instance stop that nobody waits for any more, where it holds up nobody.
pub(crate) fn retire<F>(class: &str, stop: impl FnOnce() -> F + Send + 'static)
where
    F: Future<Output = Result<(), CallError>>,
{
    let runtime = Handle::current();
    let class = class.to_owned();
    tokio::task::spawn_blocking(move || {
        if let Err(error) = runtime.block_on(stop()) {
            tracing::warn!(class, %error, "stop of a plugin that was replaced failed");
        }
    });
}
