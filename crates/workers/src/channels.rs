//! Connections to workers.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use datafusion::error::{DataFusionError, Result};
use datafusion_distributed::grpc::{BoxCloneSyncChannel, create_worker_client};
use datafusion_distributed::{ChannelResolver, WorkerChannel};
use http::{HeaderValue, Request, header};
use tonic::body::Body;
use tonic::transport::Endpoint;
use tower::ServiceExt;
use url::Url;

/// Connections to workers, one each. Cloning shares them.
#[derive(Clone)]
pub(crate) struct Channels {
    known: Arc<Mutex<HashMap<Url, BoxCloneSyncChannel>>>,
    authorization: Option<HeaderValue>,
}

/// A worker that says nothing for so long is lost, however long its work takes: it still answers pings.
const PATIENCE: Duration = Duration::from_secs(2);

/// Connections beyond so many are not kept: names may stand for other machines from day to day.
const MOST: usize = 1_024;

// === impl Channels ===

impl Channels {
    /// Connections that show this token, where there is one.
    pub(crate) fn new(token: Option<&str>) -> Result<Self> {
        let authorization = token.map(|token| {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| DataFusionError::Configuration("a token is letters, digits and signs".to_owned()))?;
            value.set_sensitive(true);
            Ok::<_, DataFusionError>(value)
        });
        Ok(Self { known: Arc::default(), authorization: authorization.transpose()? })
    }

    fn channel(&self, url: &Url) -> Result<BoxCloneSyncChannel> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = known.get(url) {
            return Ok(channel.clone());
        }
        let endpoint = Endpoint::from_shared(url.to_string())
            .map_err(|error| DataFusionError::Configuration(format!("{url}: {error}")))?
            .connect_timeout(PATIENCE)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(PATIENCE / 2)
            .keep_alive_timeout(PATIENCE)
            .initial_stream_window_size(4 << 20)
            .initial_connection_window_size(16 << 20);
        let authorization = self.authorization.clone();
        // It connects when it is first used, and again after it broke.
        let channel = endpoint.connect_lazy().map_request(move |mut request: Request<Body>| {
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
