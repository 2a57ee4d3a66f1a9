//! A search server in memory, as far as the sink talks to one, that can be told to misbehave.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use caisson_sdk::prelude::*;
use caisson_sdk::serde_json;

/// A request that has come.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// What is said to a bulk request instead of doing what it asks for.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This status and body.
    Answer(u16, String),
    /// The connection is closed without a word.
    HangUp,
    /// This error for the operations with these places; the others are done.
    Items(Vec<usize>, u16, &'static str),
    /// Nothing, until the fault is lifted.
    Hold,
}

#[derive(Default)]
pub struct State {
    pub seen: Vec<Seen>,
    /// By index and id.
    pub documents: BTreeMap<(String, String), (i64, Json)>,
    pub indexes: BTreeMap<String, Json>,
    /// One for each bulk request to come.
    pub faults: VecDeque<Fault>,
    /// Whether [`Fault::Hold`] holds.
    pub held: bool,
    /// What `GET /` says instead of its greeting.
    pub greeting: Option<(u16, Json)>,
    pub settings: BTreeMap<String, Json>,
}

pub struct Server {
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let state = shared.clone();
                std::thread::spawn(move || serve(&stream.unwrap(), &state));
            }
        });
        Server { url, state }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn fault(&self, fault: Fault) {
        let mut state = self.state();
        state.held |= matches!(fault, Fault::Hold);
        state.faults.push_back(fault);
    }

    /// The bodies of all bulk requests.
    pub fn bulks(&self) -> Vec<String> {
        let state = self.state();
        let bulks = state.seen.iter().filter(|seen| seen.path.contains("/_bulk"));
        bulks.map(|seen| seen.text().to_owned()).collect()
    }

    pub fn documents(&self, index: &str) -> BTreeMap<String, Json> {
        let state = self.state();
        let of = state
            .documents
            .iter()
            .filter(|((known, _), (_, document))| known == index && !document.is_null());
        of.map(|((_, id), (_, document))| (id.clone(), document.clone()))
            .collect()
    }
}

/// Looks until there is something to see; fails the test after half a minute.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "still not: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn serve(stream: &TcpStream, state: &Mutex<State>) {
    let Some(seen) = request(stream) else { return };
    let fault = {
        let mut state = state.lock().unwrap();
        state.seen.push(seen.clone());
        if seen.path.contains("/_bulk") {
            state.faults.pop_front()
        } else {
            None
        }
    };
    let (status, body) = match fault {
        Some(Fault::Answer(status, body)) => (status, body),
        Some(Fault::HangUp) => return,
        Some(Fault::Hold) => {
            until("the fault is lifted", || (!state.lock().unwrap().held).then_some(()));
            answer(&mut state.lock().unwrap(), &seen, &[], (0, ""))
        }
        Some(Fault::Items(places, status, kind)) => answer(&mut state.lock().unwrap(), &seen, &places, (status, kind)),
        None => answer(&mut state.lock().unwrap(), &seen, &[], (0, "")),
    };
    let body = if seen.method == "HEAD" { String::new() } else { body };
    let head = format!(
        "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = stream;
    // The sink may have given up.
    let _ = stream.write_all((head + &body).as_bytes());
}

fn request(stream: &TcpStream) -> Option<Seen> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else {
            break;
        };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    if headers
        .iter()
        .any(|(name, value)| name == "content-encoding" && value == "gzip")
    {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&*body).read_to_end(&mut plain).ok()?;
        body = plain;
    }
    Some(Seen {
        method,
        path,
        headers,
        body,
    })
}

fn answer(state: &mut State, seen: &Seen, refused: &[usize], error: (u16, &str)) -> (u16, String) {
    let path = seen.path.split('?').next().unwrap();
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (seen.method.as_str(), parts.as_slice()) {
        ("GET", [""]) => {
            let greeting = json!({"version": {"number": "7.17.28"}});
            let (status, body) = state.greeting.clone().unwrap_or((200, greeting));
            (status, body.to_string())
        }
        ("HEAD", [index]) => (
            if state.indexes.contains_key(*index) { 200 } else { 404 },
            String::new(),
        ),
        ("PUT", [index]) | ("PUT", ["_data_stream", index]) => {
            state.indexes.insert((*index).to_owned(), json!({}));
            (200, "{}".to_owned())
        }
        ("GET", [index, "_mapping"]) => {
            let mapping = state.indexes.get(*index).cloned().unwrap_or(json!({}));
            (200, json!({*index: {"mappings": mapping}}).to_string())
        }
        ("PUT", [index, "_mapping"]) => {
            let mapping = serde_json::from_slice(&seen.body).unwrap();
            state.indexes.insert((*index).to_owned(), mapping);
            (200, "{}".to_owned())
        }
        ("GET", [index, "_settings"]) => match state.settings.get(*index) {
            Some(settings) => (200, json!({*index: {"settings": settings}}).to_string()),
            None => (404, "{}".to_owned()),
        },
        ("POST", [index, "_bulk"]) => (200, bulk(state, index, seen.text(), refused, error)),
        _ => (404, "{}".to_owned()),
    }
}

fn bulk(state: &mut State, index: &str, body: &str, refused: &[usize], (status, kind): (u16, &str)) -> String {
    let mut lines = body.lines();
    let mut items = Vec::new();
    let mut errors = false;
    while let Some(line) = lines.next() {
        let action: Json = serde_json::from_str(line).unwrap();
        let (operation, what) = action.as_object().unwrap().iter().next().unwrap();
        let document = (operation != "delete").then(|| serde_json::from_str::<Json>(lines.next().unwrap()).unwrap());
        if refused.contains(&items.len()) {
            errors = true;
            items.push(json!({operation: {"status": status, "error": {"type": kind, "reason": "told to"}}}));
            continue;
        }
        let id = what["_id"]
            .as_str()
            .map_or_else(|| format!("auto-{}", state.documents.len()), ToOwned::to_owned);
        let place = (what["_index"].as_str().unwrap_or(index).to_owned(), id);
        let version = what["version"].as_i64();
        let known = state.documents.get(&place).cloned();
        if let (Some(version), Some((known, _))) = (version, &known)
            && version <= *known
        {
            errors = true;
            items.push(json!({operation: {"status": 409, "error": {"type": "version_conflict_engine_exception"}}}));
            continue;
        }
        let kept = match (operation.as_str(), document) {
            ("update", Some(update)) => {
                let mut merged = known.map_or(json!({}), |(_, document)| document);
                for (name, value) in update["doc"].as_object().unwrap() {
                    merged[name] = value.clone();
                }
                merged
            }
            (_, Some(document)) => document,
            (_, None) => Json::Null,
        };
        state.documents.insert(place, (version.unwrap_or(0), kept));
        items.push(json!({operation: {"status": 200}}));
    }
    json!({"errors": errors, "items": items}).to_string()
}
