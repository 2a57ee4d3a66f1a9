//! Trying configurations.

use caisson_herder::Error;

use super::{Call, Outcome};
use crate::input::{self, Unreadable};
use crate::reply::Reply;
use crate::shape;

/// Unlike bodies of Kafka Connect's own resources, one that does not fit is the client's mistake: 400.
pub async fn preview(call: &Call) -> Outcome {
    let request = input::parse_preview(&call.body);
    let request = request.map_err(|Unreadable(problem)| Error::BadRequest(problem))?;
    let preview = call.bounded(call.herder.preview(request)).await?;
    let body = shape::preview(&preview);
    Ok(Reply::written(body.map_err(|error| Error::Other(error.to_string()))?))
}
