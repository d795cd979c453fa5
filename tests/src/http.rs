//! Questions over HTTP, answered whatever the status.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

/// An answer: any status is one, only the lack of an answer is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The content type, or an empty string.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

/// A client that keeps its connections.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
}

// === impl Answer ===

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; panics with the whole answer if it is none, or the status is not 200.
    pub fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }
}

// === impl Client ===

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Client {
    /// A client with a generous time limit.
    pub fn new() -> Self {
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(60)));
        Self { agent: config.build().into() }
    }

    /// GET with query parameters.
    pub fn get(&self, url: &str, query: &[(&str, &str)]) -> Result<Answer, ureq::Error> {
        let mut request = self.agent.get(url);
        for (name, value) in query {
            request = request.query(*name, *value);
        }
        answer(request.call()?)
    }

    /// GET with headers.
    pub fn get_with(&self, url: &str, headers: &[(&str, &str)]) -> Result<Answer, ureq::Error> {
        let mut request = self.agent.get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.call()?)
    }

    /// POST with headers.
    pub fn post(&self, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer, ureq::Error> {
        let mut request = self.agent.post(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.send(body)?)
    }

    /// PUT without a body.
    pub fn put(&self, url: &str) -> Result<Answer, ureq::Error> {
        answer(self.agent.put(url).send_empty()?)
    }

    /// Sends encoded spans to an OTLP receiver on this port.
    pub fn export(&self, port: u16, encoded: &[u8]) -> Answer {
        let url = format!("http://127.0.0.1:{port}/v1/traces");
        self.post(&url, &[("content-type", "application/x-protobuf")], encoded).expect("an OTLP receiver answers")
    }
}

fn answer(mut response: ureq::http::Response<ureq::Body>) -> Result<Answer, ureq::Error> {
    let header = response.headers().get("content-type").and_then(|value| value.to_str().ok());
    let content_type = header.unwrap_or_default().to_owned();
    let body = response.body_mut().with_config().limit(256 << 20).read_to_vec()?;
    Ok(Answer { status: response.status().as_u16(), content_type, body })
}
