//! The client of the request that is being served, for conditions.

use http::HeaderMap;
use spanmill_ottl::ClientInfo;
use spanmill_pipeline::Client;

/// What conditions can ask about the current client; nothing where it is not known.
pub(crate) fn info() -> ClientInfo {
    let client = Client::current().unwrap_or_default();
    ClientInfo::new(lists(&client.metadata), lists(&client.grpc))
}

fn lists(headers: &HeaderMap) -> impl Iterator<Item = (&str, Vec<&str>)> {
    headers.keys().map(|name| (name.as_str(), Client::values(headers, name.as_str()).collect()))
}
