use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::{Service, ServiceError};
use crate::host::{Host, Stage, Surroundings, Ties};
use crate::pages::{Page, Pages, Site};
use crate::telemetry::{MetricEndpoint, MetricSettings, Telemetry};

/// The service's own metrics, and the servers that show them.
pub(super) struct Own {
    telemetry: Telemetry,
    pages: Vec<Pages>,
    ties: Arc<Ties>,
}

// === impl Own ===

impl Own {
    /// New metrics, not shown yet.
    pub(super) fn new(service: &Service, settings: &MetricSettings) -> Self {
        let telemetry = Telemetry::new(settings.level);
        let instance = Uuid::new_v4().to_string();
        let own =
            [("service.name", service.name), ("service.version", service.version), ("service.instance.id", &instance)];
        let own = own.map(|(name, value)| (name.to_owned(), Some(value.to_owned())));
        let mut resource = BTreeMap::from(own);
        resource.extend(settings.resource.clone());
        telemetry
            .describe_process(resource.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?))));
        Self::with(telemetry)
    }

    /// Metrics that exist already, not shown yet.
    pub(super) fn with(telemetry: Telemetry) -> Self {
        Self { telemetry, pages: Vec::new(), ties: Arc::default() }
    }

    pub(super) fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// Lets others have its addresses, until it is shown again.
    pub(super) fn leave(&self) {
        self.ties.set(Stage::Leaving);
    }

    /// Whether others cannot listen before it stops.
    pub(super) fn is_in_the_way(&self) -> bool {
        self.ties.is_in_the_way()
    }

    /// Stops showing and keeps what was counted.
    pub(super) async fn hide(&mut self, surroundings: &Surroundings) {
        self.ties.set(Stage::Stopped);
        surroundings.release_sockets();
        for pages in self.pages.drain(..) {
            pages.stop().await;
        }
    }

    /// Shows the metrics at all endpoints, unless they are shown already.
    pub(super) async fn show(
        &mut self,
        surroundings: &Arc<Surroundings>,
        settings: &MetricSettings,
    ) -> Result<(), ServiceError> {
        self.ties.set(Stage::Running);
        if !self.pages.is_empty() {
            return Ok(());
        }
        let listeners = Host::of(surroundings, &self.ties).listeners();
        for MetricEndpoint { address, tls } in &settings.endpoints {
            let telemetry = self.telemetry.clone();
            let answer = move |path: &str| {
                (path == "/metrics").then(|| {
                    let (content_type, body) = telemetry.expose();
                    Page { status: 200, content_type, body }
                })
            };
            let tls = tls.as_ref().map(|tls| tls.acceptor(&["http/1.1"])).transpose();
            let served = match tls {
                Ok(tls) => {
                    let site = Site { endpoint: address.clone(), tls, guard: None };
                    Pages::serve(&listeners, site, answer).await
                }
                Err(error) => Err(std::io::Error::other(error)),
            };
            let pages = match served {
                Ok(pages) => pages,
                Err(source) => {
                    self.hide(surroundings).await;
                    return Err(ServiceError::Metrics { endpoint: address.clone(), source });
                }
            };
            tracing::info!(endpoint = %pages.address(), "own metrics at /metrics");
            self.pages.push(pages);
        }
        Ok(())
    }
}
