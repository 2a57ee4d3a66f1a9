//! Modules and bindings.

use std::sync::Arc;

use caisson_herder::Error;
use caisson_herder::modules::{BindRequest, Consent, Modules};
use caisson_model::Digest;
use hyper::StatusCode;
use serde_json::Value;

use super::{Call, Outcome, no_body, no_resource};
use crate::query::Query;
use crate::reply::Reply;
use crate::shape;

/// Who asks, where requests carry no names.
pub const ANYBODY: &str = "rest";

/// Whether the sender of a request grants what a module asks for beyond the one before it.
pub fn consent(query: &Query) -> Consent {
    if query.flag("consent", false) {
        Consent::Given
    } else {
        Consent::Withheld
    }
}

fn modules(call: &Call) -> Result<Arc<dyn Modules>, Reply> {
    call.herder.modules().ok_or_else(no_resource)
}

fn digest(text: &str) -> Result<Digest, Reply> {
    text.parse()
        .map_err(|_| Error::NotFound(format!("Module {text} not found; a module is named by its SHA-256")).into())
}

fn by(call: &Call) -> String {
    call.user.clone().unwrap_or_else(|| ANYBODY.to_owned())
}

pub fn list(call: &Call) -> Outcome {
    let modules = modules(call)?.list();
    Ok(Reply::ok(&modules.iter().map(shape::module).collect()))
}

pub fn info(call: &Call, text: &str) -> Outcome {
    Ok(Reply::ok(&shape::module(&modules(call)?.module(digest(text)?)?)))
}

pub fn bytes(call: &Call, text: &str) -> Outcome {
    Ok(Reply::module(modules(call)?.file(digest(text)?)?))
}

pub async fn delete(call: &Call, text: &str) -> Outcome {
    let modules = modules(call)?;
    call.bounded(modules.remove(digest(text)?, by(call))).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

pub fn bindings(call: &Call) -> Outcome {
    let bindings = modules(call)?.bindings();
    Ok(Reply::ok(&bindings.iter().map(shape::binding).collect()))
}

pub fn binding(call: &Call, class: &str) -> Outcome {
    Ok(Reply::ok(&shape::binding(&modules(call)?.binding(class)?)))
}

pub fn history(call: &Call, class: &str) -> Outcome {
    let history = modules(call)?.history(class)?;
    Ok(Reply::ok(&history.iter().map(shape::decision).collect()))
}

/// The body names the module: `{"module": "DIGEST"}`, or null for what the worker has besides uploads. With
/// `"canary": true` one task takes it first.
pub async fn bind(call: &Call, class: String) -> Outcome {
    let modules = modules(call)?;
    if call.body.is_empty() {
        return Err(no_body());
    }
    let wrong = || {
        let text = r#"The body has to be {"module": DIGEST or null}, or {"module": DIGEST, "canary": true}"#;
        Error::BadRequest(text.to_owned())
    };
    let body: Value = serde_json::from_slice(&call.body).map_err(|_| wrong())?;
    let module = match body.get("module") {
        Some(Value::Null) => None,
        Some(Value::String(text)) => Some(digest(text)?),
        Some(_) | None => return Err(wrong().into()),
    };
    let request = BindRequest {
        module,
        consent: consent(&call.query),
        by: by(call),
    };
    let bound = match body.get("canary") {
        None | Some(Value::Bool(false)) => call.bounded(modules.bind(class, request)).await?,
        Some(Value::Bool(true)) => call.bounded(modules.try_out(class, request)).await?,
        Some(_) => return Err(wrong().into()),
    };
    Ok(Reply::ok(&shape::bound(&bound)))
}

pub async fn roll_back(call: &Call, class: String) -> Outcome {
    let modules = modules(call)?;
    let bound = call.bounded(modules.roll_back(class, by(call))).await?;
    Ok(Reply::ok(&shape::bound(&bound)))
}
