//! Real programs next to the store: starts them, asks them, ends them.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test uses a part of it")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::Value;
use spanmill_loadgen::{Options as Load, Traffic};
use spanmill_otlp::Traces;
use spanmill_store::Store;

/// How tests say what they skipped. The crate itself is no dependency: what it brings changes features that DataFusion is compiled with.
#[path = "../../../../xtask/src/notes.rs"]
mod notes;

/// A program that ends with its value.
pub(crate) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A peer's binary, as `cargo xtask` builds them; where there is none, says that `test` was skipped.
pub(crate) fn peer(test: &str, name: &str) -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if set("SPANMILL_NO_PEERS").is_some() {
        notes::skipped(test, "no peers wanted");
        return None;
    }
    let cache = set("SPANMILL_CACHE")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("spanmill")))
        .or_else(|| Some(set("HOME")?.join(".cache/spanmill")));
    let binary = cache.map(|cache| cache.join("peers").join(name)).filter(|binary| binary.is_file());
    if binary.is_none() {
        notes::skipped(test, &format!("no {name}"));
    }
    binary
}

pub(crate) fn peers_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers")
}

pub(crate) fn ports<const N: usize>() -> [u16; N] {
    let listeners: [TcpListener; N] = std::array::from_fn(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// Starts a program and waits until it answers there with that text.
pub(crate) async fn start(command: &mut Command, port: u16, path: &str, ready: &str) -> Running {
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap();
    let mut running = Running(child);
    for _ in 0..600 {
        assert!(running.0.try_wait().unwrap().is_none(), "it ended");
        if let Some((200, body)) = ask(port, path, "*/*")
            && String::from_utf8_lossy(&body).contains(ready)
        {
            return running;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not ready after a minute");
}

/// POST of protobuf: the status, if there is an answer.
pub(crate) fn post(port: u16, path: &str, body: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.0\r\nhost: localhost\r\ncontent-type: application/x-protobuf\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()
}

/// GET: status and body, if there is an answer.
pub(crate) fn ask(port: u16, path: &str, accept: &str) -> Option<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nhost: localhost\r\naccept: {accept}\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let status = std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()?;
    Some((status, answer.split_off(end + 4)))
}

pub(crate) async fn json(port: u16, path: &str) -> Value {
    let path = path.to_owned();
    let (status, body) =
        tokio::task::spawn_blocking(move || ask(port, &path, "application/json").unwrap()).await.unwrap();
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap()
}

/// As it stands in an address.
pub(crate) fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// A span and its service.
pub(crate) struct Sent {
    pub(crate) service: String,
    pub(crate) span: Span,
}

/// Stores some traffic, half of it in files; what it consists of.
pub(crate) async fn fill(store: &Store, now_unix_nano: u64, calls: usize) -> Vec<Sent> {
    let load = Load { seed: 11, calls, now_unix_nano, period: Duration::from_secs(1800) };
    let exports = Traffic::generate(&load).exports;
    let mut sent = Vec::new();
    for (number, export) in exports.iter().enumerate() {
        store.add(&Traces::parse(export.bytes.clone()).unwrap(), None);
        if number == exports.len() / 2 {
            store.seal().await.unwrap();
        }
        sent.extend(spans(&ExportTraceServiceRequest::decode(export.bytes.clone()).unwrap()));
    }
    sent
}

pub(crate) fn spans(request: &ExportTraceServiceRequest) -> Vec<Sent> {
    let mut all = Vec::new();
    for group in &request.resource_spans {
        let attributes = group.resource.iter().flat_map(|resource| &resource.attributes);
        let name = attributes.into_iter().find(|pair| pair.key == "service.name").and_then(|pair| pair.value.clone());
        let service = match name.and_then(|value| value.value) {
            Some(opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue(text)) => text,
            _ => String::new(),
        };
        let spans = group.scope_spans.iter().flat_map(|scope| &scope.spans);
        all.extend(spans.map(|span| Sent { service: service.clone(), span: span.clone() }));
    }
    all
}

pub(crate) fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
