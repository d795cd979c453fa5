//! The detector `docker`: what the Docker daemon knows of its host, and of the container that this runs in.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use super::config::{DOCKER, Docker};
use super::detected::Detected;

/// A larger answer is none of Docker's.
const MOST: u64 = 4 << 20;

/// Asks the daemon. Where there is none, nothing is found, unless that shall fail.
pub(super) async fn detect(config: &Docker, fails: bool) -> Result<Detected, String> {
    match ask(config).await {
        Ok(found) => Ok(found),
        Err(error) if fails => Err(format!("docker metadata unavailable: {error}")),
        Err(error) => {
            tracing::debug!(error, "docker metadata unavailable");
            Ok(Detected::default())
        }
    }
}

async fn ask(config: &Docker) -> Result<Detected, String> {
    let wants = |name: &str| config.resource_attributes.wants(name, &DOCKER);
    let mut found = Detected::default();
    if wants("os.type") || wants("host.name") {
        let info = get("/info").await?;
        for (name, field) in [("os.type", "OSType"), ("host.name", "Name")] {
            if wants(name) {
                found.set(name, text(&info, field)?);
            }
        }
    }
    if wants("container.name") || wants("container.image.name") {
        let host = dns_lookup::get_hostname().map_err(|error| error.to_string())?;
        let container = get(&format!("/containers/{}/json", escape(&host))).await?;
        if wants("container.name") {
            found.set("container.name", text(&container, "Name")?.trim_start_matches('/'));
        }
        if wants("container.image.name") {
            found.set("container.image.name", text(container.get("Config").unwrap_or(&Value::Null), "Image")?);
        }
    }
    Ok(found)
}

fn text(value: &Value, field: &str) -> Result<String, String> {
    let text = value.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.map(str::to_owned).ok_or_else(|| format!("the daemon's answer has no {field}"))
}

fn escape(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A request over the socket, or to where `DOCKER_HOST` says. HTTP/1.0 ends an answer with the connection.
async fn get(path: &str) -> Result<Value, String> {
    let request = format!("GET {path} HTTP/1.0\r\nhost: docker\r\n\r\n");
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    let answer = match host.strip_prefix("tcp://") {
        Some(address) => exchange(TcpStream::connect(address).await, &request).await,
        None => {
            let path = host.strip_prefix("unix://").filter(|path| !path.is_empty()).unwrap_or("/var/run/docker.sock");
            exchange(UnixStream::connect(path).await, &request).await
        }
    };
    parse(&answer.map_err(|error| error.to_string())?)
}

async fn exchange(
    stream: std::io::Result<impl AsyncReadExt + AsyncWriteExt + Unpin>,
    request: &str,
) -> std::io::Result<Vec<u8>> {
    let mut stream = stream?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MOST).read_to_end(&mut answer).await?;
    Ok(answer)
}

fn parse(answer: &[u8]) -> Result<Value, String> {
    let answer = String::from_utf8_lossy(answer);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("the daemon's answer is no HTTP")?;
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    if status != "200" {
        return Err(format!("the daemon answered {status}"));
    }
    serde_json::from_str(body).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: answers of the daemon, good and not.
    /// Guarantees: a good one is read, anything else is told.
    #[test]
    fn answers() {
        let good = parse(b"HTTP/1.0 200 OK\r\nx: y\r\n\r\n{\"Name\": \"host\", \"OSType\": \"linux\"}").unwrap();
        assert_eq!(text(&good, "Name").unwrap(), "host");
        assert!(text(&good, "Image").is_err());
        for wrong in [&b"HTTP/1.0 404 Not Found\r\n\r\n{}"[..], b"nonsense", b"HTTP/1.0 200 OK\r\n\r\n<html>"] {
            assert!(parse(wrong).is_err());
        }
    }
}
