//! Whether a task takes a snapshot, streams, or does both.

use crate::config::{Flush, Options, SnapshotMode};
use crate::error::{Error, LOST_SLOT, Result};
use crate::lsn::Lsn;
use crate::offsets::Stored;
use crate::server::SlotState;

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    pub snapshot: bool,
    pub stream: bool,
    pub stored: Option<Stored>,
    /// Where the last reader of the slot was; 0 without a slot.
    pub reader: Lsn,
}

/// What the snapshot mode makes of what is there.
pub fn plan(options: &Options, stored: Option<Stored>, slot: Option<&SlotState>) -> Result<Plan> {
    let stored = stored.filter(|stored| !stored.snapshot_unfinished);
    let first = stored.is_none();
    let stream = options.snapshot.mode.streams();
    let snapshot = match options.snapshot.mode {
        SnapshotMode::Always => true,
        SnapshotMode::Initial | SnapshotMode::WhenNeeded | SnapshotMode::InitialOnly => first,
        SnapshotMode::NoData => false,
        // Whether there is an offset or not.
        SnapshotMode::ConfigurationBased { data, .. } => data,
    };
    let lost = stored.as_ref().filter(|_| stream && !snapshot).and_then(|stored| {
        let position = stored.lsn.max(stored.last_commit);
        match slot {
            None => Some(format!("replication slot {} is not there", options.slot.name)),
            // The original's rule. It stores offsets every now and then, and tells the server of what has come since as well:
            // after a crash of its worker the slot is further than the offset, and nothing is lost.
            Some(slot) if slot.restart > position => Some(format!(
                "replication slot {} begins at {}, past the stored offset {position}",
                options.slot.name, slot.restart
            )),
            Some(slot) => {
                if slot.confirmed > position && options.flush != Flush::CommittedAndIdle {
                    caisson_sdk::warn!(
                        "the slot was read further than the stored offset: the server goes on from there";
                        slot = options.slot.name, confirmed = slot.confirmed, stored = position
                    );
                }
                None
            }
        }
    });
    let again = match (lost, options.snapshot.mode) {
        (None, _) => false,
        (
            Some(reason),
            SnapshotMode::WhenNeeded
            | SnapshotMode::ConfigurationBased {
                on_data_error: true, ..
            },
        ) => {
            caisson_sdk::warn!("a new snapshot is needed: {reason}");
            true
        }
        (Some(reason), _) => {
            return Err(Error::config(format!(
                "{reason}: {LOST_SLOT}. snapshot.mode=when_needed does so by itself"
            )));
        }
    };
    Ok(Plan {
        snapshot: snapshot || again,
        stream,
        stored: stored.filter(|_| !snapshot && !again),
        reader: slot.map_or(Lsn(0), |slot| slot.confirmed),
    })
}
