//! Outgoing requests of guests: where they may go, and what they may take.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use caisson_model::Limits;
use caisson_sandbox::{CallError, InstanceSpec, SourceTask};

use crate::common::*;
use crate::network::{server, tls_answering};

/// Answers requests of a connection, one after the other, with how long their bodies were.
fn serve(mut stream: impl Read + Write) {
    while let Some(length) = request(&mut stream) {
        let body = format!("{length} bytes");
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        if stream.write_all((head + &body).as_bytes()).is_err() || stream.flush().is_err() {
            return;
        }
    }
}

/// Reads one request; the length of its body.
fn request(stream: &mut (impl Read + Write)) -> Option<usize> {
    let mut reader = BufReader::with_capacity(1, stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.is_empty() {
            break;
        }
    }
    let read = std::io::copy(&mut reader.take(length), &mut std::io::sink()).ok()?;
    (read == length).then_some(usize::try_from(length).ok()?)
}

/// A server, and how many connections it has had.
fn counting() -> (SocketAddr, Arc<AtomicUsize>) {
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    let address = server(move |stream| {
        counted.fetch_add(1, Ordering::SeqCst);
        std::thread::spawn(move || serve(stream));
    });
    (address, connections)
}

async fn ask(url: &str, command: &str) -> String {
    asked(&[("url", url), ("poll", command)]).await
}

#[tokio::test]
async fn a_request_goes_to_a_granted_endpoint_and_to_no_other() {
    let (granted, _) = counting();
    let (other, connections) = counting();
    let url = format!("http://{granted}");
    assert_eq!(ask(&url, &format!("http:{url}/x")).await, "ok: 200 0 bytes");
    let refused = ask(&url, &format!("http:http://{other}/x")).await;
    let words = format!(
        "ErrorCode::InternalError(Some(\"{other}: the connector's configuration names no such endpoint (it names {granted}, by ${{url}})\"))"
    );
    assert_eq!(refused, words);
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_operator_has_the_last_word() {
    let url = "http://169.254.169.254";
    let refused = ask(url, &format!("http:{url}/latest")).await;
    assert!(
        refused.contains("the operator refuses 169.254.169.254 (sandbox.network.denied)"),
        "{refused}"
    );
}

#[tokio::test]
async fn names_and_passwords_in_a_url_and_tunnels_are_refused() {
    let (granted, connections) = counting();
    let url = format!("http://{granted}");
    let refused = ask(&url, &format!("http:http://evil@{granted}/x")).await;
    assert_eq!(refused, "ErrorCode::HttpRequestUriInvalid");
    let refused = ask(&url, &format!("http-connect:{url}/")).await;
    assert_eq!(refused, "ErrorCode::HttpRequestMethodInvalid");
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let (granted, connections) = counting();
    let url = format!("http://{granted}");
    assert_eq!(ask(&url, &format!("http-twice:{url}/")).await, "ok: 200 0 bytes");
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

/// More than an instance may hold handles.
#[tokio::test]
async fn requests_that_have_ended_hold_nothing() {
    let (granted, _) = counting();
    let url = format!("http://{granted}");
    let told = limited(Limits::default(), &url, &format!("http-options:10001:{url}/")).await;
    assert_eq!(told, "ok: 200 0 bytes");
}

#[tokio::test]
async fn a_connection_that_the_server_has_closed_is_replaced() {
    let address = server(|mut stream| {
        if request(&mut stream).is_some() {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
                .unwrap();
        }
    });
    let url = format!("http://{address}");
    assert_eq!(ask(&url, &format!("http-twice:{url}/")).await, "ok: 200 hi");
}

#[tokio::test]
async fn large_bodies_go_out_and_their_size_is_bounded() {
    let (granted, _) = counting();
    let url = format!("http://{granted}");
    let sent = limited(Limits::default(), &url, &format!("http-send:20000000:{url}/")).await;
    assert_eq!(sent, "ok: 200 20000000 bytes");
    let limited = limited(
        Limits {
            http_body: 1000,
            ..Limits::default()
        },
        &url,
        &format!("http-send:2000:{url}/"),
    )
    .await;
    assert!(limited.starts_with("ErrorCode::"), "{limited}");
}

/// What an instance with limits of its own is told.
async fn limited(limits: Limits, url: &str, command: &str) -> String {
    match poll_limited(limits, url, command).await {
        Err(CallError::Guest(error)) => error.message,
        other => panic!("{other:?}"),
    }
}

async fn poll_limited(limits: Limits, url: &str, command: &str) -> Result<Vec<u8>, CallError> {
    let spec = InstanceSpec {
        limits: Some(limits),
        ..spec("probe.Source", &[("url", url), ("poll", command)]).await
    };
    let mut task = SourceTask::start(spec, Arc::new(Offsets)).await.unwrap();
    task.poll(Duration::ZERO, 1).await
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let address = server(|mut stream| {
        if request(&mut stream).is_some() {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            while stream.write_all(&[b'x'; 4096]).is_ok() {}
        }
    });
    let url = format!("http://{address}");
    let limits = Limits {
        http_body: 100_000,
        ..Limits::default()
    };
    let answer = limited(limits, &url, &format!("http:{url}/")).await;
    // The engine gives the guest no code for what ends a body, but the reason.
    assert!(answer.contains("HTTP response body size exceeds limit"), "{answer}");
}

#[tokio::test]
async fn answers_that_are_none_are_errors_and_no_more() {
    for garbage in [
        &b"hello\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"\0\xff\xfe",
        b"",
    ] {
        let address = server(move |mut stream| {
            if request(&mut stream).is_some() {
                let _ = stream.write_all(garbage);
            }
        });
        let url = format!("http://{address}");
        let answer = ask(&url, &format!("http:{url}/")).await;
        assert!(answer.starts_with("ErrorCode::"), "{garbage:?}: {answer}");
    }
    let address = server(|mut stream| {
        if request(&mut stream).is_some() {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
            let header = format!("x: {}\r\n", "y".repeat(1000));
            while stream.write_all(header.as_bytes()).is_ok() {}
        }
    });
    let url = format!("http://{address}");
    let answer = ask(&url, &format!("http:{url}/")).await;
    assert!(answer.starts_with("ErrorCode::"), "{answer}");
}

#[tokio::test]
async fn tls_verifies_as_the_guest_says() {
    let (trusted, good) = tls_answering("localhost", |stream| serve(stream));
    let (_, foreign) = tls_answering("localhost", |stream| serve(stream));
    let file = trusted.path().to_str().unwrap();
    let ask = async |verification: &str, server: SocketAddr| {
        let url = format!("https://localhost:{}", server.port());
        let command = format!("http-tls:{verification}:{file}:{url}/");
        asked(&[("url", &url), ("file", file), ("poll", &command)]).await
    };
    for (verification, server) in [("full", good), ("none", foreign)] {
        assert_eq!(ask(verification, server).await, "ok: 200 0 bytes", "{verification}");
    }
    let refused = ask("full", foreign).await;
    let words = "the certificate of localhost is not trusted: no trusted certificate vouches for it";
    assert!(
        refused.starts_with("ErrorCode::InternalError") && refused.contains(words),
        "{refused}"
    );
    // Without being told anything, what the worker trusts counts.
    let url = format!("https://localhost:{}", good.port());
    let refused = asked(&[("url", &url), ("poll", &format!("http:{url}/"))]).await;
    assert!(refused.contains("is not trusted"), "{refused}");
}

#[tokio::test]
async fn nobody_there_is_told_as_such() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    assert_eq!(ask(&url, &format!("http:{url}/")).await, "ErrorCode::ConnectionRefused");
    let url = "http://no-such-host.invalid";
    let answer = ask(url, &format!("http:{url}/")).await;
    assert!(answer.starts_with("ErrorCode::DnsError"), "{answer}");
}

#[tokio::test]
async fn connections_and_bodies_are_limited() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let limits = Limits {
        connections: 3,
        ..Limits::default()
    };
    let answer = limited(limits, &url, &format!("http-many:{url}/")).await;
    assert_eq!(answer, "Some(ErrorCode::ConnectionLimitReached)");
    let stopped = poll_limited(Limits::default(), &url, &format!("http-bodies:{url}/")).await;
    let Err(CallError::Limit { message, .. }) = stopped else {
        panic!("{stopped:?}")
    };
    assert!(message.contains("bodies of requests"), "{message}");
}

#[tokio::test]
async fn an_interrupt_wakes_a_guest_that_waits_for_an_answer() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let entries = [("url", url.clone()), ("poll", format!("http-wait:{url}/"))];
    let entries = entries.each_ref().map(|(key, value)| (*key, value.as_str()));
    let spec = spec("probe.Source", &entries).await;
    let mut task = SourceTask::start(spec, Arc::new(Offsets)).await.unwrap();
    let interrupt = task.interrupt();
    let (polled, _open) = tokio::join!(task.poll(Duration::ZERO, 1), async move {
        let open = tokio::task::spawn_blocking(move || silent.accept().unwrap())
            .await
            .unwrap();
        interrupt.raise();
        open
    });
    let Err(CallError::Guest(error)) = polled else {
        panic!("{polled:?}")
    };
    assert_eq!(error.message, "ErrorCode::ConnectionTerminated");
    assert!(task.is_alive());
    task.stop().await.unwrap();
}
