//! What an instance can reach by the network: the endpoints that its configuration names, by whatever way.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use caisson_sandbox::{CallError, GrantPolicy, InstanceSpec, Sandbox, SandboxOptions, SourceTask};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::common::*;

/// Answers each connection's greeting with `hello back` and closes it.
pub fn server(wrap: impl Fn(std::net::TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            wrap(stream.unwrap());
        }
    });
    address
}

fn answer(mut stream: impl Read + Write) {
    let mut greeting = [0; 5];
    if stream.read_exact(&mut greeting).is_ok() {
        let _ = stream.write_all(b"hello back");
        let _ = stream.flush();
    }
}

fn plain() -> SocketAddr {
    server(answer)
}

/// What a server speaks with under TLS.
pub type Secured = StreamOwned<ServerConnection, std::net::TcpStream>;

fn tls(name: &str) -> (tempfile::NamedTempFile, SocketAddr) {
    tls_answering(name, |stream| answer(stream))
}

/// A certificate authority in a file, and a server with a certificate of it for `name`.
pub fn tls_answering(
    name: &str,
    answer: impl Fn(&mut Secured) + Send + 'static,
) -> (tempfile::NamedTempFile, SocketAddr) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec![name.to_owned()])
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), authority.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(own.der().to_vec())],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let config = Arc::new(config);
    let address = server(move |stream| {
        let connection = ServerConnection::new(config.clone()).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        answer(&mut stream);
        stream.conn.send_close_notify();
        let _ = stream.flush();
    });
    (file, address)
}

async fn ask(url: &str, command: &str) -> String {
    asked(&[("url", url), ("poll", command)]).await
}

#[tokio::test]
async fn a_granted_endpoint_can_be_reached_by_both_ways_and_no_other() {
    let (granted, other) = (plain(), plain());
    let url = format!("http://{granted}/x");
    for way in ["net", "socket"] {
        assert_eq!(ask(&url, &format!("{way}:{granted}")).await, "ok: hello back");
        let refused = ask(&url, &format!("{way}:{other}")).await;
        assert!(!refused.starts_with("ok"), "{way}: {refused}");
    }
    let refused = ask(&url, &format!("net:{other}")).await;
    assert_eq!(
        refused,
        format!(
            "ErrorKind::Config: {other}: the connector's configuration names no such endpoint (it names {granted}, by ${{url}})"
        )
    );
}

#[tokio::test]
async fn names_are_resolved_by_the_worker_if_they_are_granted() {
    let port = plain().port();
    let url = format!("http://localhost:{port}");
    for way in ["net", "socket"] {
        assert_eq!(ask(&url, &format!("{way}:localhost:{port}")).await, "ok: hello back");
        // The address itself was not granted.
        let refused = ask(&url, &format!("{way}:127.0.0.1:{port}")).await;
        assert!(!refused.starts_with("ok"), "{way}: {refused}");
        let refused = ask(&url, &format!("{way}:example.invalid:{port}")).await;
        assert!(!refused.starts_with("ok"), "{way}: {refused}");
    }
}

#[tokio::test]
async fn refusals_of_sockets_are_told_in_the_log() {
    let (granted, other) = (plain(), plain());
    let log = Captured::begin();
    ask(&format!("http://{granted}"), &format!("socket:{other}")).await;
    let told = format!("refused to connect: {other}: the connector's configuration names no such endpoint");
    assert!(log.text().contains(&told), "{}", log.text());
}

#[tokio::test]
async fn without_a_grant_nothing_can_be_reached() {
    let address = plain();
    let entries = [("poll", format!("net:{address}"))];
    let answer = asked(&[("poll", &entries[0].1)]).await;
    assert!(answer.contains("names no such endpoint (it names none"), "{answer}");
    // The sink's manifest asks for none.
    let command = format!("net:{address}");
    let mut sink = sink(&[("url", &format!("http://{address}")), ("put", &command)]).await;
    let refused = sink.put(&batch(1, 1)).await.unwrap_err();
    assert!(refused.to_string().contains("asks for no network"), "{refused}");
}

#[tokio::test]
async fn guests_neither_listen_nor_send_datagrams() {
    let granted = plain();
    for command in ["listen:127.0.0.1:0", "listen:0.0.0.0:0", "udp"] {
        let answer = ask(&format!("http://{granted}"), command).await;
        assert!(answer.starts_with("denied"), "{command}: {answer}");
    }
}

#[tokio::test]
async fn the_operator_has_the_last_word() {
    let metadata = ask("http://169.254.169.254", "net:169.254.169.254:80").await;
    assert!(
        metadata.contains("the operator refuses 169.254.169.254 (sandbox.network.denied)"),
        "{metadata}"
    );
    for spelling in ["[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[fd00:ec2::254]"] {
        let answer = ask(&format!("http://{spelling}"), &format!("net:{spelling}:80")).await;
        assert!(answer.contains("the operator refuses"), "{spelling}: {answer}");
    }
    for nowhere in ["0.0.0.0", "255.255.255.255", "224.0.0.1"] {
        let answer = ask(&format!("http://{nowhere}"), &format!("net:{nowhere}:80")).await;
        assert!(answer.contains("the address of no single host"), "{nowhere}: {answer}");
    }
    let port = plain().port();
    let cache = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::new(SandboxOptions {
        policy: GrantPolicy {
            network_denied: vec!["127.0.0.0/8".into(), "::1".into()],
            ..GrantPolicy::default()
        },
        ..options(cache.path())
    })
    .unwrap();
    let module = sandbox.load("probe.wasm", probe()).await.unwrap();
    for way in ["net", "socket"] {
        let entries = [
            ("url", format!("http://localhost:{port}")),
            ("poll", format!("{way}:localhost:{port}")),
        ];
        let entries = entries.each_ref().map(|(key, value)| (*key, value.as_str()));
        let spec = spec_of(module.clone(), "probe.Source", &entries);
        let mut task = SourceTask::start(spec, Arc::new(Offsets)).await.unwrap();
        let answer = task.poll(Duration::ZERO, 1).await.unwrap_err().to_string();
        assert!(!answer.starts_with("ok"), "{way}: {answer}");
    }
}

#[tokio::test]
async fn tls_verifies_as_it_is_told() {
    let (trusted, good) = tls("localhost");
    let (_, foreign) = tls("localhost");
    let (misnamed_trust, misnamed) = tls("other.example");
    let ask = async |word: &str, verification: &str, trust: &tempfile::NamedTempFile, server: SocketAddr| {
        let file = trust.path().to_str().unwrap();
        let port = server.port();
        asked(&[
            ("url", &format!("https://localhost:{port}")),
            ("file", file),
            ("poll", &format!("{word}:{verification}:{file}:localhost:{port}")),
        ])
        .await
    };
    for word in ["tls", "start-tls"] {
        for (verification, trust, server) in [
            ("full", &trusted, good),
            ("chain", &trusted, good),
            ("chain", &misnamed_trust, misnamed),
            ("none", &trusted, foreign),
        ] {
            let answer = ask(word, verification, trust, server).await;
            assert_eq!(answer, "ok: hello back", "{word} {verification}");
        }
        for (verification, trust, server, fault) in [
            ("full", &trusted, foreign, "no trusted certificate vouches for it"),
            ("chain", &trusted, foreign, "no trusted certificate vouches for it"),
            ("full", &misnamed_trust, misnamed, "it is not for localhost"),
        ] {
            let answer = ask(word, verification, trust, server).await;
            let expected = format!("ErrorKind::Config: the certificate of localhost is not trusted: {fault}");
            assert_eq!(answer, expected, "{word} {verification}");
        }
    }
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_named() {
    let port = plain().port();
    let answer = asked(&[
        ("url", &format!("https://localhost:{port}")),
        ("poll", &format!("tls:none::localhost:{port}")),
    ])
    .await;
    assert!(
        answer.starts_with("ErrorKind::Retriable: TLS with the peer failed"),
        "{answer}"
    );
}

#[tokio::test]
async fn nobody_there_is_told_as_such() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let answer = ask(&format!("http://{free}"), &format!("net:{free}")).await;
    assert!(
        answer.starts_with(&format!("ErrorKind::Retriable: {free} cannot be reached")),
        "{answer}"
    );
}

#[tokio::test]
async fn connections_are_limited() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let spec = InstanceSpec {
        limits: Some(caisson_model::Limits {
            connections: 3,
            ..tight()
        }),
        ..spec(
            "probe.Source",
            &[
                ("url", &format!("http://{address}")),
                ("poll", &format!("net-many:{address}")),
            ],
        )
        .await
    };
    let mut task = SourceTask::start(spec, Arc::new(Offsets)).await.unwrap();
    let answer = task.poll(Duration::ZERO, 1).await.unwrap_err().to_string();
    assert!(
        answer.starts_with("after 3: ") && answer.contains("sandbox.connections"),
        "{answer}"
    );
}

#[tokio::test]
async fn an_interrupt_wakes_a_guest_that_waits_and_leaves_it_alive() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let entries = [
        ("url", format!("http://{address}")),
        ("poll", format!("net-wait:{address}")),
    ];
    let entries = entries.each_ref().map(|(key, value)| (*key, value.as_str()));
    let spec = spec("probe.Source", &entries).await;
    let mut task = SourceTask::start(spec, Arc::new(Offsets)).await.unwrap();
    let interrupt = task.interrupt();
    // The guest is known to wait once the server has its connection.
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
    assert_eq!(error.retry_after_ms, Some(0));
    assert!(task.is_alive());
    task.stop().await.unwrap();
}

#[tokio::test]
async fn an_interrupt_ends_a_sleep_that_waits_for_records_and_no_other() {
    let entries = [("url", "http://127.0.0.1:9"), ("poll", "sleep:50000")];
    let spec = spec("probe.Source", &entries).await;
    let mut task = SourceTask::start(spec, Arc::new(Offsets)).await.unwrap();
    let interrupt = task.interrupt();
    let begin = std::time::Instant::now();
    // The guest sleeps when it is first waited for.
    let (polled, ()) = tokio::join!(task.poll(Duration::from_secs(60), 1), async { interrupt.raise() });
    polled.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(40), "{:?}", begin.elapsed());
    // It was not told that it may wait for long.
    let (polled, ()) = tokio::join!(
        tokio::time::timeout(Duration::from_millis(50), task.poll(Duration::ZERO, 1)),
        async { interrupt.raise() }
    );
    assert!(polled.is_err(), "{polled:?}");
}
