//! The receiver and the exporters over TLS, on loopback.

use std::net::IpAddr;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use spanmill_otlp::{Limits, Traces, json};
use spanmill_pipeline::{Client, Node};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::exporters::{load_balancing, otlp_grpc, otlp_http};
use crate::extensions::api_keys;

type Authority = CertifiedIssuer<'static, KeyPair>;

/// Long enough for anything that will happen at all.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// What is known of a client: its address, its tenant.
type Seen = (Option<IpAddr>, Option<String>);

/// Notes from whom batches come.
#[derive(Default)]
struct Sink(Mutex<Vec<Seen>>);

/// A receiver over TLS, its files and its ports.
struct Secured {
    receiver: Arc<dyn Component>,
    sink: Arc<Sink>,
    telemetry: Telemetry,
    folder: TempDir,
    authority: Authority,
    grpc: u16,
    http: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Grpc,
    Http,
    Balanced,
}

const KINDS: [Kind; 3] = [Kind::Grpc, Kind::Http, Kind::Balanced];

#[async_trait]
impl Consumer for Sink {
    async fn consume(&self, _: Batch) -> Result<(), ConsumeError> {
        let seen = Client::current(|client| (client.address, client.tenant.as_ref().map(ToString::to_string)));
        self.0.lock().unwrap().push(seen);
        Ok(())
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Writes a certificate for `localhost` that ends in that year, and its key.
fn issue(authority: &Authority, until: i32, folder: &Path, name: &str) {
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_after = date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().unwrap();
    std::fs::write(folder.join(format!("{name}.pem")), params.signed_by(&key, authority).unwrap().pem()).unwrap();
    std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
}

// === impl Secured ===

impl Secured {
    /// Starts it with more options of `tls`, and of the protocols; its certificate ends in that year.
    async fn start(until: i32, tls: &str, more: &str, host: &Host) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        issue(&authority, until, folder.path(), "server");
        let (grpc, http) = (free_port(), free_port());
        let at = folder.path().display();
        let tls = tls.replace("DIR", &at.to_string());
        let tls = format!("tls: {{cert_file: {at}/server.pem, key_file: {at}/server.key, {tls}}}, {more}");
        let yaml = format!(
            "{{protocols: {{grpc: {{endpoint: '127.0.0.1:{grpc}', {tls}}}, http: {{endpoint: '127.0.0.1:{http}', {tls}}}}}}}"
        );
        let (sink, telemetry) = (Arc::new(Sink::default()), Telemetry::default());
        let id = ComponentId::new("otlp", "").unwrap();
        let section = Section::from_yaml("receivers::otlp", &yaml).unwrap();
        let outputs = Outputs { traces: Some(Arc::clone(&sink) as _), ..Outputs::default() };
        let receiver =
            (FACTORY.create)(Context { id: &id, section: &section, telemetry: &telemetry }, outputs).unwrap();
        receiver.start(host).await.unwrap();
        Self { receiver, sink, telemetry, folder, authority, grpc, http }
    }

    /// An exporter that sends there, with options of its `tls` and others. `DIR` is the folder with the files.
    async fn exporter(&self, kind: Kind, tls: &str, more: &str) -> Arc<dyn Node> {
        let (grpc, http) = (self.grpc, self.http);
        let tls = tls.replace("DIR", &self.folder.path().display().to_string());
        let rest = format!(
            "tls: {{{tls}}}, timeout: 5s, sending_queue: {{enabled: false}}, retry_on_failure: {{enabled: false}}, {more}"
        );
        let (factory, yaml) = match kind {
            Kind::Grpc => (otlp_grpc::FACTORY, format!("{{endpoint: 'localhost:{grpc}', {rest}}}")),
            Kind::Http => (otlp_http::FACTORY, format!("{{endpoint: 'https://localhost:{http}', {rest}}}")),
            Kind::Balanced => {
                let resolver = format!("{{static: {{hostnames: ['localhost:{grpc}']}}}}");
                (load_balancing::FACTORY, format!("{{protocol: {{otlp: {{{rest}}}}}, resolver: {resolver}}}"))
            }
        };
        let id = ComponentId::new("exporter", "").unwrap();
        let section = Section::from_yaml("exporters::exporter", &yaml).unwrap();
        let exporter = (factory.create)(Context { id: &id, section: &section, telemetry: &Telemetry::default() });
        let exporter = exporter.unwrap_or_else(|error| panic!("{yaml}: {error}"));
        exporter.start(&host()).await.unwrap();
        exporter
    }

    /// Sends one request through a new exporter.
    async fn send(&self, kind: Kind, tls: &str, more: &str) -> Result<(), ConsumeError> {
        let exporter = self.exporter(kind, tls, more).await;
        let sent = send(&*exporter).await;
        exporter.shutdown().await.unwrap();
        sent
    }

    fn failures(&self, transport: &str, reason: &str) -> u64 {
        let labels = [("receiver", "otlp"), ("transport", transport), ("reason", reason)];
        self.telemetry.counter("spanmill_receiver_tls_failures", "", &labels).get()
    }
}

async fn send(exporter: &dyn Node) -> Result<(), ConsumeError> {
    // A balancer goes by the trace.
    let text = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"00000000000000000000000000000001","spanId":"0000000000000001","name":"s"}]}]}]}"#;
    let bytes = json::to_protobuf(Signal::Traces, text.as_bytes(), &Limits::default()).unwrap();
    let traces = Traces::parse(bytes.into()).unwrap();
    exporter.consume(traces.into()).await
}

/// Scenario: all exporters send to a receiver that wants certificates of clients: with one, without, with an unknown authority, and by an
/// address that the certificate does not have.
/// Guarantees: the first arrive, with the client's address; the others do not, and are told why; the receiver counts them.
#[tokio::test]
async fn both_present_certificates() {
    let secured = Secured::start(4000, "client_ca_file: DIR/ca.pem", "", &host()).await;
    issue(&secured.authority, 4000, secured.folder.path(), "client");
    let ours = "ca_file: DIR/ca.pem, cert_file: DIR/client.pem, key_file: DIR/client.key";
    for kind in KINDS {
        secured.send(kind, ours, "").await.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        let error = secured.send(kind, "ca_file: DIR/ca.pem", "").await.unwrap_err();
        assert!(error.retryable, "{kind:?}: {error}");
        let error = secured.send(kind, "cert_file: DIR/client.pem, key_file: DIR/client.key", "").await.unwrap_err();
        assert!(error.message.contains("UnknownIssuer"), "{kind:?}: {error}");
        let error = secured.send(kind, &format!("{ours}, server_name_override: elsewhere"), "").await.unwrap_err();
        assert!(error.message.contains("not valid for name"), "{kind:?}: {error}");
    }
    let error = secured.send(Kind::Grpc, ours, "authority: 'elsewhere:1'").await.unwrap_err();
    assert!(error.message.contains("not valid for name"), "{error}");
    let loopback = Some(IpAddr::from([127, 0, 0, 1]));
    assert_eq!(*secured.sink.0.lock().unwrap(), [(loopback, None), (loopback, None), (loopback, None)]);
    // An alert may be read a moment after the client has gone.
    let counted = async {
        while secured.failures("grpc", "certificate") < 6 || secured.failures("http", "certificate") < 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, counted).await.unwrap();
    secured.receiver.shutdown().await.unwrap();
}

/// Scenario: the server's certificate is over, and is renewed while everything runs.
/// Guarantees: refused before, also with exporters that have been running; afterwards the same exporters get through.
#[tokio::test]
async fn renewed_while_running() {
    let secured = Secured::start(2000, "reload_interval: 1ns", "", &host()).await;
    let mut exporters = Vec::new();
    for kind in KINDS {
        let exporter = secured.exporter(kind, "ca_file: DIR/ca.pem", "").await;
        let error = send(&*exporter).await.unwrap_err();
        assert!(error.message.contains("expired"), "{kind:?}: {error}");
        secured.send(kind, "insecure_skip_verify: true", "").await.unwrap();
        exporters.push(exporter);
    }
    issue(&secured.authority, 4000, secured.folder.path(), "server");
    for exporter in exporters {
        send(&*exporter).await.unwrap();
        exporter.shutdown().await.unwrap();
    }
    secured.receiver.shutdown().await.unwrap();
}

/// Scenario: the receiver speaks TLS 1.3 at least; clients speak 1.2 at most, or plain text, or nothing.
/// Guarantees: they are refused and counted, a silent one holds up nobody, and others are served as before.
#[tokio::test]
async fn strangers_do_no_harm() {
    let secured = Secured::start(4000, "min_version: '1.3'", "", &host()).await;
    let mut silent = Vec::new();
    for port in [secured.grpc, secured.http] {
        silent.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
        let mut plain = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        plain.write_all(b"POST /v1/traces HTTP/1.1\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        // A reset is as good an answer as an alert.
        let _ = plain.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    }
    for kind in KINDS {
        secured.send(kind, "ca_file: DIR/ca.pem", "").await.unwrap();
        assert!(secured.send(kind, "ca_file: DIR/ca.pem, max_version: '1.2'", "").await.is_err(), "{kind:?}");
    }
    for transport in ["grpc", "http"] {
        assert_eq!(secured.failures(transport, "plaintext"), 1, "{transport}");
        assert!(secured.failures(transport, "incompatible") >= 1, "{transport}");
    }
    secured.receiver.shutdown().await.unwrap();
}

/// Scenario: API keys over TLS, in the header and as a bearer's token; another key, and none.
/// Guarantees: the tenant is known to the pipeline; others are told that they are not known, and are counted.
#[tokio::test]
async fn tenants() {
    let id = ComponentId::new("api_keys", "").unwrap();
    let yaml = "keys: [{tenant: shop, api_key: 0123456789abcdef}]";
    let section = Section::from_yaml("extensions::api_keys", yaml).unwrap();
    let telemetry = Telemetry::default();
    let keys = (api_keys::FACTORY.create)(Context { id: &id, section: &section, telemetry: &telemetry }).unwrap();
    let host = Host::new(HashMap::from([(id, keys)]), mpsc::unbounded_channel().0);
    let secured = Secured::start(4000, "", "auth: {authenticator: api_keys}", &host).await;
    for kind in KINDS {
        for header in ["x-api-key: 0123456789abcdef", "authorization: Bearer 0123456789abcdef"] {
            secured.send(kind, "ca_file: DIR/ca.pem", &format!("headers: {{{header}}}")).await.unwrap();
        }
        let error = secured.send(kind, "ca_file: DIR/ca.pem", "headers: {x-api-key: other}").await.unwrap_err();
        assert!(error.message.contains("the API key is not known") && !error.retryable, "{kind:?}: {error}");
        assert!(secured.send(kind, "ca_file: DIR/ca.pem", "").await.is_err());
    }
    let seen = secured.sink.0.lock().unwrap().clone();
    assert_eq!(seen, vec![(Some([127, 0, 0, 1].into()), Some("shop".to_owned())); 6]);
    let refused = |transport: &str| {
        let labels = [("receiver", "otlp"), ("transport", transport)];
        secured.telemetry.counter("spanmill_receiver_unauthenticated_requests", "", &labels).get()
    };
    assert_eq!((refused("grpc"), refused("http")), (4, 2));
    secured.receiver.shutdown().await.unwrap();
}

/// Scenario: a certificate that is not there.
/// Guarantees: the start fails, with the file's name, and no port is open.
#[tokio::test]
async fn nothing_without_a_certificate() {
    let port = free_port();
    let yaml = format!(
        "{{protocols: {{grpc: {{endpoint: '127.0.0.1:{port}', tls: {{cert_file: /nowhere/a, key_file: /nowhere/b}}}}}}}}"
    );
    let sink = Arc::new(Backend {
        taken: Mutex::default(),
        answer: Mutex::new(Ok(())),
        ready: Mutex::new(Ok(())),
        entered: Notify::new(),
        gate: Semaphore::new(1),
    });
    let receiver = create(&yaml, &Telemetry::default(), &sink);
    let error = receiver.start(&host()).await.unwrap_err().to_string();
    assert!(error.contains("failed to load TLS config: cert_file: failed to load /nowhere/a"), "{error}");
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
}
