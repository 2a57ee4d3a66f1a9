//! `caisson distributed`: one worker of a cluster.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use caisson_config::{WorkerConfig, properties, providers};
use caisson_rest::{Limits, Server};

use crate::cli::DistributedArguments;
use crate::{compose, logging, signals};

/// As Kafka Connect's `connect-distributed` ends.
const CANNOT_START: u8 = 2;
/// For requests that are at work when the worker stops.
const REST_GRACE: Duration = Duration::from_secs(5);

pub fn run(arguments: &DistributedArguments) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        // Previews convert values, which may be nested deeply; what is never touched takes no memory.
        .thread_stack_size(32 << 20)
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(serve(arguments));
            // Guests that were given up may still hold threads; nothing of theirs is waited for.
            runtime.shutdown_background();
            ended
        }
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(Ended::Asked) => ExitCode::SUCCESS,
        Ok(Ended::Failed(problem)) => {
            eprintln!("caisson: cannot be a member of the group: {problem}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("caisson: cannot start: {error:#}");
            ExitCode::from(CANNOT_START)
        }
    }
}

/// Why a worker that had begun has ended.
enum Ended {
    Asked,
    /// Its group will never have it.
    Failed(String),
}

async fn serve(arguments: &DistributedArguments) -> anyhow::Result<Ended> {
    let began = Instant::now();
    signals::survive_full_files().context("cannot listen for signals")?;
    let name = arguments.worker.display().to_string();
    let bytes = std::fs::read(&arguments.worker).with_context(|| format!("cannot read {name}"))?;
    let given = properties::parse(&bytes, &name)?;
    let more = caisson_sandbox::properties();
    let config = Arc::new(WorkerConfig::distributed(
        &given,
        &name,
        &more,
        Box::new(providers::Machine),
    )?);
    let log = logging::begin(arguments.log_format, arguments.log.as_deref(), &config)?;
    let server = Server::bind(&config.rest).await.context("cannot serve REST")?;
    let worker_id = server.worker_id().to_owned();
    let url = server.advertised_url().to_owned();
    let herder = compose::distributed(config.clone(), (worker_id.clone(), url), server.peer_client(), log).await?;
    let rest = server.serve(herder.clone(), Limits::default());
    tracing::info!(worker_id, after = ?began.elapsed(), "REST is up");
    let ended = tokio::select! {
        signal = signals::requested() => {
            let signal = signal.context("cannot listen for signals")?;
            tracing::info!(
                signal,
                "stopping: tasks drain and commit; a second signal stops at once"
            );
            Ended::Asked
        }
        problem = herder.failed() => Ended::Failed(problem),
    };
    rest.shut_down(REST_GRACE).await;
    herder.shut_down().await;
    tracing::info!("stopped");
    Ok(ended)
}
