//! Modules that come and go while the worker runs, and what runs being brought in line with them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use caisson_config::Role;
use caisson_model::{Digest, Failure, TaskId};
use caisson_sandbox::Module;
use caisson_store::Config;
use caisson_task::PluginRef;
use caisson_task::meters::Meters;
use caisson_task::swap::{Answers, Fresh, Order, Place, Preparer, Swap, Terms};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};

use crate::Worker;
use crate::connectors::on_thread;
use crate::plugins::{Installed, LoadedModule, Plugins};
use crate::tasks::Running;

/// How long a task may take to come to the end of a batch and make it durable.
const PATIENCE: Duration = Duration::from_secs(150);

/// What of a class is to be swapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All that runs is brought in line with the bindings.
    All,
    /// This task is; by its name, `connector-0`.
    Task(String),
    /// This task takes this module, as if it were bound.
    Canary { task: String, module: Digest },
}

/// What is to be swapped.
#[derive(Clone, Debug)]
pub struct SwapOrder {
    pub class: String,
    pub scope: Scope,
    /// None: whoever is replaced does not come back by itself.
    pub terms: Option<Terms>,
    /// Shown in statuses, if nobody asked for it.
    pub reason: Option<Failure>,
}

/// A task that goes on with another module, on probation.
pub struct Trial {
    pub task: TaskId,
    pub verdict: oneshot::Receiver<Result<(), Failure>>,
}

/// What was swapped.
#[derive(Default)]
pub struct Swaps {
    pub swapped: Vec<String>,
    /// What takes its place at the next start.
    pub waiting: Vec<String>,
    pub trials: Vec<Trial>,
}

/// Places in tasks, by what has to be done about them.
#[derive(Default)]
pub(crate) struct Places {
    /// To be taken by another module.
    pub(crate) vacant: Vec<Vacancy>,
    /// Tasks that can take it only when they are started the next time.
    waiting: Vec<String>,
    /// Of those that run with the right module: where their tasks take orders.
    in_line: Vec<mpsc::Sender<Order>>,
}

/// A place of a task that another module is to take.
pub(crate) struct Vacancy {
    pub(crate) task: TaskId,
    place: Place,
    plugin: PluginRef,
    before: PluginRef,
    preparer: Preparer,
    orders: mpsc::Sender<Order>,
}

/// A task, as far as swaps go.
struct Resident {
    id: TaskId,
    connector: Config,
    places: Vec<(Place, PluginRef)>,
    preparer: Preparer,
    orders: mpsc::Sender<Order>,
}

impl Worker {
    /// Reads a component and compiles it. Nobody can name it yet.
    pub async fn examine(&self, name: &str, file: &Path) -> Result<Arc<Module>, String> {
        let bytes = tokio::fs::read(file).await.map_err(|error| error.to_string())?;
        let module = self
            .sandbox
            .load(name, bytes)
            .await
            .map_err(|error| error.to_string())?;
        module.prepare().await.map_err(|error| error.to_string())?;
        Ok(module)
    }

    /// Takes a module among the plugins.
    pub fn install(&self, module: Arc<Module>) {
        self.change_plugins(|plugins| plugins.add(module));
    }

    /// Forgets a module that was uploaded.
    pub fn forget(&self, digest: Digest) {
        self.change_plugins(|plugins| plugins.remove(digest));
    }

    /// Decides which modules serve which classes, for what is started from now on.
    pub fn bind(&self, bound: BTreeMap<String, Digest>) {
        self.change_plugins(|plugins| plugins.bind(bound));
    }

    fn change_plugins(&self, change: impl FnOnce(&mut Plugins)) {
        let mut held = self.plugins.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut held));
    }

    /// All modules that this worker has.
    pub fn modules(&self) -> Vec<LoadedModule> {
        self.plugins().loaded().to_vec()
    }

    /// What a configuration that names this class and no version would be given.
    pub fn server(&self, class: &str) -> Option<(caisson_config::PluginInfo, Option<Installed>)> {
        let plugins = self.plugins();
        Role::ALL.into_iter().find_map(|role| {
            let info = plugins
                .find(role, class, None)
                .ok()
                .filter(|info| info.class == class)?;
            let installed = plugins.serving(role, class);
            Some((info, installed))
        })
    }

    /// Brings what runs of a class in line with the bindings. All that is new is started before anything old ends.
    pub async fn swap(self: &Arc<Self>, order: &SwapOrder) -> Result<Swaps, Failure> {
        let mut swaps = Swaps::default();
        let vacancies = self.vacancies(order, &mut swaps).await;
        let prepared = prepared(vacancies).await?;
        if order.scope == Scope::All {
            for (name, installed) in self.outdated_connectors(&order.class).await {
                self.swap_connector(&name, &installed).await?;
                swaps.swapped.push(name.to_string());
            }
        }
        let mut answers = JoinSet::new();
        for (vacancy, fresh) in prepared {
            let (swap, answer) = Swap::new(
                vacancy.place.clone(),
                vacancy.plugin.clone(),
                fresh,
                order.terms,
                order.reason.clone(),
            );
            let worker = self.clone();
            answers.spawn(async move { worker.offer(vacancy, swap, answer).await });
        }
        let mut failed = None;
        while let Some(done) = answers.join_next().await {
            match done.map_err(|error| bug(&error))? {
                Ok(Offered::Taken(trial)) => {
                    swaps.swapped.push(trial.task.to_string());
                    if order.terms.is_some() {
                        swaps.trials.push(trial);
                    }
                }
                Ok(Offered::Ended(task)) => swaps.waiting.push(task.to_string()),
                Err(failure) => failed = failed.or(Some(failure)),
            }
        }
        swaps.swapped.sort();
        swaps.swapped.dedup();
        match failed {
            Some(failure) => Err(failure),
            None => Ok(swaps),
        }
    }

    /// Connectors of the class that are made of another module than they should.
    async fn outdated_connectors(&self, class: &str) -> Vec<(Arc<str>, Installed)> {
        let connectors: Vec<_> = self
            .connectors()
            .iter()
            .map(|(name, held)| (name.clone(), held.clone()))
            .collect();
        let mut outdated = Vec::new();
        for (name, connector) in connectors {
            let Ok(held) = connector.held().await else { continue };
            if held.installed.plugin().class != class {
                continue;
            }
            match self.installed_connector(&held.given) {
                Ok(installed) if installed.module.digest != held.installed.module.digest => {
                    outdated.push((name, installed));
                }
                Ok(_) => {}
                Err(failure) => tracing::warn!(connector = %name, %failure, "left as it is: its class is not there"),
            }
        }
        outdated
    }

    /// Places in tasks that another module is to take. What cannot be swapped is noted.
    async fn vacancies(&self, order: &SwapOrder, swaps: &mut Swaps) -> Vec<Vacancy> {
        let class = &order.class;
        let found = match &order.scope {
            Scope::All => self.look(&self.plugins(), class, None),
            Scope::Task(task) => self.look(&self.plugins(), class, Some(task)),
            Scope::Canary { task, module } => {
                let tried = self.plugins().with_bound(class, *module);
                self.look(&tried, class, Some(task))
            }
        };
        if let Some(reason) = &order.reason {
            for orders in found.in_line {
                // A task that has ended has told more.
                let _ = orders.send(Order::Tell(reason.clone())).await;
            }
        }
        swaps.waiting.extend(found.waiting);
        found.vacant
    }

    /// Compares what runs of a class, in one task or in all, with what these plugins would have it be.
    pub(crate) fn look(&self, plugins: &Plugins, class: &str, only: Option<&str>) -> Places {
        let mut found = Places::default();
        for task in self.residents() {
            if only.is_some_and(|name| name != task.id.to_string()) {
                continue;
            }
            let wanted = match self.wanted_places(plugins, &task.connector) {
                Ok(wanted) => wanted,
                Err(failure) => {
                    tracing::warn!(task = %task.id, %failure, "left as it is: its configuration cannot be looked up");
                    continue;
                }
            };
            let of_class = |(_, plugin): &&(Place, PluginRef)| plugin.class == class;
            for (place, before) in task.places.iter().filter(of_class) {
                let plugin = wanted.iter().filter(of_class).find(|(wanted, _)| wanted == place);
                match plugin {
                    Some((_, plugin)) if plugin.module.digest == before.module.digest => {
                        found.in_line.push(task.orders.clone());
                    }
                    Some((_, plugin)) if !task.orders.is_closed() => found.vacant.push(Vacancy {
                        task: task.id.clone(),
                        place: place.clone(),
                        plugin: plugin.clone(),
                        before: before.clone(),
                        preparer: task.preparer.clone(),
                        orders: task.orders.clone(),
                    }),
                    Some(_) | None => found.waiting.push(task.id.to_string()),
                }
            }
            let is_new = |(place, _): &(Place, PluginRef)| !task.places.iter().any(|(known, _)| known == place);
            if wanted.iter().filter(of_class).any(is_new) {
                found.waiting.push(task.id.to_string());
            }
        }
        found
    }

    /// What is known of the tasks that were started.
    fn residents(&self) -> Vec<Resident> {
        let resident = |(id, running): (&TaskId, &Running)| Resident {
            id: id.clone(),
            connector: running.connector.clone(),
            places: running.places.clone(),
            preparer: running.handle.preparer(),
            orders: running.handle.orders(),
        };
        self.tasks().iter().map(resident).collect()
    }

    /// Has a task take a new instance, and waits until it has.
    async fn offer(self: Arc<Self>, vacancy: Vacancy, swap: Swap, answers: Answers) -> Result<Offered, Failure> {
        let Vacancy {
            task,
            place,
            plugin,
            before,
            orders,
            ..
        } = vacancy;
        if orders.send(Order::Swap(Box::new(swap))).await.is_err() {
            return Ok(Offered::Ended(task));
        }
        match tokio::time::timeout(PATIENCE, answers.swapped).await {
            Ok(Ok(Ok(_))) => {
                self.note(&task, &place, plugin);
                self.count(&task, Meters::swapped);
            }
            Ok(Ok(Err(failure))) => return Err(failure),
            // It may have failed for whatever reason: what it is started with the next time is decided anew.
            Ok(Err(_)) => return Ok(Offered::Ended(task)),
            Err(_) => {
                // It will take the order when it comes to it.
                self.note(&task, &place, plugin);
                return Err(Failure::host(format!(
                    "task {task} has not come to the end of a batch in {PATIENCE:?}"
                )));
            }
        }
        let (sender, verdict) = oneshot::channel();
        let id = task.clone();
        tokio::spawn(async move {
            let Ok(judged) = answers.verdict.await else { return };
            if judged.is_err() {
                self.note(&id, &place, before);
                self.count(&id, Meters::rolled_back);
            }
            // Who waits may have gone.
            let _ = sender.send(judged);
        });
        Ok(Offered::Taken(Trial { task, verdict }))
    }

    fn count(&self, task: &TaskId, what: fn(&Meters)) {
        if let Some(running) = self.tasks().get(task) {
            what(&running.meters);
        }
    }

    /// A task runs with another component now.
    fn note(&self, task: &TaskId, place: &Place, plugin: PluginRef) {
        if let Some(running) = self.tasks().get_mut(task)
            && let Some(entry) = running.places.iter_mut().find(|(known, _)| known == place)
        {
            entry.1 = plugin;
        }
    }
}

/// An instance for each place, or why one of them cannot be had.
async fn prepared(vacancies: Vec<Vacancy>) -> Result<Vec<(Vacancy, Fresh)>, Failure> {
    let mut ready = JoinSet::new();
    for vacancy in vacancies {
        let preparer = vacancy.preparer.clone();
        let (place, plugin) = (vacancy.place.clone(), vacancy.plugin.clone());
        ready.spawn(async move {
            let fresh = on_thread(async move { preparer.prepare(&place, &plugin).await }).await;
            fresh.and_then(|fresh| fresh).map(|fresh| (vacancy, fresh))
        });
    }
    let mut prepared = Vec::new();
    while let Some(done) = ready.join_next().await {
        prepared.push(done.map_err(|error| bug(&error))??);
    }
    Ok(prepared)
}

fn bug(error: &JoinError) -> Failure {
    Failure::host(format!("the worker has a bug: {error}"))
}

/// What a task made of an order.
enum Offered {
    Taken(Trial),
    Ended(TaskId),
}
