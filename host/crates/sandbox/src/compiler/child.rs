//! The other side of the compiler: the process that compiles one component and ends.

use std::io::{Read, Write};
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, setrlimit};

use super::{ENV_CPU, ENV_ENGINE, ENV_MEMORY, ENV_OUTPUT, EXIT_INVALID, EXIT_OTHER_ENGINE};
use crate::engine;

/// What the hidden subcommand of the worker runs: limits this process, compiles standard input to standard output.
///
/// Not for people: its parameters come in the environment, from the worker that started it.
pub fn child_main() -> ExitCode {
    match compile() {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, text)) => {
            // Nobody is left to tell if standard error is closed.
            let _ = writeln!(std::io::stderr(), "{text}");
            ExitCode::from(u8::try_from(code).unwrap_or(1))
        }
    }
}

fn compile() -> Result<(), (i32, String)> {
    let other = |text: String| (1, text);
    limit_self().map_err(other)?;
    let engine = engine::on_demand_engine().map_err(|error| other(error.to_string()))?;
    let wanted = std::env::var(ENV_ENGINE).unwrap_or_default();
    let have = engine::compatibility(&engine);
    if have != wanted {
        return Err((
            EXIT_OTHER_ENGINE,
            format!("the compiler is another build than the worker ({have}, not {wanted})"),
        ));
    }
    let mut wasm = Vec::new();
    std::io::stdin()
        .lock()
        .read_to_end(&mut wasm)
        .map_err(|error| other(format!("reading the component: {error}")))?;
    let code = engine
        .precompile_component(&wasm)
        .map_err(|error| (EXIT_INVALID, format!("{error:#}")))?;
    let mut out = std::io::stdout().lock();
    out.write_all(&code)
        .and_then(|()| out.flush())
        .map_err(|error| other(format!("writing the code: {error}")))
}

/// Limits come before the first byte of the component is read.
fn limit_self() -> Result<(), String> {
    let number = |name: &str| -> Result<u64, String> {
        let text = std::env::var(name).map_err(|_| format!("{name} is not set: this is not for people to call"))?;
        text.parse().map_err(|_| format!("{name} is no number: {text}"))
    };
    let limit = |resource: Resource, value: u64| {
        setrlimit(
            resource,
            Rlimit {
                current: Some(value),
                maximum: Some(value),
            },
        )
        .map_err(|error| format!("limiting {resource:?}: {error}"))
    };
    limit(Resource::Core, 0)?;
    limit(Resource::As, number(ENV_MEMORY)?)?;
    limit(Resource::Fsize, number(ENV_OUTPUT)?)?;
    limit(Resource::Nofile, 64)?;
    let cpu = number(ENV_CPU)?;
    // The soft limit names the reason (SIGXCPU); the hard one is for a process that survives it.
    setrlimit(
        Resource::Cpu,
        Rlimit {
            current: Some(cpu),
            maximum: Some(cpu + 1),
        },
    )
    .map_err(|error| format!("limiting the processor time: {error}"))?;
    // The worker's own threads come first.
    let _ = rustix::process::nice(10);
    Ok(())
}
