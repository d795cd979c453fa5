use std::time::Instant;

use bytes::Bytes;
use spanmill_otlp::Traces;
use spanmill_pipeline::Signal;

use super::wire::{Grpc, Http};
use super::{Setup, spans};
use crate::net::compression::Compression;

const MIB: usize = 1 << 20;

/// Sixteen MiB of zeros, compressed, as often as it takes to become far more than any limit.
fn bombs() -> Vec<(&'static str, Bytes)> {
    let zeros = Bytes::from(vec![0; 16 * MIB]);
    let once = |compression: Compression| compression.compress(&zeros, Some(9)).unwrap();
    let again = |compression: Compression| Bytes::from(once(compression).repeat(64));
    let [more, most] = [24, 80].map(|size| Bytes::from(vec![0; size * MIB]));
    vec![
        ("gzip", again(Compression::Gzip)),
        ("zstd", again(Compression::Zstd)),
        ("deflate", Compression::Zlib.compress(&more, Some(9)).unwrap()),
        ("snappy", Compression::Snappy.compress(&most, None).unwrap()),
        ("snappy", once(Compression::SnappyFramed).repeat(5).into()),
    ]
}

/// Scenario: bombs of up to a gibibyte in every compression, over both protocols, where 64 MiB are allowed.
/// Guarantees: each is refused for good, and counted, before it has become what it would; good requests are served.
#[tokio::test]
async fn bombs_are_refused_early() {
    let setup = Setup::start("", "").await;
    let client = Grpc::connect(&setup.grpc).await;
    for (name, bomb) in bombs() {
        let began = Instant::now();
        let status = client.compressed(name, &bomb).await.grpc();
        assert_eq!((status.code, status.retry_after), (8, None), "{name}: {status:?}");
        let answer = Http::connect(&setup.http).await.protobuf(name, bomb.clone()).await;
        assert_eq!(answer.status, 413, "{name}");
        eprintln!("{name}: two bombs of {} bytes refused in {:?}", bomb.len(), began.elapsed());
    }
    let refused = |reason| setup.refused("grpc", reason) + setup.refused("http", reason);
    assert_eq!((refused("decompression_ratio"), refused("size")), (6, 4));
    setup.serves().await;
}

/// Scenario: the same ratio in small, as tests with very regular spans have it.
/// Guarantees: it is taken.
#[tokio::test]
async fn regular_requests_are_no_bombs() {
    let setup = Setup::start("", "").await;
    let request = spans(10_000, 1000);
    let small = Compression::Zstd.compress(&request, None).unwrap();
    assert!(request.len() / small.len() > 500);
    assert_eq!(Http::connect(&setup.http).await.protobuf("zstd", small).await.status, 200);
    assert!(setup.backend.take() == [request]);
}

/// Scenario: values of attributes nested ten thousand deep, as JSON and as protobuf, and JSON of nothing but brackets; then one that is as deep as
/// the configuration allows, and one deeper.
/// Guarantees: each is refused as malformed, and counted; the limit is exact, and the same for both.
#[tokio::test]
async fn depth_is_bounded() {
    let setup = Setup::limited("max_depth: 10", "", "").await;
    for depth in [9, 10, 11, 10_000] {
        let expected = if depth <= 10 { 200 } else { 400 };
        let (json, protobuf) = (deep_json(depth), deep_protobuf(depth));
        assert_eq!(Http::connect(&setup.http).await.json(json).await.status, expected, "{depth}");
        assert_eq!(Http::connect(&setup.http).await.protobuf("", protobuf.clone()).await.status, expected, "{depth}");
        let code = Grpc::connect(&setup.grpc).await.export(Signal::Traces, &protobuf).await.grpc().code;
        assert_eq!(code, if depth <= 10 { 0 } else { 3 }, "{depth}");
    }
    assert_eq!(Http::connect(&setup.http).await.json("[".repeat(MIB)).await.status, 400);
    assert_eq!((setup.refused("http", "malformed"), setup.refused("grpc", "malformed")), (5, 2));
    setup.backend.take();
    setup.serves().await;
}

/// Scenario: names that are no UTF-8, as protobuf and as JSON.
/// Guarantees: both pass, protobuf as it is, since no bytes are read that nobody asks for; what comes of JSON is valid.
#[tokio::test]
async fn text_that_is_none() {
    let setup = Setup::start("", "").await;
    let name = |text: &[u8]| [&[0x0a, 8, 0x12, 6, 0x12, 4, 0x2a, 2][..], text].concat();
    let protobuf = Bytes::from(name(b"\xff\xfe"));
    assert_eq!(Http::connect(&setup.http).await.protobuf("", protobuf.clone()).await.status, 200);
    assert!(setup.backend.take() == [protobuf]);
    let json = [&br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":""#[..], b"\xff\xfe", br#""}]}]}]}"#].concat();
    assert_eq!(Http::connect(&setup.http).await.json(json).await.status, 200);
    assert_eq!(Traces::parse(setup.backend.take().remove(0)).unwrap().span_count(), 1);
    setup.serves().await;
}

/// A request with one attribute, nested as deep as that.
fn deep_json(depth: usize) -> String {
    let value = format!("{}{}", r#"{"arrayValue":{"values":["#.repeat(depth), "]}}".repeat(depth));
    format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"attributes":[{{"key":"k","value":{value}}}]}}]}}]}}]}}"#
    )
}

/// The same as protobuf.
fn deep_protobuf(depth: usize) -> Bytes {
    let message = |tag: u8, body: &[u8]| {
        let mut out = vec![tag];
        prost::encoding::encode_varint(body.len() as u64, &mut out);
        out.extend_from_slice(body);
        out
    };
    let mut value = Vec::new();
    for level in 0..depth {
        value = message(0x2a, &if level == 0 { value } else { message(0x0a, &value) });
    }
    let attribute = [message(0x0a, b"k"), message(0x12, &value)].concat();
    message(0x0a, &message(0x12, &message(0x12, &message(0x4a, &attribute)))).into()
}
