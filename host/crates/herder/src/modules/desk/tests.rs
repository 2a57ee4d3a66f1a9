mod canary;
mod followed;

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use caisson_api::manifest::{Manifest, Plugin, PluginKind};
use caisson_model::{Failure, TaskId, TaskState};
use caisson_store::{
    Config, ConfigChange, DirectoryModuleStore, MemoryConfigStore, MemoryStatusStore, Published, Status,
};
use tokio::sync::oneshot;

use super::*;
use crate::modules::worker::{Examined, Ingredient, Scope, Server, SwapOrder, Swaps, Trial};
use crate::modules::{BindingState, Consent};
use followed::Followed;

const CLASS: &str = "c";

/// A worker whose modules are texts, `CLASS VERSION`, and that swaps as it is told.
#[derive(Default)]
struct Fake {
    modules: Arc<Mutex<Vec<WorkerModule>>>,
    bound: Mutex<BTreeMap<String, Digest>>,
    outcomes: Mutex<VecDeque<Result<Swaps, Failure>>>,
    orders: Mutex<Vec<SwapOrder>>,
    users: Mutex<Vec<String>>,
    /// Tasks that run here.
    tasks: Mutex<Vec<String>>,
}

impl ModuleWorker for Fake {
    fn examine<'a>(&'a self, _: Option<&'a str>, file: &'a Path) -> BoxFuture<'a, Result<Examined, String>> {
        Box::pin(async move {
            let bytes = std::fs::read(file).map_err(|error| error.to_string())?;
            let text = String::from_utf8(bytes.clone()).map_err(|error| error.to_string())?;
            let (class, version) = text.split_once(' ').ok_or("no module")?;
            let kind = match version {
                "transform" => PluginKind::Transform,
                _ => PluginKind::Sink,
            };
            let mut plugin = Plugin::new(class, kind, version);
            if version == "greedy" {
                plugin.grants.network.push("example.org:1".to_owned());
            }
            let manifest = Manifest {
                format: 1,
                module: Default::default(),
                plugins: vec![plugin],
            };
            let module = WorkerModule {
                digest: Digest::of(&bytes),
                name: class.to_owned(),
                origin: Origin::Upload,
                manifest: manifest.clone(),
            };
            let modules = self.modules.clone();
            Ok(Examined {
                digest: module.digest,
                name: module.name.clone(),
                manifest,
                install: Box::new(move || modules.lock().unwrap().push(module)),
            })
        })
    }

    fn forget(&self, digest: Digest) {
        self.modules.lock().unwrap().retain(|module| module.digest != digest);
    }

    fn modules(&self) -> Vec<WorkerModule> {
        self.modules.lock().unwrap().clone()
    }

    fn users(&self, _: Digest) -> Vec<String> {
        self.users.lock().unwrap().clone()
    }

    fn runs(&self, task: &str) -> bool {
        self.tasks.lock().unwrap().iter().any(|known| known == task)
    }

    fn takers(&self, _: &str, _: Digest) -> Vec<String> {
        self.tasks.lock().unwrap().clone()
    }

    fn made_of(&self, _: &Config, tried: Option<(&str, Digest)>) -> Result<Vec<Ingredient>, Failure> {
        let bound = self.bound.lock().unwrap().get(CLASS).copied();
        let module = tried.map(|(_, module)| module).or(bound);
        let ingredient = |module| Ingredient {
            class: CLASS.to_owned(),
            module,
            connector: true,
        };
        Ok(module.into_iter().map(ingredient).collect())
    }

    fn server(&self, class: &str) -> Option<Server> {
        let modules = self.modules();
        let bound = self.bound.lock().unwrap().get(class).copied();
        let offers = |module: &&WorkerModule| module.manifest.plugin(class).is_some();
        let serving = modules
            .iter()
            .filter(offers)
            .find(|module| Some(module.digest) == bound);
        let serving = serving.or(modules.iter().find(offers))?;
        Some(Server {
            kind: PluginKind::Sink,
            module: Some(serving.digest),
            plugin: serving.manifest.plugin(class).cloned(),
        })
    }

    fn bind(&self, bound: BTreeMap<String, Digest>) {
        *self.bound.lock().unwrap() = bound;
    }

    fn swap(&self, order: SwapOrder) -> BoxFuture<'_, Result<Swaps, Failure>> {
        self.orders.lock().unwrap().push(order);
        let outcome = self.outcomes.lock().unwrap().pop_front();
        Box::pin(async { outcome.unwrap_or_else(|| Ok(Swaps::default())) })
    }
}

struct Bench {
    worker: Arc<Fake>,
    desk: Desk,
    configs: Arc<MemoryConfigStore>,
    statuses: Arc<MemoryStatusStore>,
    _directory: Arc<tempfile::TempDir>,
}

async fn bench() -> Bench {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let store = Arc::new(DirectoryModuleStore::open(directory.path()).unwrap());
    let bench = open(store, &directory, &Arc::default(), &Arc::default()).await;
    bench.worker.tasks.lock().unwrap().push("t-0".to_owned());
    bench
}

/// Workers of one cluster, of which none runs anything yet.
async fn cluster(size: usize) -> Vec<Bench> {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let store = Followed::open(directory.path());
    let (configs, statuses) = (Arc::default(), Arc::default());
    let mut workers = Vec::new();
    for _ in 0..size {
        workers.push(open(Arc::new(store.clone()), &directory, &configs, &statuses).await);
    }
    workers
}

async fn open(
    store: Arc<dyn ModuleStore>,
    directory: &Arc<tempfile::TempDir>,
    configs: &Arc<MemoryConfigStore>,
    statuses: &Arc<MemoryStatusStore>,
) -> Bench {
    let worker = Arc::new(Fake::default());
    let options = DeskOptions {
        module_bytes: 1_000,
        trial: TrialTerms {
            records: 1,
            time: Duration::from_secs(60),
        },
    };
    let parts = DeskParts {
        store,
        worker: worker.clone(),
        configs: configs.clone(),
        statuses: statuses.clone(),
    };
    Bench {
        desk: Desk::open(parts, options).await,
        worker,
        configs: configs.clone(),
        statuses: statuses.clone(),
        _directory: directory.clone(),
    }
}

fn asking_for(module: Digest) -> BindRequest {
    BindRequest {
        module: Some(module),
        consent: Consent::Withheld,
        by: "me".to_owned(),
    }
}

impl Bench {
    async fn upload(&self, text: &str) -> Result<Added, Error> {
        let mut upload = self.desk.begin().await?;
        upload.write(text.as_bytes()).await?;
        let request = AddRequest {
            activate: false,
            consent: Consent::Withheld,
            by: "me".to_owned(),
        };
        self.desk.add(upload.finish().await?, request).await
    }

    async fn bind(&self, module: Digest) -> Result<Bound, Error> {
        self.desk.bind(CLASS.to_owned(), asking_for(module)).await
    }

    async fn try_out(&self, module: Digest) -> Result<Bound, Error> {
        self.desk.try_out(CLASS.to_owned(), asking_for(module)).await
    }

    /// There is a connector of the class, with one task that runs on some worker.
    async fn connector(&self, name: &str) {
        let config: Config = [("connector.class".to_owned(), Some(CLASS.to_owned()))].into();
        let (name, tasks) = (Arc::<str>::from(name), vec![config.clone()]);
        let put = ConfigChange::PutConnector {
            name: name.clone(),
            config,
            target: None,
        };
        self.configs.write(put).await.unwrap();
        let name = &name;
        let put = ConfigChange::PutTasks {
            name: name.clone(),
            tasks,
        };
        self.configs.write(put).await.unwrap();
        let status = Status {
            state: TaskState::Running,
            worker_id: "w".to_owned(),
            trace: None,
            version: None,
            generation: 0,
        };
        self.statuses.put_task(&TaskId::new(name.clone(), 0), status);
    }

    /// What the worker was asked to swap.
    fn scopes(&self) -> Vec<Scope> {
        let orders = self.worker.orders.lock().unwrap();
        orders.iter().map(|order| order.scope.clone()).collect()
    }

    /// The next swap ends so.
    fn next_swap(&self, outcome: Result<Swaps, Failure>) {
        self.worker.outcomes.lock().unwrap().push_back(outcome);
    }

    /// The next swap begins a probation, whose verdict is given by what is returned.
    fn next_trial(&self) -> oneshot::Sender<Result<(), Failure>> {
        let (sender, verdict) = oneshot::channel();
        let trial = Trial {
            task: "t-0".to_owned(),
            verdict,
        };
        self.next_swap(Ok(Swaps {
            trials: vec![trial],
            ..Swaps::default()
        }));
        sender
    }

    fn serving(&self) -> Option<Digest> {
        self.worker.bound.lock().unwrap().get(CLASS).copied()
    }

    fn binding(&self) -> BindingInfo {
        self.desk.binding(CLASS).unwrap()
    }

    async fn until(&self, what: impl Fn(&BindingInfo) -> bool) -> BindingInfo {
        let found = async {
            while !what(&self.binding()) {
                tokio::task::yield_now().await;
            }
            self.binding()
        };
        tokio::time::timeout(Duration::from_secs(10), found).await.unwrap()
    }
}

#[tokio::test]
async fn an_upload_serves_what_nobody_served_and_takes_nothing_from_anybody() {
    let bench = bench().await;
    let first = bench.upload("c 1").await.unwrap();
    assert_eq!(
        (first.published, first.module.serves.clone()),
        (Published::New, vec![CLASS.to_owned()])
    );
    let second = bench.upload("c 2").await.unwrap();
    assert_eq!(second.module.serves, Vec::<String>::new());
    assert_eq!(bench.upload("c 1").await.unwrap().published, Published::Known);
    assert_eq!(bench.serving(), Some(first.module.digest));
    assert_eq!(bench.binding().current.by, "upload");
    assert!(matches!(bench.upload("garbage").await, Err(Error::BadRequest(_))));
    assert!(matches!(
        bench.upload(&"x".repeat(1_001)).await,
        Err(Error::TooLarge(_))
    ));
    assert_eq!(bench.desk.list().len(), 2);
}

#[tokio::test]
async fn a_module_that_claims_what_a_class_is_not_is_refused_and_leaves_nothing() {
    let bench = bench().await;
    let first = bench.upload("c 1").await.unwrap().module.digest;
    let refused = bench.upload("c transform").await.unwrap_err();
    assert!(
        matches!(&refused, Error::Conflict(text) if text.contains("here it is a sink")),
        "{refused}"
    );
    assert_eq!((bench.desk.list().len(), bench.serving()), (1, Some(first)));
    assert_eq!(bench.binding().current.generation, 1);
}

#[tokio::test]
async fn what_cannot_start_is_taken_back_at_once() {
    let bench = bench().await;
    let first = bench.upload("c 1").await.unwrap().module.digest;
    let second = bench.upload("c 2").await.unwrap().module.digest;
    bench.next_swap(Err(Failure::host("it does not start")));
    let refused = bench.bind(second).await.unwrap_err();
    assert!(refused.to_string().contains("it does not start"), "{refused}");
    let binding = bench.binding();
    assert_eq!((binding.current.module, binding.current.generation), (Some(first), 3));
    assert_eq!(
        (binding.current.by.as_str(), bench.serving()),
        ("rollback", Some(first))
    );
    let orders = bench.worker.orders.lock().unwrap();
    assert!(
        orders[0].trial.is_some() && orders[1].trial.is_none() && orders[1].reason.is_some(),
        "{orders:?}"
    );
}

#[tokio::test]
async fn probation_settles_a_binding_or_takes_it_back() {
    let bench = bench().await;
    let first = bench.upload("c 1").await.unwrap().module.digest;
    let second = bench.upload("c 2").await.unwrap().module.digest;
    let verdict = bench.next_trial();
    assert_eq!(bench.bind(second).await.unwrap().binding.state, BindingState::Probation);
    assert!(matches!(
        bench.desk.remove(first, "me".to_owned()).await,
        Err(Error::Conflict(_))
    ));
    verdict.send(Ok(())).unwrap();
    bench.until(|binding| binding.state == BindingState::Settled).await;
    assert_eq!(bench.serving(), Some(second));

    let verdict = bench.next_trial();
    bench.bind(first).await.unwrap();
    verdict.send(Err(Failure::host("it trapped"))).unwrap();
    let is_back = |binding: &BindingInfo| binding.current.by == "rollback" && bench.serving() == Some(second);
    let binding = bench.until(is_back).await;
    assert_eq!(binding.current.module, Some(second));
    assert!(binding.current.reason.unwrap().contains("it trapped"));
}

#[tokio::test]
async fn a_verdict_that_comes_after_another_decision_changes_nothing() {
    let bench = bench().await;
    let first = bench.upload("c 1").await.unwrap().module.digest;
    let second = bench.upload("c 2").await.unwrap().module.digest;
    let early = bench.next_trial();
    bench.bind(second).await.unwrap();
    let late = bench.next_trial();
    bench.bind(first).await.unwrap();
    early.send(Err(Failure::host("it trapped"))).unwrap();
    late.send(Ok(())).unwrap();
    let binding = bench.until(|binding| binding.state == BindingState::Settled).await;
    assert_eq!((binding.current.module, binding.current.generation), (Some(first), 3));
}

#[tokio::test]
async fn wider_grants_need_consent_and_going_back_needs_none() {
    let bench = bench().await;
    let first = bench.upload("c 1").await.unwrap().module.digest;
    let greedy = bench.upload("c greedy").await.unwrap().module.digest;
    let refused = bench.bind(greedy).await.unwrap_err();
    assert!(
        matches!(&refused, Error::Consent { added, .. } if added.network == ["example.org:1"]),
        "{refused}"
    );
    let request = BindRequest {
        module: Some(greedy),
        consent: Consent::Given,
        by: "me".to_owned(),
    };
    bench.desk.bind(CLASS.to_owned(), request).await.unwrap();
    bench.desk.roll_back(CLASS.to_owned(), "me".to_owned()).await.unwrap();
    assert_eq!(bench.serving(), Some(first));
    bench.desk.roll_back(CLASS.to_owned(), "me".to_owned()).await.unwrap();
    assert_eq!((bench.serving(), bench.binding().current.generation), (Some(greedy), 4));
}

#[tokio::test]
async fn a_module_that_another_worker_was_given_a_moment_ago_is_known_here() {
    let workers = cluster(2).await;
    // This desk has yet to act on what the store has.
    let turn = workers[1].desk.shared.changes.lock().await;
    let first = workers[0].upload("c 1").await.unwrap().module.digest;
    let acts = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(turn);
    };
    let (again, ()) = tokio::join!(workers[1].upload("c 1"), acts);
    let again = again.unwrap();
    assert_eq!((again.published, again.module.digest), (Published::Known, first));
}

#[tokio::test]
async fn a_module_stays_as_long_as_anything_in_the_cluster_is_made_of_it() {
    let workers = cluster(2).await;
    let first = workers[0].upload("c 1").await.unwrap().module.digest;
    workers[1].desk.catch_up().await.unwrap();
    workers[0].connector("t").await;
    for bench in &workers {
        let refused = bench.desk.remove(first, "me".to_owned()).await.unwrap_err();
        assert!(refused.to_string().ends_with("in use by t, t-0"), "{refused}");
        assert_eq!(bench.desk.module(first).unwrap().used_by, ["t", "t-0"]);
    }
    let stop = ConfigChange::StopConnector { name: "t".into() };
    workers[0].configs.write(stop).await.unwrap();
    let refused = workers[1].desk.remove(first, "me".to_owned()).await.unwrap_err();
    assert!(refused.to_string().contains("serves c in the cluster"), "{refused}");
    // What serves nothing any more may still come back for as long as a probation lasts.
    let second = workers[1].upload("c 2").await.unwrap().module.digest;
    workers[1].bind(second).await.unwrap();
    workers[0].desk.catch_up().await.unwrap();
    let refused = workers[0].desk.remove(first, "me".to_owned()).await.unwrap_err();
    assert!(refused.to_string().contains("goes back to"), "{refused}");
}

#[tokio::test]
async fn a_module_goes_only_when_nothing_runs_with_it() {
    let bench = bench().await;
    let first = bench.upload("c 1").await.unwrap().module.digest;
    bench.worker.users.lock().unwrap().push("t-0".to_owned());
    let refused = bench.desk.remove(first, "me".to_owned()).await.unwrap_err();
    assert!(refused.to_string().contains("t-0"), "{refused}");
    bench.worker.users.lock().unwrap().clear();
    bench.desk.remove(first, "me".to_owned()).await.unwrap();
    assert!(matches!(bench.desk.module(first), Err(Error::NotFound(_))));
    assert_eq!((bench.serving(), bench.binding().current.module), (None, None));
}
