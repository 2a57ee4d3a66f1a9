//! Clients that send too much, too slowly, or at the wrong time.

use std::time::Duration;

use caisson_rest::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::raw;
use crate::{bench, serve, settings};

#[tokio::test]
async fn body_beyond_the_limit_is_refused_whether_announced_or_not() {
    let bench = serve(
        settings(),
        Limits {
            body: 1000,
            ..Limits::default()
        },
    )
    .await;
    let body = format!("{{\"name\":\"{}\"}}", "x".repeat(2000));
    let answer = bench.request("POST", "/connectors", &body).await;
    assert_eq!(
        (answer.status, answer.message().as_str()),
        (413, "HTTP 413 Request Entity Too Large")
    );

    let head =
        "POST /connectors HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("400\r\n{}\r\n", "x".repeat(0x400));
    assert_eq!(
        raw(bench.address(), &format!("{head}{chunk}{chunk}0\r\n\r\n"))
            .await
            .status,
        413
    );
}

#[tokio::test]
async fn refusal_of_a_large_body_is_read_by_who_sent_it() {
    let bench = bench().await;
    let body = "x".repeat(10_000_000);
    assert_eq!(bench.request("PUT", "/nope", &body).await.status, 404);
    assert_eq!(bench.request("POST", "/connectors/c", &body).await.status, 405);
    assert_eq!(
        bench.request("POST", "/connectors/c%2Fd/restart", &body).await.status,
        400
    );
}

#[tokio::test]
async fn large_configuration_is_taken() {
    let bench = bench().await;
    let config = format!(
        r#"{{"connector.class":"FileStreamSource","topic":"t","x":"{}"}}"#,
        "x".repeat(3_000_000)
    );
    assert_eq!(bench.request("PUT", "/connectors/c/config", &config).await.status, 201);
}

#[tokio::test]
async fn headers_beyond_the_limit_are_refused() {
    let bench = bench().await;
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\nX-Long: {}\r\n\r\n", "x".repeat(200_000));
    assert_eq!(raw(bench.address(), &head).await.status, 431);
    let many: String = (0..500).map(|n| format!("X-{n}: x\r\n")).collect();
    assert_eq!(
        raw(bench.address(), &format!("GET / HTTP/1.1\r\n{many}\r\n"))
            .await
            .status,
        431
    );
}

#[tokio::test]
async fn a_target_beyond_the_limit_is_told_from_headers_beyond_it() {
    let bench = bench().await;
    let head = |target: usize, header: usize| {
        let (target, header) = ("x".repeat(target), "x".repeat(header));
        format!("GET /{target} HTTP/1.1\r\nHost: a\r\nX-Long: {header}\r\nConnection: close\r\n\r\n")
    };
    for (target, header, status) in [
        (8000, 10, 404),
        (8300, 10, 414),
        (20_000, 10, 414),
        (10, 8300, 431),
        (8000, 300, 431),
    ] {
        let answer = raw(bench.address(), &head(target, header)).await;
        assert_eq!(answer.status, status, "{target} {header}");
    }
}

#[tokio::test]
async fn client_that_never_finishes_its_headers_is_cut_off() {
    let bench = serve(
        settings(),
        Limits {
            head_time: Duration::from_millis(100),
            ..Limits::default()
        },
    )
    .await;
    let mut stream = TcpStream::connect(bench.address()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
    let mut answer = String::new();
    let _ = tokio::time::timeout(Duration::from_secs(10), stream.read_to_string(&mut answer))
        .await
        .unwrap();
    assert!(!answer.contains("200 OK"), "{answer}");
}

#[tokio::test]
async fn client_that_never_finishes_its_body_is_cut_off() {
    let bench = serve(
        settings(),
        Limits {
            body_time: Duration::from_millis(100),
            ..Limits::default()
        },
    )
    .await;
    let head = "POST /connectors HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    assert_eq!(raw(bench.address(), head).await.status, 408);
}

#[tokio::test]
async fn clients_beyond_the_limit_wait_for_their_turn() {
    let bench = serve(
        settings(),
        Limits {
            connections: 1,
            ..Limits::default()
        },
    )
    .await;
    let first = TcpStream::connect(bench.address()).await.unwrap();
    let mut second = TcpStream::connect(bench.address()).await.unwrap();
    second
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    drop(first);
    let mut answer = String::new();
    let read = second.read_to_string(&mut answer);
    tokio::time::timeout(Duration::from_secs(10), read)
        .await
        .unwrap()
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn request_that_takes_too_long_says_so() {
    let bench = serve(
        settings(),
        Limits {
            request: Duration::from_millis(100),
            ..Limits::default()
        },
    )
    .await;
    bench.create("c").await;
    bench.worker.hold(true);
    let answer = bench.request("POST", "/connectors/c/restart", "").await;
    assert_eq!((answer.status, answer.message().as_str()), (500, "Request timed out"));
}

#[tokio::test]
async fn shutting_down_lets_requests_finish() {
    let bench = bench().await;
    bench.create("c").await;
    bench.worker.hold(true);
    let (address, worker) = (bench.address(), bench.worker.clone());
    let restart =
        tokio::spawn(async move { crate::client::request(address, "POST", "/connectors/c/restart", "").await });
    // The worker has seen the request once it stops the connector.
    while !worker.commands().contains(&"stop c".to_owned()) {
        tokio::task::yield_now().await;
    }
    let stopping = tokio::spawn(bench.handle.shut_down(Duration::from_secs(10)));
    worker.hold(false);
    assert_eq!(restart.await.unwrap().status, 204);
    stopping.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}
