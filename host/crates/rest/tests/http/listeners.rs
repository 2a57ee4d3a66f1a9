//! Where what is served.

use caisson_config::listener::Listener;
use caisson_rest::{Limits, Server};

use crate::client::request;
use crate::{any_port, bench, serve, settings};

#[tokio::test]
async fn admin_resources_are_on_the_regular_listeners_unless_said_otherwise() {
    assert_eq!(
        bench().await.request("GET", "/admin/loggers/root", "").await.status,
        200
    );
}

#[tokio::test]
async fn admin_listeners_serve_the_admin_resources_alone() {
    let mut settings = settings();
    settings.admin_listeners = Some(vec![any_port()]);
    let bench = serve(settings, Limits::default()).await;
    let [regular, admin] = bench.handle.addresses() else {
        panic!("two listeners")
    };
    assert_eq!(request(*regular, "GET", "/admin/loggers", "").await.status, 404);
    assert_eq!(request(*regular, "GET", "/connectors", "").await.status, 200);
    assert_eq!(request(*admin, "GET", "/admin/loggers", "").await.status, 200);
    assert_eq!(request(*admin, "GET", "/connectors", "").await.status, 404);
}

#[tokio::test]
async fn empty_list_of_admin_listeners_switches_them_off() {
    let mut settings = settings();
    settings.admin_listeners = Some(Vec::new());
    let bench = serve(settings, Limits::default()).await;
    assert_eq!(bench.request("GET", "/admin/loggers", "").await.status, 404);
}

#[tokio::test]
async fn address_that_is_taken_is_named() {
    let bench = bench().await;
    let mut settings = settings();
    settings.listeners = vec![Listener::parse(&format!("http://{}", bench.address())).unwrap()];
    let Err(error) = Server::bind(&settings).await else {
        panic!("bound twice")
    };
    assert!(error.to_string().contains(&bench.address().to_string()), "{error}");
}

#[tokio::test]
async fn worker_is_known_by_the_port_it_got() {
    let server = Server::bind(&settings()).await.unwrap();
    assert!(server.worker_id().starts_with("127.0.0.1:") && !server.worker_id().ends_with(":0"));
    assert_eq!(server.advertised_url(), format!("http://{}/", server.worker_id()));
}
