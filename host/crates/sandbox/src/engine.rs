//! The one Wasm engine of a worker, and the thread that makes its time pass.
//!
//! What is off: threads, shared memory, garbage-collected types, component-model async (it costs 3.6 times per call),
//! Winch (slower code, more advisories). What is on: epochs, so that a spinning guest gives its thread back.

use std::hash::{Hash, Hasher};
use std::num::NonZeroUsize;

use sha2::{Digest as _, Sha256};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::Error;
use crate::ticker::GUESTS;

/// Stack of Wasm frames. Deeper recursion traps.
const WASM_STACK: usize = 512 << 10;
/// Stack of one call: the Wasm frames, and what the host functions need on top.
const CALL_STACK: usize = 2 << 20;

/// Where instances live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allocation {
    /// Reserved slots (address space, not memory) for this many instances, reused when one ends.
    Pool { instances: u32 },
    /// Mapped for each instance: for the compiler process, and where address space is scarce.
    OnDemand,
}

/// The worker's engine: with a pool where the address space allows it.
pub(crate) fn worker_engine(instances: u32) -> Result<Engine, Error> {
    match Engine::new(&config(Allocation::Pool { instances })) {
        Ok(engine) => Ok(engine),
        Err(error) => {
            tracing::warn!(%error, instances, "no address space for a pool of instances, mapping them one by one");
            on_demand_engine()
        }
    }
}

/// An engine that reserves nothing. It makes and accepts the same compiled code as the worker's.
pub(crate) fn on_demand_engine() -> Result<Engine, Error> {
    Engine::new(&config(Allocation::OnDemand)).map_err(|error| Error::Engine(error.to_string()))
}

/// Everything here that changes compiled code shows in [`compatibility`].
fn config(allocation: Allocation) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .concurrency_support(false)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(CALL_STACK)
        .wasm_backtrace_max_frames(NonZeroUsize::new(50));
    match allocation {
        Allocation::Pool { instances } => {
            config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(instances)));
        }
        Allocation::OnDemand => {
            config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
        }
    }
    config
}

/// A component from a usual toolchain has up to eight core instances (adapters and shims), two memories, four tables.
fn pool(instances: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    let scan = PoolingAllocationConfig::is_pagemap_scan_available();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(8))
        .total_memories(instances.saturating_mul(2))
        .total_tables(instances.saturating_mul(4))
        .total_stacks(instances)
        .max_tables_per_module(8)
        .max_memories_per_module(2)
        .max_core_instance_size(4 << 20)
        .max_component_instance_size(4 << 20)
        .table_elements(100_000)
        // A slot that was used keeps its pages only as far as it is cheap to clean them.
        .max_unused_warm_slots(16);
    if scan {
        pool.pagemap_scan(Enabled::Yes)
            .linear_memory_keep_resident(256 << 10)
            .table_keep_resident(64 << 10);
    }
    pool
}

/// A name for "code compiled by this engine can be loaded by that one", stable between runs of the same build.
pub(crate) fn compatibility(engine: &Engine) -> String {
    struct Stable(Sha256);
    impl Hasher for Stable {
        fn finish(&self) -> u64 {
            0
        }
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
    }
    let mut hasher = Stable(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher
        .0
        .finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Lets the epoch of `engine` advance while guests run, until the engine is gone.
pub(crate) fn start_ticking(engine: &Engine) -> Result<(), Error> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("epoch".into())
        .spawn(move || {
            GUESTS.tick(|| {
                let engine = engine.upgrade();
                engine.inspect(|engine| engine.increment_epoch()).is_some()
            });
        })
        .map(drop)
        .map_err(|error| Error::Engine(format!("cannot start the epoch thread: {error}")))
}
