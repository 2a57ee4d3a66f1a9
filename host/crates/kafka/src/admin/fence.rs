//! Fencing of producers, for which librdkafka has no call: each id's coordinator begins a new epoch.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Named;
use crate::error::{Error, ErrorCode, KafkaError};
use crate::settings::ClientSettings;
use crate::wire::messages::{InitProducerId, KeyType};
use crate::wire::{Cluster, Dialer};

/// The pause before a coordinator that is not ready is asked again.
const RETRY: Duration = Duration::from_millis(100);

/// Fences the producers of these ids, one after another, within `timeout` for all.
pub(super) fn fence(settings: &ClientSettings, ids: &[&str], timeout: Duration) -> Result<Vec<Named<()>>, Error> {
    let dialer = Arc::new(Dialer::new(settings)?);
    // The calls of an admin client wait, and this one is rare: it brings what it needs to wait with.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::Thread {
            client: settings.client_id().to_owned(),
            reason: error.to_string(),
        })?;
    let until = Instant::now() + timeout;
    runtime.block_on(async {
        let mut cluster = Cluster::new(dialer.clone());
        let mut results = Vec::with_capacity(ids.len());
        for id in ids {
            let fenced = fence_one(&mut cluster, &dialer, id, timeout, until).await;
            results.push(((*id).to_owned(), fenced));
        }
        Ok(results)
    })
}

async fn fence_one(
    cluster: &mut Cluster,
    dialer: &Dialer,
    id: &str,
    timeout: Duration,
    until: Instant,
) -> Result<(), KafkaError> {
    loop {
        let attempt = tokio::time::timeout_at(until, begin_epoch(cluster, dialer, id, timeout)).await;
        match attempt {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) if !is_retriable(error.code) || Instant::now() + RETRY > until => return Err(error),
            Ok(Err(_)) => tokio::time::sleep(RETRY).await,
            Err(_) => {
                let text = format!("producers of {id} are not fenced within {timeout:?}");
                return Err(KafkaError::with_message(ErrorCode::TIMED_OUT, text));
            }
        }
    }
}

/// A transaction that was left open takes the coordinator a moment to abort.
fn is_retriable(code: ErrorCode) -> bool {
    code.is_retriable() || code == ErrorCode::CONCURRENT_TRANSACTIONS
}

async fn begin_epoch(cluster: &mut Cluster, dialer: &Dialer, id: &str, timeout: Duration) -> Result<(), KafkaError> {
    let address = cluster
        .coordinator(id, KeyType::Transaction, dialer.request_timeout)
        .await?;
    let mut connection = dialer.dial(&address).await?;
    let request = InitProducerId {
        transactional_id: Some(id),
        current: (-1, -1),
        transaction_timeout: i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX),
    };
    let answer = connection.call(&request, dialer.request_timeout).await?;
    match ErrorCode(i32::from(answer.code)) {
        ErrorCode::NONE => {
            let (producer, epoch) = (answer.producer_id, answer.epoch);
            tracing::debug!(target: "kafka", id, producer, epoch, "fenced the producers of a transactional id");
            Ok(())
        }
        code => Err(KafkaError::new(code)),
    }
}
