//! What a plugin can say to the worker: the imports of the contract as plain functions.
//!
//! Plain functions and not a trait object: the linker then drops what a module does not use, so that the imports of a
//! component list what it may do. Natively the functions talk to the harness of [`crate::testing`].

#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod native;
#[cfg(target_arch = "wasm32")]
mod wasm;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::*;
#[cfg(target_arch = "wasm32")]
pub(crate) use wasm::*;
