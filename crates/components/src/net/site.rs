//! Pages of extensions, by their options: TLS, and who may see them.

use serde::de::IgnoredAny;
use spanmill_config::{ConfigError, Section};
use spanmill_pipeline::auth::{Gate, HttpAuthConfig};
use spanmill_pipeline::{ComponentError, Host, Site};
use spanmill_tls::{Acceptor, ServerTls};

use super::secure::not_loaded;

/// Reads the files of TLS, where it is on.
pub(crate) fn acceptor(tls: Option<&ServerTls>) -> Result<Option<Acceptor>, ComponentError> {
    tls.map(|tls| tls.acceptor(&["http/1.1"])).transpose().map_err(|error| not_loaded(&error))
}

/// Where pages are shown, and to whom.
pub(crate) fn site(
    host: &Host,
    endpoint: &str,
    tls: Option<&ServerTls>,
    auth: Option<&HttpAuthConfig>,
) -> Result<Site, ComponentError> {
    Ok(Site { endpoint: endpoint.to_owned(), tls: acceptor(tls)?, guard: Gate::new(host, auth)?.guard() })
}

/// Checks what may keep strangers out of a server: it must not be passed over. `path` is that of the server's options, with `::` at its end
/// unless it is empty.
pub(crate) fn check(
    section: &Section,
    path: &str,
    tls: Option<&ServerTls>,
    middlewares: &[IgnoredAny],
) -> Result<(), ConfigError> {
    if let Some(tls) = tls {
        tls.check(section, &format!("{path}tls"))?;
    }
    if !middlewares.is_empty() {
        return Err(section.error(&format!("{path}middlewares"), "is not supported"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use reqwest::{Certificate, Client, StatusCode};
    use spanmill_config::ComponentId;
    use spanmill_pipeline::{Component, Context, Telemetry};
    use tokio::sync::mpsc;

    use super::*;
    use crate::exporters::prometheus;
    use crate::extensions::{bearertokenauth, health_check, zpages};

    /// Scenario: pages of extensions and of the `prometheus` exporter with TLS, for who has a token; asked with it, with another one, with it
    /// as a parameter of the query, without it, without TLS, and by a client that does not know the authority.
    /// Guarantees: the token alone opens, both ways; without TLS, or with another authority, there is no answer.
    #[tokio::test]
    async fn secured_pages() {
        let identity = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let (cert, key) = (write("a.pem", identity.cert.pem()), write("a.key", identity.signing_key.serialize_pem()));
        let telemetry = Telemetry::default();
        let bearer = ComponentId::new("bearertokenauth", "").unwrap();
        let section = Section::from_yaml("extensions::bearertokenauth", "token: secret").unwrap();
        let made = (bearertokenauth::FACTORY.create)(Context { id: &bearer, section: &section, telemetry: &telemetry });
        let host = Host::new(HashMap::from([(bearer, made.unwrap())]), mpsc::unbounded_channel().0);
        let client = || Client::builder().tls_built_in_root_certs(false);
        let ours = client().add_root_certificate(Certificate::from_pem(identity.cert.pem().as_bytes()).unwrap());
        let (ours, strange) = (ours.build().unwrap(), client().build().unwrap());
        for (name, path, open) in
            [("zpages", "debug/servicez", 200), ("health_check", "", 503), ("prometheus", "metrics", 200)]
        {
            let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let yaml = format!(
                "{{endpoint: 'localhost:{port}', tls: {{cert_file: {cert}, key_file: {key}}}, \
                 auth: {{authenticator: bearertokenauth, request_params: [authorization]}}}}"
            );
            let id = ComponentId::new(name, "").unwrap();
            let section = Section::from_yaml(name, &yaml).unwrap();
            let context = Context { id: &id, section: &section, telemetry: &telemetry };
            let component: Arc<dyn Component> = match name {
                "zpages" => (zpages::FACTORY.create)(context).unwrap(),
                "health_check" => (health_check::FACTORY.create)(context).unwrap(),
                _ => (prometheus::FACTORY.create)(context).unwrap(),
            };
            component.start(&host).await.unwrap();
            let url = format!("https://localhost:{port}/{path}");
            let open = StatusCode::from_u16(open).unwrap();
            let status = async |request: reqwest::RequestBuilder| request.send().await.unwrap().status();
            assert_eq!(status(ours.get(&url).bearer_auth("secret")).await, open, "{name}");
            assert_eq!(status(ours.get(format!("{url}?authorization=Bearer%20secret"))).await, open, "{name}");
            assert_eq!(status(ours.get(&url).bearer_auth("other")).await, StatusCode::UNAUTHORIZED, "{name}");
            assert_eq!(status(ours.get(&url)).await, StatusCode::UNAUTHORIZED, "{name}");
            assert!(strange.get(&url).bearer_auth("secret").send().await.is_err(), "{name}");
            assert!(ours.get(url.replace("https", "http")).bearer_auth("secret").send().await.is_err(), "{name}");
            component.shutdown().await.unwrap();
        }
    }
}
