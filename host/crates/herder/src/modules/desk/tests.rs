use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use caisson_api::manifest::{Manifest, Plugin, PluginKind};
use caisson_model::Failure;
use caisson_store::{DirectoryModuleStore, Published};
use tokio::sync::oneshot;

use super::*;
use crate::modules::worker::{Examined, Scope, Server, SwapOrder, Swaps, Trial};
use crate::modules::{BindingState, CanaryState, Consent};

const CLASS: &str = "c";

/// A worker whose modules are texts, `CLASS VERSION`, and that swaps as it is told.
#[derive(Default)]
struct Fake {
    modules: Arc<Mutex<Vec<WorkerModule>>>,
    bound: Mutex<BTreeMap<String, Digest>>,
    outcomes: Mutex<VecDeque<Result<Swaps, Failure>>>,
    orders: Mutex<Vec<SwapOrder>>,
    users: Mutex<Vec<String>>,
}

impl ModuleWorker for Fake {
    fn examine<'a>(&'a self, _: Option<&'a str>, file: &'a Path) -> BoxFuture<'a, Result<Examined, String>> {
        Box::pin(async move {
            let bytes = std::fs::read(file).map_err(|error| error.to_string())?;
            let text = String::from_utf8(bytes.clone()).map_err(|error| error.to_string())?;
            let (class, version) = text.split_once(' ').ok_or("no module")?;
            let mut plugin = Plugin::new(class, PluginKind::Sink, version);
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
    _directory: tempfile::TempDir,
}

async fn bench() -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let worker = Arc::new(Fake::default());
    let store = DirectoryModuleStore::open(directory.path()).unwrap();
    let options = DeskOptions {
        module_bytes: 1_000,
        trial: TrialTerms {
            records: 1,
            time: Duration::from_secs(1),
        },
    };
    let desk = Desk::open(Arc::new(store), worker.clone(), options).await;
    Bench {
        worker,
        desk,
        _directory: directory,
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
        let request = BindRequest {
            module: Some(module),
            consent: Consent::Withheld,
            by: "me".to_owned(),
        };
        self.desk.bind(CLASS.to_owned(), request).await
    }

    async fn try_out(&self, module: Digest) -> Result<Bound, Error> {
        let request = BindRequest {
            module: Some(module),
            consent: Consent::Withheld,
            by: "me".to_owned(),
        };
        self.desk.try_out(CLASS.to_owned(), request).await
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
async fn a_canary_that_proves_itself_is_followed_by_the_others() {
    let bench = bench().await;
    let first = bench.upload("c 1").await.unwrap().module.digest;
    let second = bench.upload("c 2").await.unwrap().module.digest;
    let verdict = bench.next_trial();
    let canary = bench.try_out(second).await.unwrap().binding.canary.unwrap();
    assert_eq!(
        (canary.module, canary.task.as_str(), canary.state),
        (second, "t-0", CanaryState::Probation)
    );
    assert_eq!(
        (bench.binding().current.module, bench.serving()),
        (Some(first), Some(first))
    );
    verdict.send(Ok(())).unwrap();
    let binding = bench.until(|_| bench.scopes().contains(&Scope::All)).await;
    assert_eq!((binding.canary, binding.current.generation), (None, 2));
    assert_eq!(
        (bench.serving(), bench.scopes()),
        (Some(second), vec![Scope::Canary(second), Scope::All])
    );
}

#[tokio::test]
async fn a_canary_that_fails_goes_back_alone_and_says_why() {
    let bench = bench().await;
    let first = bench.upload("c 1").await.unwrap().module.digest;
    let second = bench.upload("c 2").await.unwrap().module.digest;
    let failed = |binding: &BindingInfo| {
        let state = binding.canary.clone().map(|canary| canary.state);
        matches!(state, Some(CanaryState::Failed(_)))
    };
    let verdict = bench.next_trial();
    bench.try_out(second).await.unwrap();
    verdict.send(Err(Failure::host("it trapped"))).unwrap();
    let binding = bench.until(failed).await;
    let canary = binding.canary.unwrap();
    assert!(matches!(canary.state, CanaryState::Failed(reason) if reason.contains("it trapped")));
    assert_eq!((binding.current.module, binding.current.generation), (Some(first), 1));
    let told = |scopes: Vec<Scope>| scopes.last() == Some(&Scope::Task("t-0".to_owned()));
    bench.until(|_| told(bench.scopes())).await;

    // One whose task ends proves nothing.
    drop(bench.next_trial());
    bench.try_out(second).await.unwrap();
    let binding = bench.until(failed).await;
    assert_eq!(binding.current.generation, 1);
    // One that cannot start, or for which there is no task, is refused.
    bench.next_swap(Err(Failure::host("it does not start")));
    let refused = bench.try_out(second).await.unwrap_err();
    assert!(refused.to_string().contains("it does not start"), "{refused}");
    let refused = bench.try_out(second).await.unwrap_err();
    assert!(refused.to_string().contains("no task"), "{refused}");
    assert_eq!((bench.binding().current.generation, bench.serving()), (1, Some(first)));
}

#[tokio::test]
async fn a_decision_ends_a_canary() {
    let bench = bench().await;
    let first = bench.upload("c 1").await.unwrap().module.digest;
    let second = bench.upload("c 2").await.unwrap().module.digest;
    let third = bench.upload("c 3").await.unwrap().module.digest;
    let early = bench.next_trial();
    bench.try_out(second).await.unwrap();
    // Back to where it was: by going back, or by deciding for what is there.
    bench.desk.roll_back(CLASS.to_owned(), "me".to_owned()).await.unwrap();
    assert_eq!(bench.scopes().last(), Some(&Scope::Task("t-0".to_owned())));
    let next = bench.next_trial();
    bench.try_out(second).await.unwrap();
    let bound = bench.bind(first).await.unwrap();
    assert_eq!((bound.binding.canary, bound.binding.current.generation), (None, 1));
    let late = bench.next_trial();
    bench.try_out(second).await.unwrap();
    bench.bind(third).await.unwrap();
    for verdict in [early, next, late] {
        verdict.send(Ok(())).unwrap();
    }
    // Verdicts are heard in turn with decisions; a later one is heard after them.
    let last = bench.next_trial();
    bench.bind(first).await.unwrap();
    last.send(Ok(())).unwrap();
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
