//! Large futures where they take no room on a stack.

use std::future::Future;

use futures::future::LocalBoxFuture;

/// Puts a future on the heap. The state of a task is tens of kilobytes: whoever passes such a future on by value, or awaits it
/// in a place of its own, has room for it on the stack or in its own state, and keeps that.
#[inline(never)]
pub fn boxed<'a, T>(future: impl Future<Output = T> + 'a) -> LocalBoxFuture<'a, T> {
    Box::pin(future)
}
