use spanmill_config::{PipelineConfig, Section};

use super::*;

fn shown() -> Shown {
    let ids = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<ComponentId>>();
    let pipeline = |receivers: &[&str], processors: &[&str], exporters: &[&str]| PipelineConfig {
        receivers: ids(receivers),
        processors: ids(processors),
        exporters: ids(exporters),
    };
    let layout = Layout {
        pipelines: vec![
            ("traces".parse().unwrap(), pipeline(&["otlp"], &["batch", "filter/x"], &["nop", "forward"])),
            ("traces/two".parse().unwrap(), pipeline(&["forward"], &[], &["debug"])),
        ],
        connectors: ids(&["forward"]),
        extensions: ids(&["zpages", "health_check"]),
    };
    let operations = Arc::new(Operations::default());
    operations.watch();
    let layout = Arc::new(layout);
    Shown { layout: Box::new(move || Arc::clone(&layout)), operations, began: Timestamp::UNIX_EPOCH, expvar: false }
}

fn body(shown: &Shown, path: &str, query: &str) -> String {
    let page = shown.page(path, &Query(query)).unwrap();
    assert_eq!((page.status, page.content_type), (200, "text/html; charset=utf-8"));
    String::from_utf8(page.body.to_vec()).unwrap()
}

/// Scenario: each page, with and without a query, and paths that are none.
/// Guarantees: pipelines and extensions with their parts by name, connectors marked as such; a query's names are shown and are no markup.
#[test]
fn pages() {
    let shown = shown();
    let service = body(&shown, "/debug/servicez", "");
    assert!(service.contains("<h2>Service spanmill</h2>") && service.contains("<a href=\"pipelinez\">Pipelines</a>"));
    let pipelines = body(&shown, "/debug/pipelinez", "");
    for expected in [
        "<td>traces</td><td>traces</td><td>false</td>",
        "&zcomponentname=filter%2Fx&zcomponentkind=processor".replace('&', "&amp;").as_str(),
        ">forward (connector)</a>",
        "<td>&rarr;</td>",
    ] {
        assert!(pipelines.contains(expected), "{expected}: {pipelines}");
    }
    let asked = body(&shown, "/debug/pipelinez", "zpipelinename=traces&zcomponentname=%3Cb%3E&zcomponentkind=receiver");
    assert!(asked.contains("<h3>receiver &lt;b&gt; in traces</h3>"), "{asked}");
    let extensions = body(&shown, "/debug/extensionz", "zextensionname=zpages");
    let (first, second) = (extensions.find("health_check").unwrap(), extensions.find("zpages").unwrap());
    assert!(first < second && extensions.contains("<h3>zpages</h3>"));
    assert!(body(&shown, "/debug/featurez", "").contains("There are none"));
    for path in ["/", "/debug", "/debug/expvarz", "/debug/servicez/"] {
        assert!(shown.page(path, &Query("")).is_none(), "{path}");
    }
    let with_variables = Shown { expvar: true, ..shown };
    assert_eq!(with_variables.page("/debug/expvarz", &Query("")).unwrap().content_type, "application/json");
}

/// Scenario: operations that went well and wrong.
/// Guarantees: the table counts them, and each sort can be asked for.
#[test]
fn operations() {
    let shown = shown();
    let name: Arc<str> = "receiver/otlp/TraceDataReceived".into();
    shown.operations.begin(&name).unwrap().end(Some("data refused <now>".to_owned()));
    let table = body(&shown, "/debug/tracez", "");
    assert!(table.contains("<td>receiver/otlp/TraceDataReceived</td><td>0</td>"), "{table}");
    assert!(table.contains("<th>&gt;10ms</th>"), "{table}");
    let errors = body(&shown, "/debug/tracez", "zspanname=receiver%2Fotlp%2FTraceDataReceived&ztype=2");
    assert!(errors.contains("<p>1 samples</p>") && errors.contains("data refused &lt;now&gt;"), "{errors}");
    let running = body(&shown, "/debug/tracez", "zspanname=nothing&ztype=0&zlatencybucket=99");
    assert!(running.contains("<p>0 samples</p>"));
}

/// Scenario: options of a server, and such that are not supported.
/// Guarantees: what would leave the pages open to more than was meant is refused.
#[test]
fn options() {
    let read = |yaml: &str| Config::read(&Section::from_yaml("extensions::zpages", yaml).unwrap());
    assert_eq!(read("").unwrap().endpoint, "localhost:55679");
    assert!(read("{endpoint: ':1', expvar: {enabled: true}, cors: {allowed_origins: [x]}, read_timeout: 1s}").is_ok());
    assert!(read("{tls: {cert_file: a, key_file: b}, auth: {authenticator: x}}").is_ok());
    for (yaml, expected) in [
        ("{endpoint: ''}", "\"endpoint\" is required when using the \"zpages\" extension"),
        ("{tls: {cert_file: a}}", "TLS configuration must include both certificate and key"),
        ("{middlewares: [{id: x}]}", "middlewares: is not supported"),
        ("{cors: {on: true}}", "unknown key"),
        ("{transport: udp}", "transport"),
    ] {
        let error = read(yaml).unwrap_err().to_string();
        assert!(error.contains(expected), "{yaml}: {error}");
    }
}
