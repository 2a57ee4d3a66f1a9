//! Where fetchers run: those with little to do share one thread of the process, and a busy one has a thread of its own
//! until it comes to rest, so that neither many idle consumers cost a thread each nor one consumer waits for another's work.

use std::future::pending;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use tokio::runtime::{Builder, Handle, Runtime};

use super::driver::{Driver, Pace};

/// The runtime that is shared; made when the first fetcher needs it. Held for moments.
static SHARED: Mutex<Option<Handle>> = Mutex::new(None);

/// Runs a fetcher until it is dropped.
pub(super) fn settle(driver: Driver) -> io::Result<()> {
    shared()?.spawn(rest(driver));
    Ok(())
}

async fn rest(driver: Driver) {
    let Some(driver) = driver.run(Pace::Quiet).await else {
        return;
    };
    match own_thread() {
        // The thread waits for it.
        Ok(thread) => drop(thread.try_send(driver)),
        Err(error) => {
            tracing::warn!(%error, "no thread for a busy fetcher: it stays with the others");
            driver.run(Pace::Any).await;
        }
    }
}

/// A thread that runs the fetcher it is sent, and gives it back when that has come to rest.
fn own_thread() -> io::Result<SyncSender<Driver>> {
    let runtime = runtime()?;
    let (sender, receiver) = sync_channel(1);
    named().spawn(move || work(runtime, &receiver))?;
    Ok(sender)
}

fn work(runtime: Runtime, receiver: &Receiver<Driver>) {
    let Ok(driver) = receiver.recv() else { return };
    let rested = runtime.block_on(driver.run(Pace::Busy));
    // A name that is still being looked up is not waited for.
    runtime.shutdown_background();
    if let Some(driver) = rested
        && let Err(error) = settle(driver)
    {
        tracing::error!(%error, "a fetcher could not go on");
    }
}

fn shared() -> io::Result<Handle> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*shared {
        return Ok(handle.clone());
    }
    let runtime = runtime()?;
    let handle = runtime.handle().clone();
    named().spawn(move || runtime.block_on(pending::<()>()))?;
    Ok(shared.insert(handle).clone())
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn named() -> thread::Builder {
    thread::Builder::new().name("kafka-fetch".to_owned())
}
