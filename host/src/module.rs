//! `caisson module`: what authors and operators do with modules before a worker has them.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use crate::cli::ModuleCommand;

pub fn run(command: &ModuleCommand) -> ExitCode {
    let done = match command {
        ModuleCommand::Inspect { file } => with_runtime(inspect(file)),
        ModuleCommand::Package { input, output } => with_runtime(package(input, output)),
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
    let component = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let cache = std::env::temp_dir().join(format!("caisson-inspect-{}", std::process::id()));
    let sandbox = caisson_sandbox::Sandbox::new(caisson_sandbox::SandboxOptions::new(&cache))?;
    let loaded = sandbox.load(&name_of(file), component).await;
    // What was compiled for this look is of no further use.
    let _ = std::fs::remove_dir_all(&cache);
    let module = loaded?;
    let manifest: serde_json::Value = serde_json::from_str(&module.manifest.to_json())?;
    println!("digest: {}", module.digest);
    println!("{}", serde_json::to_string_pretty(&manifest)?);
    Ok(())
}

fn name_of(file: &Path) -> String {
    file.file_name()
        .unwrap_or(file.as_os_str())
        .to_string_lossy()
        .into_owned()
}
