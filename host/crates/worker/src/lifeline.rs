//! Whether the thread on which a connector is called gets anywhere, and how those who wait for it let go if it does not.

use std::future::Future;

use caisson_model::Failure;
use caisson_task::Pulse;
use tokio::sync::watch;

use crate::connectors::on_thread;

/// Of one connector, as long as it is here.
pub(crate) struct Lifeline {
    pulse: Pulse,
    /// The reason, once it was given up.
    given_up: watch::Sender<Option<Failure>>,
}

impl Lifeline {
    pub(crate) fn new() -> Self {
        Lifeline {
            pulse: Pulse::default(),
            given_up: watch::Sender::new(None),
        }
    }

    pub(crate) fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Everything that waits for the connector ends with this failure. False: it was given up before.
    pub(crate) fn give_up(&self, failure: &Failure) -> bool {
        self.given_up.send_if_modified(|reason| {
            let first = reason.is_none();
            if first {
                *reason = Some(failure.clone());
            }
            first
        })
    }

    /// Calls into the connector, whose turns are counted.
    pub(crate) async fn on_thread<T: Send + 'static>(
        &self,
        calls: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Failure> {
        let pulse = self.pulse.clone();
        let counted = async move { pulse.counting(calls).await };
        self.unless_given_up(on_thread(counted)).await?
    }

    /// What is waited for, or why there is nothing to wait for any more.
    pub(crate) async fn unless_given_up<T>(&self, waited: impl Future<Output = T>) -> Result<T, Failure> {
        let mut given_up = self.given_up.subscribe();
        tokio::select! {
            biased;
            Ok(reason) = given_up.wait_for(Option::is_some) => {
                Err(reason.clone().unwrap_or_else(|| Failure::host("the connector was given up")))
            }
            done = waited => Ok(done),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn who_waits_for_a_call_that_hangs_is_let_go() {
        let lifeline = Lifeline::new();
        assert_eq!(lifeline.on_thread(async { 1 }).await.unwrap(), 1);
        assert_eq!(lifeline.pulse().turn(), None);
        let (hold, held) = mpsc::channel::<()>();
        let (begin, begun) = tokio::sync::oneshot::channel();
        let hanging = lifeline.on_thread(async move {
            begin.send(()).unwrap();
            let _ = held.recv();
        });
        let (ended, gave_up) = tokio::join!(hanging, async {
            begun.await.unwrap();
            assert!(lifeline.pulse().turn().is_some());
            lifeline.give_up(&Failure::host("it hangs"))
        });
        assert!(gave_up);
        assert_eq!(ended.unwrap_err().message, "it hangs");
        assert!(!lifeline.give_up(&Failure::host("again")));
        // Who comes later does not wait either.
        let late = lifeline.unless_given_up(std::future::pending::<()>()).await;
        assert_eq!(late.unwrap_err().message, "it hangs");
        drop(hold);
    }

    #[tokio::test]
    async fn a_call_that_panics_is_a_failure() {
        let lifeline = Lifeline::new();
        let ended = lifeline.on_thread(async { panic!("a bug") }).await;
        assert!(ended.unwrap_err().message.contains("bug"));
    }
}
