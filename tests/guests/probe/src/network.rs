//! Connections: `net:host:port` and `socket:host:port` say hello and tell what came back.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::behave::report;
use crate::caisson::connect::net::{Connection, Tls, Verification};
use crate::caisson::connect::types::Error;

pub fn perform(word: &str, argument: &str) -> Option<Result<Vec<u8>, Error>> {
    let (host, port) = argument.rsplit_once(':').unwrap_or((argument, "0"));
    let port = port.parse().unwrap_or(0);
    Some(match word {
        "net" => told(Connection::connect(host, port, None).and_then(|connection| hello(&connection))),
        // `tls:VERIFICATION:TRUSTED FILE:host:port`
        "tls" | "start-tls" => told(under_tls(word, argument)),
        "net-wait" => match Connection::connect(host, port, None).and_then(|connection| connection.read(10, 60_000)) {
            Ok(read) => report(format!("read {read:?}")),
            // As it is, so that a test sees its kind.
            Err(error) => Err(error),
        },
        "net-many" => {
            let mut kept = Vec::new();
            loop {
                match Connection::connect(host, port, None) {
                    Ok(connection) => kept.push(connection),
                    Err(error) => break report(format!("after {}: {}", kept.len(), error.message)),
                }
            }
        }
        "socket" => match TcpStream::connect(argument).and_then(greet) {
            Ok(text) => report(format!("ok: {text}")),
            Err(error) => report(format!("denied: {error}")),
        },
        _ => return None,
    })
}

fn told(result: Result<String, Error>) -> Result<Vec<u8>, Error> {
    match result {
        Ok(text) => report(format!("ok: {text}")),
        Err(error) => report(format!("{:?}: {}", error.kind, error.message)),
    }
}

fn hello(connection: &Connection) -> Result<String, Error> {
    connection.write(b"hello")?;
    let answer = connection.read(100, 10_000)?;
    let end = connection.read(100, 10_000)?;
    let text = String::from_utf8_lossy(&answer.unwrap_or_default()).into_owned();
    Ok(format!("{text}{}", if end.is_none() { "" } else { " and more" }))
}

fn greet(mut stream: TcpStream) -> std::io::Result<String> {
    stream.write_all(b"hello")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// What is verified, with the certificates of a file if there is one.
pub fn terms(verification: &str, trusted: &str) -> Tls {
    Tls {
        verification: match verification {
            "none" => Verification::None,
            "chain" => Verification::Chain,
            _ => Verification::Full,
        },
        server_name: None,
        trusted: std::fs::read_to_string(trusted).ok(),
        identity: None,
    }
}

fn under_tls(word: &str, argument: &str) -> Result<String, Error> {
    let mut parts = argument.splitn(4, ':');
    let mut part = || parts.next().unwrap_or_default();
    let (verification, trusted, host) = (part(), part(), part());
    let port = part().parse().unwrap_or(0);
    let terms = terms(verification, trusted);
    let connection = if word == "tls" {
        Connection::connect(host, port, Some(&terms))?
    } else {
        let connection = Connection::connect(host, port, None)?;
        connection.start_tls(&terms)?;
        connection
    };
    hello(&connection)
}
