//! `caisson module`: what authors and operators do with modules, before a worker has them and afterwards.

mod remote;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use caisson_sandbox::{Module, Sandbox, SandboxOptions};

use crate::cli::ModuleCommand;
use crate::client::{self, Ending};

pub fn run(command: &ModuleCommand) -> ExitCode {
    client::run_async(async {
        perform(command).await?;
        Ok(Ending::Done)
    })
}

async fn perform(command: &ModuleCommand) -> anyhow::Result<()> {
    match command {
        ModuleCommand::Inspect { file } => inspect(file).await,
        ModuleCommand::Validate { file } => validate(file).await,
        ModuleCommand::Package { input, output } => package(input, output).await,
        ModuleCommand::Push {
            file,
            activate,
            consent,
            worker,
        } => remote::push(worker, file, *activate, consent).await,
        ModuleCommand::List { worker } => remote::list(worker).await,
        ModuleCommand::Rm { digest, worker } => remote::remove(worker, digest).await,
        ModuleCommand::Activate {
            class,
            digest,
            canary,
            consent,
            worker,
        } => remote::activate(worker, class, (digest, *canary), consent).await,
        ModuleCommand::Rollback { class, worker } => remote::roll_back(worker, class).await,
    }
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
