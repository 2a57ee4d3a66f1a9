//! Where memberships run: a worker's has a thread of its own; those of consumers share one, as there may be hundreds.

use std::future::{Future, pending};
use std::io;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::task::{LocalSet, spawn_local};

/// Makes a future on the thread that will run it.
type Start = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// The thread that is shared; made when the first future needs it. Held for moments.
static SHARED: Mutex<Option<mpsc::UnboundedSender<Start>>> = Mutex::new(None);

/// Runs a future on a thread of its own until it ends.
pub(super) fn run_alone<F: Future<Output = ()>>(start: impl FnOnce() -> F + Send + 'static) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    named().spawn(move || runtime.block_on(start()))?;
    Ok(())
}

/// Runs a future on the thread that is shared.
pub(crate) fn spawn<F: Future<Output = ()> + 'static>(start: impl FnOnce() -> F + Send + 'static) -> io::Result<()> {
    let shared = shared()?;
    // The thread never ends.
    let _ = shared.send(Box::new(move || Box::pin(start())));
    Ok(())
}

fn shared() -> io::Result<mpsc::UnboundedSender<Start>> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(sender) = &*shared {
        return Ok(sender.clone());
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (sender, mut starts) = mpsc::unbounded_channel::<Start>();
    named().spawn(move || {
        LocalSet::new().block_on(&runtime, async move {
            while let Some(start) = starts.recv().await {
                spawn_local(start());
            }
            // `SHARED` holds a sender for ever.
            pending::<()>().await;
        });
    })?;
    Ok(shared.insert(sender).clone())
}

fn named() -> std::thread::Builder {
    std::thread::Builder::new().name("kafka-group".to_owned())
}
