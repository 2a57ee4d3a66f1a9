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
            // It was made anew, or read on for long: the server has nothing of what came between any more.
            Some(slot) if slot.restart > position => Some(format!(
                "replication slot {} begins at {}, past the stored offset {position}",
                options.slot.name, slot.restart
            )),
            Some(slot) => {
                if slot.confirmed > position && options.flush != Flush::CommittedAndIdle {
                    // The original tells the server of what has come while offsets were being written, too: after a crash of
                    // its worker the slot is further than the offset, and all between is in Kafka.
                    caisson_sdk::warn!(
                        "the slot was read further than the stored offset: the server goes on from there. What is between \
                         was delivered before a crash, or else taken by another reader and is missing: then delete the \
                         connector's offsets, and let it take a new snapshot";
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use caisson_sdk::serde_json::json;

    use super::*;
    use crate::config;

    /// The plan for an offset at 0/64 and a slot with these positions.
    fn planned(restart: u64, confirmed: u64) -> Result<Plan> {
        let options = config::options_of(&[]);
        let slot = SlotState {
            confirmed: Lsn(confirmed),
            restart: Lsn(restart),
            active: false,
            plugin: "pgoutput".into(),
            lost: false,
            xmin: None,
        };
        plan(
            &options,
            Stored::parse(&json!({"lsn": 100, "lsn_commit": 90})),
            Some(&slot),
        )
    }

    #[test]
    fn a_slot_is_read_on_while_its_log_reaches_back_to_the_stored_offset() {
        for (restart, confirmed) in [(80, 90), (80, 200), (100, 200)] {
            let plan = planned(restart, confirmed).unwrap();
            assert!(plan.stream && !plan.snapshot && plan.stored.is_some());
        }
        let refused = planned(101, 200).unwrap_err().to_string();
        assert!(
            refused.contains("begins at 0/65, past the stored offset 0/64"),
            "{refused}"
        );
    }
}
