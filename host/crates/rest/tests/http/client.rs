//! A client that says exactly what it is told to.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// No answer may take longer, whatever is tested.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Answer {
    pub status: u16,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn message(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        body["message"].as_str().unwrap().to_owned()
    }
}

pub async fn request(address: SocketAddr, method: &str, path: &str, body: &str) -> Answer {
    let kind = if body.is_empty() {
        ""
    } else {
        "Content-Type: application/json\r\n"
    };
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: worker:1\r\nConnection: close\r\n{kind}Content-Length: {length}\r\n\r\n"
    );
    raw(address, &format!("{head}{body}")).await
}

/// Sends this text, and reads one answer up to the end of the connection.
pub async fn raw(address: SocketAddr, text: &str) -> Answer {
    parse(&exchange(address, text).await)
}

/// Sends this text, and reads all that comes.
pub async fn exchange(address: SocketAddr, text: &str) -> String {
    String::from_utf8(exchange_bytes(address, text).await).unwrap()
}

/// As [`exchange`], for answers that may be no text.
pub async fn exchange_bytes(address: SocketAddr, text: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that refuses a request may close before it has read all of it.
    let _ = stream.write_all(text.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .expect("the server ends the connection");
    answer
}

fn parse(text: &str) -> Answer {
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer: {text:?}"));
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let header = |line: &str| {
        line.split_once(": ")
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
    };
    Answer {
        status,
        headers: lines.filter_map(header).collect(),
        body: body.to_owned(),
    }
}
