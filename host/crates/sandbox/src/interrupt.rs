//! Waking a guest that waits in a host call, when its task is to stop, to pause or to be replaced.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Raised by the task while a call runs; host calls that wait then return. The next call begins without it.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Set by whoever drives the task, read by host calls of the instance.
    raised: AtomicBool,
    changed: Notify,
}

impl Interrupt {
    /// Ends every wait of the call that runs now. Host calls that do not wait are not touched.
    pub fn raise(&self) {
        self.inner.raised.store(true, Ordering::Release);
        self.inner.changed.notify_waiters();
    }

    pub(crate) fn lower(&self) {
        self.inner.raised.store(false, Ordering::Release);
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.inner.raised.load(Ordering::Acquire)
    }

    pub(crate) async fn raised(&self) {
        loop {
            let changed = self.inner.changed.notified();
            if self.is_raised() {
                return;
            }
            changed.await;
        }
    }

    /// What `waiting` comes to; `None` if the interrupt was raised first.
    pub(crate) async fn unless<T>(&self, waiting: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = waiting => Some(done),
            () = self.raised() => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wait_ends_when_the_interrupt_is_raised_and_not_before() {
        let interrupt = Interrupt::default();
        assert_eq!(interrupt.unless(std::future::ready(1)).await, Some(1));
        let other = interrupt.clone();
        let (waited, ()) = tokio::join!(interrupt.unless(std::future::pending::<()>()), async move {
            tokio::task::yield_now().await;
            other.raise();
        });
        assert_eq!(waited, None);
        // What is there already is not lost to it.
        assert_eq!(interrupt.unless(std::future::ready(2)).await, Some(2));
        interrupt.lower();
        assert!(!interrupt.is_raised());
    }
}
