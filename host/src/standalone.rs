//! `caisson standalone`: one worker on its own.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use caisson_config::{ConnectorFile, WorkerConfig, connector_file, properties, providers};
use caisson_herder::{Herder, Replace};
use caisson_rest::{Limits, Server};

use crate::cli::StandaloneArguments;
use crate::{compose, logging, signals};

/// As Kafka Connect's `connect-standalone` ends.
const CANNOT_START: u8 = 2;
const CONNECTOR_FAILED: u8 = 3;
/// For requests that are at work when the worker stops.
const REST_GRACE: Duration = Duration::from_secs(5);

/// Why the process ends other than by a signal.
enum Ending {
    CannotStart(anyhow::Error),
    ConnectorFailed(anyhow::Error),
}

impl From<anyhow::Error> for Ending {
    fn from(error: anyhow::Error) -> Self {
        Ending::CannotStart(error)
    }
}

pub fn run(arguments: &StandaloneArguments) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        // Previews convert values, which may be nested deeply; what is never touched takes no memory.
        .thread_stack_size(32 << 20)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("caisson: cannot start: {error}");
            return ExitCode::from(CANNOT_START);
        }
    };
    let ending = runtime.block_on(serve(arguments));
    // Guests that were given up may still hold threads; nothing of theirs is waited for.
    runtime.shutdown_background();
    match ending {
        Ok(()) => ExitCode::SUCCESS,
        Err(Ending::CannotStart(error)) => {
            eprintln!("caisson: cannot start: {error:#}");
            ExitCode::from(CANNOT_START)
        }
        Err(Ending::ConnectorFailed(error)) => {
            eprintln!("caisson: {error:#}");
            ExitCode::from(CONNECTOR_FAILED)
        }
    }
}

async fn serve(arguments: &StandaloneArguments) -> Result<(), Ending> {
    let began = Instant::now();
    signals::survive_full_files().context("cannot listen for signals")?;
    let config = Arc::new(read_worker(&arguments.worker)?);
    let log = logging::begin(arguments.log_format, arguments.log.as_deref(), &config)?;
    // All files are read before anything starts, so that a slip in the last one costs nothing.
    let connectors: Vec<ConnectorFile> = arguments
        .connectors
        .iter()
        .map(|file| read_connector(file))
        .collect::<Result<_, _>>()?;

    let server = Server::bind(&config.rest).await.context("cannot serve REST")?;
    let worker_id = server.worker_id().to_owned();
    let standalone = compose::standalone(config.clone(), worker_id.clone(), log).await?;
    let rest = server.serve(standalone.as_herder(), Limits::default());
    tracing::info!(worker_id, after = ?began.elapsed(), "REST is up");

    let mut failed = None;
    for connector in connectors {
        if let Err(error) = create(&*standalone.herder, &connector).await {
            failed = Some(error.context(format!("connector {} could not be created", connector.name)));
            break;
        }
    }
    if failed.is_none() {
        standalone.herder.started();
        let signal = signals::requested().await.context("cannot listen for signals")?;
        tracing::info!(
            signal,
            "stopping: tasks drain and commit; a second signal stops at once"
        );
    }
    rest.shut_down(REST_GRACE).await;
    standalone.herder.shut_down().await;
    tracing::info!("stopped");
    match failed {
        Some(error) => Err(Ending::ConnectorFailed(error)),
        None => Ok(()),
    }
}

fn read_worker(file: &Path) -> anyhow::Result<WorkerConfig> {
    let name = file.display().to_string();
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {name}"))?;
    let given = properties::parse(&bytes, &name)?;
    let config = WorkerConfig::standalone(
        &given,
        &name,
        &caisson_sandbox::properties(),
        Box::new(providers::Machine),
    )?;
    Ok(config)
}

fn read_connector(file: &Path) -> anyhow::Result<ConnectorFile> {
    let name = file.display().to_string();
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {name}"))?;
    Ok(connector_file::parse(&bytes, &name)?)
}

async fn create(herder: &dyn Herder, connector: &ConnectorFile) -> anyhow::Result<()> {
    let config = connector
        .config
        .iter()
        .map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
        .collect();
    herder
        .put_connector(&connector.name, config, Some(connector.initial_state), Replace::Refused)
        .await?;
    tracing::info!(connector = %connector.name, "connector created");
    Ok(())
}
