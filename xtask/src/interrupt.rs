//! Ctrl-C and SIGTERM become a flag, so that what was started is stopped before this program ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};

/// Says whether the user asked to stop.
#[derive(Clone)]
pub struct Interrupt {
    /// Set by the signal handlers, read by whoever waits.
    flag: Arc<AtomicBool>,
}

impl Interrupt {
    /// Takes over SIGINT and SIGTERM for the rest of this process.
    pub fn install() -> Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, flag.clone()).context("cannot handle signals")?;
        }
        Ok(Self { flag })
    }

    /// Whether a signal has come.
    pub fn requested(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }

    /// An error once a signal has come, to leave a long part by `?`.
    pub fn check(&self) -> Result<()> {
        if self.requested() {
            bail!("interrupted");
        }
        Ok(())
    }
}
