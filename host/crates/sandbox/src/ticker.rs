//! Makes time pass for guests: epochs advance while guests run, and rest with them, so that a worker with nothing to do
//! does nothing.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

/// How often a guest that computes is made to yield; also the accuracy of its deadlines.
const TICK: Duration = Duration::from_millis(10);
/// The longest rest. If ever a guest ran without being counted, it would be stopped a second late and not never.
const REST: Duration = Duration::from_secs(1);

/// All guests of the process.
pub(crate) static GUESTS: Guests = Guests::new();

/// Who runs, and which threads have to know.
pub(crate) struct Guests {
    /// How often a guest was let run, and how often one came back: it has ended, waits, or was made to yield.
    entered: AtomicU64,
    left: AtomicU64,
    /// Whether `resting` has threads.
    is_resting: AtomicBool,
    /// Held for moments.
    resting: Mutex<Vec<Thread>>,
}

/// A guest runs until this is dropped.
struct Running<'a>(&'a Guests);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.left.fetch_add(1, Ordering::SeqCst);
    }
}

impl Guests {
    const fn new() -> Guests {
        Guests {
            entered: AtomicU64::new(0),
            left: AtomicU64::new(0),
            is_resting: AtomicBool::new(false),
            resting: Mutex::new(Vec::new()),
        }
    }

    /// Waits for a call into a guest, which counts as running whenever it has the thread.
    pub(crate) async fn run<F: Future>(&self, call: F) -> F::Output {
        let mut call = pin!(call);
        poll_fn(|context| {
            let _running = self.enter();
            call.as_mut().poll(context)
        })
        .await
    }

    fn enter(&self) -> Running<'_> {
        self.entered.fetch_add(1, Ordering::SeqCst);
        if self.is_resting.load(Ordering::SeqCst) {
            let mut resting = self.resting();
            self.is_resting.store(false, Ordering::SeqCst);
            resting.drain(..).for_each(|thread| thread.unpark());
        }
        Running(self)
    }

    fn resting(&self) -> MutexGuard<'_, Vec<Thread>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `advance` in each [`TICK`] in which a guest runs, until it says that there is nothing to advance any more.
    pub(crate) fn tick(&self, mut advance: impl FnMut() -> bool) {
        let mut seen = 0;
        loop {
            thread::sleep(TICK);
            if !advance() {
                return;
            }
            let left = self.left.load(Ordering::SeqCst);
            let entered = self.entered.load(Ordering::SeqCst);
            if entered == left && entered == seen {
                self.rest(entered);
            }
            seen = entered;
        }
    }

    /// Waits for a guest to run, unless one has run since so many were counted.
    fn rest(&self, seen: u64) {
        let mut resting = self.resting();
        resting.push(thread::current());
        self.is_resting.store(true, Ordering::SeqCst);
        drop(resting);
        // Whoever comes after this look sees that somebody rests.
        if self.entered.load(Ordering::SeqCst) == seen {
            thread::park_timeout(REST);
        }
        let me = thread::current().id();
        let mut resting = self.resting();
        resting.retain(|thread| thread.id() != me);
        self.is_resting.store(!resting.is_empty(), Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn until(what: &str, condition: impl Fn() -> bool) {
        let end = Instant::now() + LONG;
        while !condition() {
            assert!(Instant::now() < end, "{what}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn time_passes_while_a_guest_runs_and_rests_with_it() {
        let guests = Guests::new();
        let (ticks, ended) = (AtomicU64::new(0), AtomicBool::new(false));
        let ticked = || ticks.load(Ordering::SeqCst);
        thread::scope(|scope| {
            scope.spawn(|| {
                guests.tick(|| {
                    ticks.fetch_add(1, Ordering::SeqCst);
                    !ended.load(Ordering::SeqCst)
                });
            });
            for _ in 0..3 {
                until("it never rests", || guests.is_resting.load(Ordering::SeqCst));
                let running = guests.enter();
                let before = ticked();
                until("time stands still", || ticked() > before + 5);
                assert!(!guests.is_resting.load(Ordering::SeqCst));
                drop(running);
            }
            ended.store(true, Ordering::SeqCst);
        });
    }

    #[test]
    fn a_call_that_waits_runs_only_while_it_has_the_thread() {
        let guests = Guests::new();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let is_running = || guests.left.load(Ordering::SeqCst) != guests.entered.load(Ordering::SeqCst);
        let (waits, waiting) = tokio::sync::oneshot::channel::<()>();
        let call = guests.run(async {
            assert!(is_running());
            waiting.await.unwrap();
            assert!(is_running());
        });
        runtime.block_on(async {
            let mut call = pin!(call);
            let polled = tokio::time::timeout(Duration::from_millis(1), call.as_mut()).await;
            assert!(polled.is_err() && !is_running());
            waits.send(()).unwrap();
            call.await;
        });
        assert!(!is_running());
    }
}
