//! What requests are answered with.

use crate::client::{exchange, raw};
use crate::{bench, serve, settings};
use caisson_rest::Limits;

#[tokio::test]
async fn created_connector_is_told_with_its_address() {
    let bench = bench().await;
    let body = r#"{"name":" a b ","config":{"connector.class":"FileStreamSource","topic":"t","tasks.max":1}}"#;
    let answer = bench.request("POST", "/connectors", body).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("location"), Some("http://worker:1/connectors/a%20b"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let expected = r#"{"name":"a b","config":{"connector.class":"FileStreamSource","name":"a b","tasks.max":"1","topic":"t"},"tasks":[],"type":"source"}"#;
    assert_eq!(answer.body, expected);
}

#[tokio::test]
async fn errors_have_the_error_body() {
    let bench = bench().await;
    let answer = bench.request("GET", "/connectors/c", "").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (404, r#"{"error_code":404,"message":"Connector c not found"}"#)
    );
    assert_eq!(bench.request("PUT", "/connectors", "{}").await.status, 405);
    assert_eq!(bench.request("GET", "/connectors/a%2Fb", "").await.status, 400);
    assert_eq!(bench.request("POST", "/connectors", "{").await.status, 500);
    assert_eq!(bench.request("GET", "/nope", "").await.message(), "HTTP 404 Not Found");
}

#[tokio::test]
async fn a_preview_is_answered_and_its_mistakes_are_the_clients() {
    let bench = bench().await;
    let body = r#"{"config":{"connector.class":"FileStreamSink"},"records":[{"value":1}]}"#;
    let answer = bench.request("POST", "/preview", body).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/json"))
    );
    let expected = r#"{"type":"sink","connector_class":"FileStreamSink","tolerance":"none","records":[],"plugin_errors":[],"stopped":null}"#;
    assert_eq!(answer.body, expected);
    for (body, word) in [
        ("", "The request has no body"),
        ("{", "Unexpected end-of-input"),
        (
            r#"{"config":{},"records":[{"vaule":1}]}"#,
            "record 0: Unrecognized field \"vaule\"",
        ),
        (
            r#"{"config":{"connector.class":"Nope"},"records":[{}]}"#,
            "there is no such connector",
        ),
    ] {
        let answer = bench.request("POST", "/preview", body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.message().starts_with(word), "{}", answer.body);
    }
    let answer = bench.request("GET", "/preview", "").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("OPTIONS,POST")));
}

#[tokio::test]
async fn head_has_the_headers_of_get_without_its_body() {
    let bench = bench().await;
    let head = bench.request("HEAD", "/connectors", "").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), Some("2"));
    assert_eq!(head.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn body_without_a_type_is_refused() {
    let bench = bench().await;
    let text = "POST /connectors HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
    assert_eq!(raw(bench.address(), text).await.status, 415);
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let bench = bench().await;
    let get = "GET /connectors HTTP/1.1\r\nHost: a\r\n\r\n";
    let last = "GET /connectors HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answers = exchange(bench.address(), &format!("{get}{get}{last}")).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 3);
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let bench = bench().await;
    assert_eq!(raw(bench.address(), "\u{1}\u{2}\u{3}\r\n\r\n").await.status, 400);
    assert_eq!(raw(bench.address(), "GET / HTTP/9.9\r\n\r\n").await.status, 400);
}

#[tokio::test]
async fn request_that_can_be_read_in_two_ways_is_refused() {
    let bench = bench().await;
    for head in [
        "",
        "Host: a\r\nHost: b\r\n",
        "Host:\r\n",
        "Host: a b\r\n",
        "Host: a:99999\r\n",
        "Host: a\r\nContent-Type: x\r\n",
    ] {
        let text = format!("GET / HTTP/1.1\r\n{head}Connection: close\r\n\r\n");
        assert_eq!(raw(bench.address(), &text).await.status, 400, "{head}");
    }
    let text = "GET http://b/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert_eq!(raw(bench.address(), text).await.status, 400);
}

#[tokio::test]
async fn other_origins_are_told_what_they_may_do() {
    let mut settings = settings();
    settings.allowed_origin = "http://bar.com".to_owned();
    settings.allowed_methods = "PUT".to_owned();
    let bench = serve(settings, Limits::default()).await;
    let get = "GET / HTTP/1.1\r\nHost: a\r\nOrigin: http://bar.com\r\nConnection: close\r\n\r\n";
    let answer = raw(bench.address(), get).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://bar.com"));
    let preflight = "OPTIONS /connectors HTTP/1.1\r\nHost: a\r\nOrigin: http://bar.com\r\n\
        Access-Control-Request-Method: PUT\r\nConnection: close\r\n\r\n";
    let answer = raw(bench.address(), preflight).await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-methods")),
        (200, Some("PUT"))
    );
}

#[tokio::test]
async fn operators_may_add_headers() {
    let mut settings = settings();
    settings.response_headers = "add Cache-Control: no-store".to_owned();
    let bench = serve(settings, Limits::default()).await;
    assert_eq!(
        bench.request("GET", "/", "").await.header("cache-control"),
        Some("no-store")
    );
}

#[tokio::test]
async fn metrics_are_text_for_whoever_accepts_that() {
    let bench = bench().await;
    bench.create("c").await;
    let request = "GET /metrics HTTP/1.1\r\nHost: worker:1\r\nConnection: close\r\nAccept: text/plain\r\n\r\n";
    let answer = raw(bench.address(), request).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    let status = "kafka_connect_connector_status{connector=\"c\",status=\"running\"} 1\n";
    assert!(answer.body.contains(status), "{}", answer.body);
    assert_eq!(bench.request("POST", "/metrics", "").await.status, 405);
}
