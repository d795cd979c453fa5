//! The client of the request that is being served, for conditions and statements.

use http::HeaderMap;
use spanmill_ottl::{ClientInfo, Slots};
use spanmill_pipeline::Client;

/// What they can ask about the current client; nothing where it is not known.
pub(crate) fn info() -> ClientInfo {
    Client::current(|client| {
        let auth = client.auth.iter().flat_map(|auth| auth.iter());
        ClientInfo::new(lists(client.headers.as_ref()), lists(client.grpc.as_ref()))
            .with_address(client.address.map(|address| address.to_string()))
            .with_auth(auth.map(|(name, value)| (name.as_str(), value.as_str())))
    })
}

/// The same where anything about it is asked.
pub(crate) fn wanted_by(slots: &Slots) -> Option<ClientInfo> {
    slots.reads_client().then(info)
}

/// Each name with its values that are text.
fn lists(headers: Option<&HeaderMap>) -> impl Iterator<Item = (&str, Vec<&str>)> {
    headers.into_iter().flat_map(|headers| {
        headers.keys().map(|name| {
            let values = headers.get_all(name).iter();
            (name.as_str(), values.filter_map(|value| value.to_str().ok()).collect())
        })
    })
}
