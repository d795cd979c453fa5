//! What happens to components when their configuration changes, and to who is connected to them.

mod ports;
mod reload;

use std::net::TcpListener;
use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::*;
use crate::testing::{FACTORIES, World};

const PLAIN: &str = "
receivers: {probe/@-in: RECEIVER}
exporters: {probe/@-out: EXPORTER}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [probe/@-in], exporters: [probe/@-out]}}
";

/// A service whose configuration can be changed.
struct Rig {
    world: Arc<World>,
    yaml: Arc<Mutex<String>>,
    events: mpsc::Sender<Event>,
    news: mpsc::UnboundedReceiver<News>,
    service: JoinHandle<Result<(), ServiceError>>,
}

impl Rig {
    fn new(name: &'static str, yaml: &str) -> Self {
        Self::with_sockets(name, yaml, Sockets::default())
    }

    fn with_sockets(name: &'static str, yaml: &str, sockets: Sockets) -> Self {
        let world = World::new(name);
        let yaml = Arc::new(Mutex::new(fill(yaml)));
        let (of, read) = (Arc::clone(&world), Arc::clone(&yaml));
        let (teller, news) = mpsc::unbounded_channel();
        let service = Service {
            name: "spanmill",
            version: "0.0.0",
            factories: FACTORIES,
            load: Arc::new(move || of.document(&read.lock().unwrap())),
            log: Arc::new(|_| Ok(())),
            tell: Arc::new(move |news| {
                let _ = teller.send(news.clone());
            }),
            sockets: Arc::new(sockets),
            shutdown_timeout: Duration::from_secs(5),
        };
        let (events, receiver) = mpsc::channel(4);
        Self { world, yaml, events, news, service: tokio::spawn(service.run(receiver)) }
    }

    /// Starts, and waits until it runs.
    async fn running(name: &'static str, yaml: &str) -> Self {
        let mut rig = Self::new(name, yaml);
        assert_eq!(rig.news().await, News::Running);
        rig.world.events();
        rig
    }

    /// What is told next, but that something is under way.
    async fn news(&mut self) -> News {
        loop {
            match self.news.recv().await.unwrap() {
                News::Reloading => {}
                news => return news,
            }
        }
    }

    /// Changes the configuration and waits until that is done or refused. What happened meanwhile.
    async fn change(&mut self, yaml: &str) -> (News, Vec<String>) {
        self.reload(yaml).await;
        (self.news().await, self.world.events())
    }

    async fn reload(&self, yaml: &str) {
        *self.yaml.lock().unwrap() = fill(yaml);
        self.events.send(Event::Reload("test")).await.unwrap();
    }

    async fn stop(self) -> Result<(), ServiceError> {
        self.events.send(Event::Stop("test")).await.unwrap();
        self.service.await.unwrap()
    }
}

fn fill(yaml: &str) -> String {
    yaml.replace("RECEIVER", "").replace("EXPORTER", "")
}

/// Scenario: the service runs, is told to read a good configuration, and to stop.
/// Guarantees: the new receiver starts before the old one stops, and the exporter behind both runs on; in the end all has stopped and that is
/// success.
#[tokio::test]
async fn good_reload() {
    let mut rig = Rig::running("reload", PLAIN).await;
    let (news, events) = rig.change(&PLAIN.replace("probe/@-in", "probe/@-other")).await;
    assert_eq!((news, events), (News::Running, vec!["start receiver other".to_owned(), "stop receiver in".to_owned()]));
    let world = Arc::clone(&rig.world);
    rig.stop().await.unwrap();
    assert_eq!(world.events(), ["stop receiver other", "stop exporter out"]);
}

/// Scenario: the new configuration is wrong: no YAML, an unknown type, a wrong option.
/// Guarantees: nothing is stopped, it is told why, with option and line, and the service still obeys.
#[tokio::test]
async fn bad_reload_keeps_what_runs() {
    let mut rig = Rig::running("bad", PLAIN).await;
    for (yaml, why) in [
        ("receivers: [".to_owned(), "invalid YAML"),
        (PLAIN.replace("probe/@-in", "nonsense/@-in"), "unknown type"),
        (PLAIN.replace("EXPORTER", "{color: red}"), "3: exporters::probe/bad-out: unknown key \"color\""),
    ] {
        let (news, events) = rig.change(&yaml).await;
        assert!(matches!(&news, News::Refused(reason) if reason.contains(why)), "{news:?}");
        assert_eq!(events, [""; 0]);
    }
    let world = Arc::clone(&rig.world);
    rig.stop().await.unwrap();
    assert_eq!(world.events(), ["stop receiver in", "stop exporter out"]);
}

/// Scenario: the new configuration is right but does not start.
/// Guarantees: what had started of it is stopped; the old one never noticed.
#[tokio::test]
async fn failed_reload_changes_nothing() {
    let mut rig = Rig::running("back", PLAIN).await;
    let new = PLAIN.replace("probe/@-in: RECEIVER", "probe/@-new: {fails_to_start: true}").replace("@-in", "@-new");
    let (news, events) = rig.change(&new).await;
    assert_eq!(news, News::Refused("failed to start \"probe/back-new\" receiver: no luck".to_owned()));
    assert_eq!(events, ["stop receiver new"]);
    rig.stop().await.unwrap();
}

/// Scenario: the configuration is wrong at the start; a component does not start; one that runs can no longer work.
/// Guarantees: each ends the service with an error that says why; the last one after everything was stopped.
#[tokio::test]
async fn errors_end_the_service() {
    let rig = Rig::new("wrong", &PLAIN.replace("probe/@-in", "nonsense/@-in"));
    let error = rig.service.await.unwrap().unwrap_err().to_string();
    assert!(error.contains("unknown type: \"nonsense\""), "{error}");

    let rig = Rig::new("luckless", &PLAIN.replace("RECEIVER", "{fails_to_start: true}"));
    let error = rig.service.await.unwrap().unwrap_err().to_string();
    assert_eq!(error, "cannot start pipelines: failed to start \"probe/luckless-in\" receiver: no luck");

    let rig = Rig::new("fatal", PLAIN);
    rig.world.until("start receiver in").await;
    rig.world.host().fatal("the disk is full");
    let error = rig.service.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the disk is full");
    assert_eq!(rig.world.events(), ["stop receiver in", "stop exporter out"]);
}

/// Scenario: an exporter never stops; the service is told once, and in another run twice.
/// Guarantees: after the limit it ends with an error that names the exporter; told twice it ends at once.
#[tokio::test(start_paused = true)]
async fn second_stop_does_not_wait() {
    let yaml = PLAIN.replace("EXPORTER", "{never_stops: true}");
    let rig = Rig::new("patient", &yaml);
    rig.world.until("start receiver in").await;
    let error = rig.stop().await.unwrap_err().to_string();
    assert_eq!(error, "failed to shut down cleanly: \"probe/patient-out\" exporter was not done in time");

    let rig = Rig::new("hasty", &yaml);
    rig.world.until("start receiver in").await;
    let began = tokio::time::Instant::now();
    rig.events.send(Event::Stop("first")).await.unwrap();
    rig.world.until("stop exporter out").await;
    let error = rig.stop().await.unwrap_err();
    assert!(matches!(error, ServiceError::Interrupted), "{error}");
    assert_eq!(began.elapsed(), Duration::ZERO);
}

/// Scenario: a receiver takes for ever to start, when the service is told to read its configuration again, and then to stop.
/// Guarantees: what had started is stopped, and that is success.
#[tokio::test]
async fn stops_while_it_starts() {
    let rig = Rig::new("early", &PLAIN.replace("RECEIVER", "{never_starts: true}"));
    rig.world.until("begin receiver in").await;
    rig.reload(PLAIN).await;
    let world = Arc::clone(&rig.world);
    rig.stop().await.unwrap();
    assert_eq!(world.events(), ["stop receiver in", "stop exporter out"]);
}

/// Scenario: own metrics are shown at one port, then by a reload at another, then not at all.
/// Guarantees: the page has the Collector's names, attributes of the configuration, and none that it takes away; the old port is free each time.
#[tokio::test]
async fn own_metrics() {
    let [first, second] = [free_port(), free_port()];
    let at = |port: u16| {
        let reader =
            format!("{{readers: [{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: {port}}}}}}}}}]}}");
        PLAIN.replace("{level: none}", &format!("{reader}, resource: {{zone.name: a, service.version: }}"))
    };
    let mut rig = Rig::running("metrics", &at(first)).await;
    let page = get(first).await;
    let expected =
        ["\notelcol_process_uptime 0.", "# TYPE otelcol_process_uptime counter", "target_info{service_instance_id="];
    for line in expected {
        assert!(page.contains(line), "{line} in {page}");
    }
    assert!(page.contains("zone_name=\"a\"} 1") && !page.contains("service_version"), "{page}");
    let (news, events) = rig.change(&at(second)).await;
    // What is counted is the same, wherever it is shown.
    assert_eq!((news, events), (News::Running, Vec::new()));
    assert!(get(second).await.contains("otelcol_process_uptime"));
    TcpListener::bind(("127.0.0.1", first)).unwrap();

    let (_, events) = rig.change(PLAIN).await;
    let all_anew = ["start exporter out", "start receiver in", "stop receiver in", "stop exporter out"];
    assert_eq!(events, all_anew);
    TcpListener::bind(("127.0.0.1", second)).unwrap();
    rig.stop().await.unwrap();
}

/// Scenario: own metrics with a certificate, and with a file that is not there.
/// Guarantees: they are shown over TLS, and not without; what is wrong ends the start.
#[tokio::test]
async fn own_metrics_over_tls() {
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let port = free_port();
    let with = |certificate: &str| {
        let tls = format!("{{{certificate}, key_pem: {:?}}}", pair.signing_key.serialize_pem());
        let reader = format!("{{host: 127.0.0.1, port: {port}, tls: {tls}}}");
        PLAIN.replace("{level: none}", &format!("{{readers: [{{pull: {{exporter: {{prometheus: {reader}}}}}}}]}}"))
    };
    let rig = Rig::running("secured", &with(&format!("cert_pem: {:?}", pair.cert.pem()))).await;
    let authority = spanmill_config::Secret::new(pair.cert.pem());
    let options = spanmill_tls::ClientTls { ca_pem: authority, ..Default::default() };
    let connector = options.connector(&[]).unwrap();
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut stream = connector.connect("localhost", stream).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).await.unwrap();
    assert!(page.contains("otelcol_process_uptime"), "{page}");
    let mut plain = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    plain.write_all(b"GET /metrics HTTP/1.1\r\nhost: here\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!String::from_utf8_lossy(&answer).contains("otelcol"), "{answer:?}");
    rig.stop().await.unwrap();

    let rig = Rig::new("unsecured", &with("cert_file: /nowhere"));
    let error = rig.service.await.unwrap().unwrap_err().to_string();
    assert!(error.starts_with("service::telemetry::metrics: cannot listen on 127.0.0.1"), "{error}");
    assert!(error.contains("/nowhere"), "{error}");
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn get(port: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).await.unwrap();
    page
}
