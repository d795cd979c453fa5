//! Who sent what is being consumed. It goes with the task: a component that hands a batch on inline hands the client on with it, and one
//! that puts batches into a queue loses it, as in the Collector.

use std::future::Future;
use std::sync::Arc;

use hyper::HeaderMap;
use hyper::header::HeaderName;

tokio::task_local! {
    static CURRENT: Arc<Client>;
}

/// What a receiver knows about the client of a request.
#[derive(Debug, Clone, Default)]
pub struct Client {
    /// Headers of the request, where the receiver was told to include them (`include_metadata`).
    pub metadata: HeaderMap,
    /// Headers of a gRPC request, always.
    pub grpc: HeaderMap,
}

// === impl Client ===

impl Client {
    /// Runs a future for this client.
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(Arc::new(self), future).await
    }

    /// The client that is being served, if that is known.
    pub fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    /// All values under a name, whichever case it is written in; those that are no text are left out.
    pub fn values<'h>(headers: &'h HeaderMap, name: &str) -> impl Iterator<Item = &'h str> {
        let name = HeaderName::from_bytes(name.as_bytes()).ok();
        let values = name.map(|name| headers.get_all(name).iter());
        values.into_iter().flatten().filter_map(|value| value.to_str().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: a request is served for a client, with another task on the way.
    /// Guarantees: what runs inline knows the client, by names of any case; the other task does not.
    #[tokio::test]
    async fn goes_with_the_task() {
        assert!(Client::current().is_none());
        let mut client = Client::default();
        client.metadata.append("x-tenant", "acme".parse().unwrap());
        client.metadata.append("x-tenant", "other".parse().unwrap());
        client
            .scope(async {
                let client = Client::current().unwrap();
                assert_eq!(Client::values(&client.metadata, "X-Tenant").collect::<Vec<_>>(), ["acme", "other"]);
                assert_eq!(Client::values(&client.metadata, "no such name").count(), 0);
                assert!(tokio::spawn(async { Client::current().is_none() }).await.unwrap());
            })
            .await;
    }
}
