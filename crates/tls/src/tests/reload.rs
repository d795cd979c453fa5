use spanmill_config::Duration;

use super::*;

/// A time that is always over.
const ALWAYS: Duration = Duration::from_nanos(1);

/// Scenario: a server's certificate is over; it is renewed, first the certificate and then the key, then with rubbish, and then it is
/// removed.
/// Guarantees: refused while it is over, served as soon as both files are there, without a restart; what cannot be used changes nothing.
#[tokio::test]
async fn renewed_server() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let (cert_file, key_file) = authority.issue(2000).write(folder.path());
    let options = ServerTls {
        cert_file: cert_file.clone(),
        key_file: key_file.clone(),
        reload_interval: ALWAYS,
        ..ServerTls::default()
    };
    let (acceptor, client) = (acceptor(&options), trusting(&authority));
    let (_, said) = meet(&acceptor, &client).await.unwrap_err();
    assert!(said.contains("expired"), "{said}");

    let renewed = authority.issue(4000);
    std::fs::write(&cert_file, &renewed.certificate).unwrap();
    let (_, said) = meet(&acceptor, &client).await.unwrap_err();
    assert!(said.contains("expired"), "the key is still the old one: {said}");
    std::fs::write(&key_file, &renewed.key).unwrap();
    meet(&acceptor, &client).await.unwrap();

    std::fs::write(&cert_file, "rubbish").unwrap();
    meet(&acceptor, &client).await.unwrap();
    std::fs::remove_file(&cert_file).unwrap();
    meet(&acceptor, &client).await.unwrap();
}

/// Scenario: the same without `reload_interval`.
/// Guarantees: what was read at the start stays.
#[tokio::test]
async fn not_renewed() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let (cert_file, key_file) = authority.issue(4000).write(folder.path());
    let acceptor = acceptor(&ServerTls { cert_file, key_file, ..ServerTls::default() });
    authority.issue(2000).write(folder.path());
    meet(&acceptor, &trusting(&authority)).await.unwrap();
}

/// Scenario: a client's certificate and authority change, with a client that was made once.
/// Guarantees: the next connection has the new ones.
#[tokio::test]
async fn renewed_client() {
    let (ours, next) = (Authority::new(), Authority::new());
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem").display().to_string();
    std::fs::write(&ca_file, ours.0.pem()).unwrap();
    let client_ca_file = folder.path().join("clients.pem").display().to_string();
    std::fs::write(&client_ca_file, next.0.pem()).unwrap();
    let (cert_file, key_file) = ours.issue(4000).write(folder.path());
    let client =
        ClientTls { ca_file: ca_file.clone(), cert_file, key_file, reload_interval: ALWAYS, ..Default::default() };
    let connector = client.connector(&[]).unwrap();

    let acceptor = acceptor(&ServerTls { client_ca_file, ..next.issue(4000).server() });
    let serve = || async {
        let (one, other) = duplex(1 << 16);
        let asking = async {
            let mut stream = connector.connect("localhost", one).await?;
            stream.write_u8(1).await?;
            // Kept open: the server still has tickets to send.
            Ok(stream)
        };
        let mut stream = acceptor.accept(other);
        let (asked, read) = tokio::join!(asking, stream.read_u8());
        asked.and(read)
    };
    assert!(serve().await.is_err(), "neither knows the other");
    std::fs::write(&ca_file, next.0.pem()).unwrap();
    assert!(serve().await.is_err(), "the server does not know the client");
    next.issue(4000).write(folder.path());
    serve().await.unwrap();
}

/// Scenario: `client_ca_file_reload`, and another authority a second later.
/// Guarantees: clients of the old one are not served any more, those of the new one are.
#[tokio::test]
async fn renewed_clients() {
    let (ours, old, new) = (Authority::new(), Authority::new(), Authority::new());
    let folder = tempfile::tempdir().unwrap();
    let client_ca_file = folder.path().join("clients.pem").display().to_string();
    std::fs::write(&client_ca_file, old.0.pem()).unwrap();
    let options = ServerTls {
        client_ca_file: client_ca_file.clone(),
        client_ca_file_reload: true,
        // The less of the two times counts.
        reload_interval: ALWAYS,
        ..ours.issue(4000).server()
    };
    let acceptor = acceptor(&options);
    let client = |authority: &Authority| {
        let identity = authority.issue(4000);
        let (cert_pem, key_pem) = (Secret::new(identity.certificate), Secret::new(identity.key));
        ClientTls { cert_pem, key_pem, ..trusting(&ours) }
    };
    meet(&acceptor, &client(&old)).await.unwrap();
    std::fs::write(&client_ca_file, new.0.pem()).unwrap();
    meet(&acceptor, &client(&new)).await.unwrap();
    assert!(meet(&acceptor, &client(&old)).await.is_err());
}
