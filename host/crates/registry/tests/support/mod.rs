//! A schema registry for tests, in memory: what it answers is what Confluent's documents, and it can be told to fail.

#![allow(dead_code, clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use caisson_config::builtin::SchemaRegistryConverter;
use caisson_convert::{ConvertError, Converter};
use caisson_registry::Part;
use serde_json::{Value as Json, json};

/// One request that it got.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Json,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

type Answer = (u16, Json);
/// Answers in place of the registry, if it wants to.
type Before = Box<dyn Fn(&Request) -> Option<Answer> + Send>;

#[derive(Default)]
struct State {
    /// Subject, version, id.
    versions: Vec<(String, i32, i32)>,
    /// By id less one.
    schemas: Vec<Json>,
    requests: Vec<Request>,
    before: Option<Before>,
    /// What is answered as the version of a schema, whatever it is.
    version: Option<i32>,
}

#[derive(Clone)]
pub struct FakeRegistry {
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl FakeRegistry {
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        // The thread ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, state) = (stream.unwrap(), shared.clone());
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        FakeRegistry { url, state }
    }

    /// Sets what answers first.
    pub fn before(&self, before: impl Fn(&Request) -> Option<Answer> + Send + 'static) {
        self.state.lock().unwrap().before = Some(Box::new(before));
    }

    pub fn set_version(&self, version: i32) {
        self.state.lock().unwrap().version = Some(version);
    }

    pub fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap().requests.clone()
    }

    /// Registers a schema, and returns its id.
    pub fn add(&self, subject: &str, schema: &Json) -> i32 {
        self.state.lock().unwrap().register(subject, schema)
    }

    /// The schema of an id.
    pub fn schema(&self, id: i32) -> Json {
        self.state.lock().unwrap().schemas[id as usize - 1].clone()
    }

    /// The text of the newest schema of a subject.
    pub fn latest(&self, subject: &str) -> String {
        let state = self.state.lock().unwrap();
        let (_, _, id) = state.versions.iter().rfind(|(known, _, _)| known == subject).unwrap();
        state.schemas[*id as usize - 1]["schema"].as_str().unwrap().to_owned()
    }

    pub fn converter(&self, kind: SchemaRegistryConverter, options: &[(&str, &str)]) -> Arc<dyn Converter> {
        self.try_converter(kind, options).unwrap()
    }

    pub fn try_converter(
        &self,
        kind: SchemaRegistryConverter,
        options: &[(&str, &str)],
    ) -> Result<Arc<dyn Converter>, ConvertError> {
        let mut all = vec![
            ("schema.registry.url".to_owned(), Some(self.url.clone())),
            ("retries.wait.ms".to_owned(), Some("1".to_owned())),
        ];
        for (name, value) in options {
            all.retain(|(known, _)| known != name);
            all.push(((*name).to_owned(), Some((*value).to_owned())));
        }
        caisson_registry::converter(kind, Part::Value, &all, None)
    }
}

impl State {
    fn register(&mut self, subject: &str, schema: &Json) -> i32 {
        let known = self.schemas.iter().position(|known| known == schema);
        let id = match known {
            Some(index) => index as i32 + 1,
            None => {
                self.schemas.push(schema.clone());
                self.schemas.len() as i32
            }
        };
        let of_subject = |(known, _, _): &&(String, i32, i32)| known == subject;
        if !self
            .versions
            .iter()
            .any(|(known, _, other)| known == subject && *other == id)
        {
            let version = self.versions.iter().filter(of_subject).count() as i32 + 1;
            self.versions.push((subject.to_owned(), version, id));
        }
        id
    }

    fn answer(&mut self, request: &Request) -> Answer {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let parts: Vec<String> = path.trim_start_matches('/').split('/').map(decode).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["schemas", "ids", id]) => {
                let index = id.parse::<usize>().unwrap_or_default().wrapping_sub(1);
                match self.schemas.get(index) {
                    Some(schema) => (200, schema.clone()),
                    None => (
                        404,
                        json!({ "error_code": 40403, "message": format!("Schema {id} not found") }),
                    ),
                }
            }
            ("POST", ["subjects", subject, "versions"]) => {
                (200, json!({ "id": self.register(subject, &request.body) }))
            }
            ("POST", ["subjects", subject]) => {
                let id = self.schemas.iter().position(|known| *known == request.body);
                let found = id.and_then(|id| self.version(subject, |_, other| other == id as i32 + 1));
                found.unwrap_or((404, json!({ "error_code": 40403, "message": "Schema not found" })))
            }
            ("GET", ["subjects", subject, "versions", version]) => {
                let newest = self.versions.iter().filter(|(known, _, _)| known == subject).count() as i32;
                let version = version.parse().unwrap_or(newest);
                let found = self.version(subject, |other, _| other == version);
                found.unwrap_or((
                    404,
                    json!({ "error_code": 40401, "message": format!("Subject '{subject}' not found.") }),
                ))
            }
            ("GET", ["subjects", subject, "metadata"]) => {
                assert!(query.contains("key=application.version&value=v1"), "{query}");
                self.version(subject, |other, _| other == 1).unwrap()
            }
            _ => (
                405,
                json!({ "error_code": 405, "message": "HTTP 405 Method Not Allowed" }),
            ),
        }
    }

    fn version(&self, subject: &str, is_meant: impl Fn(i32, i32) -> bool) -> Option<Answer> {
        let (_, version, id) = self
            .versions
            .iter()
            .find(|(known, version, id)| known == subject && is_meant(*version, *id))?;
        let mut answer = self.schemas[*id as usize - 1].clone();
        answer["subject"] = json!(subject);
        answer["id"] = json!(id);
        answer["version"] = json!(self.version.unwrap_or(*version));
        Some((200, answer))
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some(request) = read(&mut reader) {
        let (status, body) = {
            let mut state = state.lock().unwrap();
            state.requests.push(request.clone());
            let before = state.before.as_ref().and_then(|before| before(&request));
            before.unwrap_or_else(|| state.answer(&request))
        };
        let body = match body {
            // What is no JSON at all.
            Json::String(text) => text,
            body => body.to_string(),
        };
        let answer = format!(
            "HTTP/1.1 {status} Answer\r\ncontent-type: application/vnd.schemaregistry.v1+json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(0, |(_, value)| value.parse().unwrap_or(0));
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request {
        method,
        path,
        headers,
        body: serde_json::from_slice(&body).unwrap_or(Json::Null),
    })
}

fn decode(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let hex: String = bytes.by_ref().take(2).map(char::from).collect();
                out.push(u8::from_str_radix(&hex, 16).unwrap());
            }
            byte => out.push(byte),
        }
    }
    String::from_utf8(out).unwrap()
}

/// Bytes written in hexadecimal.
pub fn hex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}
