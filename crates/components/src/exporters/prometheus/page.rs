//! The page, over HTTP.

use std::convert::Infallible;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use spanmill_config::ComponentId;
use spanmill_pipeline::Port;
use spanmill_pipeline::auth::Gate;
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};

use super::accept::{Wanted, negotiate};
use super::config::Config;
use super::families::Families;
use super::store::Store;
use super::{protobuf, text};

/// What the page is made of.
#[derive(Debug)]
pub(super) struct Shown {
    id: ComponentId,
    store: Arc<Mutex<Store>>,
    families: Mutex<Families>,
    open_metrics: bool,
    headers: HeaderMap,
}

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

// === impl Shown ===

impl Shown {
    pub(super) fn new(id: ComponentId, config: &Config, store: Arc<Mutex<Store>>) -> Self {
        let mut headers = HeaderMap::new();
        for (name, value) in config.response_headers.iter() {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value.expose())) {
                headers.insert(name, value);
            }
        }
        let families = Mutex::new(Families::new(config));
        Self { id, store, families, open_metrics: config.enable_open_metrics, headers }
    }

    /// Forgets what has expired.
    pub(super) fn expire(&self) {
        self.store.lock().unwrap_or_else(PoisonError::into_inner).expire();
        self.families.lock().unwrap_or_else(PoisonError::into_inner).expire();
    }

    /// The page in the form that is accepted, and its content type.
    pub(super) fn page(&self, accept: &str) -> (String, Vec<u8>) {
        let (wanted, escaping) = negotiate(accept, self.open_metrics);
        let series = self.store.lock().unwrap_or_else(PoisonError::into_inner).current();
        let (families, problems) = self.families.lock().unwrap_or_else(PoisonError::into_inner).make(&series);
        if let Some(first) = problems.first() {
            tracing::warn!(exporter = %self.id, count = problems.len(), first, "metrics cannot be shown");
        }
        let body = match wanted {
            Wanted::Text(_, form) => text::write(&families, form, escaping).into_bytes(),
            Wanted::Protobuf => protobuf::write(&families, escaping),
        };
        (wanted.content_type(escaping), body)
    }

    fn answer(&self, accept: &str, gzip: bool) -> Response<Full<Bytes>> {
        let (content_type, body) = self.page(accept);
        let compressed = if gzip { compress(&body).ok() } else { None };
        let mut response = Response::new(Full::new(Bytes::new()));
        let headers = response.headers_mut();
        headers.extend(self.headers.clone());
        if let Ok(content_type) = HeaderValue::try_from(content_type) {
            headers.insert(CONTENT_TYPE, content_type);
        }
        if compressed.is_some() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        *response.body_mut() = Full::new(Bytes::from(compressed.unwrap_or(body)));
        response
    }
}

fn compress(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 8), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

async fn respond(
    gate: Gate,
    shown: Arc<Shown>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let refused = |status: StatusCode, text: &str| {
        let mut response = Response::new(Full::new(Bytes::copy_from_slice(text.as_bytes())));
        *response.status_mut() = status;
        response
    };
    let (request, _) = request.into_parts();
    if let Err(error) = gate.admit(&request).await {
        return Ok(refused(error.status(), &error.to_string()));
    }
    if request.uri.path() != "/metrics" {
        return Ok(refused(StatusCode::NOT_FOUND, "404 page not found\n"));
    }
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return Ok(refused(StatusCode::METHOD_NOT_ALLOWED, "405 method not allowed\n"));
    }
    let header = |name| request.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or("");
    let accept = header(ACCEPT).to_owned();
    let gzip = header(ACCEPT_ENCODING).split(',').any(|coding| coding.trim().split(';').next() == Some("gzip"));
    // A large page takes a while, and must not hold up what else the runtime does.
    let made = spawn_blocking(move || shown.answer(&accept, gzip)).await;
    Ok(made.unwrap_or_else(|_| refused(StatusCode::INTERNAL_SERVER_ERROR, "500 internal server error\n")))
}

// === impl Server ===

impl Server {
    /// Serves the page, and forgets at every expiration what has expired.
    pub(super) fn start(port: Port, config: &Config, gate: Gate, shown: Arc<Shown>) -> Self {
        let (stop, stopping) = watch::channel(false);
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(config.read_header_timeout.positive())
            .keep_alive(config.keep_alives_enabled);
        let expiration = config.metric_expiration.positive();
        let task = tokio::spawn(async move {
            let expiring = Arc::clone(&shown);
            let service = service_fn(move |request| respond(gate.clone(), Arc::clone(&shown), request));
            let mut until = stopping.clone();
            let serve = spanmill_pipeline::serve(port, builder, service, async move {
                let _ = until.wait_for(|stop| *stop).await;
            });
            let mut until = stopping;
            let expire = async move {
                let Some(expiration) = expiration else { return };
                loop {
                    tokio::select! {
                        () = tokio::time::sleep(expiration) => expiring.expire(),
                        _ = until.wait_for(|stop| *stop) => return,
                    }
                }
            };
            tokio::join!(serve, expire);
        });
        Self { stop, task }
    }

    /// Releases the port; requests under way are finished.
    pub(super) async fn stop(self) {
        let _ = self.stop.send(true);
        // It can only have been cancelled with the runtime.
        let _ = self.task.await;
    }
}
