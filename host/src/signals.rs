//! SIGTERM and SIGINT: the first asks for an orderly end, a second one ends at once. SIGXFSZ ends nothing.

use tokio::signal::unix::{SignalKind, signal};

/// Linux's number on all processors that the engine compiles for.
const SIGXFSZ: i32 = 25;

/// A file that may not grow any more (`ulimit -f`) is the error of whoever writes it, as on a full disk, and not the end of
/// all that runs here; Java's workers do the same.
pub fn survive_full_files() -> std::io::Result<()> {
    // What listens is never asked: that it was there keeps the default, which is to die, away.
    signal(SignalKind::from_raw(SIGXFSZ)).map(drop)
}

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
