//! Connections to workers.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use datafusion::error::{DataFusionError, Result};
use datafusion_distributed::grpc::{BoxCloneSyncChannel, create_worker_client};
use datafusion_distributed::{ChannelResolver, WorkerChannel};
use http::{HeaderValue, Request, Uri, header};
use hyper_util::rt::TokioIo;
use spanmill_config::Secret;
use spanmill_tls::{ClientTls, Connector, TlsStream};
use tokio::net::TcpStream;
use tonic::body::Body;
use tonic::transport::Endpoint;
use tower::{ServiceExt, service_fn};
use url::Url;

/// How connections to workers are made.
#[derive(Debug, Clone, Default)]
pub struct PeerOptions {
    /// What workers want to be shown.
    pub token: Option<Secret>,
    /// Whom to believe to be a worker, and what to present to them; without it nothing is secret on the way.
    pub tls: Option<ClientTls>,
}

/// Connections to workers, one each. Cloning shares them.
#[derive(Clone)]
pub(crate) struct Channels {
    known: Arc<Mutex<HashMap<Url, BoxCloneSyncChannel>>>,
    authorization: Option<HeaderValue>,
    tls: Option<Connector>,
}

/// A worker that says nothing for so long is lost, however long its work takes: it still answers pings.
const PATIENCE: Duration = Duration::from_secs(2);

/// Connections beyond so many are not kept: names may stand for other machines from day to day.
const MOST: usize = 1_024;

// === impl Channels ===

impl Channels {
    /// Connections that show the token, where there is one. Files of TLS are read now.
    pub(crate) fn new(options: &PeerOptions) -> Result<Self> {
        let authorization = options.token.as_ref().map(|token| {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| {
                DataFusionError::Configuration("token: letters, digits and signs are wanted".to_owned())
            })?;
            value.set_sensitive(true);
            Ok::<_, DataFusionError>(value)
        });
        let tls = options.tls.as_ref().filter(|tls| !tls.is_off()).map(|tls| tls.connector(&["h2"])).transpose();
        let tls = tls.map_err(|error| DataFusionError::Configuration(format!("tls::{error}")))?;
        Ok(Self { known: Arc::default(), authorization: authorization.transpose()?, tls })
    }

    /// The scheme of workers' addresses.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    fn channel(&self, url: &Url) -> Result<BoxCloneSyncChannel> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = known.get(url) {
            return Ok(channel.clone());
        }
        // Addresses come with plans too: one without TLS is not asked where there shall be TLS.
        if url.scheme() != self.scheme() {
            return Err(DataFusionError::Configuration(format!("{url}: only {} is spoken", self.scheme())));
        }
        let wrong = |error: &dyn fmt::Display| DataFusionError::Configuration(format!("{url}: {error}"));
        // Without TLS in its scheme: tonic would look for its own.
        let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
        let endpoint = Endpoint::from_shared(format!("http://{host}:{port}"))
            .map_err(|error| wrong(&error))?
            .origin(url.as_str().parse().map_err(|error: http::uri::InvalidUri| wrong(&error))?)
            .connect_timeout(PATIENCE)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(PATIENCE / 2)
            .keep_alive_timeout(PATIENCE)
            .initial_stream_window_size(4 << 20)
            .initial_connection_window_size(16 << 20);
        let authorization = self.authorization.clone();
        // It connects when it is first used, and again after it broke.
        let channel = match self.tls.clone() {
            Some(tls) => endpoint.connect_with_connector_lazy(service_fn(move |uri| secure(uri, tls.clone()))),
            None => endpoint.connect_lazy(),
        };
        let channel = channel.map_request(move |mut request: Request<Body>| {
            if let Some(authorization) = &authorization {
                request.headers_mut().insert(header::AUTHORIZATION, authorization.clone());
            }
            request
        });
        let channel = BoxCloneSyncChannel::new(channel);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(url.clone(), channel.clone());
        Ok(channel)
    }
}

/// Connects, and shakes hands.
async fn secure(uri: Uri, tls: Connector) -> io::Result<TokioIo<TlsStream<TcpStream>>> {
    let (host, port) = (uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(443));
    let tcp = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    tcp.set_nodelay(true)?;
    tls.connect(host, tcp).await.map(TokioIo::new)
}

#[async_trait]
impl ChannelResolver for Channels {
    async fn get_worker_client_for_url(&self, url: &Url) -> Result<Box<dyn WorkerChannel>> {
        Ok(create_worker_client(self.channel(url)?))
    }
}

impl fmt::Debug for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channels").finish_non_exhaustive()
    }
}
