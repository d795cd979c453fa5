//! `otlp`: receives OTLP over gRPC and HTTP.

mod access;
mod attributes;
mod config;
mod cors;
mod gate;
mod grpc;
mod hand_over;
mod http;
mod intake;
mod limits;
mod rate;
mod refusals;
mod secure;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use prometheus::IntCounter;
use spanmill_config::ConfigError;
use spanmill_pipeline::{Component, ComponentError, Context, Host, Kind, Outputs, ReceiverFactory, Signal, Stability};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::net::listen::Listener;
use access::Access;
use config::{Config, Grpc, Http};
use gate::{Gate, Shared};
use intake::Intake;
use secure::Secure;

/// Makes `otlp` receivers.
pub const FACTORY: ReceiverFactory = ReceiverFactory {
    kind: Kind {
        name: "otlp",
        aliases: &[],
        stability: Stability::Stable,
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs],
    },
    create,
};

/// How long clients may take to finish their requests and to close their connections when the receiver stops. Those that do
/// not answer any more must not use up the time in which exporters drain.
const CLOSING: Duration = Duration::from_secs(5);

struct Otlp {
    grpc: Option<(Grpc, Intake)>,
    http: Option<(Arc<Http>, Intake)>,
    secure_grpc: Option<Secure>,
    secure_http: Option<Secure>,
    /// Requests of whom may not send, over gRPC and over HTTP.
    refused: [IntCounter; 2],
    stop: watch::Sender<bool>,
    servers: Mutex<Vec<JoinHandle<()>>>,
}

#[expect(clippy::needless_pass_by_value, reason = "the factory's signature")]
fn create(context: Context<'_>, outputs: Outputs) -> Result<Arc<dyn Component>, ConfigError> {
    let config = Config::read(context.section)?;
    let shared = Shared::new(&config.limits, config.largest());
    let intake = |transport: &str, largest: usize| {
        let gate = Gate::new(&context, transport, &config.limits, &shared, largest);
        Intake::new(&context, outputs.clone(), transport, gate)
    };
    let refused = ["grpc", "http"].map(|transport| {
        let labels = [("receiver", &*context.id.to_string()), ("transport", transport)];
        let help = "Requests that are refused because nobody knows their sender";
        context.telemetry.counter("spanmill_receiver_unauthenticated_requests", help, &labels)
    });
    let secure_grpc = config.protocols.grpc.as_ref().and_then(|grpc| grpc.tls.as_ref());
    let secure_grpc = secure_grpc.map(|tls| Secure::new(&context, tls, "grpc", &["h2"]));
    let secure_http = config.protocols.http.as_ref().and_then(|http| http.tls.as_ref());
    let secure_http = secure_http.map(|tls| Secure::new(&context, tls, "http", &["h2", "http/1.1"]));
    let grpc = config.protocols.grpc.into_option().map(|grpc| {
        let intake = intake("grpc", grpc.limit());
        (grpc, intake)
    });
    let http = config.protocols.http.into_option().map(|http| {
        let intake = intake("http", http.limit());
        (Arc::new(http), intake)
    });
    Ok(Arc::new(Otlp {
        grpc,
        http,
        secure_grpc,
        secure_http,
        refused,
        stop: watch::Sender::new(false),
        servers: Mutex::default(),
    }))
}

async fn bind(host: &Host, protocol: &str, transport: &str, endpoint: &str) -> Result<Listener, ComponentError> {
    let listener = Listener::bind(&host.listeners(), transport, endpoint).await.map_err(|source| {
        ComponentError::Io { context: format!("cannot listen for OTLP over {protocol} on {endpoint}"), source }
    })?;
    tracing::info!(endpoint, protocol, "listening for OTLP");
    Ok(listener)
}

// === impl Otlp ===

#[async_trait]
impl Component for Otlp {
    async fn start(&self, host: &Host) -> Result<(), ComponentError> {
        let [grpc, http] = &self.refused;
        let over_grpc = self.grpc.as_ref().map(|(config, _)| Access::over_grpc(config, grpc, host)).transpose()?;
        let over_http = self.http.as_ref().map(|(config, _)| Access::over_http(config, http, host)).transpose()?;
        let tls_of_grpc = self.secure_grpc.as_ref().map(Secure::acceptor).transpose()?;
        let tls_of_http = self.secure_http.as_ref().map(Secure::acceptor).transpose()?;
        // Both are bound before either serves: a port that is taken must not leave the other one half open.
        let grpc = match &self.grpc {
            Some((config, _)) => {
                let listener = bind(host, "gRPC", &config.transport, &config.endpoint).await?;
                Some(listener.with_tls(tls_of_grpc))
            }
            None => None,
        };
        let http = match &self.http {
            Some((config, _)) => {
                let listener = bind(host, "HTTP", &config.transport, &config.endpoint).await?;
                Some(listener.with_tls(tls_of_http))
            }
            None => None,
        };
        let mut servers = Vec::new();
        if let (Some((config, intake)), Some(listener), Some(access)) = (&self.grpc, grpc, over_grpc) {
            servers.push(grpc::serve(listener, config, intake, access, self.stop.subscribe()));
        }
        if let (Some((config, intake)), Some(listener), Some(access)) = (&self.http, http, over_http) {
            servers.push(http::serve(listener, config, intake, access, self.stop.subscribe()));
        }
        *self.servers.lock().unwrap_or_else(PoisonError::into_inner) = servers;
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), ComponentError> {
        // With nobody listening the receiver was never started.
        let _ = self.stop.send(true);
        let servers = std::mem::take(&mut *self.servers.lock().unwrap_or_else(PoisonError::into_inner));
        let closed = timeout(CLOSING, async {
            for server in servers {
                server.await.map_err(|error| ComponentError::Other(format!("an OTLP server ended badly: {error}")))?;
            }
            Ok(())
        });
        closed.await.unwrap_or_else(|_| {
            tracing::warn!("some OTLP clients did not close their connections in time");
            Ok(())
        })
    }
}
