use std::pin::pin;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt;

use super::*;

async fn one() -> (Local, Signer, Oidc) {
    let local = Local::start("127.0.0.1:0", "http").await;
    let signer = Signer::ec("a");
    local.show(&[&signer]);
    let oidc = started(&format!("{{issuer_url: '{}', audience: us}}", local.url)).await.unwrap();
    (local, signer, oidc)
}

fn changed(claims: &Value, name: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    claims[name] = value;
    claims
}

/// Scenario: good tokens, and such that are over, not valid yet, of another issuer, for somebody else, or lack one of these claims.
/// Guarantees: the good ones are taken, the others refused with their reason.
#[tokio::test]
async fn claims() {
    let (local, signer, oidc) = one().await;
    let (good, now) = (local.claims(), get_current_timestamp());
    assert_eq!(reason(&oidc, &signer.sign(&good)).await, None);
    for (name, value, expected) in [
        ("aud", json!(["them", "us"]), None),
        ("aud", json!("them"), Some("audience")),
        ("aud", json!(["them"]), Some("audience")),
        ("aud", Value::Null, Some("claims")),
        ("iss", json!("http://elsewhere"), Some("issuer")),
        ("iss", Value::Null, Some("claims")),
        ("exp", json!(now - 2), Some("expired")),
        ("exp", Value::Null, Some("claims")),
        ("exp", json!("tomorrow"), Some("claims")),
        ("nbf", json!(now + 60), None),
        ("nbf", json!(now + 3600), Some("early")),
        ("nbf", json!("tomorrow"), Some("early")),
    ] {
        let token = signer.sign(&changed(&good, name, value.clone()));
        assert_eq!(reason(&oidc, &token).await, expected, "{name}: {value}");
    }
}

/// Scenario: tokens without a signature, signed by HMAC with the public key, by another key of the same name, with another algorithm in
/// the header, with a changed claim; headers that carry no token.
/// Guarantees: refused, each with its reason.
#[tokio::test]
async fn forgeries() {
    let (local, signer, oidc) = one().await;
    let good = local.claims();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let unsigned =
        |algorithm: &str| format!("{}.{}.", part(&json!({"alg": algorithm, "typ": "JWT", "kid": "a"})), part(&good));
    for none in ["none", "None", "NONE", ""] {
        assert_eq!(reason(&oidc, &unsigned(none)).await, Some("malformed"), "{none}");
    }
    assert_eq!(reason(&oidc, &unsigned("ES256")).await, Some("signature"));
    assert_eq!(reason(&oidc, &unsigned("RS256")).await, Some("key"));

    let public = serde_json::to_value(signer.public()).unwrap();
    let x = URL_SAFE_NO_PAD.decode(public["x"].as_str().unwrap()).unwrap();
    let y = URL_SAFE_NO_PAD.decode(public["y"].as_str().unwrap()).unwrap();
    for secret in [[vec![4], x.clone(), y].concat(), x, public.to_string().into_bytes()] {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let forger = Signer { name: Some("a"), algorithm, key: EncodingKey::from_secret(&secret) };
            assert_eq!(reason(&oidc, &forger.sign(&good)).await, Some("algorithm"));
        }
    }
    assert_eq!(reason(&oidc, &Signer::ec("a").sign(&good)).await, Some("signature"));

    let token = signer.sign(&good);
    let [header, _, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    let other = part(&changed(&good, "sub", json!("bob")));
    assert_eq!(reason(&oidc, &format!("{header}.{other}.{signature}")).await, Some("signature"));

    let critical = part(&json!({"alg": "ES256", "typ": "JWT", "kid": "a", "crit": ["exp"], "exp": 1}));
    let (_, claimed) = token.split_once('.').unwrap();
    assert_eq!(reason(&oidc, &format!("{critical}.{claimed}")).await, Some("malformed"));

    for no_token in ["Bearer", "Bearer a b", "", &token] {
        assert_eq!(given(&oidc, no_token).await.unwrap_err().reason, "header", "{no_token}");
    }
    for no_token in ["a.b.c", "a", "...", &"a".repeat(20_000)] {
        assert_eq!(reason(&oidc, no_token).await, Some("malformed"), "{no_token}");
    }
    let told = oidc.0.authenticate(&HeaderMap::new()).await.unwrap_err();
    assert_eq!(told, AuthError::from("authentication didn't succeed"));
}

/// Scenario: a token that is over in a second comes again and again.
/// Guarantees: that it was good does not outlive it.
#[tokio::test]
async fn good_for_a_while() {
    let (local, signer, oidc) = one().await;
    let until = get_current_timestamp() + 2;
    let token = signer.sign(&changed(&local.claims(), "exp", json!(until)));
    assert_eq!(reason(&oidc, &token).await, None);
    while get_current_timestamp() <= until {
        let before = get_current_timestamp();
        let verdict = reason(&oidc, &token).await;
        assert!(verdict.is_none() || before + 1 >= until, "{verdict:?}");
        tokio::task::yield_now().await;
    }
    assert_eq!(reason(&oidc, &token).await, Some("expired"));
}

/// Scenario: the issuer gets another key; tokens of a key that it does not have come again and again.
/// Guarantees: an unknown key is asked for, but once a minute only; the new one is good as soon as it was asked for, and the old one is not
/// any more.
#[tokio::test]
async fn new_keys() {
    let (local, old, oidc) = one().await;
    let (new, good) = (Signer::ec("b"), local.claims());
    assert_eq!(local.asked(), 0);
    for _ in 0..3 {
        assert_eq!(reason(&oidc, &old.sign(&good)).await, None);
        assert_eq!(reason(&oidc, &new.sign(&good)).await, Some("key"));
    }
    assert_eq!(local.asked(), 1);

    later(11).await;
    for _ in 0..3 {
        assert_eq!(reason(&oidc, &Signer::ec("c").sign(&good)).await, Some("key"));
    }
    assert_eq!(local.asked(), 2);

    local.show(&[&new]);
    later(11).await;
    assert_eq!(reason(&oidc, &old.sign(&good)).await, None, "the old key is known");
    assert_eq!(reason(&oidc, &new.sign(&good)).await, None);
    assert_eq!(reason(&oidc, &old.sign(&good)).await, Some("key"));
    assert_eq!(local.asked(), 3);

    local.served.lock().unwrap().keys = "rubbish".to_owned();
    later(3601).await;
    local.until_asked(4).await;
    // Who names an unknown key waits for the answer.
    let unknown = Signer::ec("c").sign(&good);
    assert_eq!(reason(&oidc, &unknown).await, Some("key"));
    assert_eq!(reason(&oidc, &new.sign(&good)).await, None, "what is no key set changes nothing");
    assert_eq!(local.asked(), 4);
    local.show(&[&old]);
    later(6).await;
    local.until_asked(5).await;
    assert_eq!(reason(&oidc, &unknown).await, Some("key"));
    assert_eq!(reason(&oidc, &new.sign(&good)).await, Some("key"), "and is asked for again soon");
    assert_eq!(local.asked(), 5);
}

/// Scenario: an issuer does not answer any more when its keys are old, and when one names a key that nobody knows; then it answers.
/// Guarantees: tokens of known keys, seen before or not, do not wait; the one of an unknown key does, and is good once the issuer has it.
#[tokio::test]
async fn a_hanging_issuer() {
    let (local, signer, oidc) = one().await;
    let (seen, other) = (signer.sign(&local.claims()), Signer::ec("b"));
    assert_eq!(reason(&oidc, &seen).await, None);
    local.hangs.send_replace(true);
    later(3601).await;
    local.until_asked(2).await;
    let unknown = other.sign(&local.claims());
    let mut waiting = pin!(reason(&oidc, &unknown));
    assert_eq!(waiting.as_mut().now_or_never(), None);
    let new = signer.sign(&changed(&local.claims(), "sub", json!("bob")));
    for token in [&seen, &new] {
        assert_eq!(reason(&oidc, token).now_or_never(), Some(None));
    }
    local.show(&[&signer, &other]);
    local.hangs.send_replace(false);
    assert_eq!(waiting.await, None);
    assert_eq!(local.asked(), 2);
}
