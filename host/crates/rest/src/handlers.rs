//! What each resource does: reads the request, asks the herder, shapes the answer.

mod admin;
mod connectors;
mod lifecycle;
mod modules;
mod offsets;
mod plugins;
mod preview;
mod root;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use caisson_herder::{Error, Herder, RequestSignature};
use hyper::{Method, StatusCode};

use crate::input::Unreadable;
use crate::limits::Limits;
use crate::query::Query;
use crate::reply::Reply;
use crate::route::Route;
use crate::stage;

pub use modules::{ANYBODY, consent};

/// A request, as far as a handler needs to know it.
pub struct Call {
    pub herder: Arc<dyn Herder>,
    pub limits: Limits,
    pub query: Query,
    pub body: Vec<u8>,
    pub signature: Option<RequestSignature>,
    /// Who asks, where requests carry names.
    pub user: Option<String>,
}

/// Either way an answer; the error side is what a handler leaves early with.
pub type Outcome = Result<Reply, Reply>;

/// Answers a request whose method the route has. `HEAD` comes as `GET`.
pub async fn answer(route: Route, method: &Method, call: Call) -> Reply {
    let outcome = match route {
        Route::Root => root::root(&call),
        Route::Health => root::health(&call).await,
        Route::Metrics => root::metrics(&call),
        Route::Connectors if method == Method::POST => connectors::create(&call).await,
        Route::Connectors => connectors::list(&call).await,
        Route::Connector(name) if method == Method::DELETE => connectors::delete(&call, &name).await,
        Route::Connector(name) => connectors::info(&call, &name).await,
        Route::Config(name) if method == Method::PUT => connectors::put_config(&call, &name).await,
        Route::Config(name) if method == Method::PATCH => connectors::patch_config(&call, &name).await,
        Route::Config(name) => connectors::config(&call, &name).await,
        Route::Status(name) => connectors::status(&call, &name),
        Route::Tasks(name) if method == Method::POST => lifecycle::put_task_configs(call, &name).await,
        Route::Tasks(name) => connectors::tasks(&call, &name).await,
        Route::TaskStatus(name, task) => connectors::task_status(&call, &name, task),
        Route::TaskRestart(name, task) => lifecycle::restart_task(&call, &name, task).await,
        Route::Pause(name) => lifecycle::pause(&call, &name).await,
        Route::Resume(name) => lifecycle::resume(&call, &name).await,
        Route::Stop(name) => lifecycle::stop(&call, &name).await,
        Route::Restart(name) => lifecycle::restart(&call, &name).await,
        Route::Fence(name) => lifecycle::fence(call, &name).await,
        Route::Topics(name) => lifecycle::topics(&call, &name),
        Route::TopicsReset(name) => lifecycle::reset_topics(&call, &name),
        Route::Offsets(name) if method == Method::PATCH => offsets::alter(&call, &name).await,
        Route::Offsets(name) if method == Method::DELETE => offsets::reset(&call, &name).await,
        Route::Offsets(name) => offsets::list(&call, &name).await,
        Route::Plugins => plugins::list(&call),
        Route::PluginConfig(class) => plugins::keys(&call, &class),
        Route::PluginValidate(class) => plugins::validate(&call, &class).await,
        Route::Preview => preview::preview(&call).await,
        Route::Loggers => admin::loggers(&call),
        Route::Logger(name) if method == Method::PUT => admin::set_logger(&call, &name).await,
        Route::Logger(name) => admin::logger(&call, &name),
        Route::Modules => modules::list(&call),
        Route::Module(digest) if method == Method::DELETE => modules::delete(&call, &digest).await,
        Route::Module(digest) => modules::info(&call, &digest),
        Route::ModuleBytes(digest) => modules::bytes(&call, &digest),
        Route::Bindings => modules::bindings(&call),
        Route::Binding(class) if method == Method::PUT => modules::bind(&call, class).await,
        Route::Binding(class) => modules::binding(&call, &class),
        Route::BindingHistory(class) => modules::history(&call, &class),
        Route::BindingRollback(class) => modules::roll_back(&call, class).await,
    };
    outcome.unwrap_or_else(|reply| reply)
}

impl Call {
    /// Waits for the herder, no longer than a request may take.
    async fn bounded<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Reply> {
        match within(self.limits.request, work).await {
            Some(outcome) => outcome.map_err(Reply::from),
            None => {
                let text = stage::timed_out(self.herder.stage().as_ref());
                Err(Reply::error(StatusCode::INTERNAL_SERVER_ERROR, &text))
            }
        }
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
}

impl From<Unreadable> for Reply {
    fn from(Unreadable(problem): Unreadable) -> Self {
        Reply::error(StatusCode::INTERNAL_SERVER_ERROR, &problem)
    }
}

/// The answer to a body that is missing where one is needed.
fn no_body() -> Reply {
    Unreadable("The request has no body".to_owned()).into()
}

/// The answer to a path that only looked like that of a resource.
fn no_resource() -> Reply {
    Reply::http_error(StatusCode::NOT_FOUND)
}
