//! Large futures where they take no room on a stack.

use std::future::Future;

use futures::future::LocalBoxFuture;

/// Makes a future and puts it on the heap. The state of a task is tens of kilobytes: whoever passes such a future on by value,
/// or awaits it in a place of its own, has room for it on the stack or in its own state, and keeps that. Here the room on the
/// stack is given back at once.
#[inline(never)]
pub fn boxed<'a, F>(make: impl FnOnce() -> F) -> LocalBoxFuture<'a, F::Output>
where
    F: Future + 'a,
{
    Box::pin(make())
}
