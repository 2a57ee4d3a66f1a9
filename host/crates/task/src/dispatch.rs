//! Starting tasks: each has a thread of its own, so that a guest that computes, or a file that is slow, holds up nobody
//! else. The kernel shares the processors between them.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use caisson_model::{Failure, TaskState};
use caisson_sandbox::OffsetReader;
use futures::FutureExt;
use tokio::runtime::Handle;
use tracing::Instrument;

use crate::boxed::boxed;
use crate::control::{Controls, TaskHandle, TaskListener, Wish, controls};
use crate::settings::{SinkSettings, SourceSettings, TaskSettings};
use crate::swap::Preparer;
use crate::{sink, source};

/// Starts a sink task and returns at once; what becomes of it arrives as [`TaskEvent`]s.
pub fn start_sink(settings: SinkSettings, wish: Wish, listener: Arc<dyn TaskListener>) -> std::io::Result<TaskHandle> {
    let (handle, controls) = prepared(&settings.task, None, wish, listener);
    spawn(&handle, controls, async move |controls: &mut Controls| {
        sink::run(settings, controls).await
    })?;
    Ok(handle)
}

/// Starts a source task and returns at once.
pub fn start_source(
    settings: SourceSettings,
    wish: Wish,
    listener: Arc<dyn TaskListener>,
) -> std::io::Result<TaskHandle> {
    let offsets = Some(settings.offset_reader.clone());
    let (handle, controls) = prepared(&settings.task, offsets, wish, listener);
    spawn(&handle, controls, async move |controls: &mut Controls| {
        source::run(settings, controls).await
    })?;
    Ok(handle)
}

fn prepared(
    task: &TaskSettings,
    offsets: Option<Arc<dyn OffsetReader>>,
    wish: Wish,
    listener: Arc<dyn TaskListener>,
) -> (TaskHandle, Controls) {
    let version = Some(task.plugin.version.clone());
    let preparer = Preparer {
        settings: Arc::new(task.clone()),
        offsets,
    };
    controls(task.id.clone(), wish, version, preparer, listener)
}

fn spawn<F>(handle: &TaskHandle, mut controls: Controls, run: F) -> std::io::Result<()>
where
    F: AsyncFnOnce(&mut Controls) -> Result<(), Failure> + Send + 'static,
{
    let runtime = Handle::current();
    let id = handle.id().clone();
    let pulse = handle.pulse().clone();
    let body = move || {
        let span = tracing::info_span!("task", connector = %id.connector, task = id.task);
        let work = boxed(|| async move {
            let outcome = AssertUnwindSafe(run(&mut controls)).catch_unwind().await;
            let outcome = outcome.unwrap_or_else(|panic| Err(bug(&*panic)));
            ended(&controls, outcome).await;
        });
        runtime.block_on(pulse.counting(work).instrument(span));
    };
    // Guest calls run on fibers with stacks of their own.
    std::thread::Builder::new()
        .name(thread_name(handle))
        .stack_size(STACK)
        .spawn(body)?;
    Ok(())
}

/// Values nest a thousand levels deep (JSON's limit), and each is a call or three in converters and transforms, which a
/// program that is not optimized feels most. What a thread never touches of it takes no memory.
const STACK: usize = 32 << 20;

/// Linux keeps 15 bytes of a thread's name: the number of the task is what tells siblings apart.
fn thread_name(handle: &TaskHandle) -> String {
    let id = handle.id();
    let number = format!("-{}", id.task);
    let room = 15usize.saturating_sub(number.len());
    let connector: String = id.connector.chars().filter(char::is_ascii_graphic).take(room).collect();
    connector + &number
}

async fn ended(controls: &Controls, outcome: Result<(), Failure>) {
    match outcome {
        Ok(()) => controls.state(TaskState::Unassigned, None).await,
        // What goes wrong after the task was told to stop is for the log only.
        Err(failure) if controls.current() == Wish::Stop => {
            tracing::warn!(kind = failure.kind.as_str(), %failure, "task ended with an error while it was stopping");
            controls.state(TaskState::Unassigned, None).await;
        }
        Err(failure) => {
            tracing::error!(
                kind = failure.kind.as_str(),
                detail = failure.detail.as_deref().unwrap_or(""),
                "task failed and will not recover until it is restarted: {}",
                failure.message
            );
            controls.state(TaskState::Failed, Some(failure)).await;
        }
    }
}

/// A panic of the worker's own code.
fn bug(panic: &(dyn Any + Send)) -> Failure {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or(panic.downcast_ref::<&str>().copied());
    Failure::host(format!(
        "the worker has a bug: {}",
        text.unwrap_or("a panic without a message")
    ))
}
