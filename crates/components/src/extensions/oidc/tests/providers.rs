use rcgen::generate_simple_self_signed;
use spanmill_config::Secret;
use spanmill_tls::ServerTls;

use super::*;

/// Scenario: two providers; the claims of one name user, groups and tenant.
/// Guarantees: tokens go to the provider that they name; what they say is known as attributes and tenant; a token without these claims, or
/// of a third issuer, is refused.
#[tokio::test]
async fn several() {
    let (one, two) = (Local::start("127.0.0.1:0", "http").await, Local::start("127.0.0.1:0", "http").await);
    let (ours, theirs) = (Signer::ec("k"), Signer::ed("k"));
    one.show(&[&ours]);
    two.show(&[&theirs]);
    let yaml = format!(
        "providers: [{{issuer_url: '{}', audience: us}}, {{issuer_url: '{}', ignore_audience: true, username_claim: email,
            groups_claim: groups, tenant_claim: org}}]",
        one.url, two.url
    );
    let oidc = started(&yaml).await.unwrap();
    let bearer = |token: String| format!("Bearer {token}");
    let identity = given(&oidc, &bearer(ours.sign(&one.claims()))).await.unwrap();
    assert!(identity.tenant.is_none());
    assert_eq!(identity.attributes.unwrap()["subject"], "ann");

    let mut claims =
        json!({"iss": two.url, "exp": get_current_timestamp() + 60, "email": "a@b", "groups": ["x", 2], "org": "shop"});
    let identity = given(&oidc, &bearer(theirs.sign(&claims))).await.unwrap();
    assert_eq!(identity.tenant.as_deref(), Some("shop"));
    let attributes = identity.attributes.unwrap();
    assert_eq!((&*attributes["subject"], &*attributes["membership"], &*attributes["org"]), ("a@b", "x;2", "shop"));
    assert!(!attributes.contains_key("raw") && !attributes.contains_key("exp"));

    for (claim, value) in [("email", json!(5)), ("org", json!("")), ("groups", Value::Null), ("email", Value::Null)] {
        claims[claim] = value.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(claim);
        }
        assert_eq!(reason(&oidc, &theirs.sign(&claims)).await, Some("claims"), "{claim}");
        claims[claim] = json!("good");
    }
    assert_eq!(reason(&oidc, &theirs.sign(&one.claims())).await, Some("key"), "one's token by two's key");
    let mut third = one.claims();
    third["iss"] = json!("http://third");
    assert_eq!(reason(&oidc, &ours.sign(&third)).await, Some("provider"));
}

/// Scenario: keys in a file, of all kinds, with and without names, among others that sign nothing; the file changes, then holds rubbish.
/// Guarantees: each signs by its algorithms and no other; the file's keys count; rubbish changes nothing.
#[tokio::test(start_paused = true)]
async fn keys_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    let signers = [
        Signer::ec("ec"),
        Signer { name: None, ..Signer::ec("") },
        Signer::ed("ed"),
        Signer::rsa("rsa", Algorithm::RS256),
    ];
    let mut set: Value = serde_json::from_str(&key_set(&signers.iter().collect::<Vec<_>>())).unwrap();
    let keys = set["keys"].as_array_mut().unwrap();
    // Not bound to one algorithm.
    keys[3].as_object_mut().unwrap().remove("alg");
    let mut encrypts = serde_json::to_value(Signer::ec("encrypts").public()).unwrap();
    encrypts["use"] = json!("enc");
    keys.extend([encrypts, json!({"kty": "oct", "kid": "shared", "k": "c2VjcmV0"}), json!({"kty": "new"}), json!(5)]);
    std::fs::write(&file, set.to_string()).unwrap();
    let yaml =
        format!("providers: [{{issuer_url: 'http://issuer', audience: us, public_keys_file: {}}}]", file.display());
    let oidc = started(&yaml).await.unwrap();
    let claims = json!({"iss": "http://issuer", "aud": "us", "exp": get_current_timestamp() + 60});
    for signer in &signers {
        assert_eq!(reason(&oidc, &signer.sign(&claims)).await, None, "{:?}", signer.name);
    }
    for algorithm in [Algorithm::RS512, Algorithm::PS256, Algorithm::PS384] {
        assert_eq!(reason(&oidc, &Signer::rsa("rsa", algorithm).sign(&claims)).await, None, "{algorithm:?}");
    }
    assert_eq!(reason(&oidc, &Signer { name: Some("ed"), ..Signer::ec("") }.sign(&claims)).await, Some("key"));
    let shared = Signer { name: Some("shared"), algorithm: Algorithm::HS256, key: EncodingKey::from_secret(b"secret") };
    assert_eq!(reason(&oidc, &shared.sign(&claims)).await, Some("algorithm"));

    let next = Signer::ec("next");
    std::fs::write(&file, key_set(&[&next])).unwrap();
    while reason(&oidc, &next.sign(&claims)).await.is_some() {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    assert_eq!(reason(&oidc, &signers[0].sign(&claims)).await, Some("key"));
    std::fs::write(&file, "{}").unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    assert_eq!(reason(&oidc, &next.sign(&claims)).await, None);
    oidc.shutdown().await.unwrap();
}

/// Scenario: an issuer over TLS, with its authority and without; one that calls itself something else; one that is not there; files that
/// are not there or have no keys.
/// Guarantees: only the first one starts; the others say what is wrong in the Collector's words.
#[tokio::test]
async fn starting() {
    let identity = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert_pem, key_pem) = (identity.cert.pem(), identity.signing_key.serialize_pem());
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let ca = path("ca.pem", &cert_pem);
    let tls = ServerTls { cert_pem: Secret::new(cert_pem), key_pem: Secret::new(key_pem), ..ServerTls::default() };
    let tls = Some(tls.acceptor(&["http/1.1"]).unwrap());
    let local = Local::start(Site { endpoint: "127.0.0.1:0".to_owned(), tls, guard: None }, "https").await;
    let signer = Signer::ec("a");
    local.show(&[&signer]);
    let yaml = format!("{{issuer_url: '{}', audience: us, issuer_ca_path: {ca}}}", local.url);
    let oidc = started(&yaml).await.unwrap();
    assert_eq!(reason(&oidc, &signer.sign(&local.claims())).await, None);

    let failed = async |yaml: &str, expected: &str| {
        let error = started(yaml).await.err().unwrap();
        assert!(error.contains(expected), "{error}");
    };
    let prefix =
        "failed to get configuration from at least one configured auth server: failed to create OIDC provider for";
    failed(&format!("{{issuer_url: '{}', audience: us}}", local.url), prefix).await;
    failed("{issuer_url: 'http://127.0.0.1:1', audience: us}", prefix).await;
    local.served.lock().unwrap().issuer = Some("https://somebody".to_owned());
    failed(&yaml, "issuer did not match the issuer returned by provider, expected").await;
    let empty = path("empty.json", "{\"keys\": []}");
    for (file, expected) in [("/nowhere", "failed to load JWKS file"), (&*empty, "contains no supported keys")] {
        failed(&format!("providers: [{{issuer_url: x, audience: us, public_keys_file: {file}}}]"), expected).await;
    }
}

/// Scenario: options with a mistake each.
/// Guarantees: the Collector's words.
#[test]
fn mistakes() {
    for (yaml, expected) in [
        ("{issuer_url: a}", "no Audience provided for the OIDC configuration"),
        ("{audience: a}", "no IssuerURL provided for the OIDC configuration"),
        ("{issuer_url: a, audience: b, providers: [{issuer_url: a, audience: b}]}", "duplicate issuer URL found: a"),
        (
            "{issuer_url: a, audience: b, providers: [{issuer_url: b, audience: b, ignore_issuer: true}]}",
            "ignore_issuer cannot be true when multiple providers are configured",
        ),
        ("{issuer_url: a, audience: b, issuer_ca_path: /nowhere}", "failed to load /nowhere"),
        ("{issuer_url: a, audience: b, attribute: 'a b'}", "attribute"),
        ("{issuers: []}", "unknown key"),
    ] {
        let error = extension(yaml).err().unwrap();
        assert!(error.contains(expected), "{error}");
    }
    assert!(extension("{providers: [{issuer_url: a, ignore_audience: true, ignore_issuer: true}]}").is_ok());
}
