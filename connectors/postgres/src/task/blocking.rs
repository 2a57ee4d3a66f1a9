//! Snapshots that a signal asks for while the stream stands still.

use caisson_sdk::api;

use super::{Phase, PostgresTask};
use crate::error::{Error, Result};

impl PostgresTask {
    /// Begins the snapshot that the stream stands still for.
    pub(super) fn block(&mut self) -> Result<()> {
        let Phase::Streaming(stream) = &mut self.phase else {
            return Ok(());
        };
        let snapshot = stream.begin_blocking(&self.options)?;
        self.phase = match (std::mem::replace(&mut self.phase, Phase::Connecting), snapshot) {
            (Phase::Streaming(stream), Some(snapshot)) => Phase::Blocked {
                snapshot: Box::new(snapshot),
                stream,
            },
            (Phase::Streaming(mut stream), None) => {
                stream.unblock();
                Phase::Streaming(stream)
            }
            (other, _) => other,
        };
        Ok(())
    }

    pub(super) fn end_blocking(&mut self) -> Result<()> {
        self.phase = match std::mem::replace(&mut self.phase, Phase::Connecting) {
            Phase::Blocked { snapshot, mut stream } => {
                stream.unblock();
                let finished = snapshot.finish();
                self.phase = Phase::Streaming(stream);
                let finished = finished?;
                caisson_sdk::info!("the snapshot is complete, and the stream goes on"; records = finished.records);
                finished.session.close();
                return Ok(());
            }
            other => other,
        };
        Ok(())
    }

    /// What is wrong with a snapshot that a signal has asked for ends the snapshot alone.
    pub(super) fn without_blocking(&mut self, error: Error) -> std::result::Result<(), api::Error> {
        self.phase = match std::mem::replace(&mut self.phase, Phase::Connecting) {
            Phase::Streaming(mut stream) | Phase::Blocked { mut stream, .. } if stream.is_blocked() => {
                caisson_sdk::error!("the snapshot that a signal has asked for ends here: {error}");
                stream.unblock();
                Phase::Streaming(stream)
            }
            other => {
                self.phase = other;
                return Err(error.into());
            }
        };
        Ok(())
    }
}
