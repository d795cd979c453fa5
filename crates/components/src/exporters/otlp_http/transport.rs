use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use reqwest::{Client, Proxy, Response, Url};
use serde::Deserialize;
use spanmill_config::{ConfigError, Section};
use spanmill_otlp::json;
use spanmill_pipeline::auth::{self, ClientAuth};
use spanmill_pipeline::{Batch, Code, ComponentError, Host, Signal};

use super::config::{Config, Encoding};
use crate::exporters::sending::{Answer, SendError, Transport};
use crate::net::secure::not_loaded;
use crate::net::status::Received;

/// A backend that speaks OTLP over HTTP.
pub(super) struct Http {
    config: Config,
    proxy: Option<Proxy>,
    /// Made at the start, when the files of TLS are read.
    client: OnceLock<Client>,
    urls: [Option<Url>; 3],
    /// What every request has, whatever it carries.
    headers: HeaderMap,
    auth: OnceLock<Arc<dyn ClientAuth>>,
}

/// As much of a response is read, as the Collector does.
const MAX_RESPONSE: usize = 64 << 10;

const PRODUCT: &str = concat!("spanmill/", env!("CARGO_PKG_VERSION"));

/// An export response in JSON. All signals are read alike; `null` is what is not there, as with protobuf's mapping.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct JsonAnswer {
    #[serde(alias = "partial_success")]
    partial_success: Option<JsonPartial>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct JsonPartial {
    #[serde(
        alias = "rejected_spans",
        alias = "rejectedDataPoints",
        alias = "rejected_data_points",
        alias = "rejectedLogRecords",
        alias = "rejected_log_records"
    )]
    rejected_spans: serde_json::Value,
    #[serde(alias = "error_message")]
    error_message: Option<String>,
}

// === impl Http ===

impl Http {
    pub(super) fn new(config: &Config, section: &Section) -> Result<Self, ConfigError> {
        let url = |signal: Signal, option: &str| {
            let text = config.url(signal);
            if text.is_empty() {
                return Ok(None);
            }
            let (option, written) = match config.own_endpoint(signal) {
                "" => ("endpoint", config.endpoint.as_str()),
                own => (option, own),
            };
            let wrong = |error: &dyn std::fmt::Display| {
                section.error(option, format!("{written:?} is no URL: {error}")).at_creation()
            };
            let url = match Url::parse(&text) {
                // Nothing before the path: mostly a variable of the environment that is not set. Go starts, and fails at each request.
                Err(url::ParseError::RelativeUrlWithoutBase) if text.starts_with('/') => {
                    tracing::warn!(at = section.path(), option, "the URL has no host, nothing can be sent");
                    return Ok(None);
                }
                parsed => parsed.map_err(|error| wrong(&error))?,
            };
            if !matches!(url.scheme(), "http" | "https") {
                return Err(wrong(&"it must begin with http:// or https://"));
            }
            Ok(Some(url))
        };
        let urls = [
            url(Signal::Traces, "traces_endpoint")?,
            url(Signal::Metrics, "metrics_endpoint")?,
            url(Signal::Logs, "logs_endpoint")?,
        ];
        warn_of_proxy(&config.proxy_url, section);
        let proxy = (!config.proxy_url.is_empty()).then(|| Proxy::all(&config.proxy_url)).transpose();
        Ok(Self {
            config: config.clone(),
            proxy: proxy.map_err(|error| section.error("proxy_url", error))?,
            client: OnceLock::new(),
            urls,
            headers: headers(config, section)?,
            auth: OnceLock::new(),
        })
    }

    /// Reads the files of TLS.
    fn client(&self) -> Result<Client, ComponentError> {
        let config = &self.config;
        let unfit = |error: reqwest::Error| ComponentError::Other(format!("no HTTP client: {error}"));
        let mut builder = Client::builder()
            .tcp_nodelay(true)
            .cookie_store(config.cookies.is_on())
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(if config.disable_keep_alives {
                0
            } else {
                usize::try_from(config.max_idle_conns).unwrap_or(0)
            })
            .pool_idle_timeout(config.idle_conn_timeout.positive());
        if let Some(limit) = config.timeout.positive() {
            builder = builder.timeout(limit);
        }
        if let Some(idle) = config.http2_read_idle_timeout.positive() {
            builder = builder.http2_keep_alive_interval(idle);
            if let Some(limit) = config.http2_ping_timeout.positive() {
                builder = builder.http2_keep_alive_timeout(limit);
            }
        }
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(proxy.clone());
        }
        let tls = config.tls.config(&["h2", "http/1.1"]).map_err(|error| not_loaded(&error))?;
        builder.use_preconfigured_tls(tls).build().map_err(unfit)
    }

    async fn exchange(&self, url: Url, signal: Signal, message: &Bytes) -> Result<Answer, SendError> {
        let internal = |error: &dyn std::fmt::Display| SendError::permanent(Code::Internal, error.to_string());
        let (content_type, message) = match self.config.encoding {
            Encoding::Proto => ("application/x-protobuf", message.clone()),
            Encoding::Json => {
                let mut text = Vec::with_capacity(message.len() * 2);
                json::from_protobuf(signal, message, &mut text).map_err(|error| internal(&error))?;
                ("application/json", Bytes::from(text))
            }
        };
        let body = self.config.compression.compress(&message, self.config.level()).map_err(|error| internal(&error))?;
        let mut headers = self.headers.clone();
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
        if let Some(encoding) = self.config.compression.header() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        if let Some(auth) = self.auth.get() {
            auth.apply(&mut headers)?;
        }
        let client = self.client.get().ok_or_else(|| internal(&"the exporter was not started"))?;
        let request = client.post(url).headers(headers).body(body);
        let response = request.send().await.map_err(unreachable)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read(response).await;
        if status.is_success() {
            let body = body.map_err(unreachable)?;
            return answer(&headers, &body).map_err(|error| internal(&error));
        }
        Err(refusal(status, &headers, &body.unwrap_or_default()))
    }
}

#[async_trait]
impl Transport for Http {
    type Request = Bytes;

    const READS_SPANS: bool = false;

    fn request(&self, batch: &Batch) -> Bytes {
        batch.encode()
    }

    async fn start(&self, host: &Host) -> Result<(), ComponentError> {
        // Started once only.
        let _ = self.client.set(self.client()?);
        let Some(auth) = self.config.auth.as_ref() else { return Ok(()) };
        let _ = self.auth.set(auth::client(host, auth.authenticator.as_ref())?);
        Ok(())
    }

    async fn send(&self, signal: Signal, request: Bytes) -> Result<Answer, SendError> {
        let Some(url) = self.urls.get(signal as usize).cloned().flatten() else {
            let message = format!("no endpoint is configured for {}", signal.as_str());
            return Err(SendError::permanent(Code::Unimplemented, message));
        };
        self.exchange(url, signal, &request).await
    }
}

/// The Collector starts with any scheme, and fails at each request.
fn warn_of_proxy(url: &str, section: &Section) {
    let scheme = url.split_once("://").map_or("http", |(scheme, _)| scheme);
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        tracing::warn!(
            at = section.path(),
            scheme,
            "proxy_url: no such proxy is spoken to, expected http:// or https://"
        );
    }
}

/// The headers of every request, before its own.
fn headers(config: &Config, section: &Section) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::new();
    for (name, value) in config.headers.iter() {
        let subpath = format!("headers::{name}");
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| section.error(&subpath, error))?;
        let value = HeaderValue::from_str(value.expose()).map_err(|error| section.error(&subpath, error))?;
        headers.append(name, value);
    }
    headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(PRODUCT));
    Ok(headers)
}

/// The body up to what is worth reading.
async fn read(mut response: Response) -> reqwest::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = MAX_RESPONSE.saturating_sub(body.len());
        body.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
        if room <= chunk.len() {
            break;
        }
    }
    Ok(body)
}

pub(super) fn answer(headers: &HeaderMap, body: &[u8]) -> Result<Answer, String> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let is_json = kind.starts_with("application/json");
    if body.is_empty() || (is_json && body.trim_ascii().is_empty()) {
        return Ok(Answer::default());
    }
    if is_json {
        let answer: Option<JsonAnswer> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let partial = answer.and_then(|answer| answer.partial_success).unwrap_or_default();
        // 64-bit numbers may come as text.
        let rejected = match partial.rejected_spans {
            serde_json::Value::Number(number) => number.as_u64(),
            serde_json::Value::String(text) => text.parse().ok(),
            _ => None,
        };
        return Ok(Answer { rejected: rejected.unwrap_or(0), message: partial.error_message.unwrap_or_default() });
    }
    if kind.starts_with("application/x-protobuf") {
        return Answer::decode(body).map_err(|error| error.to_string());
    }
    // Something other than OTLP has answered well; there is nothing to read from it.
    Ok(Answer::default())
}

/// The OTLP specification says which statuses are worth another try.
pub(super) fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> SendError {
    let retryable = matches!(status.as_u16(), 429 | 502 | 503 | 504);
    let code = match status.as_u16() {
        400 => Code::InvalidArgument,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        408 => Code::DeadlineExceeded,
        413 => Code::ResourceExhausted,
        429 => Code::ResourceExhausted,
        502..=504 => Code::Unavailable,
        _ => Code::Unknown,
    };
    let said = Received::decode(body)
        .filter(|_| headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "application/x-protobuf"));
    let said = said.map_or_else(|| String::from_utf8_lossy(body).trim().to_owned(), |status| status.message);
    let said: String = said.chars().take(200).collect();
    let message = format!("the backend answered HTTP {status}: {said}");
    let too_large = status == StatusCode::PAYLOAD_TOO_LARGE;
    SendError { code, retryable, too_large, retry_after: retry_after(headers).filter(|_| retryable), message }
}

/// `Retry-After` in seconds or as a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    #[expect(clippy::disallowed_types, reason = "the header names a wall-clock time")]
    let now = std::time::SystemTime::now();
    httpdate::parse_http_date(text).ok()?.duration_since(now).ok()
}

/// What the client says, without the URL: its query may be secret, and clients are told the message.
pub(super) fn unreachable(error: reqwest::Error) -> SendError {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut next = std::error::Error::source(&error);
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    let code = if error.is_timeout() { Code::DeadlineExceeded } else { Code::Unavailable };
    SendError { code, ..SendError::unreachable(text) }
}
