use std::collections::HashMap;

use spanmill_config::Section;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::*;

fn check(yaml: &str) -> HealthCheck {
    let section = Section::from_yaml("extensions::health_check", yaml).unwrap();
    HealthCheck::new(Config::read(&section).unwrap())
}

/// Status line and body.
async fn get(check: &HealthCheck, path: &str) -> (String, String) {
    let address = check.pages.lock().unwrap().as_ref().map(Pages::address).unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap_or_default().to_owned(), body.to_owned())
}

fn host() -> Host {
    Host::new(HashMap::new(), mpsc::unbounded_channel().0)
}

/// Scenario: the extension starts, the pipelines become ready, are stopped, and the extension stops.
/// Guarantees: 503 until ready, 200 with the Collector's document while ready, 503 again afterwards, and in the end the port is free.
#[tokio::test]
async fn follows_the_pipelines() {
    let check = check("endpoint: 127.0.0.1:0");
    check.start(&host()).await.unwrap();

    let (status, body) = get(&check, "/").await;
    assert_eq!(status, "HTTP/1.1 503 Service Unavailable");
    let expected =
        r#"{"status":"Server not available","upSince":"0001-01-01T00:00:00Z","uptime":"","phase":"starting"}"#;
    assert_eq!(body, expected);

    check.pipelines_ready(true);
    let (status, body) = get(&check, "/any/path").await;
    assert_eq!(status, "HTTP/1.1 200 OK");
    assert!(body.starts_with(r#"{"status":"Server available","upSince":"2"#), "{body}");
    assert!(body.ends_with("s\"}"), "{body}");

    check.pipelines_ready(false);
    assert_eq!(get(&check, "/").await.0, "HTTP/1.1 503 Service Unavailable");

    let address = check.pages.lock().unwrap().as_ref().map(Pages::address).unwrap();
    check.shutdown().await.unwrap();
    tokio::net::TcpListener::bind(address).await.unwrap();
}

/// Scenario: a component goes through what an earlier run left while the pipelines run, and is done.
/// Guarantees: until then 503, and by whom is told; 200 afterwards.
#[tokio::test]
async fn tells_what_is_replayed() {
    let check = check("endpoint: 127.0.0.1:0");
    let host = host();
    let replaying = host.replaying("\"spanstore\" exporter");
    check.start(&host).await.unwrap();
    check.pipelines_ready(true);
    let (status, body) = get(&check, "/").await;
    assert_eq!(status, "HTTP/1.1 503 Service Unavailable");
    let expected = r#""uptime":"","phase":"replaying","replaying":["\"spanstore\" exporter"]}"#;
    assert!(body.ends_with(expected), "{body}");
    drop(replaying);
    assert_eq!(get(&check, "/").await.0, "HTTP/1.1 200 OK");
    check.shutdown().await.unwrap();
}

/// Scenario: a path and bodies are configured.
/// Guarantees: other paths are not found, and the bodies are plain text.
#[tokio::test]
async fn path_and_bodies() {
    let check = check("{endpoint: '127.0.0.1:0', path: /health, response_body: {healthy: fine, unhealthy: wait}}");
    check.start(&host()).await.unwrap();
    assert_eq!(get(&check, "/").await.0, "HTTP/1.1 404 Not Found");
    assert_eq!(get(&check, "/health").await, ("HTTP/1.1 503 Service Unavailable".to_owned(), "wait".to_owned()));
    check.pipelines_ready(true);
    assert_eq!(get(&check, "/health").await, ("HTTP/1.1 200 OK".to_owned(), "fine".to_owned()));
    check.shutdown().await.unwrap();
}

/// Scenario: the port is taken, and options are wrong.
/// Guarantees: the start fails and names the endpoint; wrong options are refused by name.
#[tokio::test]
async fn refusals() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = taken.local_addr().unwrap();
    let error = check(&format!("endpoint: {endpoint}")).start(&host()).await.unwrap_err();
    assert!(error.to_string().starts_with(&format!("cannot listen on {endpoint}: ")), "{error}");

    for (yaml, expected) in
        [("endpoint: ''", "endpoint"), ("path: health", "path must start with /"), ("port: 1", "unknown key")]
    {
        let section = Section::from_yaml("extensions::health_check", yaml).unwrap();
        let error = Config::read(&section).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
