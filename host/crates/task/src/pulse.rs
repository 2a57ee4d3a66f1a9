//! Whether a task's thread gets anywhere.
//!
//! Guests yield every few milliseconds and everything that is waited for has an end, so a task's turns are short. One that
//! does not end hangs in the worker's own code or in the system: a disk that does not answer, a lock that is never free.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the beginnings and the ends of turns; odd while one goes on. Written by the task's thread, read by who looks after
/// it: nothing else is ordered by it.
#[derive(Clone, Debug, Default)]
pub struct Pulse(Arc<AtomicU64>);

impl Pulse {
    pub fn beats(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// The turn that goes on; none between two turns.
    pub fn turn(&self) -> Option<u64> {
        Some(self.beats()).filter(|beats| beats % 2 == 1)
    }

    /// Counts the turns of a future, each one poll.
    pub async fn counting<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|context| {
            self.0.fetch_add(1, Ordering::Relaxed);
            let polled = future.as_mut().poll(context);
            self.0.fetch_add(1, Ordering::Relaxed);
            polled
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_turn_goes_on_until_its_poll_ends() {
        let pulse = Pulse::default();
        let (inside, seen) = (pulse.clone(), pulse.clone());
        let first = pulse
            .counting(async move {
                let first = inside.turn();
                tokio::task::yield_now().await;
                (first, inside.turn())
            })
            .await;
        assert_eq!(first, (Some(1), Some(3)));
        assert_eq!((seen.turn(), seen.beats()), (None, 4));
    }

    #[test]
    fn a_thread_that_is_held_up_stays_in_its_turn() {
        let pulse = Pulse::default();
        let (hold, held) = mpsc::channel::<()>();
        let (begin, begun) = mpsc::channel();
        let own = pulse.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(own.counting(async {
                begin.send(()).unwrap();
                let _ = held.recv();
            }));
        });
        begun.recv().unwrap();
        assert_eq!(pulse.turn(), Some(1));
        drop(hold);
        thread.join().unwrap();
        assert_eq!(pulse.turn(), None);
    }
}
