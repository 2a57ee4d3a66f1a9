//! The documents in the search server, as rows of the table that they follow.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// Rows by their ids.
pub type Rows = BTreeMap<i64, Value>;

/// The documents of one index.
pub struct Documents {
    /// `http://host:port`.
    pub address: String,
    index: String,
    agent: ureq::Agent,
}

impl Documents {
    pub fn new(port: u16, index: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .build()
            .into();
        Self {
            address: format!("http://127.0.0.1:{port}"),
            index: index.to_owned(),
            agent,
        }
    }

    /// The state of each row that a document tells of. A document is an event; the row is what it was after it.
    pub fn rows(&self) -> Result<Rows> {
        let mut rows = Rows::new();
        // A body, even an empty object, is refused here.
        let refresh = format!("{}/{}/_refresh", self.address, self.index);
        if self.agent.post(refresh).send_empty()?.status() != 200 {
            return Ok(rows);
        }
        let first = json!({"size": 5000, "sort": ["_doc"]});
        let mut page = self.post(&format!("/{}/_search?scroll=1m", self.index), &first)?;
        loop {
            let hits = page["hits"]["hits"]
                .as_array()
                .context("the search server gives no hits")?;
            if hits.is_empty() {
                return Ok(rows);
            }
            for hit in hits {
                let row = &hit["_source"]["after"];
                if let Some(id) = row["id"].as_i64() {
                    rows.insert(id, row.clone());
                }
            }
            let next = json!({"scroll": "1m", "scroll_id": page["_scroll_id"]});
            page = self.post("/_search/scroll", &next)?;
        }
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let mut response = self.agent.post(format!("{}{path}", self.address)).send_json(body)?;
        Ok(response.body_mut().with_config().limit(64 << 20).read_json()?)
    }
}
