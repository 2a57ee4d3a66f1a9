//! The worker that is asked.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use caisson_rest::{Remote, RemoteError, RemoteOptions};
use tokio::time::Instant;

use crate::cli::WorkerArguments;

/// How long a cluster may rebalance before a command gives up.
const REBALANCING: Duration = Duration::from_secs(60);
/// Between two requests of the same.
const PAUSE: Duration = Duration::from_millis(300);

pub fn remote(arguments: &WorkerArguments) -> anyhow::Result<Remote> {
    let read = |file: &PathBuf| std::fs::read(file).with_context(|| format!("cannot read {}", file.display()));
    let authorities = arguments.ca.as_ref().map(read).transpose()?;
    Ok(Remote::new(&RemoteOptions {
        url: &arguments.url,
        user: arguments.user.as_deref(),
        authorities: authorities.as_deref(),
    })?)
}

/// The path of a connector's resource.
pub fn of_connector(name: &str, resource: &str) -> String {
    format!("/connectors/{}{resource}", Remote::segment(name))
}

/// Asks until the cluster does not rebalance any more. Kafka Connect answers 409 meanwhile, so that of two connectors
/// created one after the other the second one would be refused.
pub async fn patiently<T>(ask: impl AsyncFn() -> Result<T, RemoteError>) -> Result<T, RemoteError> {
    let until = Instant::now() + REBALANCING;
    loop {
        match ask().await {
            Err(RemoteError::Refused {
                status: 409, message, ..
            }) if is_momentary(&message) && Instant::now() < until => {
                tokio::time::sleep(PAUSE).await;
            }
            answer => return answer,
        }
    }
}

/// Whether a conflict is that of a rebalance, by Kafka Connect's words for it.
fn is_momentary(message: &str) -> bool {
    message.starts_with("Cannot complete request") || message.contains("rebalance")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rebalance_passes_and_a_name_that_is_taken_does_not() {
        for passing in [
            "Cannot complete request because of a conflicting operation (e.g. worker rebalance)",
            "Cannot complete request momentarily due to stale configuration (typically caused by a concurrent config change)",
            "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway.",
        ] {
            assert!(is_momentary(passing), "{passing}");
        }
        assert!(!is_momentary("Connector lines already exists"));
    }

    #[test]
    fn names_are_one_segment() {
        assert_eq!(of_connector("a b/c", "/status"), "/connectors/a%20b%2Fc/status");
    }
}
