//! A proxy in front of a search server that lets bulk requests pass, or says something else.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What happens to a bulk request.
#[derive(Clone, Copy, Debug)]
pub enum Say {
    Pass,
    Status(u16),
    HangUp,
}

pub struct Proxy {
    pub url: String,
    /// Bulk requests so far.
    count: Arc<AtomicUsize>,
}

impl Proxy {
    /// `decide` is asked for each bulk request, by its number.
    pub fn start(target: &str, decide: impl Fn(usize) -> Say + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let count = Arc::new(AtomicUsize::new(0));
        let (target, counted, decide) = (
            target.trim_start_matches("http://").to_owned(),
            count.clone(),
            Arc::new(decide),
        );
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (target, count, decide) = (target.clone(), counted.clone(), decide.clone());
                std::thread::spawn(move || {
                    let mut client = BufReader::new(stream);
                    while serve(&mut client, &target, &count, &*decide).is_some() {}
                });
            }
        });
        Proxy { url, count }
    }

    pub fn requests(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }
}

/// One request of a connection; `None` ends it.
fn serve(
    client: &mut BufReader<TcpStream>,
    target: &str,
    count: &AtomicUsize,
    decide: &dyn Fn(usize) -> Say,
) -> Option<()> {
    let (head, body) = message(client, false)?;
    let bodiless = head.starts_with("HEAD ");
    let say = if head.contains("/_bulk") {
        decide(count.fetch_add(1, Ordering::Relaxed))
    } else {
        Say::Pass
    };
    match say {
        Say::HangUp => None,
        Say::Status(status) => {
            let answer = format!("HTTP/1.1 {status} no\r\ncontent-length: 0\r\n\r\n");
            client.get_mut().write_all(answer.as_bytes()).ok()
        }
        Say::Pass => {
            let mut server = TcpStream::connect(target).ok()?;
            server.write_all(head.as_bytes()).ok()?;
            server.write_all(&body).ok()?;
            let (head, body) = message(&mut BufReader::new(server), bodiless)?;
            client.get_mut().write_all(head.as_bytes()).ok()?;
            client.get_mut().write_all(&body).ok()
        }
    }
}

/// Head and body of a request or an answer that has a length, as search servers and their clients send them. The answer to
/// a HEAD has the length of what it leaves out.
fn message(stream: &mut BufReader<TcpStream>, bodiless: bool) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    let mut length = 0;
    loop {
        let start = head.len();
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
        let line = head[start..].trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; if bodiless { 0 } else { length }];
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}
