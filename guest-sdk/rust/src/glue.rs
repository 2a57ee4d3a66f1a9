//! The exports of a component: each function of the contract finds its plugin and translates types, nothing more.

pub mod bindings;
mod convert;
mod converter;
mod handover;
mod predicate;
mod sink;
mod source;
mod transform;

use std::cell::RefCell;
use std::marker::PhantomData;
use std::panic;
use std::sync::Once;

use caisson_api::Error;

use crate::registry::Registry;

/// Implements every interface that a role of the module exports.
#[derive(Debug)]
pub struct Exports<R>(PhantomData<R>);

impl<R: Registry> bindings::manifest::exports::caisson::connect::manifest::Guest for Exports<R> {
    fn describe() -> String {
        report_panics();
        crate::plugin::manifest::<R>().to_json()
    }
}

/// Has the message of a panic in the log before the trap: the trap itself says only that there was one.
fn report_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|info| {
            let message = info.payload_as_str().unwrap_or("no message");
            let place = info
                .location()
                .map(|place| format!("{}:{}", place.file(), place.line()))
                .unwrap_or_default();
            crate::error!("plugin panicked: {message}"; at = place);
        }));
    });
}

/// The one plugin that an instance runs in a role. Calls never overlap, so the cell is never borrowed twice.
type Slot<T> = RefCell<Option<Box<T>>>;

fn with<T: ?Sized, A>(slot: &Slot<T>, run: impl FnOnce(&mut T) -> Result<A, Error>) -> Result<A, Error> {
    with_any(slot, run).unwrap_or_else(|| Err(Error::fatal("called before start")))
}

/// None: the instance runs nothing in this role.
fn with_any<T: ?Sized, A>(slot: &Slot<T>, run: impl FnOnce(&mut T) -> A) -> Option<A> {
    slot.borrow_mut().as_deref_mut().map(run)
}
