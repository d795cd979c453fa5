use std::collections::{BTreeMap, HashMap};

use spanmill_pipeline::Telemetry;
use tokio::sync::mpsc;

use super::*;
use crate::extensions::basicauth;

fn extension(yaml: &str) -> Result<HeadersSetter, ConfigError> {
    let id = ComponentId::new(FACTORY.kind.name, "").unwrap();
    let section = Section::from_yaml("extensions::headers_setter", yaml).unwrap();
    HeadersSetter::new(&Context { id: &id, section: &section, telemetry: &Telemetry::default() })
}

fn host(extensions: HashMap<ComponentId, Arc<dyn Component>>) -> Host {
    Host::new(extensions, mpsc::unbounded_channel().0)
}

/// What is sent by an exporter with the header `x-own: 1`, on behalf of a client.
async fn sent(extension: &HeadersSetter, client: Client) -> Result<Vec<String>, CredentialsError> {
    let mut headers = HeaderMap::from_iter([(HeaderName::from_static("x-own"), HeaderValue::from_static("1"))]);
    client.scope(async { extension.setter.apply(&mut headers) }).await?;
    let mut sent =
        headers.iter().map(|(name, value)| format!("{name}={}", value.to_str().unwrap())).collect::<Vec<_>>();
    sent.sort();
    Ok(sent)
}

fn client(headers: &[(&'static str, &'static str)]) -> Client {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_static(value));
    }
    let auth = BTreeMap::from([("subject".to_owned(), "ann".to_owned())]);
    Client { headers: Some(map), auth: Some(Arc::new(auth)), ..Client::default() }
}

/// Scenario: each action on a header that is there and on one that is not.
/// Guarantees: the Collector's outcome; none is an upsert; an empty header counts as none.
#[tokio::test]
async fn actions() {
    for (header, expected) in [
        ("{action: insert, key: X-Own, value: a}", vec!["x-own=1"]),
        ("{action: insert, key: x-new, value: a}", vec!["x-new=a", "x-own=1"]),
        ("{action: update, key: X-Own, value: a}", vec!["x-own=a"]),
        ("{action: update, key: x-new, value: a}", vec!["x-own=1"]),
        ("{action: upsert, key: x-own, value: '7'}", vec!["x-own=7"]),
        ("{key: x-new, value: ''}", vec!["x-new=", "x-own=1"]),
        ("{action: delete, key: x-own}", vec![]),
    ] {
        let setter = extension(&format!("{{headers: [{header}]}}")).unwrap();
        assert_eq!(sent(&setter, Client::default()).await.unwrap(), expected, "{header}");
    }
    let both = "{headers: [{key: x-own, value: ''}, {action: insert, key: x-own, value: b}]}";
    assert_eq!(sent(&extension(both).unwrap(), Client::default()).await.unwrap(), ["x-own=b"]);
}

/// Scenario: values from the client's headers and from what an authenticator says, with and without a default; a client who sent two.
/// Guarantees: names in any case; the default where there is none; of two none is guessed, for good.
#[tokio::test]
async fn of_the_client() {
    let setter = extension(
        "{headers: [{key: x-scope-orgid, action: upsert, from_context: X-Tenant, default_value: shared}, \
         {key: x-user, action: upsert, from_attribute: subject}]}",
    )
    .unwrap();
    let seen = sent(&setter, client(&[("x-tenant", "shop")])).await.unwrap();
    assert_eq!(seen, ["x-own=1", "x-scope-orgid=shop", "x-user=ann"]);
    let seen = sent(&setter, Client::default()).await.unwrap();
    assert_eq!(seen, ["x-own=1", "x-scope-orgid=shared", "x-user="]);
    let error = sent(&setter, client(&[("x-tenant", "a"), ("x-tenant", "b")])).await.unwrap_err();
    assert!(matches!(error, CredentialsError::Never(_)), "{error}");
    assert!(error.to_string().contains("2 values of \"X-Tenant\""), "{error}");
}

/// Scenario: a value in a file that changes; an authenticator besides; one that is not there.
/// Guarantees: the new value is sent; both are sent, and must not travel in the clear; without it nothing starts.
#[tokio::test(start_paused = true)]
async fn files_and_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, "one\n").unwrap();
    let yaml = format!(
        "{{headers: [{{key: x-key, action: upsert, value_file: '{}'}}], additional_auth: basicauth}}",
        path.display()
    );
    let basic = ComponentId::new("basicauth", "").unwrap();
    let section = Section::from_yaml("extensions::basicauth", "client_auth: {username: u, password: p}").unwrap();
    let telemetry = Telemetry::default();
    let made = (basicauth::FACTORY.create)(Context { id: &basic, section: &section, telemetry: &telemetry }).unwrap();
    let host_with = host(HashMap::from([(basic, made)]));

    let setter = extension(&yaml).unwrap();
    assert!(!setter.setter.is_secret());
    setter.start(&host_with).await.unwrap();
    assert!(setter.setter.is_secret());
    let seen = sent(&setter, Client::default()).await.unwrap();
    assert_eq!(seen, ["authorization=Basic dTpw", "x-key=one", "x-own=1"]);
    std::fs::write(&path, "two").unwrap();
    while !sent(&setter, Client::default()).await.unwrap().contains(&"x-key=two".to_owned()) {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    setter.shutdown().await.unwrap();

    let error = extension(&yaml).unwrap().start(&host(HashMap::new())).await.unwrap_err().to_string();
    assert!(error.contains("authenticator not found"), "{error}");
}

/// Scenario: configurations with mistakes.
/// Guarantees: the Collector's verdicts and words, with the place; values are not shown.
#[test]
fn options() {
    for (yaml, expected) in [
        ("{}", "missing headers configuration"),
        ("{headers: [{value: a}]}", "headers[0]: missing header name"),
        ("{headers: [{key: a, value: b}, {key: c}]}", "headers[1]: missing header source"),
        ("{headers: [{key: a, value: b, from_context: c}]}", "headers[0]: invalid header source"),
        ("{headers: [{key: a, from_attribute: b, from_context: c}]}", "invalid header source"),
        ("{headers: [{key: 'a b', value: c}]}", "headers[0]::key"),
        ("{headers: [{key: a, value: \"c\\nd\"}]}", "headers[0]::value"),
        ("{headers: [{key: a, value: b, action: set}]}", "headers[0]::action: \"set\" is none of insert"),
        ("{headers: [{key: a, value: b}], additional_auth: headers_setter/other}", "give its headers in one list"),
        ("{headers: [{name: a}]}", "unknown key"),
    ] {
        let error = extension(yaml).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(expected), "{yaml}: {error}");
    }
}
