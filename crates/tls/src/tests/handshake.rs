use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::Instant;

use super::*;
use crate::Stream;

/// Scenario: a client that trusts the authority, one that trusts another, one that trusts the system's.
/// Guarantees: only the first one is served; the others say that they do not know the issuer, and the server counts a certificate.
#[tokio::test]
async fn authorities() {
    let authority = Authority::new();
    let (acceptor, reasons) = watched(acceptor(&authority.issue(4000).server()));
    meet(&acceptor, &trusting(&authority)).await.unwrap();
    for stranger in [trusting(&Authority::new()), ClientTls::default()] {
        let (_, said) = meet(&acceptor, &stranger).await.unwrap_err();
        assert!(said.contains("UnknownIssuer"), "{said}");
    }
    assert_eq!(*reasons.lock().unwrap(), ["certificate", "certificate"]);
    let with_system = ClientTls { include_system_ca_certs_pool: true, ..trusting(&authority) };
    meet(&acceptor, &with_system).await.unwrap();
}

/// Scenario: a server that wants certificates of clients; a client with one, without one, with one of another authority, with one that is
/// over.
/// Guarantees: the first is served, the others are refused and counted.
#[tokio::test]
async fn clients_present_themselves() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clients.pem");
    std::fs::write(&file, theirs.0.pem()).unwrap();
    let options = ServerTls { client_ca_file: file.display().to_string(), ..ours.issue(4000).server() };
    let (acceptor, reasons) = watched(acceptor(&options));
    let client = |identity: Identity| ClientTls {
        cert_pem: Secret::new(identity.certificate),
        key_pem: Secret::new(identity.key),
        ..trusting(&ours)
    };
    meet(&acceptor, &client(theirs.issue(4000))).await.unwrap();
    for (stranger, expected) in [
        (trusting(&ours), "peer sent no certificates"),
        (client(ours.issue(4000)), "UnknownIssuer"),
        (client(theirs.issue(2000)), "expired"),
    ] {
        let (said, _) = meet(&acceptor, &stranger).await.unwrap_err();
        assert!(said.contains(expected), "{said}");
    }
    assert_eq!(*reasons.lock().unwrap(), ["certificate"; 3]);
}

/// Scenario: least and greatest versions that have something in common, or not.
/// Guarantees: they meet, or are incompatible.
#[tokio::test]
async fn versions() {
    let authority = Authority::new();
    let identity = authority.issue(4000);
    for (least, most, meets) in [("1.3", "1.2", false), ("1.2", "1.2", true), ("1.0", "", true), ("", "1.3", true)] {
        let (acceptor, reasons) = watched(acceptor(&ServerTls { min_version: least.to_owned(), ..identity.server() }));
        let client = ClientTls { max_version: most.to_owned(), ..trusting(&authority) };
        assert_eq!(meet(&acceptor, &client).await.is_ok(), meets, "{least} {most}");
        assert_eq!(reasons.lock().unwrap().as_slice(), if meets { &[][..] } else { &["incompatible"] });
    }
}

/// Scenario: cipher suites and curves that are the same, and others.
/// Guarantees: they decide, in TLS 1.2 the suites too; names without an implementation are passed over.
#[tokio::test]
async fn suites_and_curves() {
    let authority = Authority::new();
    let identity = authority.issue(4000);
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let (aes, chacha) = ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");
    let cbc = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA";
    for (server, client, most, meets) in [
        (aes, aes, "1.2", true),
        (aes, chacha, "1.2", false),
        // Those of 1.3 are not a matter of choice.
        (aes, chacha, "", true),
        (cbc, chacha, "", true),
    ] {
        let acceptor = acceptor(&ServerTls { cipher_suites: names(&[cbc, server]), ..identity.server() });
        let (cipher_suites, max_version) = (names(&[client]), most.to_owned());
        let client = ClientTls { cipher_suites, max_version, ..trusting(&authority) };
        assert_eq!(meet(&acceptor, &client).await.is_ok(), meets, "{server} {client:?}");
    }
    for (curves, meets) in [(["P256", "P521"], true), (["X25519", "X25519MLKEM768"], false)] {
        let curve_preferences = names(&["P384", "P256"]);
        let acceptor = acceptor(&ServerTls { curve_preferences, ..identity.server() });
        let client = ClientTls { curve_preferences: names(&curves), ..trusting(&authority) };
        assert_eq!(meet(&acceptor, &client).await.is_ok(), meets, "{curves:?}");
    }
}

/// Scenario: certificates that are over, of an unknown authority and for another name, with and without `insecure_skip_verify`.
/// Guarantees: refused without, accepted with it.
#[tokio::test]
async fn skip_verify() {
    let authority = Authority::new();
    let skipping = ClientTls { insecure_skip_verify: true, ..ClientTls::default() };
    for identity in [authority.issue(4000), authority.issue(2000)] {
        let acceptor = acceptor(&identity.server());
        assert!(meet(&acceptor, &ClientTls::default()).await.is_err());
        meet(&acceptor, &skipping).await.unwrap();
        let (max_version, server_name_override) = ("1.2".to_owned(), "elsewhere".to_owned());
        let old = ClientTls { max_version, server_name_override, ..skipping.clone() };
        meet(&acceptor, &old).await.unwrap();
    }
}

/// Scenario: a server with a certificate of X.509 version 1, as `openssl x509 -req` makes it without extensions.
/// Guarantees: it starts; clients that skip verification are served, others are not.
#[tokio::test]
async fn old_forms() {
    let (certificate, key) =
        (include_str!("data/version1.pem").to_owned(), include_str!("data/version1.key").to_owned());
    let acceptor = acceptor(&Identity { certificate: certificate.clone(), key }.server());
    for max_version in ["1.2", "1.3"] {
        let client = ClientTls {
            max_version: max_version.to_owned(),
            ca_pem: Secret::new(&certificate),
            ..ClientTls::default()
        };
        assert!(meet(&acceptor, &client).await.is_err());
        meet(&acceptor, &ClientTls { insecure_skip_verify: true, ..client }).await.unwrap();
    }
}

/// Scenario: another name than that of the certificate.
/// Guarantees: refused, and good again where it is overridden; with an address as well.
#[tokio::test]
async fn names() {
    let authority = Authority::new();
    let acceptor = acceptor(&authority.issue(4000).server());
    let named = |name: &str| ClientTls { server_name_override: name.to_owned(), ..trusting(&authority) };
    for other in ["elsewhere", "127.0.0.1"] {
        let (_, said) = meet(&acceptor, &named(other)).await.unwrap_err();
        assert!(said.contains("not valid for name"), "{said}");
    }
    meet(&acceptor, &named("localhost")).await.unwrap();
    for (host, expected) in [("[::1]", "not valid for name"), ("no name", "invalid dns name")] {
        let (ours, theirs) = duplex(1 << 16);
        let mut stream = acceptor.accept(theirs);
        let connector = trusting(&authority).connector(&[]).unwrap();
        let (connected, _) = tokio::join!(connector.connect(host, ours), async { drop(stream.read_u8().await) });
        let said = connected.unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    }
}

/// Scenario: a certificate as `openssl req -x509` makes it, which may sign others, is server's certificate, client's and authority at once.
/// Guarantees: accepted by who has it as an authority, as with Go; for another name, when it is over, or for who has another one, it is not.
#[tokio::test]
async fn its_own_authority() {
    let make = |until| {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        Identity { certificate: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
    };
    let client = |trusted: &Identity, own: &Identity| ClientTls {
        ca_pem: Secret::new(&trusted.certificate),
        cert_pem: Secret::new(&own.certificate),
        key_pem: Secret::new(&own.key),
        ..ClientTls::default()
    };
    let (good, other, over) = (make(4000), make(4000), make(2000));
    let folder = tempfile::tempdir().unwrap();
    let (client_ca_file, _) = good.write(folder.path());
    let acceptor_of =
        |identity: &Identity| acceptor(&ServerTls { client_ca_file: client_ca_file.clone(), ..identity.server() });
    meet(&acceptor_of(&good), &client(&good, &good)).await.unwrap();
    assert!(meet(&acceptor_of(&good), &client(&good, &other)).await.is_err(), "another client");
    assert!(meet(&acceptor_of(&good), &client(&other, &good)).await.is_err(), "another server");
    let named = ClientTls { server_name_override: "elsewhere".to_owned(), ..client(&good, &good) };
    assert!(meet(&acceptor_of(&good), &named).await.is_err(), "another name");
    assert!(meet(&acceptor_of(&over), &client(&over, &good)).await.is_err(), "over");
}

/// Scenario: clients that speak plain text, say nothing, or go away.
/// Guarantees: each ends with its reason, silence after ten seconds; the next client is served.
#[tokio::test(start_paused = true)]
async fn no_tls() {
    let authority = Authority::new();
    let (acceptor, reasons) = watched(acceptor(&authority.issue(4000).server()));
    let began = Instant::now();
    for (sent, closes) in [(&b"GET / HTTP/1.1\r\n\r\n"[..], false), (b"", true), (b"", false)] {
        let (mut ours, theirs) = duplex(1 << 16);
        ours.write_all(sent).await.unwrap();
        let kept = (!closes).then_some(ours);
        assert!(acceptor.accept(theirs).read_u8().await.is_err());
        drop(kept);
    }
    assert_eq!(*reasons.lock().unwrap(), ["plaintext", "closed", "timeout"]);
    assert!((9..12).contains(&began.elapsed().as_secs()));
    assert!(began.elapsed() >= Duration::from_secs(10));
    meet(&acceptor, &trusting(&authority)).await.unwrap();
}

/// Scenario: a connection begins without TLS and goes over to it after a first word.
/// Guarantees: what comes before and after is read as it was meant; a second time changes nothing.
#[tokio::test]
async fn goes_over_to_tls() {
    let authority = Authority::new();
    let acceptor = acceptor(&authority.issue(4000).server());
    let connector = trusting(&authority).connector(&[]).unwrap();
    let (mut ours, theirs) = duplex(1 << 16);
    let serve = async {
        let mut stream = Stream::plain(theirs);
        assert_eq!(stream.read_u8().await.unwrap(), b'?');
        stream.write_u8(b'S').await.unwrap();
        acceptor.upgrade(&mut stream);
        assert_eq!(stream.read_u8().await.unwrap(), b'!');
        acceptor.upgrade(&mut stream);
        stream.write_u8(b'.').await.unwrap();
        stream.flush().await.unwrap();
    };
    let ask = async {
        ours.write_u8(b'?').await.unwrap();
        assert_eq!(ours.read_u8().await.unwrap(), b'S');
        let mut stream = connector.connect("localhost", ours).await.unwrap();
        stream.write_u8(b'!').await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'.');
    };
    tokio::join!(serve, ask);
}
