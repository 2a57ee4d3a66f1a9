//! The few REST calls that the demo makes.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// The worker's REST interface.
pub struct Rest {
    /// `http://host:port`.
    pub address: String,
    agent: ureq::Agent,
}

impl Rest {
    pub fn new(port: u16) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(10)))
            .build()
            .into();
        Self {
            address: format!("http://127.0.0.1:{port}"),
            agent,
        }
    }

    /// Whether the worker answers at all.
    pub fn answers(&self) -> bool {
        self.agent
            .get(format!("{}/", self.address))
            .call()
            .is_ok_and(|response| response.status() == 200)
    }

    /// Creates a connector; an error carries what the worker says.
    pub fn create(&self, name: &str, config: &Value) -> Result<()> {
        let mut response = self
            .agent
            .post(format!("{}/connectors", self.address))
            .send_json(json!({ "name": name, "config": config }))
            .with_context(|| format!("cannot create {name}"))?;
        if response.status() != 201 {
            bail!(
                "cannot create {name}: {} {}",
                response.status(),
                response.body_mut().read_to_string()?
            );
        }
        Ok(())
    }

    pub fn status(&self, name: &str) -> Result<Value> {
        let mut response = self
            .agent
            .get(format!("{}/connectors/{name}/status", self.address))
            .call()?;
        Ok(response.body_mut().read_json()?)
    }

    /// The states of all connectors, in words.
    pub fn states(&self) -> Result<String> {
        let mut response = self
            .agent
            .get(format!("{}/connectors?expand=status", self.address))
            .call()?;
        let all: Value = response.body_mut().read_json()?;
        let states = all.as_object().into_iter().flatten().map(|(name, parts)| {
            let state = parts["status"]["connector"]["state"]
                .as_str()
                .unwrap_or("of unknown state");
            format!("{name} is {state}")
        });
        Ok(states.collect::<Vec<_>>().join(", "))
    }

    /// Waits until the connector and its task run; fails at once if one has failed.
    pub fn await_running(&self, name: &str, patience: Duration) -> Result<()> {
        let end = Instant::now() + patience;
        loop {
            let status = self.status(name)?;
            let tasks = status["tasks"].as_array().map(Vec::as_slice).unwrap_or_default();
            let mut states = tasks.iter().chain([&status["connector"]]).map(|part| &part["state"]);
            if !tasks.is_empty() && states.clone().all(|state| state == "RUNNING") {
                return Ok(());
            }
            if states.any(|state| state == "FAILED") {
                bail!("{name} failed: {status:#}");
            }
            if Instant::now() > end {
                bail!("{name} does not run: {status:#}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
