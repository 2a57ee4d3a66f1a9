//! A worker as the command line sees it.

use caisson_api::value::base64;
use caisson_config::listener::Listener;
use caisson_config::worker::ClientAuth;
use caisson_keystore::{Kind, certificates};
use caisson_rest::{Limits, Remote, RemoteError, RemoteOptions};
use serde_json::{Value, json};

use crate::secured::{PASSWORD, store, tls, with_users};
use crate::{bench, serve};

/// The certificate that the server's is checked by.
fn authority() -> String {
    let trusted = std::fs::read(store("trust.p12")).unwrap();
    let pem = |der: &[u8]| {
        let text = base64::encode(der);
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            lines.join("\n")
        )
    };
    let all = certificates(Kind::Pkcs12, &trusted, Some(PASSWORD)).unwrap();
    all.iter().map(|certificate| pem(certificate)).collect()
}

fn remote(url: &str, authorities: Option<&str>) -> Remote {
    let options = RemoteOptions {
        url,
        user: None,
        authorities: authorities.map(str::as_bytes),
    };
    Remote::new(&options).unwrap()
}

#[tokio::test]
async fn a_worker_is_asked_by_tls_with_the_name_and_password_of_its_address() {
    let directory = tempfile::tempdir().unwrap();
    let mut settings = with_users(directory.path(), "ann=se/cret\n");
    settings.listeners = vec![Listener::parse("https://127.0.0.1:0").unwrap()];
    settings.tls = Some(tls(ClientAuth::None));
    let bench = serve(settings, Limits::default()).await;
    let port = bench.address().port();
    let authority = authority();
    let known = remote(&format!("https://ann:se%2Fcret@localhost:{port}/"), Some(&authority));
    assert_eq!(known.get("/connectors").await.unwrap(), json!([]));
    assert_eq!(known.url(), format!("https://localhost:{port}"));

    let nobody = remote(&format!("https://localhost:{port}"), Some(&authority));
    let refused = nobody.get("/connectors").await.unwrap_err();
    assert_eq!(refused.to_string(), "User cannot access the resource. (401)");
    // Whom nobody vouches for is not asked, and neither is one under another name.
    for (url, authorities) in [
        (format!("https://ann:se%2Fcret@localhost:{port}"), None),
        (
            format!("https://ann:se%2Fcret@127.0.0.2:{port}"),
            Some(authority.as_str()),
        ),
        (format!("http://ann:se%2Fcret@localhost:{port}"), None),
    ] {
        let failed = remote(&url, authorities).get("/").await.unwrap_err();
        assert!(matches!(failed, RemoteError::Unreachable { .. }), "{url}: {failed:?}");
        assert!(!format!("{failed} {failed:?}").contains("cret"), "{failed:?}");
    }
    let wrong = RemoteOptions {
        url: "https://localhost",
        user: None,
        authorities: Some(b"no certificate"),
    };
    assert!(matches!(Remote::new(&wrong), Err(RemoteError::Trust(_))));
}

#[tokio::test]
async fn what_a_worker_says_is_told_with_its_status() {
    let bench = bench().await;
    let worker = remote(&bench.address().to_string(), None);
    let missing = worker.get("/connectors/no%20one").await.unwrap_err();
    let RemoteError::Refused { status, message, body } = &missing else {
        panic!("{missing:?}")
    };
    assert_eq!((*status, &body["error_code"]), (404, &json!(404)));
    assert_eq!(missing.to_string(), format!("{message} (404)"));
    bench.create("c").await;
    assert_eq!(worker.put_nothing("/connectors/c/pause").await.unwrap(), Value::Null);
    assert_eq!(worker.delete("/connectors/c").await.unwrap(), Value::Null);
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_no_workers() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await;
        let page = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\nConnection: close\r\n\r\n<html>hi</html>";
        stream.write_all(page.as_bytes()).await.unwrap();
    });
    let failed = remote(&address.to_string(), None).get("/connectors").await.unwrap_err();
    assert!(matches!(failed, RemoteError::NoWorker { .. }), "{failed:?}");
}
