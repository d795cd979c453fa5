use std::io;
use std::net::TcpListener as StdListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::task::JoinSet;

use super::*;

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
