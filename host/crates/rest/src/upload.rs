//! A module on its way in: piece by piece to the disk, so that its size costs no memory.

use std::sync::Arc;

use caisson_herder::Error;
use caisson_herder::modules::{AddRequest, Modules};
use caisson_store::{Published, Spooled};
use hyper::StatusCode;
use hyper::body::{Body as _, Incoming};
use serde_json::Value;

use crate::handlers::{ANYBODY, consent};
use crate::patience::Patience;
use crate::query::Query;
use crate::reply::Reply;
use crate::shape;

/// Answers `POST /modules`: 201 for a new module, 200 for one that is there.
pub async fn receive(
    modules: Arc<dyn Modules>,
    body: &mut Incoming,
    patience: Patience,
    query: &Query,
    user: Option<String>,
) -> Reply {
    let spooled = match spool(&*modules, body, patience).await {
        Ok(spooled) => spooled,
        Err(refusal) => return refusal,
    };
    let request = AddRequest {
        activate: query.flag("activate", false),
        consent: consent(query),
        by: user.unwrap_or_else(|| ANYBODY.to_owned()),
    };
    // Compilation has limits of its own.
    let added = match modules.add(spooled, request).await {
        Ok(added) => added,
        Err(error) => return error.into(),
    };
    let mut body = shape::module(&added.module);
    if let Value::Object(members) = &mut body {
        let activated: Vec<Value> = added.activated.iter().map(shape::bound).collect();
        members.insert("activated".to_owned(), activated.into());
    }
    match added.published {
        Published::New => {
            let location = format!("/modules/{}", added.module.digest);
            Reply::json(StatusCode::CREATED, &body).with_location(location)
        }
        Published::Known => Reply::ok(&body),
    }
}

async fn spool(modules: &dyn Modules, body: &mut Incoming, mut patience: Patience) -> Result<Spooled, Reply> {
    let failed = |error: caisson_store::Error| Reply::from(Error::from(error));
    let mut upload = modules.begin().await?;
    // What is announced as too large need not be sent.
    upload.expect(body.size_hint().lower()).map_err(failed)?;
    while let Some(piece) = patience.next(body).await? {
        upload.write(&piece).await.map_err(failed)?;
    }
    upload.finish().await.map_err(failed)
}
