mod handshake;
mod options;
mod reload;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use spanmill_config::{Secret, Section};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use crate::{Acceptor, ClientTls, ServerTls};

/// An authority that signs certificates.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
#[derive(Clone)]
struct Identity {
    certificate: String,
    key: String,
}

// === impl Authority ===

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Authorities are known by their names: two of one name would be one that signs wrongly.
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!("authority {}", MADE.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> Secret {
        Secret::new(self.0.pem())
    }

    /// A certificate for `localhost` that ends in that year.
    fn issue(&self, until: i32) -> Identity {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap().pem();
        Identity { certificate, key: key.serialize_pem() }
    }
}

// === impl Identity ===

impl Identity {
    fn server(&self) -> ServerTls {
        let (cert_pem, key_pem) = (Secret::new(&self.certificate), Secret::new(&self.key));
        ServerTls { cert_pem, key_pem, ..ServerTls::default() }
    }

    fn write(&self, folder: &Path) -> (String, String) {
        let paths = ["cert.pem", "key.pem"].map(|name| folder.join(name).display().to_string());
        std::fs::write(&paths[0], &self.certificate).unwrap();
        std::fs::write(&paths[1], &self.key).unwrap();
        paths.into()
    }
}

fn trusting(authority: &Authority) -> ClientTls {
    ClientTls { ca_pem: authority.pem(), ..ClientTls::default() }
}

fn acceptor(options: &ServerTls) -> Acceptor {
    options.check(&Section::empty("server"), "tls").unwrap();
    options.acceptor(&[]).unwrap()
}

/// Sends a word there and back, through a client of `options` that connects to `localhost`. What each side says where it does not work.
async fn meet(acceptor: &Acceptor, options: &ClientTls) -> Result<(), (String, String)> {
    let (ours, theirs) = duplex(1 << 16);
    let echo = async {
        let mut stream = acceptor.accept(theirs);
        let mut word = [0; 5];
        stream.read_exact(&mut word).await?;
        stream.write_all(&word).await?;
        stream.shutdown().await
    };
    let (served, answered) = tokio::join!(echo, ask(options, ours));
    let text = |result: Result<(), std::io::Error>| result.err().map(|error| error.to_string());
    match (text(served), text(answered)) {
        (None, None) => Ok(()),
        (served, answered) => Err((served.unwrap_or_default(), answered.unwrap_or_default())),
    }
}

async fn ask(options: &ClientTls, stream: DuplexStream) -> std::io::Result<()> {
    options.check(&Section::empty("client"), "tls").unwrap();
    let mut stream = options.connector(&[]).unwrap().connect("localhost", stream).await?;
    stream.write_all(b"hello").await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    assert_eq!(answer, b"hello");
    Ok(())
}

/// The acceptor with the reasons of failures that it told.
fn watched(acceptor: Acceptor) -> (Acceptor, Arc<Mutex<Vec<&'static str>>>) {
    let reasons = Arc::<Mutex<Vec<_>>>::default();
    let told = Arc::clone(&reasons);
    (acceptor.on_failure(move |reason| told.lock().unwrap().push(reason)), reasons)
}
