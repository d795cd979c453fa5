//! Bytes as what a client of a tenant asks: SQL or JSON in the body of `POST /v1/sql`, or the path and query of a named question. Each has an answer in
//! time, no answer is a fault of the store, and none shows what is another tenant's.

#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Request, StatusCode};
use spanmill_otlp::{Limits, Signal, Traces, json};
use spanmill_pipeline::auth::Identity;
use spanmill_query::{QueryService, router};
use spanmill_store::{Options, Owner, Store};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

/// Stands in all columns of text of the other tenant's rows.
const SECRET: &str = "hidden-7f3a91c5";
const ANSWER: usize = 1 << 20;

struct Server {
    runtime: Runtime,
    router: Router,
    _folder: TempDir,
}

/// Rows of two tenants, the one's in files and the other's in memory and the other way round.
static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime can be made");
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder can be made");
    let options = Options {
        max_past: Duration::from_secs(100 * 365 * 86_400),
        query_memory: 64 << 20,
        query_threads: 1,
        ..Options::new(folder.path().to_str().expect("a name is text"))
    };
    let store = runtime.block_on(async {
        let store = Store::open(options, "fuzz").await.expect("a store can be opened");
        store.add_as(&spans("seen", 1), &Owner::Known(Some(Arc::from("mine"))), None);
        store.add_as(&spans(SECRET, 2), &Owner::Known(Some(Arc::from("theirs"))), None);
        store.seal().await.expect("rows can be written");
        store.add_as(&spans(SECRET, 3), &Owner::Known(Some(Arc::from("theirs"))), None);
        store.add_as(&spans("seen", 4), &Owner::Known(Some(Arc::from("mine"))), None);
        store
    });
    let limits = spanmill_query::Limits {
        rows: 1000,
        bytes: ANSWER / 4,
        time: Duration::from_secs(2),
        concurrent: 1,
        ..spanmill_query::Limits::default()
    };
    Server { router: router(QueryService::new(store, limits)), runtime, _folder: folder }
});

/// A call with an event and attributes of all kinds, whose texts are all the same.
fn spans(text: &str, id: u8) -> Traces {
    let request = format!(
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{text}"}}}}]}},"scopeSpans":[{{
        "scope":{{"name":"{text}"}},"spans":[{{"traceId":"5b8efff798038103d269b633813fc6{id:02x}","spanId":"eee19b7ec3c1b1{id:02x}",
        "name":"{text}","kind":3,"startTimeUnixNano":"1790000000000000000","endTimeUnixNano":"179000000525000000{id}","attributes":[
        {{"key":"gen_ai.request.model","value":{{"stringValue":"{text}"}}}},{{"key":"gen_ai.provider.name","value":{{"stringValue":"{text}"}}}},
        {{"key":"gen_ai.usage.input_tokens","value":{{"intValue":"812"}}}},{{"key":"gen_ai.usage.output_tokens","value":{{"intValue":"{id}"}}}},
        {{"key":"session.id","value":{{"stringValue":"{text}"}}}},{{"key":"a","value":{{"stringValue":"{text}"}}}},{{"key":"x","value":{{"doubleValue":0.5}}}}],
        "events":[{{"timeUnixNano":"1790000001000000000","name":"{text}","attributes":[{{"key":"a","value":{{"stringValue":"{text}"}}}}]}}],
        "status":{{"code":2,"message":"{text}"}}}}]}}]}}]}}"#
    );
    let encoded = json::to_protobuf(Signal::Traces, request.as_bytes(), &Limits::default());
    Traces::parse(encoded.expect("the request is good").into()).expect("the request is good")
}

/// The first byte says how it is asked.
fn request(data: &[u8]) -> Option<Request<Body>> {
    let (how, rest) = data.split_first()?;
    let mut request = match how % 8 {
        0 => {
            let path = std::str::from_utf8(rest).ok()?;
            Request::get(format!("/v1/questions/{path}")).body(Body::empty()).ok()?
        }
        accept => {
            let accept = ["*/*", "text/csv", "application/x-ndjson", "application/vnd.apache.arrow.stream"]
                [usize::from(accept % 4)];
            Request::post("/v1/sql").header("accept", accept).body(Body::from(rest.to_vec())).ok()?
        }
    };
    request.extensions_mut().insert(Identity { tenant: Some(Arc::from("mine")), attributes: None });
    Some(request)
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(request) = request(data) else { return };
    // Whoever asks for it by name knows it.
    if data.windows(4).any(|part| SECRET.as_bytes().windows(4).any(|of| part == of)) {
        return;
    }
    let server = &*SERVER;
    let (status, body) = server.runtime.block_on(async {
        let (head, body) =
            server.router.clone().oneshot(request).await.expect("there is always an answer").into_parts();
        // One that is cut off in the middle is an answer too.
        (head.status, to_bytes(body, ANSWER).await.unwrap_or_default())
    });
    assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{}", String::from_utf8_lossy(&body));
    let shown = body.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
    assert!(!shown, "{}", String::from_utf8_lossy(&body));
});
