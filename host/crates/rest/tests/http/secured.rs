//! HTTPS and basic authentication.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use caisson_api::config::Password;
use caisson_config::listener::Listener;
use caisson_config::worker::{ClientAuth, IdentityStore, ServerNames, StoreFile, TlsConfig, TrustStore};
use caisson_keystore::{Kind, certificates, identity};
use caisson_rest::{Error, Limits, Server};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::client::raw;
use crate::{Bench, serve, settings};

pub const PASSWORD: &str = "secret12";
const GET: &str = "GET / HTTP/1.1\r\nHost: worker:1\r\nConnection: close\r\n\r\n";

pub fn store(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../keystore/tests/stores")
        .join(name)
}

fn file(name: &str) -> StoreFile {
    StoreFile {
        path: store(name),
        kind: "PKCS12".to_owned(),
        password: Some(Password::new(PASSWORD)),
    }
}

pub fn tls(client_auth: ClientAuth) -> TlsConfig {
    TlsConfig {
        identity: Some(IdentityStore::File {
            file: file("own.p12"),
            key_password: None,
        }),
        trust: Some(TrustStore::File(file("trust.p12"))),
        client_auth,
        protocols: vec!["TLSv1.2".to_owned(), "TLSv1.3".to_owned()],
        cipher_suites: Vec::new(),
        names: ServerNames::Ignored,
    }
}

async fn secured(tls: TlsConfig) -> Bench {
    let mut settings = settings();
    settings.listeners = vec![Listener::parse("https://127.0.0.1:0").unwrap()];
    settings.tls = Some(tls);
    serve(settings, Limits::default()).await
}

/// Whether the client shows its certificate.
enum Client {
    Anonymous,
    Known,
}

/// What comes of a request over TLS; none if there is no answer.
async fn ask(bench: &Bench, client: Client, text: &str) -> Option<String> {
    let mut roots = RootCertStore::empty();
    let trusted = std::fs::read(store("trust.p12")).unwrap();
    for certificate in certificates(Kind::Pkcs12, &trusted, Some(PASSWORD)).unwrap() {
        roots.add(certificate).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match client {
        Client::Anonymous => builder.with_no_client_auth(),
        Client::Known => {
            let own = std::fs::read(store("own.p12")).unwrap();
            let own = identity(Kind::Pkcs12, &own, Some(PASSWORD), None).unwrap();
            builder.with_client_auth_cert(own.chain, own.key).unwrap()
        }
    };
    let stream = TcpStream::connect(bench.address()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()?;
    stream.write_all(text.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(std::time::Duration::from_secs(20), stream.read_to_end(&mut answer));
    // TLS 1.3 tells of a refused certificate after the handshake.
    read.await.expect("the server ends the connection").ok()?;
    String::from_utf8(answer).ok().filter(|answer| !answer.is_empty())
}

#[tokio::test]
async fn requests_over_tls_are_answered() {
    let bench = secured(tls(ClientAuth::None)).await;
    let answer = ask(&bench, Client::Anonymous, GET).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let body = r#"{"name":"c","config":{"connector.class":"FileStreamSource","topic":"t"}}"#;
    let length = body.len();
    let create = format!(
        "POST /connectors HTTP/1.1\r\nHost: worker:1\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let answer = ask(&bench, Client::Anonymous, &create).await.unwrap();
    assert!(
        answer.contains("location: https://worker:1/connectors/c\r\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_client_without_a_certificate_is_refused_where_one_is_required() {
    let bench = secured(tls(ClientAuth::Required)).await;
    assert!(ask(&bench, Client::Known, GET).await.is_some());
    assert!(ask(&bench, Client::Anonymous, GET).await.is_none());
    let bench = secured(tls(ClientAuth::Requested)).await;
    assert!(ask(&bench, Client::Known, GET).await.is_some());
    assert!(ask(&bench, Client::Anonymous, GET).await.is_some());
}

#[tokio::test]
async fn a_client_that_speaks_no_tls_gets_no_answer_and_does_no_harm() {
    let bench = secured(tls(ClientAuth::None)).await;
    let text = crate::client::exchange_bytes(bench.address(), GET).await;
    assert!(!text.starts_with(b"HTTP"), "{text:?}");
    assert!(ask(&bench, Client::Anonymous, GET).await.is_some());
}

#[tokio::test]
async fn what_cannot_be_served_is_said_before_the_first_request() {
    let without = |change: fn(&mut TlsConfig)| {
        let mut tls = tls(ClientAuth::Required);
        change(&mut tls);
        tls
    };
    for (tls, part) in [
        (without(|tls| tls.identity = None), "ssl.keystore.location"),
        (without(|tls| tls.trust = None), "ssl.truststore.location"),
        (without(|tls| tls.protocols = vec!["TLSv1".to_owned()]), "not safe"),
        (
            without(|tls| tls.cipher_suites = vec!["NONE".to_owned()]),
            "TLS_AES_256_GCM_SHA384",
        ),
        (
            without(|tls| tls.trust = Some(TrustStore::File(file("nowhere.p12")))),
            "nowhere.p12",
        ),
        (
            without(|tls| {
                let wrong = StoreFile {
                    password: Some(Password::new("wrong")),
                    ..file("own.p12")
                };
                tls.identity = Some(IdentityStore::File {
                    file: wrong,
                    key_password: None,
                });
            }),
            "password is wrong",
        ),
    ] {
        let mut settings = settings();
        settings.listeners = vec![Listener::parse("https://127.0.0.1:0").unwrap()];
        settings.tls = Some(tls);
        let Err(error) = Server::bind(&settings).await else {
            panic!("served without {part}")
        };
        assert!(
            matches!(error, Error::Https { .. }) && error.to_string().contains(part),
            "{error}"
        );
    }
}

const LOGIN: &str = "KafkaConnect {\n org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required\n file=\"FILE\";\n};\n";

/// Settings with the extension, and files that say who may.
pub fn with_users(directory: &Path, users: &str) -> caisson_config::worker::RestConfig {
    let (login, passwords) = (directory.join("jaas.conf"), directory.join("passwords.properties"));
    std::fs::write(&passwords, users).unwrap();
    std::fs::write(&login, LOGIN.replace("FILE", &passwords.display().to_string())).unwrap();
    let mut settings = settings();
    settings.extensions = vec!["BasicAuthSecurityRestExtension".to_owned()];
    settings.login_config = Some(login);
    settings
}

#[tokio::test]
async fn who_has_no_password_gets_nothing_but_the_refusal() {
    let directory = tempfile::tempdir().unwrap();
    let bench = serve(with_users(directory.path(), "ann=secret\n"), Limits::default()).await;
    let send = async |line: &str, header: &str| {
        let head = format!("{line} HTTP/1.1\r\nHost: worker:1\r\nConnection: close\r\n{header}\r\n");
        raw(bench.address(), &head).await
    };
    let refused = send("GET /connectors", "").await;
    assert_eq!(
        (refused.status, refused.body.as_str()),
        (401, "User cannot access the resource.")
    );
    // ann:secret, and ann:wrong.
    let (good, bad) = (
        "Authorization: Basic YW5uOnNlY3JldA==\r\n",
        "Authorization: Basic YW5uOndyb25n\r\n",
    );
    assert_eq!(send("GET /connectors", good).await.status, 200);
    for line in [
        "GET /",
        "GET /connectors",
        "DELETE /connectors/c",
        "GET /admin/loggers",
        "OPTIONS /connectors",
    ] {
        assert_eq!(send(line, bad).await.status, 401, "{line}");
    }
    // What is no request to any resource says so to everybody.
    for (line, status) in [("GET /nope", 404), ("DELETE /connectors", 405)] {
        assert_eq!(send(line, bad).await.status, status, "{line}");
    }
    // Workers sign these; the herder refuses what is not signed, here because there are no other workers.
    assert_eq!(send("PUT /connectors/c/fence", "").await.status, 500);
    // A body that is never read does not have to be sent.
    let announced = "Content-Type: application/json\r\nContent-Length: 1000000\r\n";
    assert_eq!(send("POST /connectors", announced).await.status, 401);
}

#[tokio::test]
async fn a_worker_that_nobody_could_use_or_everybody_does_not_start() {
    let directory = tempfile::tempdir().unwrap();
    let check = async |settings: caisson_config::worker::RestConfig, part: &str| {
        let Err(error) = Server::bind(&settings).await else {
            panic!("it starts: {part}")
        };
        assert!(error.to_string().contains(part), "{error}");
    };
    check(with_users(directory.path(), ""), "no users").await;
    let mut settings = with_users(directory.path(), "ann=secret");
    settings.extensions.push("com.example.Audit".to_owned());
    check(settings.clone(), "com.example.Audit").await;
    settings.extensions.pop();
    settings.login_config = Some(directory.path().join("nowhere"));
    check(settings, "nowhere").await;
}
