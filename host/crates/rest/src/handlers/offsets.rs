//! Offsets of connectors (KIP-875).

use caisson_herder::{Error, OffsetOutcome};
use serde_json::json;

use super::{Call, Outcome};
use crate::reply::Reply;
use crate::{input, shape};

pub async fn list(call: &Call, name: &str) -> Outcome {
    let offsets = call.bounded(call.herder.offsets(name)).await?;
    Ok(Reply::ok(&shape::offsets(&offsets)))
}

pub async fn alter(call: &Call, name: &str) -> Outcome {
    let offsets = input::parse_offsets(&call.body)?;
    if offsets.is_empty() {
        let text = "Partitions / offsets need to be provided for an alter offsets request";
        return Err(Error::BadRequest(text.to_owned()).into());
    }
    let outcome = call.bounded(call.herder.alter_offsets(name, offsets)).await?;
    Ok(done(outcome, "altered"))
}

pub async fn reset(call: &Call, name: &str) -> Outcome {
    let outcome = call.bounded(call.herder.reset_offsets(name)).await?;
    Ok(done(outcome, "reset"))
}

fn done(outcome: OffsetOutcome, verb: &str) -> Reply {
    let message = match outcome {
        OffsetOutcome::Complete => format!("The offsets for this connector have been {verb} successfully"),
        OffsetOutcome::FrameworkOnly => format!(
            "The Connect framework-managed offsets for this connector have been {verb} successfully. However, if this connector manages offsets externally, they will need to be manually {verb} in the system that the connector uses."
        ),
    };
    Reply::ok(&json!({"message": message}))
}
