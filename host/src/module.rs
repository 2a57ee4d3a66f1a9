//! `caisson module`: what authors and operators do with modules, before a worker has them and afterwards.

mod remote;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use caisson_sandbox::{Module, Sandbox, SandboxOptions};

use crate::cli::ModuleCommand;

pub fn run(command: &ModuleCommand) -> ExitCode {
    let done = match command {
        ModuleCommand::Inspect { file } => with_runtime(inspect(file)),
        ModuleCommand::Validate { file } => with_runtime(validate(file)),
        ModuleCommand::Package { input, output } => with_runtime(package(input, output)),
        ModuleCommand::Push {
            file,
            activate,
            consent,
            worker,
        } => with_runtime(remote::push(worker, file, *activate, consent)),
        ModuleCommand::List { worker } => with_runtime(remote::list(worker)),
        ModuleCommand::Rm { digest, worker } => with_runtime(remote::remove(worker, digest)),
        ModuleCommand::Activate {
            class,
            digest,
            consent,
            worker,
        } => with_runtime(remote::activate(worker, class, digest, consent)),
        ModuleCommand::Rollback { class, worker } => with_runtime(remote::roll_back(worker, class)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("caisson: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn with_runtime(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?
        .block_on(work)
}

async fn package(input: &Path, output: &Path) -> anyhow::Result<()> {
    let component = std::fs::read(input).with_context(|| format!("cannot read {}", input.display()))?;
    let packaged = caisson_sandbox::package(&name_of(input), &component).await?;
    std::fs::write(output, packaged).with_context(|| format!("cannot write {}", output.display()))
}

/// Prints the manifest as it stands in the module; a module without one is asked in an instance without any grant.
async fn inspect(file: &Path) -> anyhow::Result<()> {
    let module = load(file, async |_: &Module| Ok(())).await?;
    let manifest: serde_json::Value = serde_json::from_str(&module.manifest.to_json())?;
    println!("digest: {}", module.digest);
    println!("{}", serde_json::to_string_pretty(&manifest)?);
    Ok(())
}

/// Compiles the module and compares its section with what it says of itself.
async fn validate(file: &Path) -> anyhow::Result<()> {
    let module = load(file, async |module: &Module| Ok(module.prepare().await?)).await?;
    for plugin in &module.manifest.plugins {
        println!("{} {} {}", plugin.kind, plugin.class, plugin.version);
    }
    println!("{}: a worker would take it", file.display());
    Ok(())
}

async fn load(file: &Path, look: impl AsyncFnOnce(&Module) -> anyhow::Result<()>) -> anyhow::Result<Arc<Module>> {
    let component = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let cache = std::env::temp_dir().join(format!("caisson-inspect-{}", std::process::id()));
    let looked = async {
        let sandbox = Sandbox::new(SandboxOptions::new(&cache))?;
        let module = sandbox.load(&name_of(file), component).await?;
        look(&module).await?;
        Ok(module)
    };
    let looked = looked.await;
    // What was compiled for this look is of no further use.
    let _ = std::fs::remove_dir_all(&cache);
    looked
}

fn name_of(file: &Path) -> String {
    file.file_name()
        .unwrap_or(file.as_os_str())
        .to_string_lossy()
        .into_owned()
}
