//! Commands that speak with a worker by its REST API. They make no call that Kafka Connect does not answer, but for what
//! only `top` shows and does without.

mod apply;
mod connection;
mod get;
mod lifecycle;
mod loggers;
mod offsets;
mod plugins;
mod screen;
mod top;

use std::process::ExitCode;

use caisson_rest::RemoteError;

pub use self::connection::remote;
pub use self::screen::is_read;
use crate::cli::ClientCommand;

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Done,
    /// Nothing was written, though something is to be.
    Differs,
}

/// Beside 0, and 2 for a wrong command line.
const FAILED: u8 = 1;
const UNREACHABLE: u8 = 3;
const NOT_FOUND: u8 = 4;
const DIFFERS: u8 = 5;

pub fn run(command: &ClientCommand) -> ExitCode {
    run_async(perform(command))
}

async fn perform(command: &ClientCommand) -> anyhow::Result<Ending> {
    match command {
        ClientCommand::Get(arguments) => get::run(arguments).await?,
        ClientCommand::Apply(arguments) => return apply::run(arguments).await,
        ClientCommand::Delete(arguments) => lifecycle::delete(arguments).await?,
        ClientCommand::Pause(arguments) => lifecycle::pause(arguments).await?,
        ClientCommand::Resume(arguments) => lifecycle::resume(arguments).await?,
        ClientCommand::Stop(arguments) => lifecycle::stop(arguments).await?,
        ClientCommand::Restart(arguments) => lifecycle::restart(arguments).await?,
        ClientCommand::Offsets(arguments) => offsets::run(arguments).await?,
        ClientCommand::Logs(arguments) => loggers::run(arguments).await?,
        ClientCommand::Plugins(arguments) => plugins::run(arguments).await?,
        ClientCommand::Top(arguments) => top::run(arguments).await?,
    }
    Ok(Ending::Done)
}

/// Does the work of a command, and says how it ended.
pub fn run_async(work: impl Future<Output = anyhow::Result<Ending>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let done = runtime
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(work));
    match done {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::Differs) => ExitCode::from(DIFFERS),
        Err(error) => {
            complain(&error);
            ExitCode::from(code(&error))
        }
    }
}

fn complain(error: &anyhow::Error) {
    eprintln!("caisson: {}", screen::printable(&format!("{error:#}")));
}

fn code(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<RemoteError>() {
        Some(RemoteError::Unreachable { .. } | RemoteError::NoWorker { .. }) => UNREACHABLE,
        Some(RemoteError::Refused { status: 404, .. }) => NOT_FOUND,
        Some(RemoteError::Refused { .. } | RemoteError::Address(_) | RemoteError::Trust(_)) | None => FAILED,
    }
}
