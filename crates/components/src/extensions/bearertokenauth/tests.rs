use std::collections::HashMap;

use spanmill_config::{ComponentId, Section};
use spanmill_pipeline::Telemetry;
use tokio::sync::mpsc;

use super::*;

fn extension(yaml: &str) -> Result<BearerTokenAuth, ConfigError> {
    let id = ComponentId::new("bearertokenauth", "").unwrap();
    let section = Section::from_yaml("extensions::bearertokenauth", yaml).unwrap();
    BearerTokenAuth::new(Context { id: &id, section: &section, telemetry: &Telemetry::default() })
}

fn host() -> Host {
    Host::new(HashMap::new(), mpsc::unbounded_channel().0)
}

async fn verdict(extension: &BearerTokenAuth, header: &'static str, value: &str) -> Result<(), String> {
    let headers = HeaderMap::from_iter([(HeaderName::from_static(header), value.parse().unwrap())]);
    extension.tokens.authenticate(&headers).await.map(drop).map_err(|error| error.to_string())
}

fn sent(extension: &BearerTokenAuth) -> String {
    let mut headers = HeaderMap::new();
    extension.tokens.apply(&mut headers).unwrap();
    headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect()
}

/// Scenario: requests with the token, another one, another scheme, and none; other headers and schemes.
/// Guarantees: the token alone is good, in its scheme and its header; refusals say no more than the Collector's.
#[tokio::test]
async fn tokens() {
    let one = extension("token: secret").unwrap();
    assert_eq!(verdict(&one, "authorization", "Bearer secret").await, Ok(()));
    for wrong in ["Bearer other", "bearer secret", "secret", "Bearer secret ", ""] {
        let error = verdict(&one, "authorization", wrong).await.unwrap_err();
        assert_eq!(error, "provided authorization does not match expected scheme or token", "{wrong:?}");
    }
    let error = verdict(&one, "x-other", "Bearer secret").await.unwrap_err();
    assert_eq!(error, "missing or empty authorization header: Authorization");
    assert_eq!(sent(&one), "authorization: Bearer secret");

    let several = extension("{tokens: [one, two words], scheme: '', header: X-Token}").unwrap();
    assert_eq!(verdict(&several, "x-token", "one").await, Ok(()));
    assert_eq!(verdict(&several, "x-token", "two words").await, Ok(()));
    assert_eq!(sent(&several), "x-token: one");

    let words = extension("token: 'secret and a remark'").unwrap();
    assert_eq!(sent(&words), "authorization: Bearer secret");
}

/// Scenario: a file with tokens and remarks, which changes.
/// Guarantees: each line has a token, good as long as it is there.
#[tokio::test(start_paused = true)]
async fn files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens");
    std::fs::write(&path, "first # a remark\n\n  second\t// another\n").unwrap();
    let extension = extension(&format!("filename: {}", path.display())).unwrap();
    extension.start(&host()).await.unwrap();
    assert_eq!(verdict(&extension, "authorization", "Bearer second").await, Ok(()));
    assert_eq!(sent(&extension), "authorization: Bearer first");
    std::fs::write(&path, "third").unwrap();
    while verdict(&extension, "authorization", "Bearer third").await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(verdict(&extension, "authorization", "Bearer first").await.is_err());
    extension.shutdown().await.unwrap();
}

/// Scenario: tokens inline, and in a file with empty lines; requests with an empty token, and an empty header where no scheme is asked for.
/// Guarantees: nothing is no token.
#[tokio::test]
async fn nothing_is_no_token() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "\n \nreal\n\n").unwrap();
    let from_file = format!("filename: {}", file.path().display());
    for source in ["tokens: [real]", "token: real", &from_file] {
        for (scheme, good) in [("Bearer", "Bearer real"), ("''", "real")] {
            let extension = extension(&format!("{{{source}, scheme: {scheme}}}")).unwrap();
            extension.start(&host()).await.unwrap();
            assert_eq!(verdict(&extension, "authorization", good).await, Ok(()), "{source}");
            for nothing in ["Bearer ", "Bearer", "Bearer  ", " ", ""] {
                assert!(verdict(&extension, "authorization", nothing).await.is_err(), "{source}: {nothing:?}");
            }
        }
    }
}

/// Scenario: the file is not there at the start, in all ways of waiting for it.
/// Guarantees: without waiting everything is refused until it is there; where the start waits, it ends with the file, or fails after its tries.
#[tokio::test(start_paused = true)]
async fn missing_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens");
    let yaml = |more: &str| format!("{{filename: {}{more}}}", path.display());

    let patient = extension(&yaml("")).unwrap();
    patient.start(&host()).await.unwrap();
    assert!(verdict(&patient, "authorization", "Bearer ").await.is_err());
    assert!(matches!(patient.tokens.apply(&mut HeaderMap::new()), Err(CredentialsError::NotYet(_))));

    let retry = ", wait_for_token_file: true, retry_on_failure: {enabled: true, max_retries: 3, interval: 1s}";
    let error = extension(&yaml(retry)).unwrap().start(&host()).await.unwrap_err();
    assert!(error.to_string().contains("failed to read credentials file"), "{error}");

    let waiting = Arc::new(extension(&yaml(&retry.replace("max_retries: 3, ", ""))).unwrap());
    let started = tokio::spawn({
        let waiting = Arc::clone(&waiting);
        async move { waiting.start(&host()).await.is_ok() }
    });
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    assert!(!started.is_finished());
    std::fs::write(&path, "late").unwrap();
    assert!(started.await.unwrap());
    assert_eq!(sent(&waiting), "authorization: Bearer late");
}

/// Scenario: configurations with mistakes.
/// Guarantees: the Collector's verdicts and words; tokens are not shown.
#[test]
fn options() {
    for (yaml, expected) in [
        ("{}", "no bearer token provided"),
        ("{token: a, tokens: [b]}", "either tokens or token should be provided, not both"),
        ("{token: a, retry_on_failure: {enabled: true, interval: 1s}}", "requires filename to be set"),
        ("{filename: f, retry_on_failure: {enabled: true}}", "interval must be greater than 0"),
        ("{filename: f, retry_on_failure: {enabled: true, interval: 1s, max_retries: -1}}", "max_retries must be"),
        ("{filename: f, wait_for_token_file: true}", "requires retry_on_failure to be enabled"),
        ("{token: a, wait_for_token_file: true}", "requires filename to be set"),
        ("{token: a, header: 'a b'}", "header"),
        ("{tokens: 'a,b'}", "tokens: expected a list of tokens, found a string"),
        ("{tokens: ['', b]}", "tokens::0: must not be empty"),
        ("{tokens: [a, ' '], scheme: ''}", "tokens::1: must not be empty"),
        ("{bearer: a}", "unknown key"),
    ] {
        let error = extension(yaml).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(expected), "{yaml}: {error}");
    }
    for accepted in ["{tokens: [a], filename: f}", "{token: a, filename: f}", "{token: a, scheme: }"] {
        assert!(extension(accepted).is_ok(), "{accepted}");
    }
}
