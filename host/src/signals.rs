//! SIGTERM and SIGINT: the first asks for an orderly end, a second one ends at once.

use tokio::signal::unix::{SignalKind, signal};

/// Returns after the first signal. A second one ends the process with the status that a shell expects of it.
pub async fn requested() -> std::io::Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (name, status) = tokio::select! {
        _ = terminate.recv() => ("SIGTERM", 143),
        _ = interrupt.recv() => ("SIGINT", 130),
    };
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::warn!("second signal, stopping at once: what was not committed will be read again");
        std::process::exit(status);
    });
    Ok(name)
}
