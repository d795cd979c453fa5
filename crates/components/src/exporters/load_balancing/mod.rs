//! `load_balancing`: sends spans of a trace, or of a service, to the same one of several backends.

mod backends;
mod config;
mod key;
mod metrics;
mod ring;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use spanmill_config::{ComponentId, ConfigError, Section};
use spanmill_otlp::{SpanIx, Traces};
use spanmill_pipeline::{
    Abandoned, Batch, Code, ComponentError, ConsumeError, Context, ExporterFactory, Host, Kind, Node, Signal, Stability,
};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::exporters::sending::{Answer, SendError, Sending, Transport};
use crate::part::part;
use backends::{Backends, Maker};
use config::{Config, Dns, Key};
use metrics::Metrics;

/// Makes `load_balancing` exporters, once called `loadbalancing`.
pub const FACTORY: ExporterFactory = ExporterFactory {
    kind: Kind {
        name: "load_balancing",
        aliases: &["loadbalancing"],
        stability: Stability::Beta,
        signals: &[Signal::Traces],
    },
    create,
};

struct Balancer {
    id: ComponentId,
    config: Config,
    section: Section,
    key: Key,
    metrics: Metrics,
    backends: Arc<RwLock<Arc<Backends>>>,
    maker: OnceLock<Arc<Maker>>,
    /// Looks names up; and ends the exporters of backends that are gone.
    resolving: Mutex<JoinSet<()>>,
    ending: Arc<tokio::sync::Mutex<JoinSet<()>>>,
}

fn create(context: Context<'_>) -> Result<Arc<dyn Node>, ConfigError> {
    let config = Config::read(context.section)?;
    let (queue, retry) = (config.queue(), config.retry(context.section));
    let resolver = if config.resolver.dns.is_on() { "dns" } else { "static" };
    let balancer = Balancer {
        id: context.id.clone(),
        section: config::otlp(context.section),
        key: config.key(),
        metrics: Metrics::new(context.telemetry, resolver),
        config,
        backends: Arc::default(),
        maker: OnceLock::new(),
        resolving: Mutex::default(),
        ending: Arc::default(),
    };
    Ok(Arc::new(Sending::new(&context, balancer, queue, retry)))
}

// === impl Balancer ===

impl Balancer {
    fn backends(&self) -> Arc<Backends> {
        Arc::clone(&self.backends.read().unwrap_or_else(PoisonError::into_inner))
    }

    async fn balance(&self, traces: Traces) -> Result<(), ConsumeError> {
        let backends = self.backends();
        let missing = || ConsumeError::retryable("couldn't find the exporter for the endpoint");
        let numbers = self.key.backends(&traces, &backends.ring).ok_or_else(missing)?;
        let mut used: Vec<usize> = numbers.clone();
        used.sort_unstable();
        used.dedup();
        let spans: Vec<SpanIx> = traces.spans().map(|span| span.ix()).collect();
        let mut parts = Vec::with_capacity(used.len());
        for number in used {
            let backend = backends.get(number).ok_or_else(missing)?;
            let flags: Vec<bool> = numbers.iter().map(|known| *known == number).collect();
            parts.push((backend, part(&traces, &spans, &flags)));
        }
        let results = join_all(parts.into_iter().map(|(backend, part)| backend.consume(part.into()))).await;
        let errors: Vec<ConsumeError> = results.into_iter().filter_map(Result::err).collect();
        ConsumeError::join(&errors)
    }
}

#[async_trait]
impl Transport for Balancer {
    type Request = Batch;

    fn request(&self, batch: &Batch) -> Batch {
        batch.clone().freeze()
    }

    async fn send(&self, _signal: Signal, request: Batch) -> Result<Answer, SendError> {
        let Batch::Traces(traces) = request else {
            return Err(SendError::permanent(Code::Unimplemented, "only spans can be balanced"));
        };
        match self.config.timeout.positive() {
            None => self.balance(traces).await?,
            Some(limit) => timeout(limit, self.balance(traces)).await.unwrap_or_else(|_| {
                let error = ConsumeError::retryable(format!("the backends took longer than {limit:?}"));
                Err(error.with_code(Code::DeadlineExceeded))
            })?,
        }
        Ok(Answer::default())
    }

    fn queues(&self) -> bool {
        self.config.protocol.otlp.sending_queue.enabled
    }

    async fn start(&self, host: &Host) -> Result<(), ComponentError> {
        let maker = self.maker.get_or_init(|| {
            Arc::new(Maker {
                id: self.id.clone(),
                config: self.config.protocol.otlp.clone(),
                section: self.section.clone(),
                metrics: self.metrics.clone(),
                host: host.clone(),
            })
        });
        let resolving = Resolving {
            maker: Arc::clone(maker),
            backends: Arc::clone(&self.backends),
            ending: Arc::clone(&self.ending),
            metrics: self.metrics.clone(),
        };
        if let Some(list) = self.config.resolver.list.as_ref() {
            let mut names = list.hostnames.clone();
            names.sort_unstable();
            self.metrics.resolved(true);
            resolving.change(names).await;
        }
        if let Some(dns) = self.config.resolver.dns.as_ref().cloned() {
            resolving.look_up(&dns).await;
            self.resolving.lock().unwrap_or_else(PoisonError::into_inner).spawn(resolving.keep_looking(dns));
        }
        Ok(())
    }

    async fn abandon(&self) -> Abandoned {
        self.resolving.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
        let abandoned = join_all(self.backends().all().map(|backend| backend.abandon())).await;
        abandoned.into_iter().fold(Abandoned::Kept, Abandoned::and)
    }

    async fn stop(&self) -> Result<(), ComponentError> {
        self.resolving.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
        join_all(self.backends().all().map(|backend| backend.end())).await;
        let mut ending = self.ending.lock().await;
        while ending.join_next().await.is_some() {}
        Ok(())
    }
}

/// Changes the backends as names say.
struct Resolving {
    maker: Arc<Maker>,
    backends: Arc<RwLock<Arc<Backends>>>,
    ending: Arc<tokio::sync::Mutex<JoinSet<()>>>,
    metrics: Metrics,
}

// === impl Resolving ===

impl Resolving {
    async fn change(&self, names: Vec<String>) {
        let before = Arc::clone(&self.backends.read().unwrap_or_else(PoisonError::into_inner));
        self.metrics.updated(names.len());
        let after = before.changed(names, &self.maker, &mut *self.ending.lock().await).await;
        *self.backends.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(after);
    }

    async fn look_up(&self, dns: &Dns) {
        let limit = dns.timeout.positive().unwrap_or(Duration::from_secs(1));
        let found = match timeout(limit, tokio::net::lookup_host((dns.hostname.as_str(), 0))).await {
            Ok(Ok(addresses)) => addresses.map(|address| name(address.ip(), &dns.port)).collect::<Vec<String>>(),
            Ok(Err(error)) => return self.failed(&error.to_string()),
            Err(_) => return self.failed("no answer in time"),
        };
        self.metrics.resolved(true);
        let mut names = found;
        names.sort_unstable();
        names.dedup();
        let known = self.backends.read().unwrap_or_else(PoisonError::into_inner).is_for(&names);
        if !known {
            self.change(names).await;
        }
    }

    fn failed(&self, error: &str) {
        tracing::warn!(error, "failed to resolve");
        self.metrics.resolved(false);
    }

    async fn keep_looking(self, dns: Dns) {
        let interval = dns.interval.positive().unwrap_or(Duration::from_secs(5));
        loop {
            sleep(interval).await;
            self.look_up(&dns).await;
        }
    }
}

/// An address of a name as a backend.
fn name(address: std::net::IpAddr, port: &str) -> String {
    let host = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
    if port.is_empty() { host } else { format!("{host}:{port}") }
}
