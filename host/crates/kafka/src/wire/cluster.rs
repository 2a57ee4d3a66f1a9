//! Which broker to ask.

use std::sync::Arc;
use std::time::Duration;

use super::codec::malformed;
use super::dial::{Address, Dialer};
use super::messages::{FindCoordinator, KeyType, Metadata};
use crate::error::{ErrorCode, KafkaError};

/// The brokers that are known: those of `bootstrap.servers`, and those that the cluster has named since.
pub(crate) struct Cluster {
    dialer: Arc<Dialer>,
    named: Vec<Address>,
    /// Whom to ask next, so that a broker that is down is not the first each time.
    next: usize,
}

/// Brokers that are remembered; there are few clusters with more.
const NAMED: usize = 1000;

impl Cluster {
    pub(crate) fn new(dialer: Arc<Dialer>) -> Cluster {
        Cluster {
            dialer,
            named: Vec::new(),
            next: 0,
        }
    }

    /// Where the coordinator of a group or of a transactional id is. Asks one broker after another; `patience` is for
    /// each.
    pub(crate) async fn coordinator(
        &mut self,
        key: &str,
        kind: KeyType,
        patience: Duration,
    ) -> Result<Address, KafkaError> {
        let known = self.dialer.brokers(&self.named);
        let mut last = KafkaError::new(ErrorCode::ALL_BROKERS_DOWN);
        for offset in 0..known.len() {
            let address = &known[(self.next + offset) % known.len()];
            let asked = tokio::time::timeout(patience, self.ask(address, key, kind)).await;
            match asked {
                Ok(Ok(coordinator)) => {
                    self.next = (self.next + offset) % known.len();
                    return Ok(coordinator);
                }
                Ok(Err(error)) => last = error,
                Err(_) => {
                    let text = format!("{address}: no answer within {patience:?}");
                    last = KafkaError::with_message(ErrorCode::TIMED_OUT, text);
                }
            }
        }
        self.next = self.next.wrapping_add(1) % known.len().max(1);
        Err(last)
    }

    async fn ask(&mut self, address: &Address, key: &str, kind: KeyType) -> Result<Address, KafkaError> {
        let mut connection = self.dialer.dial(address).await?;
        let timeout = self.dialer.request_timeout;
        let answer = connection.call(&FindCoordinator { key, kind }, timeout).await?;
        if answer.code != 0 {
            let code = ErrorCode(i32::from(answer.code));
            let message = answer.message.unwrap_or_else(|| code.description());
            return Err(KafkaError::with_message(code, message));
        }
        let brokers = connection.call(&Metadata, timeout).await?;
        let named = brokers
            .iter()
            .filter_map(|broker| Address::new(&broker.host, broker.port));
        self.named = named.take(NAMED).collect();
        Address::new(&answer.host, answer.port).ok_or_else(|| malformed("the coordinator has no address"))
    }
}
