use std::collections::HashMap;

use spanmill_config::{ComponentId, Section};
use spanmill_pipeline::Telemetry;
use tokio::sync::mpsc;

use super::*;

fn extension(yaml: &str) -> Result<ApiKeys, ConfigError> {
    let id = ComponentId::new("api_keys", "").unwrap();
    let section = Section::from_yaml("extensions::api_keys", yaml).unwrap();
    ApiKeys::new(Context { id: &id, section: &section, telemetry: &Telemetry::default() })
}

async fn tenant(extension: &ApiKeys, header: &'static str, value: &str) -> Result<String, String> {
    let headers = HeaderMap::from_iter([(HeaderName::from_static(header), value.parse().unwrap())]);
    let identity = extension.0.authenticate(&headers).await.map_err(|error| error.to_string())?;
    Ok(identity.tenant.unwrap().to_string())
}

/// Scenario: keys of two tenants, inline and in a file that changes; requests with them in both headers, with others and with none.
/// Guarantees: a key leads to its tenant, also one that is new in the file; another one or none is refused without a word about the keys.
#[tokio::test(start_paused = true)]
async fn tenants() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    std::fs::write(&file, "first-key-of-two of Ann\n\nsecond-key-of-two\n").unwrap();
    let yaml = format!("keys: [{{tenant: a, api_key: 0123456789abcdef}}, {{tenant: b, file: {}}}]", file.display());
    let keys = extension(&yaml).unwrap();
    keys.start(&Host::new(HashMap::new(), mpsc::unbounded_channel().0)).await.unwrap();
    for (header, value, expected) in [
        ("x-api-key", "0123456789abcdef", "a"),
        ("authorization", "Bearer 0123456789abcdef", "a"),
        ("authorization", "bearer first-key-of-two", "b"),
        ("x-api-key", "second-key-of-two", "b"),
    ] {
        assert_eq!(tenant(&keys, header, value).await.as_deref(), Ok(expected));
    }
    for (header, value) in [("x-api-key", "0123456789abcdeF"), ("authorization", "Bearer of"), ("x-api-key", "0")] {
        assert_eq!(tenant(&keys, header, value).await.unwrap_err(), "the API key is not known");
    }
    for (header, value) in [("x-api-key", ""), ("authorization", "0123456789abcdef"), ("x-other", "0123456789abcdef")] {
        assert_eq!(tenant(&keys, header, value).await.unwrap_err(), "no API key provided");
    }
    std::fs::write(&file, "third-key-of-two").unwrap();
    while tenant(&keys, "x-api-key", "third-key-of-two").await.is_err() {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    assert!(tenant(&keys, "x-api-key", "second-key-of-two").await.is_err());
    keys.shutdown().await.unwrap();
}

/// Scenario: another header, and no bearer's tokens.
/// Guarantees: the key is looked for there alone.
#[tokio::test]
async fn another_header() {
    let keys = extension("{header: X-Key, bearer: false, keys: [{tenant: a, api_key: 0123456789abcdef}]}").unwrap();
    assert!(tenant(&keys, "x-key", "0123456789abcdef").await.is_ok());
    assert!(tenant(&keys, "authorization", "Bearer 0123456789abcdef").await.is_err());
    assert!(tenant(&keys, "x-api-key", "0123456789abcdef").await.is_err());
}

/// Scenario: options with a mistake each.
/// Guarantees: refused with the option's path; keys are not repeated.
#[test]
fn mistakes() {
    for (yaml, expected) in [
        ("{}", "keys: at least one key must be given"),
        ("{keys: [{api_key: 0123456789abcdef}]}", "keys::0::tenant: must not be empty"),
        ("{keys: [{tenant: a}]}", "keys::0::api_key: give either an api_key or a file"),
        ("{keys: [{tenant: a, api_key: hidden, file: f}]}", "give either an api_key or a file"),
        ("{keys: [{tenant: a, api_key: hidden}]}", "must have 16 characters at least"),
        ("{keys: [{tenant: a, api_key: '                '}]}", "must have 16 characters at least"),
        (
            "{keys: [{tenant: a, api_key: hidden6789abcdef}, {tenant: b, api_key: hidden6789abcdef}]}",
            "keys::1::api_key: is given twice",
        ),
        ("{header: 'a b', keys: [{tenant: a, api_key: hidden6789abcdef}]}", "header: "),
    ] {
        let error = extension(yaml).err().unwrap().to_string();
        assert!(error.contains(expected) && !error.contains("hidden"), "{error}");
    }
    let section = Section::from_yaml("x", "{keys: [{tenant: a, api_key: hidden6789abcdef}]}").unwrap();
    assert!(!format!("{:?}", Config::read(&section).unwrap()).contains("hidden"));
}
