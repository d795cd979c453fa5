//! Which web pages may send.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer, ExposeHeaders};

use crate::net::cors::Cors;

/// The layer that answers preflight requests and marks responses.
pub(super) fn layer(config: &Cors) -> CorsLayer {
    let origins = config.allowed_origins.clone();
    let wanted = [header::ORIGIN, header::ACCEPT, header::CONTENT_TYPE, HeaderName::from_static("x-requested-with")];
    let allowed = if config.allowed_headers.iter().any(|name| name == "*") {
        AllowHeaders::mirror_request()
    } else {
        AllowHeaders::list(wanted.into_iter().chain(names(&config.allowed_headers)))
    };
    let mut layer = CorsLayer::new()
        .allow_methods([Method::POST])
        .allow_headers(allowed)
        .expose_headers(ExposeHeaders::list(names(&config.exposed_headers)))
        .allow_origin(AllowOrigin::predicate(move |origin, _| origins.iter().any(|pattern| matches(pattern, origin))))
        .allow_credentials(!config.allowed_headers.iter().any(|name| name == "*"));
    if let Ok(seconds @ 1..) = u64::try_from(config.max_age) {
        layer = layer.max_age(Duration::from_secs(seconds));
    }
    layer
}

fn names(names: &[String]) -> Vec<HeaderName> {
    names.iter().filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok()).collect()
}

/// `*` stands for any text, once, as in the Collector.
fn matches(pattern: &str, origin: &HeaderValue) -> bool {
    let Ok(origin) = origin.to_str() else { return false };
    let (pattern, origin) = (pattern.to_ascii_lowercase(), origin.to_ascii_lowercase());
    match pattern.split_once('*') {
        None => pattern == origin,
        Some((before, after)) => {
            origin.len() >= before.len() + after.len() && origin.starts_with(before) && origin.ends_with(after)
        }
    }
}
