use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto::Builder;
use spanmill_otlp::Traces;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::*;

/// A real receiver: what is posted to it is a batch.
struct Wire {
    endpoint: String,
    next: Option<Arc<dyn Consumer>>,
    stop: watch::Sender<bool>,
    server: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireOptions {
    endpoint: String,
    #[serde(default)]
    #[expect(dead_code, reason = "makes a difference")]
    note: String,
}

pub(super) fn create_wire(context: Context<'_>, outputs: Outputs) -> Result<Arc<dyn Component>, ConfigError> {
    let WireOptions { endpoint, .. } = context.section.parse()?;
    let (next, stop) = (outputs.traces, watch::Sender::new(false));
    Ok(Arc::new(Wire { endpoint, next, stop, server: Mutex::default() }))
}

// === impl Wire ===

#[async_trait]
impl Component for Wire {
    async fn start(&self, host: &Host) -> Result<(), ComponentError> {
        let listener = host.listeners().bind(&self.endpoint).await;
        let listener = listener
            .map_err(|source| ComponentError::Io { context: format!("cannot listen on {}", self.endpoint), source })?;
        let next = self.next.clone();
        let service = service_fn(move |request| answer(next.clone(), request));
        let mut stop = self.stop.subscribe();
        let stopped = async move {
            let _ = stop.wait_for(|stop| *stop).await;
        };
        let builder = Builder::new(TokioExecutor::new());
        *self.server.lock().unwrap() = Some(tokio::spawn(crate::serve(listener, builder, service, stopped)));
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), ComponentError> {
        let _ = self.stop.send(true);
        let server = self.server.lock().unwrap().take();
        if let Some(server) = server {
            server.await.unwrap();
        }
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "limited")]
async fn answer(
    next: Option<Arc<dyn Consumer>>,
    request: Request<Incoming>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let body = Limited::new(request.into_body(), 1024).collect().await.map(|body| body.to_bytes());
    let traces = body.ok().and_then(|body| Traces::parse(body).ok());
    let taken = match (next, traces) {
        (Some(next), Some(traces)) => next.consume(traces.into()).await.is_ok(),
        _ => false,
    };
    let mut response = Response::new(Empty::new());
    if !taken {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(response)
}
