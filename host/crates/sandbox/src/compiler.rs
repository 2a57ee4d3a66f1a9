//! Turning components into native code: in a process of its own, because a component of 100 kB can cost a compiler
//! minutes and gigabytes, and because nothing that handles hostile bytes for that long should share the worker's memory.
//!
//! The same binary is started again with a hidden subcommand that calls [`child_main`]: it limits itself, reads the
//! component from its standard input and writes the code to its standard output, which is a file of the cache.

use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::engine;
use crate::error::Error;
use crate::options::{CompilerOptions, SandboxOptions};
use caisson_model::Digest;

mod cache;
mod child;
use cache::{Cache, Missing};
pub use child::child_main;

/// The name of the hidden subcommand of the worker.
pub const SUBCOMMAND: &str = "compile-component";

/// Bytes of the child's complaint that are kept.
const MAX_COMPLAINT: u64 = 8 << 10;

/// How the child tells what went wrong.
const EXIT_INVALID: i32 = 10;
const EXIT_OTHER_ENGINE: i32 = 11;

const ENV_MEMORY: &str = "CAISSON_COMPILER_MEMORY";
const ENV_CPU: &str = "CAISSON_COMPILER_CPU";
const ENV_OUTPUT: &str = "CAISSON_COMPILER_OUTPUT";
const ENV_ENGINE: &str = "CAISSON_COMPILER_ENGINE";

/// Compiles components, or finds them compiled.
pub(crate) struct Compiler {
    options: CompilerOptions,
    cache: Cache,
    compatibility: String,
    /// Compilers that may still be started.
    slots: Semaphore,
    compilations: AtomicU64,
}

impl Compiler {
    pub(crate) fn new(engine: &Engine, options: &SandboxOptions) -> Result<Self, Error> {
        let compatibility = engine::compatibility(engine);
        Ok(Compiler {
            cache: Cache::open(&options.cache_dir, &compatibility)?,
            slots: Semaphore::new(options.compiler.parallel.max(1)),
            options: options.compiler.clone(),
            compatibility,
            compilations: AtomicU64::new(0),
        })
    }

    pub(crate) fn compilations(&self) -> u64 {
        self.compilations.load(Ordering::Relaxed)
    }

    /// The code of `bytes`: from the cache if it is whole, otherwise compiled into it.
    pub(crate) async fn component(
        &self,
        engine: &Engine,
        name: &str,
        digest: Digest,
        bytes: &[u8],
    ) -> Result<Component, Error> {
        if let Ok(component) = self.cache.load(engine, digest) {
            return Ok(component);
        }
        // The semaphore is never closed.
        let _slot = self
            .slots
            .acquire()
            .await
            .map_err(|error| Error::Engine(error.to_string()))?;
        self.compilations.fetch_add(1, Ordering::Relaxed);
        let started = std::time::Instant::now();
        let unfinished = self.cache.begin(digest)?;
        match &self.options.program {
            Some(program) => self.in_child(program, name, bytes, &unfinished).await?,
            None => self.in_process(engine, name, bytes, &unfinished)?,
        }
        self.cache.finish(digest, &unfinished)?;
        tracing::info!(module = name, %digest, bytes = bytes.len(), elapsed = ?started.elapsed(), "compiled");
        self.cache.load(engine, digest).map_err(|missing| match missing {
            Missing::Absent => Error::Compiler {
                name: name.into(),
                detail: "it wrote no code".into(),
            },
            Missing::Refused(detail) => Error::Unfit {
                name: name.into(),
                detail,
            },
        })
    }

    fn in_process(&self, engine: &Engine, name: &str, bytes: &[u8], to: &Path) -> Result<(), Error> {
        let code = engine.precompile_component(bytes).map_err(|error| Error::Invalid {
            name: name.into(),
            detail: format!("{error:#}"),
        })?;
        std::fs::write(to, code).map_err(|error| self.cache.failed(&error))
    }

    async fn in_child(&self, program: &Path, name: &str, bytes: &[u8], to: &Path) -> Result<(), Error> {
        let failed = |detail: String| Error::Compiler {
            name: name.into(),
            detail,
        };
        let output = std::fs::File::create(to).map_err(|error| self.cache.failed(&error))?;
        let mut child = Command::new(program)
            .args(&self.options.args)
            .env_clear()
            .env(ENV_MEMORY, self.options.memory.to_string())
            .env(ENV_CPU, self.options.cpu.as_secs().max(1).to_string())
            .env(ENV_OUTPUT, self.options.output.to_string())
            .env(ENV_ENGINE, &self.compatibility)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::from(output))
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(format!("{} cannot be started: {error}", program.display())))?;
        let Ok(ended) = tokio::time::timeout(self.options.time, converse(&mut child, bytes)).await else {
            // Reaped by `kill_on_drop`; nothing waits for a process that does not want to die.
            let _ = child.start_kill();
            return Err(Error::CompileLimit {
                name: name.into(),
                what: format!("it took longer than {:?}", self.options.time),
            });
        };
        let (status, complaint) = ended.map_err(|error| failed(error.to_string()))?;
        self.judge(name, status, &complaint)
    }

    /// What the end of the child means.
    fn judge(&self, name: &str, status: std::process::ExitStatus, complaint: &str) -> Result<(), Error> {
        use std::os::unix::process::ExitStatusExt as _;
        let complaint = complaint.trim();
        let stopped = |what: String| {
            Err(Error::CompileLimit {
                name: name.into(),
                what,
            })
        };
        match (status.code(), status.signal()) {
            (Some(0), _) => Ok(()),
            (Some(EXIT_INVALID), _) => Err(Error::Invalid {
                name: name.into(),
                detail: complaint.into(),
            }),
            (Some(EXIT_OTHER_ENGINE), _) => Err(Error::Compiler {
                name: name.into(),
                detail: complaint.into(),
            }),
            (_, Some(signal)) if signal == SIGXCPU || signal == SIGKILL => {
                stopped(format!("it took more than {:?} of processor time", self.options.cpu))
            }
            (_, Some(signal)) if signal == SIGXFSZ => {
                stopped(format!("its code is larger than {} bytes", self.options.output))
            }
            // An allocation that fails aborts a Rust program; a library may notice and complain instead.
            _ if complaint.contains("memory allocation")
                || complaint.contains("Cannot allocate memory")
                || complaint.contains("out of memory") =>
            {
                stopped(format!("it needed more than {} bytes of memory", self.options.memory))
            }
            (_, Some(signal)) if signal == SIGSEGV || signal == SIGABRT || signal == SIGBUS => stopped(format!(
                "its compiler died of signal {signal} with {} bytes of memory: {complaint}",
                self.options.memory
            )),
            (code, signal) => Err(Error::Compiler {
                name: name.into(),
                detail: format!("it ended with code {code:?}, signal {signal:?}: {complaint}"),
            }),
        }
    }
}

const SIGABRT: i32 = 6;
const SIGBUS: i32 = 7;
const SIGKILL: i32 = 9;
const SIGSEGV: i32 = 11;
const SIGXCPU: i32 = 24;
const SIGXFSZ: i32 = 25;

/// Feeds the child and hears it out.
async fn converse(child: &mut Child, bytes: &[u8]) -> std::io::Result<(std::process::ExitStatus, String)> {
    let mut stdin = child.stdin.take();
    let stderr = child.stderr.take();
    let feed = async {
        if let Some(mut stdin) = stdin.take() {
            // A child that stops reading has its reason, which it tells by its end.
            let _ = stdin.write_all(bytes).await;
        }
    };
    let hear = async {
        let mut complaint = Vec::new();
        if let Some(mut stderr) = stderr {
            (&mut stderr).take(MAX_COMPLAINT).read_to_end(&mut complaint).await?;
            tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await?;
        }
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&complaint).into_owned())
    };
    let ((), complaint) = tokio::join!(feed, hear);
    let status = child.wait().await?;
    Ok((status, complaint?))
}
