use std::io;
use std::net::TcpListener as StdListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::tests::{Rig, free_port};
use super::*;

/// Two pipelines behind one receiver, a connector to a third.
const WIRED: &str = "
receivers: {probe/@-in: $IN}
processors: {probe/@-a: $A, probe/@-b: , probe/@-c: $C}
exporters: {probe/@-1: $ONE, probe/@-2: , probe/@-3: }
connectors: {join/@-x: }
extensions: {probe/@-e: $E, probe/@-f: $F}
service:
  extensions: [probe/@-e, probe/@-f]
  telemetry: {metrics: {level: none}}
  pipelines:
    traces/one: {receivers: [probe/@-in], processors: [probe/@-a], exporters: [probe/@-1, probe/@-2]}
    traces/two: {receivers: [probe/@-in], processors: [probe/@-b], exporters: [probe/@-2, join/@-x]}
    traces/three: {receivers: [join/@-x], processors: [probe/@-c], exporters: [probe/@-3]}
";

/// The configuration with some components changed.
fn wired(changes: &[(&str, &str)]) -> String {
    let all = ["$IN", "$A", "$C", "$ONE", "$E", "$F"];
    let filled = changes.iter().fold(WIRED.to_owned(), |yaml, (name, options)| yaml.replace(name, options));
    all.iter().fold(filled, |yaml, name| yaml.replace(name, ""))
}

const CHANGED: &str = "{note: changed}";

/// Scenario: a component changes: nothing, the receiver, a processor, one behind a connector, an exporter of one pipeline of two, an extension
/// that nobody asked for.
/// Guarantees: that component and all that send to it are started and then stopped, in order, and nothing else.
#[tokio::test]
async fn only_what_changed() {
    let cases: [(&'static str, &str, &[&str]); 6] = [
        ("none", "", &[]),
        ("recv", "$IN", &["receiver in"]),
        ("proc", "$A", &["processor a", "receiver in"]),
        ("deep", "$C", &["processor c", "connector x", "processor b", "receiver in"]),
        ("expo", "$ONE", &["exporter 1", "processor a", "receiver in"]),
        ("exte", "$E", &["extension e"]),
    ];
    for (name, changed, parts) in cases {
        let mut rig = Rig::running(name, &wired(&[])).await;
        let (news, events) = rig.change(&wired(&[(changed, CHANGED)][..usize::from(!changed.is_empty())])).await;
        assert_eq!(news, News::Running);
        let starts = parts.iter().map(|part| format!("start {part}"));
        let stops: Vec<String> = events.iter().filter(|event| event.starts_with("stop ")).cloned().collect();
        let told = |event: &&String| !event.contains("ready");
        assert_eq!(
            events.iter().filter(told).take(parts.len()).cloned().collect::<Vec<_>>(),
            starts.collect::<Vec<_>>()
        );
        let mut stopped: Vec<String> = stops.iter().map(|stop| stop.replace("stop ", "")).collect();
        // Exporters stop last, whatever the order.
        stopped.sort();
        let mut expected: Vec<String> = parts.iter().map(ToString::to_string).collect();
        expected.sort();
        assert_eq!(stopped, expected, "{name}");
        if let Some(first) = stops.first().filter(|_| parts.contains(&"receiver in")) {
            assert_eq!(first, "stop receiver in");
        }
        rig.stop().await.unwrap();
    }
}

/// Scenario: the targets of a pipeline change their order; a pipeline more names an exporter; lines are put before everything.
/// Guarantees: another fan-out makes other senders, the exporters stay; who sends to an exporter does not matter to it; lines do not matter.
#[tokio::test]
async fn wires_and_lines() {
    let mut rig = Rig::running("wires", &wired(&[])).await;
    let (_, events) = rig.change(&wired(&[]).replace("[probe/@-1, probe/@-2]", "[probe/@-2, probe/@-1]")).await;
    let expected = ["start processor a", "start receiver in", "stop receiver in", "stop processor a"];
    assert_eq!(events, expected);

    let with = wired(&[]) + "    traces/four: {receivers: [probe/@-in], exporters: [probe/@-3]}\n";
    let with = with.replace("[probe/@-1, probe/@-2]", "[probe/@-2, probe/@-1]");
    let (_, events) = rig.change(&with).await;
    assert_eq!(events, ["start receiver in", "stop receiver in"]);
    let (_, events) = rig.change(&format!("# A line.\n\n{with}")).await;
    assert_eq!(events, [""; 0]);
    rig.stop().await.unwrap();
}

/// Scenario: an exporter asks for an extension, which asks for another one that changes; and a file that an exporter read changes.
/// Guarantees: whoever asked for what changes is started anew, and all that send to it; others stay.
#[tokio::test]
async fn what_was_asked_for_and_read() {
    let folder = std::env::temp_dir().join(format!("spanmill-reload-{}", std::process::id()));
    std::fs::write(&folder, "one").unwrap();
    let one = format!("{{asks: probe/asks-f, file: '{}'}}", folder.display());
    let with = |f: &'static str| wired(&[("$E", f), ("$F", "{asks: probe/asks-e}"), ("$ONE", &one)]);
    let mut rig = Rig::running("asks", &with("{}")).await;
    let (_, events) = rig.change(&with(CHANGED)).await;
    let started: Vec<&str> = events.iter().filter_map(|event| event.strip_prefix("start ")).collect();
    assert_eq!(started, ["extension e", "extension f", "exporter 1", "processor a", "receiver in"]);

    std::fs::write(&folder, "another").unwrap();
    let (_, events) = rig.change(&with(CHANGED)).await;
    let started: Vec<&str> = events.iter().filter_map(|event| event.strip_prefix("start ")).collect();
    assert_eq!(started, ["exporter 1", "processor a", "receiver in"]);
    std::fs::remove_file(&folder).unwrap();
    rig.stop().await.unwrap();
}

/// Scenario: an exporter that owns something changes; then an extension that owns something and that the exporter asked for; then the new one
/// does not start.
/// Guarantees: all that use it stop, it stops, the new one starts, then the others; what was stopped for nothing is started again.
#[tokio::test]
async fn exclusive_ones_go_first() {
    let exclusive = |note: &str| format!("{{exclusive: true, asks: probe/excl-e, note: '{note}'}}");
    let extension = |note: &str| format!("{{exclusive: true, note: '{note}'}}");
    let with = |e: &str, one: &str| wired(&[("$E", &extension(e)), ("$ONE", &exclusive(one))]);
    let mut rig = Rig::running("excl", &with("", "")).await;
    let (_, events) = rig.change(&with("", "x")).await;
    let stops = ["stop receiver in", "stop processor a", "stop exporter 1"];
    let starts = ["start exporter 1", "start processor a", "start receiver in"];
    assert_eq!(events, [stops, starts].concat());

    let (_, events) = rig.change(&with("y", "x")).await;
    let told: Vec<&String> = events.iter().filter(|event| !event.contains("ready")).collect();
    let stops = ["stop receiver in", "stop processor a", "stop exporter 1", "stop extension e"];
    let starts = ["start extension e", "start exporter 1", "start processor a", "start receiver in"];
    assert_eq!(told, [stops, starts].concat());

    let luckless = with("y", "x").replace("note: 'x'", "note: 'z', fails_to_start: true");
    let (news, events) = rig.change(&luckless).await;
    assert!(matches!(&news, News::Refused(why) if why.contains("no luck")), "{news:?}");
    let stops = ["stop receiver in", "stop processor a", "stop exporter 1", "stop exporter 1"];
    assert_eq!(events, [&stops[..], &["start exporter 1", "start processor a", "start receiver in"]].concat());
    let (_, events) = rig.change(&with("y", "x")).await;
    assert_eq!(events, [""; 0]);
    rig.stop().await.unwrap();
}

/// Scenario: reloads come while one is under way, whose old receiver takes long to stop; then the service is told to stop.
/// Guarantees: they are one reload; stopping waits for what is under way, no longer than the limit, and not at all when told twice.
#[tokio::test(start_paused = true)]
async fn reloads_gather() {
    let slow = |note: &str| wired(&[("$IN", &format!("{{never_stops: true, note: '{note}'}}"))]);
    let mut rig = Rig::running("gather", &slow("")).await;
    rig.reload(&slow("a")).await;
    rig.world.until("stop receiver in").await;
    for note in ["b", "c", "d"] {
        rig.reload(&slow(note)).await;
    }
    assert_eq!([rig.news().await, rig.news().await], [News::Running, News::Running]);
    let starts = rig.world.events().iter().filter(|event| *event == "start receiver in").count();
    assert_eq!(starts, 1);

    rig.reload(&slow("e")).await;
    rig.world.until("stop receiver in").await;
    let began = tokio::time::Instant::now();
    let error = rig.stop().await.unwrap_err();
    assert!(matches!(error, ServiceError::Stop(_) | ServiceError::Late), "{error}");
    assert!(began.elapsed() <= Duration::from_secs(6), "{:?}", began.elapsed());

    let rig = Rig::running("hurry", &slow("")).await;
    rig.reload(&slow("a")).await;
    rig.world.until("stop receiver in").await;
    let began = tokio::time::Instant::now();
    rig.events.send(Event::Stop("first")).await.unwrap();
    assert!(matches!(rig.stop().await, Err(ServiceError::Interrupted)));
    assert_eq!(began.elapsed(), Duration::ZERO);
}

fn on(port: u16, more: &str) -> String {
    format!(
        "
receivers: {{wire/@-in: {{endpoint: '127.0.0.1:{port}'{more}}}}}
exporters: {{probe/@-out: }}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [wire/@-in], exporters: [probe/@-out]}}}}
"
    )
}

/// Scenario: a receiver's port moves to another receiver; is asked for on all interfaces instead of one, and back; is asked for twice; is given
/// up.
/// Guarantees: each time who connects is served; two that stay cannot share a port, which is refused and changes nothing; in the end the
/// port is free.
#[tokio::test]
async fn ports_move() {
    let port = free_port();
    let plain = on(port, "");
    let mut rig = Rig::running("moves", &plain).await;
    assert_eq!(post(port).await.unwrap(), 200);
    let steps = [
        plain.replace("wire/@-in", "wire/@-other"),
        plain.replace("127.0.0.1", "0.0.0.0"),
        plain.replace("127.0.0.1", "localhost"),
    ];
    for step in &steps {
        assert_eq!(rig.change(step).await.0, News::Running, "{step}");
        assert_eq!(post(port).await.unwrap(), 200);
    }
    let second = format!("{{wire/@-second: {{endpoint: ':{port}'}}, wire");
    let twice = steps[2].replace("{wire", &second).replace("[wire/@-in]", "[wire/@-in, wire/@-second]");
    let (news, _) = rig.change(&twice).await;
    assert!(matches!(&news, News::Refused(why) if why.contains("cannot listen on")), "{news:?}");
    assert_eq!(post(port).await.unwrap(), 200);

    let other = free_port();
    assert_eq!(rig.change(&on(other, "")).await.0, News::Running);
    assert_eq!(post(other).await.unwrap(), 200);
    assert_eq!(post(port).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    StdListener::bind(("0.0.0.0", port)).unwrap();
    rig.stop().await.unwrap();
    StdListener::bind(("127.0.0.1", other)).unwrap();
}

/// Scenario: a socket was handed over, with a client waiting at it since before the start, and another that nobody wants; then the
/// configuration gives the first one up and takes it again.
/// Guarantees: the client is served; the socket is there again.
#[tokio::test]
async fn sockets_handed_over() {
    let [wanted, unwanted] = [(); 2].map(|()| StdListener::bind("127.0.0.1:0").unwrap());
    let port = wanted.local_addr().unwrap().port();
    let waiting = tokio::spawn(post(port));
    let sockets = Sockets::handed_over(vec![wanted, unwanted], Vec::new()).unwrap();
    let mut rig = Rig::with_sockets("handed", &on(port, ""), sockets);
    assert_eq!(waiting.await.unwrap().unwrap(), 200);
    assert_eq!(rig.news().await, News::Running);
    assert_eq!(rig.change(&on(0, "")).await.0, News::Running);
    let waiting = tokio::spawn(post(port));
    assert_eq!(rig.change(&on(port, "")).await.0, News::Running);
    assert_eq!(waiting.await.unwrap().unwrap(), 200);
    rig.stop().await.unwrap();
}

/// Scenario: fifty reloads, of which each changes the receiver, under load of clients that connect for each request, and of others that keep
/// their connections as long as they may; some of the configurations are wrong.
/// Guarantees: no connection is refused, no request is cut, and every batch that was acknowledged has arrived, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn storm() {
    let port = free_port();
    let mut rig = Rig::running("storm", &on(port, "")).await;
    let (done, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut clients = JoinSet::new();
    for number in 0..8 {
        let (done, sent) = (Arc::clone(&done), Arc::clone(&sent));
        clients.spawn(async move {
            while !done.load(Ordering::Relaxed) {
                let requests = if number % 2 == 0 { 1 } else { 100_000 };
                let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                for _ in 0..requests {
                    let (status, closes) = exchange(&mut stream, requests > 1).await.unwrap();
                    assert_eq!(status, 200);
                    sent.fetch_add(1, Ordering::Relaxed);
                    if closes || done.load(Ordering::Relaxed) {
                        break;
                    }
                }
            }
        });
    }
    for round in 0..50 {
        let (news, _) = rig.change(&on(port, &format!(", note: '{round}'"))).await;
        assert_eq!(news, News::Running);
        if round % 10 == 0 {
            assert!(matches!(rig.change("receivers: [").await.0, News::Refused(_)));
        }
    }
    done.store(true, Ordering::Relaxed);
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    let sent = sent.load(Ordering::Relaxed);
    assert!(sent > 100, "{sent}");
    assert_eq!(rig.world.taken("exporter out").len(), sent);
    rig.stop().await.unwrap();
}

/// One request over a connection of its own; its status.
async fn post(port: u16) -> io::Result<u16> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    Ok(exchange(&mut stream, false).await?.0)
}

/// One request of a span; its status, and whether the connection ends.
async fn exchange(stream: &mut TcpStream, keep: bool) -> io::Result<(u16, bool)> {
    let head = if keep { "" } else { "connection: close\r\n" };
    let mut request = format!("POST / HTTP/1.1\r\nhost: here\r\n{head}content-length: 8\r\n\r\n").into_bytes();
    request.extend_from_slice(b"\x0a\x06\x12\x04\x12\x02\x2a\x00");
    stream.write_all(&request).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let answer = String::from_utf8_lossy(&answer).to_ascii_lowercase();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    Ok((status, answer.contains("connection: close")))
}
