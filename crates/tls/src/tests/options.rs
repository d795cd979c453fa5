use super::*;

fn server(yaml: &str) -> Result<ServerTls, String> {
    let section = Section::from_yaml("x", &format!("tls: {yaml}")).unwrap();
    let options: ServerTls = section.get("tls").unwrap().parse().map_err(|error| error.to_string())?;
    options.check(&section, "tls").map_err(|error| error.to_string())?;
    Ok(options)
}

fn client(yaml: &str) -> Result<ClientTls, String> {
    let section = Section::from_yaml("x", &format!("tls: {yaml}")).unwrap();
    let options: ClientTls = section.get("tls").unwrap().parse().map_err(|error| error.to_string())?;
    options.check(&section, "tls").map_err(|error| error.to_string())?;
    Ok(options)
}

/// Scenario: options that are wrong.
/// Guarantees: the Collector's words, with the option.
#[test]
fn refused() {
    for (yaml, expected) in [
        ("{}", "x::tls: TLS configuration must include both certificate and key for server connections"),
        (
            "{cert_file: a}",
            "x::tls: TLS configuration must include both certificate and key (CertFile/CertPem and KeyFile/KeyPem)",
        ),
        ("{insecure: true}", "x::tls: unknown key \"insecure\""),
    ] {
        let error = server(yaml).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    for (yaml, expected) in [
        (
            "{ca_file: a, ca_pem: b}",
            "x::tls::ca_file: provide either a CA file or the PEM-encoded string, but not both",
        ),
        ("{cert_file: a, cert_pem: b}", "x::tls::cert_file: provide either certificate file or PEM, but not both"),
        ("{key_file: a, key_pem: b}", "x::tls::key_file: provide either key file or PEM, but not both"),
        ("{key_pem: b}", "TLS configuration must include both certificate and key"),
        ("{min_version: '1.4'}", "x::tls::min_version: invalid TLS min_version: unsupported TLS version: \"1.4\""),
        ("{max_version: x}", "x::tls::max_version: invalid TLS max_version: unsupported TLS version: \"x\""),
        ("{min_version: '1.3', max_version: '1.2'}", "min_version cannot be greater than max_version"),
        ("{max_version: '1.1'}", "min_version cannot be greater than max_version"),
        ("{min_version: '1.0', max_version: '1.1'}", "x::tls::max_version: TLS 1.1 is not spoken"),
        ("{cipher_suites: [a]}", "x::tls::cipher_suites: invalid TLS cipher suite: \"a\""),
        ("{curve_preferences: [P1]}", "x::tls::curve_preferences: invalid curve type: P1. Expected values are ["),
        ("{curve_preferences: [P521]}", "none of them is implemented"),
        ("{tpm: {enabled: true, path: /dev/tpm0}}", "x::tls::tpm: is not supported"),
        ("{client_ca_file: a}", "unknown key \"client_ca_file\""),
    ] {
        let error = client(yaml).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

/// Scenario: all options at once; secrets inline.
/// Guarantees: accepted, and secrets are not in the debug output.
#[test]
fn accepted() {
    let all = "{ca_pem: hidden1, cert_pem: hidden2, key_pem: hidden3, include_system_ca_certs_pool: true, min_version: '1.2',
        max_version: '1.3', cipher_suites: [TLS_AES_128_GCM_SHA256], curve_preferences: [X25519, P521], reload_interval: 1m,
        insecure: true, insecure_skip_verify: true, server_name_override: a, tpm: {auth: hidden4, owner_auth: hidden5}}";
    let options = client(all).unwrap();
    assert!(!options.is_off(), "there is an authority");
    assert!(client("{insecure: true}").unwrap().is_off());
    let shown = format!("{options:?}");
    assert!(!shown.contains("hidden"), "{shown}");
    assert!(!format!("{:?}", server("{cert_pem: hidden, key_pem: hidden}").unwrap()).contains("hidden"));
    server("{cert_file: a, key_pem: b, client_ca_file: c, client_ca_file_reload: true, min_version: '1.1'}").unwrap();
}

/// Scenario: files that are not there, that hold nothing, and a key that belongs to another certificate.
/// Guarantees: named with their option, and secrets are not told.
#[test]
fn unusable() {
    let authority = Authority::new();
    let (one, other) = (authority.issue(4000), authority.issue(4000));
    let mixed = Identity { key: other.key, ..one.clone() };
    let error = |options: ServerTls| options.acceptor(&[]).unwrap_err();
    let wrong = error(mixed.server());
    assert_eq!(wrong.option, "cert_file");
    assert!(wrong.message.contains("failed to load TLS cert and key"), "{wrong}");
    let wrong = error(ServerTls { client_ca_file: "/nowhere/ca.pem".to_owned(), ..one.server() });
    assert!(wrong.to_string().starts_with("client_ca_file: failed to load /nowhere/ca.pem: No such file"), "{wrong}");
    let wrong = error(ServerTls { key_pem: Secret::new("hidden"), ..one.server() });
    assert!(wrong.option == "key_file" && !wrong.message.contains("hidden"), "{wrong}");
    let wrong = ClientTls { ca_pem: Secret::new("hidden"), ..ClientTls::default() }.config(&[]).unwrap_err();
    assert_eq!(wrong.to_string(), "ca_file: failed to parse cert: there is none");
    let options = ServerTls { ca_pem: Secret::new("hidden"), ..one.server() };
    assert_eq!(error(options).option, "ca_file");
}
