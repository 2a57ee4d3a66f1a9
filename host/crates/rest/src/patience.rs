//! The time that a client has for sending a body: for each piece, and for all of it.

use std::time::Instant;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::Incoming;

use crate::limits::Limits;
use crate::reply::Reply;

/// What is left of a client's time.
pub struct Patience {
    piece: std::time::Duration,
    end: Instant,
}

impl Patience {
    pub fn of(limits: &Limits) -> Patience {
        Patience {
            piece: limits.body_time,
            end: Instant::now() + limits.whole_body_time,
        }
    }

    /// The next piece of a body; none at its end.
    pub async fn next(&mut self, body: &mut Incoming) -> Result<Option<Bytes>, Reply> {
        loop {
            let left = self.piece.min(self.end.saturating_duration_since(Instant::now()));
            let frame = tokio::time::timeout(left, body.frame()).await;
            let frame = frame.map_err(|_| Reply::http_error(StatusCode::REQUEST_TIMEOUT).closing())?;
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|_| Reply::http_error(StatusCode::BAD_REQUEST).closing())?;
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
    }
}
