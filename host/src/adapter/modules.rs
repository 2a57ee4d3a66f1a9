//! The worker as the desk of modules sees it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use caisson_herder::modules::{
    Examined, Ingredient, ModuleWorker, Origin, Scope, Server, SwapOrder, Swaps, Trial, TrialTerms, WorkerModule,
};
use caisson_herder::{BoxFuture, Config};
use caisson_model::{Digest, Failure};
use caisson_sandbox::Module;
use caisson_task::swap::Terms;
use caisson_worker::plugins::{LoadedModule, ModuleOrigin};
use caisson_worker::{Worker, modules};

/// What messages call a module that has told nothing yet.
const UNNAMED: &str = "upload";

pub struct Modules(pub Arc<Worker>);

impl ModuleWorker for Modules {
    fn examine<'a>(&'a self, name: Option<&'a str>, file: &'a Path) -> BoxFuture<'a, Result<Examined, String>> {
        Box::pin(async move {
            let module = self.0.examine(name.unwrap_or(UNNAMED), file).await?;
            let worker = self.0.clone();
            let installed = module.clone();
            Ok(Examined {
                digest: module.digest,
                name: name_of(&module),
                manifest: module.manifest.clone(),
                install: Box::new(move || worker.install(installed)),
            })
        })
    }

    fn forget(&self, digest: Digest) {
        self.0.forget(digest);
    }

    fn modules(&self) -> Vec<WorkerModule> {
        let module = |LoadedModule { module, origin }| WorkerModule {
            digest: module.digest,
            name: name_of(&module),
            origin: match origin {
                ModuleOrigin::PluginPath => Origin::PluginPath,
                ModuleOrigin::Upload => Origin::Upload,
            },
            manifest: module.manifest.clone(),
        };
        self.0.modules().into_iter().map(module).collect()
    }

    fn users(&self, digest: Digest) -> Vec<String> {
        self.0.users(digest)
    }

    fn runs(&self, task: &str) -> bool {
        self.0.runs(task)
    }

    fn takers(&self, class: &str, module: Digest) -> Vec<String> {
        let takers = self.0.takers(class, module);
        takers.iter().map(ToString::to_string).collect()
    }

    fn made_of(&self, connector: &Config, tried: Option<(&str, Digest)>) -> Result<Vec<Ingredient>, Failure> {
        let ingredient = |found: caisson_worker::Ingredient| Ingredient {
            class: found.class,
            module: found.module,
            connector: found.connector,
        };
        let made_of = self.0.made_of(connector, tried)?;
        Ok(made_of.into_iter().map(ingredient).collect())
    }

    fn server(&self, class: &str) -> Option<Server> {
        let (info, installed) = self.0.server(class)?;
        Some(Server {
            kind: info.kind,
            module: installed.as_ref().map(|installed| installed.module.digest),
            plugin: installed.map(|installed| installed.plugin().clone()),
        })
    }

    fn bind(&self, bound: BTreeMap<String, Digest>) {
        self.0.bind(bound);
    }

    fn swap(&self, order: SwapOrder) -> BoxFuture<'_, Result<Swaps, Failure>> {
        let terms = |TrialTerms { records, time }| Terms { records, time };
        let order = modules::SwapOrder {
            class: order.class,
            scope: match order.scope {
                Scope::All => modules::Scope::All,
                Scope::Task(task) => modules::Scope::Task(task),
                Scope::Canary { task, module } => modules::Scope::Canary { task, module },
            },
            terms: order.trial.map(terms),
            reason: order.reason,
        };
        let trial = |trial: modules::Trial| Trial {
            task: trial.task.to_string(),
            verdict: trial.verdict,
        };
        Box::pin(async move {
            let swaps = self.0.swap(&order).await?;
            Ok(Swaps {
                swapped: swaps.swapped,
                waiting: swaps.waiting,
                trials: swaps.trials.into_iter().map(trial).collect(),
            })
        })
    }
}

/// What the module calls itself; the name of its file if it says nothing.
fn name_of(module: &Module) -> String {
    match module.manifest.module.name.as_str() {
        "" => module.name.clone(),
        name => name.to_owned(),
    }
}
