//! TLS of the listeners, and the count of handshakes that failed.

use std::collections::HashMap;

use prometheus::IntCounter;
use spanmill_pipeline::{ComponentError, Context};
use spanmill_tls::{Acceptor, ServerTls};

use crate::net::secure::not_loaded;

/// TLS of one listener.
pub(super) struct Secure {
    options: ServerTls,
    /// What is spoken, the best first.
    protocols: &'static [&'static str],
    failures: HashMap<&'static str, IntCounter>,
}

/// Why a handshake fails.
const REASONS: [&str; 6] = ["timeout", "plaintext", "certificate", "incompatible", "closed", "other"];

// === impl Secure ===

impl Secure {
    pub(super) fn new(
        context: &Context<'_>,
        options: &ServerTls,
        transport: &str,
        protocols: &'static [&'static str],
    ) -> Self {
        let receiver = context.id.to_string();
        let counter = |reason: &'static str| {
            let counter = context.telemetry.counter(
                "spanmill_receiver_tls_failures",
                "Connections whose TLS handshake failed, by reason",
                &[("receiver", &receiver), ("transport", transport), ("reason", reason)],
            );
            (reason, counter)
        };
        Self { options: options.clone(), protocols, failures: REASONS.map(counter).into_iter().collect() }
    }

    /// Reads the files.
    pub(super) fn acceptor(&self) -> Result<Acceptor, ComponentError> {
        let acceptor = self.options.acceptor(self.protocols).map_err(|error| not_loaded(&error))?;
        let failures = self.failures.clone();
        Ok(acceptor.on_failure(move |reason| {
            tracing::debug!(reason, "a TLS handshake failed");
            if let Some(counter) = failures.get(reason) {
                counter.inc();
            }
        }))
    }
}
