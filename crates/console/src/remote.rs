//! A server that is asked by HTTP.

use std::io::BufReader;
use std::time::Duration;

use arrow_ipc::reader::StreamReader;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use spanmill_query::Format;
use url::Url;

use crate::answer::Answer;
use crate::asked::{Asked, What};
use crate::error::ConsoleError;

/// A server that is asked by HTTP.
#[derive(Debug)]
pub struct Remote {
    url: Url,
}

/// The server says by itself when time is up; this is for one that says nothing.
const SLACK: Duration = Duration::from_secs(5);

// === impl Remote ===

impl Remote {
    pub(crate) fn new(url: Url) -> Self {
        Self { url }
    }

    pub(crate) fn ask(&self, asked: &Asked) -> Result<Answer, ConsoleError> {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(asked.timeout.checked_add(SLACK))
            .build()
            .new_agent();
        let accept = Format::Arrow.media_type();
        let (limit, timeout) =
            (asked.limit.saturating_add(1), SignedDuration::try_from(asked.timeout).unwrap_or(SignedDuration::MAX));
        let timeout = format!("{}ms", timeout.as_millis().max(1));
        let response = match &asked.what {
            What::Named(name) => {
                let url = self.at(&format!("v1/questions/{name}"), |url| {
                    let mut pairs = url.query_pairs_mut();
                    pairs.extend_pairs(asked.pairs());
                    pairs.append_pair("max_rows", &limit.to_string()).append_pair("timeout", &timeout);
                });
                agent.get(url.as_str()).header("accept", accept).call()
            }
            What::Sql(sql) => {
                let url = self.at("v1/sql", |_| {});
                let mut body = json!({ "sql": sql, "max_rows": limit, "timeout": timeout, "params": asked.json(Timestamp::now())? });
                if let (Some(tenant), Some(body)) = (asked.tenant(), body.as_object_mut()) {
                    body.insert("tenant".to_owned(), json!(tenant));
                }
                agent.post(url.as_str()).header("accept", accept).send(body.to_string())
            }
        };
        let mut response = response.map_err(|error| self.unreachable(&error))?;
        let status = response.status().as_u16();
        if status != 200 {
            let body = response.body_mut().read_to_string().unwrap_or_default();
            return Err(ConsoleError::Refused { status, message: message(status, &body) });
        }
        let most = response.headers().get("spanmill-max-rows").and_then(|most| most.to_str().ok()?.parse().ok());
        let reader = StreamReader::try_new(BufReader::new(response.into_body().into_reader()), None)?;
        let schema = reader.schema();
        let batches = reader.collect::<Result<Vec<_>, _>>()?;
        let mut answer = Answer { schema, batches, truncated: false };
        // As many as the server gives at most: very likely there are more.
        answer.truncated = most.is_some_and(|most: usize| most <= asked.limit && answer.rows() == most);
        Ok(answer)
    }

    fn at(&self, path: &str, with: impl FnOnce(&mut Url)) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/{path}", self.url.path().trim_end_matches('/')));
        with(&mut url);
        url
    }

    fn unreachable(&self, error: &ureq::Error) -> ConsoleError {
        ConsoleError::Unreachable { url: self.url.to_string(), reason: error.to_string() }
    }
}

/// What the server says is wrong, and where.
fn message(status: u16, body: &str) -> String {
    let Ok(body) = serde_json::from_str::<Value>(body) else {
        return format!("the server answers with status {status}; is it spanmill's listener of SQL?");
    };
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let message = text(body.get("error")).unwrap_or_else(|| format!("the server answers with status {status}"));
    let place = |key| body.get("position").and_then(|place| place.get(key)).and_then(Value::as_u64);
    match (place("line"), place("column")) {
        (Some(line), Some(column)) => format!("line {line}, column {column}: {message}"),
        _ => message,
    }
}
