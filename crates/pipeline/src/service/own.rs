use uuid::Uuid;

use super::{Service, ServiceError};
use crate::pages::{Page, Pages};
use crate::telemetry::{MetricSettings, Telemetry};

/// The service's own metrics, and the servers that show them.
pub(super) struct Own {
    telemetry: Telemetry,
    pages: Vec<Pages>,
}

// === impl Own ===

impl Own {
    /// New metrics, not shown yet.
    pub(super) fn new(service: &Service, settings: &MetricSettings) -> Self {
        let telemetry = Telemetry::new(settings.level);
        let instance = Uuid::new_v4().to_string();
        let told = |name: &str, own: &str| match settings.resource.get(name) {
            Some(configured) => configured.clone().unwrap_or_default(),
            None => own.to_owned(),
        };
        let name = told("service.name", service.name);
        let version = told("service.version", service.version);
        telemetry.describe_process((&name, &version), &told("service.instance.id", &instance));
        Self { telemetry, pages: Vec::new() }
    }

    /// Metrics that exist already, not shown yet.
    pub(super) fn with(telemetry: Telemetry) -> Self {
        Self { telemetry, pages: Vec::new() }
    }

    pub(super) fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// Stops showing and keeps what was counted.
    pub(super) async fn hide(self) -> Telemetry {
        for pages in self.pages {
            pages.stop().await;
        }
        self.telemetry
    }

    /// Shows the metrics at all endpoints, unless they are shown already.
    pub(super) async fn show(&mut self, settings: &MetricSettings) -> Result<(), ServiceError> {
        if !self.pages.is_empty() {
            return Ok(());
        }
        for endpoint in &settings.endpoints {
            let telemetry = self.telemetry.clone();
            let answer = move |path: &str| {
                (path == "/metrics").then(|| {
                    let (content_type, body) = telemetry.expose();
                    Page { status: 200, content_type, body }
                })
            };
            let pages = Pages::serve(endpoint, answer)
                .await
                .map_err(|source| ServiceError::Metrics { endpoint: endpoint.clone(), source })?;
            tracing::info!(endpoint = %pages.address(), "own metrics at /metrics");
            self.pages.push(pages);
        }
        Ok(())
    }
}
