//! Clocks that tick once a millisecond: fine enough for timeouts and timestamps, too coarse to watch a neighbour's use
//! of caches and branch predictors.
//!
//! A guest that sleeps while it waits for records is woken when its task is to stop, to pause or to be replaced. As a
//! sleep that ends early would only be begun again, the instance's monotonic clock jumps to where the sleep was to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wasmtime::Result;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::HostWallClock;
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use crate::instance::State;
use crate::interrupt::Interrupt;

const TICK: Duration = Duration::from_millis(1);
/// A guest reckons the end of its wait from its first look at the clock, which the worker does not see.
const SLACK: Duration = Duration::from_secs(1);

fn coarse(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The monotonic clock of one instance.
#[derive(Clone, Debug)]
pub(crate) struct Monotonic {
    /// Before the instance began, so that zero is never read: some programs take it for "not set".
    start: Instant,
    /// Nanoseconds by which it is ahead, because sleeps were cut short. Written by the sleeps of its own instance only.
    ahead: Arc<AtomicU64>,
    /// Until when, by this clock, the call that runs was told that it may wait: sleeps that end later are not for records.
    may_wait_until: u64,
}

impl Monotonic {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Monotonic {
            start: now.checked_sub(Duration::from_secs(1)).unwrap_or(now),
            ahead: Arc::default(),
            may_wait_until: 0,
        }
    }

    /// The next call may wait so long for records.
    pub(crate) fn allow(&mut self, wait: Duration) {
        self.may_wait_until = nanos(self.exact() + wait + SLACK);
    }

    fn exact(&self) -> Duration {
        self.start.elapsed() + Duration::from_nanos(self.ahead.load(Ordering::Relaxed))
    }

    fn skip(&self, time: Duration) {
        self.ahead.fetch_add(nanos(time), Ordering::Relaxed);
    }
}

/// The key under which the linker finds the clock of an instance.
struct OwnClock;

struct ClockView<'a> {
    clock: &'a Monotonic,
    interrupt: &'a Interrupt,
    table: &'a mut ResourceTable,
}

impl HasData for OwnClock {
    type Data<'a> = ClockView<'a>;
}

fn view(state: &mut State) -> ClockView<'_> {
    ClockView {
        clock: &state.clock,
        interrupt: state.network.interrupt(),
        table: &mut state.table,
    }
}

/// Puts this clock in the place of the engine's.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> Result<()> {
    monotonic_clock::add_to_linker::<State, OwnClock>(linker, view)
}

impl monotonic_clock::Host for ClockView<'_> {
    fn now(&mut self) -> Result<u64> {
        Ok(nanos(coarse(self.clock.exact())))
    }

    fn resolution(&mut self) -> Result<u64> {
        Ok(nanos(TICK))
    }

    fn subscribe_instant(&mut self, when: u64) -> Result<Resource<DynPollable>> {
        let timer = Timer {
            until: when,
            clock: self.clock.clone(),
            interrupt: (when <= self.clock.may_wait_until).then(|| self.interrupt.clone()),
            yielded: false,
        };
        let timer = self.table.push(timer)?;
        subscribe(self.table, timer)
    }

    fn subscribe_duration(&mut self, duration: u64) -> Result<Resource<DynPollable>> {
        let until = nanos(self.clock.exact()).saturating_add(duration);
        self.subscribe_instant(until)
    }
}

/// Ready at a time of the instance's clock.
struct Timer {
    until: u64,
    clock: Monotonic,
    /// What cuts it short, if anything may.
    interrupt: Option<Interrupt>,
    yielded: bool,
}

#[wasmtime_wasi::async_trait]
impl Pollable for Timer {
    async fn ready(&mut self) {
        let left = Duration::from_nanos(self.until).saturating_sub(self.clock.exact());
        if left.is_zero() {
            // A guest that polls without waiting gives sockets their turn.
            if !std::mem::replace(&mut self.yielded, true) {
                tokio::task::yield_now().await;
            }
            return;
        }
        let sleep = tokio::time::sleep(left);
        match &self.interrupt {
            None => sleep.await,
            Some(interrupt) => {
                if interrupt.unless(sleep).await.is_none() {
                    // Another sleep of the same call may have been cut short before.
                    let left = Duration::from_nanos(self.until).saturating_sub(self.clock.exact());
                    self.clock.skip(left);
                }
            }
        }
    }
}

pub(super) struct CoarseWall;

impl HostWallClock for CoarseWall {
    fn resolution(&self) -> Duration {
        TICK
    }

    fn now(&self) -> Duration {
        coarse(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
    }
}
