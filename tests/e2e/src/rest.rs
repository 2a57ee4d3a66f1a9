//! The worker's REST interface.

use std::time::Duration;

use serde_json::{Value, json};

use crate::wait::until;

/// A client of one worker.
#[derive(Clone)]
pub struct Rest {
    /// `http://host:port`.
    pub address: String,
    agent: ureq::Agent,
}

/// What the worker answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Null where there is no body or no JSON.
    pub body: Value,
}

impl Answer {
    /// The body, if the status is the expected one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }
}

impl Rest {
    pub fn new(port: u16) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(100)))
            .build();
        Self {
            address: format!("http://127.0.0.1:{port}"),
            agent: agent.into(),
        }
    }

    /// One call; `None` if the worker does not answer.
    pub fn try_call(&self, method: &str, path: &str, body: Option<&Value>) -> Option<Answer> {
        let url = format!("{}{path}", self.address);
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(url)
            .header("content-type", "application/json");
        let result = match body {
            Some(body) => self.agent.run(request.body(body.to_string()).expect("a valid request")),
            None => self.agent.run(request.body(()).expect("a valid request")),
        };
        let mut response = result.ok()?;
        let text = response.body_mut().read_to_string().ok()?;
        Some(Answer {
            status: response.status().as_u16(),
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
        })
    }

    #[track_caller]
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.try_call(method, path, body)
            .unwrap_or_else(|| panic!("{method} {}{path} is not answered", self.address))
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None)
    }

    #[track_caller]
    pub fn put(&self, path: &str) -> Answer {
        self.call("PUT", path, None)
    }

    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, Some(body))
    }

    #[track_caller]
    pub fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, None)
    }

    /// Uploads a module.
    #[track_caller]
    pub fn upload(&self, path: &str, module: &[u8]) -> Answer {
        self.send(path, "application/wasm", module)
            .unwrap_or_else(|error| panic!("POST {path} is not answered: {error}"))
    }

    /// Posts bytes of some type.
    pub fn send(&self, path: &str, content_type: &str, body: &[u8]) -> Result<Answer, ureq::Error> {
        self.post_body(path, content_type, body)
    }

    /// Posts a module piece by piece: how large it will be is not said (`Transfer-Encoding: chunked`).
    pub fn upload_in_pieces(&self, path: &str, mut module: &[u8]) -> Result<Answer, ureq::Error> {
        self.post_body(path, "application/wasm", ureq::SendBody::from_reader(&mut module))
    }

    fn post_body(&self, path: &str, content_type: &str, body: impl ureq::AsSendBody) -> Result<Answer, ureq::Error> {
        let url = format!("{}{path}", self.address);
        let request = self.agent.post(url).header("content-type", content_type);
        let mut response = request.send(body)?;
        let text = response.body_mut().read_to_string()?;
        Ok(Answer {
            status: response.status().as_u16(),
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
        })
    }

    /// The bytes at a path.
    #[track_caller]
    pub fn bytes(&self, path: &str) -> Vec<u8> {
        let mut response = self
            .agent
            .get(format!("{}{path}", self.address))
            .call()
            .expect("an answer");
        response.body_mut().read_to_vec().expect("a whole body")
    }

    /// Creates a connector, which must succeed.
    #[track_caller]
    pub fn create(&self, name: &str, config: &Value) -> Value {
        self.post("/connectors", &json!({ "name": name, "config": config }))
            .expect(201)
    }

    /// Creates a connector and waits until it and its tasks run.
    #[track_caller]
    pub fn create_running(&self, name: &str, config: &Value) {
        self.create(name, config);
        self.await_states(name, "RUNNING", "RUNNING");
    }

    #[track_caller]
    pub fn status(&self, name: &str) -> Value {
        self.get(&format!("/connectors/{name}/status")).body
    }

    /// Waits until the connector has one state, and its tasks, of which there is at least one, all have another.
    #[track_caller]
    pub fn await_states(&self, name: &str, connector: &str, tasks: &str) -> Value {
        let mut last = Value::Null;
        let what = format!("{name} is {connector} and its tasks are {tasks}");
        until(&what, || {
            let status = self.try_call("GET", &format!("/connectors/{name}/status"), None)?.body;
            let all = status["tasks"]
                .as_array()
                .is_some_and(|all| !all.is_empty() && all.iter().all(|task| task["state"] == tasks));
            let found = status["connector"]["state"] == connector && all;
            if !found && last != status {
                println!("{name}: {status}");
                last = status.clone();
            }
            found.then_some(status)
        })
    }

    /// Waits until a task has failed and returns its trace.
    #[track_caller]
    pub fn await_failed_task(&self, name: &str) -> String {
        until(&format!("a task of {name} is FAILED"), || {
            let status = self.try_call("GET", &format!("/connectors/{name}/status"), None)?.body;
            let failed = status["tasks"]
                .as_array()?
                .iter()
                .find(|task| task["state"] == "FAILED")?;
            Some(failed["trace"].as_str().unwrap_or_default().to_owned())
        })
    }
}
