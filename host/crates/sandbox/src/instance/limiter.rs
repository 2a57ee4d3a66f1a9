//! What one instance may take of the worker's memory.

use std::fmt;

use caisson_model::Limits;
use wasmtime::{ResourceLimiter, Result};

/// A limit was met. It travels as the cause of a trap and comes out as [`crate::CallError::Limit`].
#[derive(Debug)]
pub(crate) struct LimitReached {
    pub(crate) which: &'static str,
    pub(crate) message: String,
}

impl fmt::Display for LimitReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for LimitReached {}

/// Counts the memories and tables of a store together: an instance has one allowance, however it spreads it.
///
/// A refused growth ends the call instead of giving -1 to the guest: nearly every allocator turns -1 into an abort,
/// which would look like a bug of the guest.
pub(crate) struct Limiter {
    memory: u64,
    memory_limit: u64,
    table_elements: u64,
    table_limit: u64,
    instances: usize,
}

impl Limiter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Limiter {
            memory: 0,
            memory_limit: limits.memory,
            table_elements: 0,
            table_limit: limits.table_elements,
            instances: limits.instances as usize,
        }
    }

    /// Bytes of linear memory in use.
    pub(crate) fn memory(&self) -> u64 {
        self.memory
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let total = self.memory.saturating_add((desired.saturating_sub(current)) as u64);
        if total > self.memory_limit {
            return Err(LimitReached {
                which: "memory.bytes",
                message: format!(
                    "the guest asked for {total} bytes of memory, sandbox.memory.bytes allows {}",
                    self.memory_limit
                ),
            }
            .into());
        }
        self.memory = total;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let total = self
            .table_elements
            .saturating_add((desired.saturating_sub(current)) as u64);
        if total > self.table_limit {
            return Err(LimitReached {
                which: "table.elements",
                message: format!(
                    "the guest asked for {total} table elements, sandbox.table.elements allows {}",
                    self.table_limit
                ),
            }
            .into());
        }
        self.table_elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.instances.saturating_mul(4)
    }

    fn memories(&self) -> usize {
        self.instances.saturating_mul(2)
    }
}
