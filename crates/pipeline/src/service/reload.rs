use std::mem;
use std::sync::Arc;

use spanmill_config::Place;
use thiserror::Error;

use super::own::Own;
use super::{Running, Service, ServiceError, warn};
use crate::graph::{Change, ChangeError, Graph};
use crate::host::Surroundings;
use crate::telemetry::{MetricSettings, Settings};

/// Why what runs was not changed.
#[derive(Debug, Error)]
enum ReloadError {
    #[error(transparent)]
    Graph(#[from] ChangeError),
    #[error(transparent)]
    Own(#[from] ServiceError),
}

// === impl Service ===

impl Service {
    /// Changes to the configuration as it is now; the text says why that was refused. Only when the old one cannot be brought back either,
    /// it fails.
    pub(super) async fn reload(
        &self,
        running: &mut Running,
        surroundings: &Arc<Surroundings>,
    ) -> Result<Option<String>, ServiceError> {
        match self.change(running, surroundings).await {
            Ok(()) => {
                tracing::info!("the new configuration runs");
                Ok(None)
            }
            Err(ReloadError::Graph(lost @ ChangeError::Lost { .. })) => Err(ServiceError::Lost(lost.to_string())),
            Err(error) => {
                let place = error.place().map(ToString::to_string);
                tracing::error!(%error, place, "the new configuration is not used, the running one is kept");
                Ok(Some(error.to_string()))
            }
        }
    }

    async fn change(&self, running: &mut Running, surroundings: &Arc<Surroundings>) -> Result<(), ReloadError> {
        let document = self.read().await.map_err(ServiceError::from)?;
        let settings = Settings::read(&document.service.telemetry).map_err(ServiceError::from)?;
        let counts_on = settings.metrics.counts_like(&running.settings.metrics);
        let own = (settings.metrics != running.settings.metrics).then(|| {
            if counts_on { Own::with(running.own.telemetry().clone()) } else { Own::new(self, &settings.metrics) }
        });
        let before = running.own.telemetry().clone();
        let telemetry = own.as_ref().map_or(&before, Own::telemetry).clone();
        // Parts that count elsewhere are other parts.
        let new =
            |graph: &Graph| Graph::build_beside(counts_on.then_some(graph), &document, &self.factories, &telemetry);
        let old = |graph: &Graph| Graph::build_beside(Some(graph), &running.document, &self.factories, &before);
        let next = new(&running.graph).map_err(ServiceError::from)?;
        warn(&settings, &next);

        let _sockets = surroundings.keep_sockets();
        let own = match own {
            Some(own) => Some(Self::show(own, &mut running.own, surroundings, (&settings, &running.settings)).await?),
            None => None,
        };
        let change = Change { surroundings, new: &new, old: &old, limit: self.shutdown_timeout };
        let changed = change.make(&mut running.graph, next).await;
        if let Some(mut other) = own {
            if changed.is_ok() {
                mem::swap(&mut running.own, &mut other);
            }
            other.hide(surroundings).await;
        }
        if changed.is_err() {
            running.own.show(surroundings, &running.settings.metrics).await?;
        }
        changed?;
        if settings.logs != running.settings.logs
            && let Err(error) = (self.log)(&settings.logs)
        {
            tracing::error!(%error, "logging goes on as before");
        }
        running.document = document;
        running.settings = settings;
        Ok(())
    }

    /// Shows other metrics beside those that are shown, or, where those are in the way, instead.
    async fn show(
        mut own: Own,
        old: &mut Own,
        surroundings: &Arc<Surroundings>,
        (settings, before): (&Settings, &Settings),
    ) -> Result<Own, ServiceError> {
        old.leave();
        let mut shown = own.show(surroundings, &settings.metrics).await;
        if shown.is_err() && old.is_in_the_way() {
            old.hide(surroundings).await;
            surroundings.release_sockets();
            shown = own.show(surroundings, &settings.metrics).await;
        }
        if let Err(error) = shown {
            old.show(surroundings, &before.metrics).await?;
            return Err(error);
        }
        Ok(own)
    }
}

// === impl MetricSettings ===

impl MetricSettings {
    /// Whether the same is counted, wherever it is shown.
    fn counts_like(&self, other: &Self) -> bool {
        self.level == other.level && self.resource == other.resource
    }
}

// === impl ReloadError ===

impl ReloadError {
    /// Where the component stands that did not start. Mistakes in the configuration name their places themselves.
    fn place(&self) -> Option<&Place> {
        match self {
            Self::Graph(ChangeError::Start(error)) => error.place.as_ref(),
            _ => None,
        }
    }
}
