//! One instance of a component: its store, and the frame of every call into it.
//!
//! A call has a name, a deadline, and one of four ways to fail. After a trap, a limit or a call that was given up, the
//! store is dropped: nothing may enter it again.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use caisson_api::Failure;
use caisson_model::Limits;
use wasmtime::component::{Instance as WasmInstance, ResourceTableError};
use wasmtime::{PoolConcurrencyLimitError, Store, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::bindings::{handover, types};
use crate::error::CallError;
use crate::files::Files;
use crate::interrupt::Interrupt;
use crate::metrics::Metrics;
use crate::module::Ready;
use crate::network::Network;
use crate::output::GuestLog;
use crate::ticker::GUESTS;
use crate::{Label, OffsetReader, SinkRequests};

pub(crate) mod clock;
mod limiter;
mod state;
pub(crate) use limiter::{LimitReached, Limiter};
pub(crate) use state::{MAX_HANDLES, State};

/// One call: enters, waits, leaves. A macro because the future borrows the store that lies in the instance.
macro_rules! call {
    ($instance:expr, $name:literal, $pace:expr, |$store:ident| $call:expr) => {{
        let instance: &mut $crate::instance::Instance = &mut $instance;
        let deadline = $crate::instance::Instance::deadline(instance.limits(), $pace);
        let outcome = {
            let $store = instance.enter($name)?;
            $crate::instance::Instance::within($name, deadline, $call).await
        };
        match outcome {
            Ok(result) => instance.leave($name, result),
            Err(error) => Err(instance.give_up(error)),
        }
    }};
}
pub(crate) use call;

/// How much of a message that a guest returned is kept.
const MAX_ERROR: usize = 16 << 10;
/// Bytes that may cross from the guest in one host call or result beside its batch: names, labels, messages.
const SMALL_TALK: u64 = 4 << 20;

/// What an instance begins with.
pub(crate) struct Birth {
    pub(crate) label: Label,
    pub(crate) limits: Limits,
    pub(crate) files: Files,
    pub(crate) network: Arc<Network>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) offsets: Option<Arc<dyn OffsetReader>>,
}

/// Which of its deadlines a call has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// A call that moves records; `poll` adds the time that it was allowed to wait.
    Records(Duration),
    Lifecycle,
}

pub(crate) struct Instance {
    /// Gone after a failure that poisons it.
    store: Option<Box<Store<State>>>,
    /// Set while a call runs: if the caller gives up the future, the store is in the middle of something.
    calling: Option<&'static str>,
    broken: Option<String>,
    /// Requests saved from a store that is gone.
    left: SinkRequests,
    limits: Limits,
    log: Arc<GuestLog>,
    metrics: Metrics,
    interrupt: Interrupt,
    /// Its functions for handing over state, if it has any.
    handover: Option<handover::Guest>,
    /// It has given its state away.
    suspended: bool,
}

impl Instance {
    /// Instantiates `ready`: memory, limits and deadline are set before any of its code runs.
    pub(crate) async fn create(ready: &Ready, birth: Birth) -> Result<(Self, WasmInstance), CallError> {
        let log = GuestLog::new(birth.label, &birth.limits);
        let interrupt = birth.network.interrupt().clone();
        let mut state = State::new(
            &birth.limits,
            log.clone(),
            birth.files,
            birth.network,
            &birth.environment,
        );
        state.offsets = birth.offsets;
        let metrics = state.metrics.clone();
        let mut store = Box::new(Store::new(ready.engine(), state));
        store.limiter(|state| &mut state.limiter);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        store.set_hostcall_fuel(usize::try_from(birth.limits.output.saturating_add(SMALL_TALK)).unwrap_or(usize::MAX));
        store.set_max_component_handles(MAX_HANDLES);
        let mut instance = Instance {
            store: None,
            calling: Some("instantiation"),
            broken: None,
            left: SinkRequests::default(),
            limits: birth.limits,
            log,
            metrics,
            interrupt,
            handover: None,
            suspended: false,
        };
        let deadline = instance.limits.lifecycle_call;
        let instantiation = GUESTS.run(ready.pre().instantiate_async(&mut *store));
        let outcome = tokio::time::timeout(deadline, instantiation).await;
        instance.store = Some(store);
        let made = match outcome {
            Ok(result) => result.map(Ok),
            Err(_) => {
                return Err(instance.give_up(CallError::timeout("instantiation", deadline, "lifecycle.timeout.ms")));
            }
        };
        let made: WasmInstance = instance.leave("instantiation", made)?;
        if let Some(role) = &ready.roles.handover {
            let store = instance.enter("instantiation")?;
            let loaded = role.load(store, &made).map(Ok);
            instance.handover = Some(instance.leave("instantiation", loaded)?);
        }
        Ok((instance, made))
    }

    /// Whether state can be taken from it, or given to it.
    pub(crate) fn hands_over(&self) -> bool {
        self.handover.is_some()
    }

    /// Whether it has given its state away, so that it cannot go on.
    pub(crate) fn is_suspended(&self) -> bool {
        self.suspended
    }

    /// Its state for who comes after it; its last call.
    pub(crate) async fn suspend(&mut self) -> Result<Vec<u8>, CallError> {
        let Some(functions) = self.handover.take() else {
            return Ok(Vec::new());
        };
        self.suspended = true;
        let state = call!(*self, "suspend", Pace::Lifecycle, |store| functions.call_suspend(store))?;
        self.bounded_output("suspend", state)
    }

    /// Gives it the state of who was before it, of another version.
    pub(crate) async fn resume(&mut self, version: &str, state: &[u8]) -> Result<(), CallError> {
        let Some(functions) = self.handover.take() else {
            return Ok(());
        };
        let resumed = call!(*self, "resume", Pace::Lifecycle, |store| functions
            .call_resume(store, version, state));
        self.handover = Some(functions);
        resumed
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(crate) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    pub(crate) fn dropped_lines(&self) -> u64 {
        self.log.dropped()
    }

    /// Bytes of linear memory in use.
    pub(crate) fn memory(&self) -> u64 {
        self.store.as_ref().map_or(0, |store| store.data().limiter.memory())
    }

    /// Whether the instance can still be called.
    pub(crate) fn alive(&self) -> bool {
        self.store.is_some() && self.calling.is_none()
    }

    pub(crate) fn state(&mut self) -> Option<&mut State> {
        self.store.as_mut().map(|store| store.data_mut())
    }

    /// What the guest asked for through `sink-context` since the last time; also after it failed.
    pub(crate) fn sink_requests(&mut self) -> SinkRequests {
        let live = self.state().map(|state| std::mem::take(&mut state.sink.requests));
        live.unwrap_or_else(|| std::mem::take(&mut self.left))
    }

    /// The store for a call of `name`, unless an earlier call spoiled it.
    pub(crate) fn enter(&mut self, name: &'static str) -> Result<&mut Store<State>, CallError> {
        if let Some(interrupted) = self.calling {
            self.bury(format!("its call of {interrupted} was given up"));
        }
        match (&mut self.store, &self.broken) {
            (Some(store), None) => {
                self.calling = Some(name);
                self.interrupt.lower();
                store.data_mut().exceptions.clear();
                Ok(store)
            }
            (_, reason) => {
                let reason = reason.as_deref().unwrap_or("it never started");
                Err(CallError::Host(format!(
                    "{name} cannot be called: the instance has ended, {reason}"
                )))
            }
        }
    }

    /// How long a call of this pace may take, and the property that says so.
    pub(crate) fn deadline(limits: &Limits, pace: Pace) -> (Duration, &'static str) {
        match pace {
            Pace::Records(wait) => (limits.call.saturating_add(wait), "call.timeout.ms"),
            Pace::Lifecycle => (limits.lifecycle_call, "lifecycle.timeout.ms"),
        }
    }

    /// Waits for a call that [`Instance::enter`] allowed, no longer than its deadline.
    pub(crate) async fn within<T>(
        name: &'static str,
        (deadline, which): (Duration, &'static str),
        call: impl Future<Output = wasmtime::Result<T>>,
    ) -> Result<wasmtime::Result<T>, CallError> {
        match tokio::time::timeout(deadline, GUESTS.run(call)).await {
            Ok(result) => Ok(result),
            Err(_) => Err(CallError::timeout(name, deadline, which)),
        }
    }

    /// Ends a call: the guest's answer, or the failure in its kind.
    pub(crate) fn leave<T>(
        &mut self,
        name: &'static str,
        result: wasmtime::Result<Result<T, types::Error>>,
    ) -> Result<T, CallError> {
        self.calling = None;
        match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                let mut error = bounded(error.into());
                error.exception = self.exception(None);
                Err(CallError::Guest(error))
            }
            Err(error) => {
                let error = self.classify(name, &error);
                Err(self.give_up(error))
            }
        }
    }

    /// The exception that the guest named for a failure of the call that has just ended; for `None`, for its error.
    fn exception(&mut self, failure: Option<u32>) -> Option<Box<caisson_api::Exception>> {
        self.state()?.exceptions.take(failure)
    }

    /// Failures name records of the batch, or the guest has failed: a wrong index would drop an innocent record.
    pub(crate) fn checked_failures(
        &mut self,
        call: &str,
        failures: Vec<types::Failure>,
        records: u32,
    ) -> Result<Vec<Failure>, CallError> {
        if let Some(wrong) = failures.iter().find(|failure| failure.index >= records) {
            return Err(CallError::Guest(caisson_api::Error::fatal(format!(
                "{call}: the plugin reports a failure of record {}, the batch has {records}",
                wrong.index
            ))));
        }
        let mut failures: Vec<_> = failures.into_iter().map(Failure::from).collect();
        for failure in &mut failures {
            failure.exception = self.exception(Some(failure.index));
        }
        Ok(failures)
    }

    /// The bytes that a call returned, if they are no more than it may return.
    pub(crate) fn bounded_output(&mut self, name: &'static str, bytes: Vec<u8>) -> Result<Vec<u8>, CallError> {
        if bytes.len() as u64 <= self.limits.output {
            return Ok(bytes);
        }
        let message = format!(
            "{name} returned {} bytes, sandbox.output.bytes allows {}",
            bytes.len(),
            self.limits.output
        );
        Err(self.give_up(CallError::Limit {
            which: "output.bytes",
            message,
        }))
    }

    /// Drops the store, remembers why, and gives the error back.
    pub(crate) fn give_up(&mut self, error: CallError) -> CallError {
        self.bury(error.to_string());
        error
    }

    fn bury(&mut self, reason: String) {
        self.calling = None;
        if let Some(mut store) = self.store.take() {
            self.left = std::mem::take(&mut store.data_mut().sink.requests);
        }
        self.log.flush();
        self.broken.get_or_insert(reason);
    }

    fn classify(&self, name: &str, error: &wasmtime::Error) -> CallError {
        if let Some(limit) = error.downcast_ref::<LimitReached>() {
            return CallError::Limit {
                which: limit.which,
                message: format!("{name}: {}", limit.message),
            };
        }
        if let Some(full) = error.downcast_ref::<PoolConcurrencyLimitError>() {
            return CallError::Limit {
                which: "instances",
                message: format!("{name}: the worker has no room for another instance (sandbox.instances): {full}"),
            };
        }
        let root = error.root_cause().to_string();
        // The engine's own limits have no types, only texts; tests notice when those change.
        let table_full = matches!(
            error.downcast_ref::<ResourceTableError>(),
            Some(ResourceTableError::Full)
        );
        if table_full || root.contains("handle limit exceeded") {
            let message = format!("{name}: the guest holds more than {MAX_HANDLES} handles");
            return CallError::Limit {
                which: "handles",
                message,
            };
        }
        if root.contains("fuel allocated for hostcalls has been exhausted") {
            return CallError::Limit {
                which: "output.bytes",
                message: format!(
                    "{name}: the guest handed over more than sandbox.output.bytes allows ({} bytes)",
                    self.limits.output
                ),
            };
        }
        let message = match (error.downcast_ref::<I32Exit>(), error.downcast_ref::<Trap>()) {
            (Some(exit), _) => {
                format!(
                    "{name}: the guest called exit({}); a plugin returns, it does not exit",
                    exit.0
                )
            }
            (None, Some(Trap::StackOverflow)) => {
                format!("{name}: the guest trapped: call stack exhausted (recursion too deep)")
            }
            (None, Some(trap)) => format!("{name}: the guest trapped: {trap}"),
            (None, None) => format!("{name}: the guest broke the calling convention: {root}"),
        };
        CallError::Trap {
            message,
            backtrace: self.trace(error),
        }
    }

    /// The last words of the guest, and its stack.
    fn trace(&self, error: &wasmtime::Error) -> Option<String> {
        let stack = error.downcast_ref::<WasmBacktrace>().map(ToString::to_string);
        match (self.log.tail(), stack) {
            (Some(words), Some(stack)) => Some(format!("{words}\n{stack}")),
            (words, stack) => words.or(stack),
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.log.flush();
    }
}

/// An error of the guest, cut to what a status can show.
fn bounded(mut error: caisson_api::Error) -> caisson_api::Error {
    let cut = |text: &mut String| text.truncate(text.floor_char_boundary(MAX_ERROR));
    cut(&mut error.message);
    if let Some(detail) = &mut error.detail {
        cut(detail);
    }
    error
}
