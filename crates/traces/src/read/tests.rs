//! Files as different writers leave them.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use spanmill_loadgen::shape::{Shape, request};

use super::*;
use crate::write::{Format, Writer};

fn requests() -> Vec<Bytes> {
    (0..3).map(|seed| request(Shape::Small, 10, seed)).collect()
}

fn read(bytes: Vec<u8>) -> Result<Vec<usize>, String> {
    let file = OtlpFile::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    file.map(|request| request.map(|traces| traces.span_count()).map_err(|error| error.to_string())).collect()
}

fn written(format: Format) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), format);
    for request in requests() {
        writer.write(&request).unwrap();
    }
    writer.finish().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 1).unwrap()
}

fn prefixed(records: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    records.flat_map(|record| [&u32::try_from(record.len()).unwrap().to_be_bytes()[..], &record].concat()).collect()
}

/// Scenario: three requests, in every form that files have.
/// Guarantees: all spans of all of them are read.
#[test]
fn every_form_is_read() {
    let (lines, proto) = (written(Format::Json), written(Format::Proto));
    let json: Vec<Vec<u8>> =
        lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect();
    let pretty: serde_json::Value = serde_json::from_slice(&json[0]).unwrap();
    let three = Ok(vec![10, 10, 10]);
    assert_eq!(read(lines.clone()), three);
    assert_eq!(read(proto.clone()), three);
    assert_eq!(read(gzip(&lines)), three);
    assert_eq!(read(zstd(&proto)), three);
    assert_eq!(read([gzip(&json[0]), gzip(b"\n"), gzip(&json[1])].concat()), Ok(vec![10, 10]));
    assert_eq!(read(prefixed(requests().iter().map(|request| zstd(request)))), three);
    assert_eq!(read(prefixed(json.iter().map(|line| zstd(line)))), three);
    assert_eq!(read(prefixed(json.iter().cloned())), three);
    assert_eq!(read(serde_json::to_vec_pretty(&pretty).unwrap()), Ok(vec![10]));
    assert_eq!(read(requests()[0].to_vec()), Ok(vec![10]));
    assert_eq!(read(Vec::new()), Ok(Vec::new()));
    assert_eq!(read([b"\n \n".as_slice(), &lines].concat()), three);
}

/// Scenario: files that end too early, and files of something else.
/// Guarantees: an error says which request is wrong; nothing is read beyond a length that cannot be one.
#[test]
fn what_is_wrong_is_said() {
    let mut cut = written(Format::Proto);
    cut.truncate(cut.len() - 1);
    assert_eq!(read(cut), Err("the last request is cut off".into()));
    let mut lines = written(Format::Json);
    lines.extend_from_slice(b"{\"resourceSpans\": 5}\n");
    assert!(read(lines).unwrap_err().starts_with("request 4: malformed OTLP/JSON"));
    assert_eq!(read(b"PAR1 is parquet".to_vec()), Err("neither OTLP in JSON nor in protobuf".into()));
}
