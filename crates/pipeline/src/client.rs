//! Who sent what is being consumed.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;

use hyper::HeaderMap;

/// What a receiver knows about the client whose request it hands over. It belongs to the task on which the request is consumed: behind a
/// component that answers first and goes on later, such as `batch`, nothing is known of any client.
#[derive(Debug, Clone, Default)]
pub struct Client {
    /// Its address, where it came over IP.
    pub address: Option<IpAddr>,
    /// The headers of its request, where the receiver is configured to pass them on.
    pub headers: Option<HeaderMap>,
    /// The headers of a request over gRPC, always.
    pub grpc: Option<HeaderMap>,
    /// For whom it acts, where an authenticator has said so. Nothing that the client writes itself can set it.
    pub tenant: Option<Arc<str>>,
    /// What else an authenticator has found out about it, by name; several values are joined by `;`.
    pub auth: Option<Arc<BTreeMap<String, String>>>,
}

tokio::task_local! {
    static CLIENT: Client;
}

// === impl Client ===

impl Client {
    /// Runs `consuming` for this client.
    pub fn scope<F: Future>(self, consuming: F) -> impl Future<Output = F::Output> {
        CLIENT.scope(self, consuming)
    }

    /// Reads what is known about the client whose request is being consumed; of an unknown one that is nothing.
    pub fn current<T>(read: impl Fn(&Self) -> T) -> T {
        CLIENT.try_with(&read).unwrap_or_else(|_| read(&Self::default()))
    }

    /// What is still to be known of it where its request waits: what it sent along and what an authenticator says. `None` where that is nothing.
    pub fn carried(&self) -> Option<Self> {
        let Self { headers, tenant, auth, .. } = self;
        if headers.is_none() && tenant.is_none() && auth.is_none() {
            return None;
        }
        let (headers, tenant, auth) = (headers.clone(), tenant.clone(), auth.clone());
        Some(Self { headers, tenant, auth, ..Self::default() })
    }

    /// The values of a header, in any case of its name.
    pub fn metadata(&self, name: &str) -> Vec<String> {
        values(self.headers.as_ref(), name)
    }

    /// The values of a header of a request over gRPC, in any case of its name.
    pub fn grpc_metadata(&self, name: &str) -> Vec<String> {
        values(self.grpc.as_ref(), name)
    }
}

/// A name that no header can have has no values.
fn values(headers: Option<&HeaderMap>, name: &str) -> Vec<String> {
    let values = headers.into_iter().flat_map(|headers| headers.get_all(name.to_ascii_lowercase()));
    values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: a client is asked for within a request of it, outside, and in another task.
    /// Guarantees: address and headers are known within only; names are compared in any case, and odd ones have no values.
    #[tokio::test]
    async fn scopes() {
        let mut headers = HeaderMap::new();
        for value in ["a", "b"] {
            headers.append("x-tenant", value.parse().unwrap());
        }
        let client = Client { address: Some([127, 0, 0, 1].into()), headers: Some(headers), ..Client::default() };
        let seen = client.scope(async {
            let unknown = || Client::current(|client| client.address.is_none());
            assert!(tokio::spawn(async move { unknown() }).await.unwrap());
            Client::current(|client| (client.address, client.metadata("X-Tenant"), client.grpc_metadata("x-tenant")))
        });
        assert_eq!(seen.await, (Some([127, 0, 0, 1].into()), vec!["a".to_owned(), "b".to_owned()], Vec::new()));
        assert!(Client::current(|client| client.address.is_none() && client.metadata("no header\n").is_empty()));
    }

    /// Scenario: requests wait in a queue, of a client that an authenticator knows, of one that sent headers, and of one of whom an address is known.
    /// Guarantees: what goes on later knows the tenant and the headers; of the last nothing is carried.
    #[test]
    fn what_is_carried() {
        let address = Some([127, 0, 0, 1].into());
        let headers = HeaderMap::from_iter([(hyper::header::HOST, hyper::header::HeaderValue::from_static("h"))]);
        assert!(Client { address, ..Client::default() }.carried().is_none());
        let known = Client { address, tenant: Some("shop".into()), ..Client::default() }.carried().unwrap();
        assert_eq!((known.address, known.tenant.as_deref()), (None, Some("shop")));
        let sent = Client { headers: Some(headers), ..Client::default() }.carried().unwrap();
        assert_eq!(sent.metadata("Host"), ["h"]);
    }
}
