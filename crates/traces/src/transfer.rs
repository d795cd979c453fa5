//! Files into a store, and a store into a file.

use std::io::{self, Write};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use futures_util::TryStreamExt;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use spanmill_otlp::Traces;
use spanmill_store::{DecodeError, QueryOptions, Store, StoreError, TraceOptions};
use thiserror::Error;

use crate::read::FileError;
use crate::write::Writer;

/// What has been transferred.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that were read, or traces that were written.
    pub requests: u64,
    /// Spans in them.
    pub spans: u64,
}

/// Which spans of a store are written.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Of this trace.
    pub trace: Option<String>,
    /// That start no earlier, in microseconds since 1970.
    pub since_us: Option<i64>,
    /// That start before, in microseconds since 1970.
    pub until_us: Option<i64>,
}

/// A transfer that ended early. What was transferred before stays.
#[derive(Debug, Error)]
pub enum TransferError {
    /// The file is no file of OTLP requests.
    #[error(transparent)]
    File(#[from] FileError),
    /// The store does not take spans.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store does not answer.
    #[error(transparent)]
    Query(#[from] DataFusionError),
    /// What it answers are no spans.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The file cannot be written.
    #[error("{0}")]
    Write(#[from] io::Error),
}

/// A trace, and first and last start of its spans.
type Found = (String, (i64, i64));

/// Traces that are in memory at a time.
const AT_ONCE: usize = 64;

/// Requests as a file has them.
type Read = Result<Traces, FileError>;

/// Adds all spans of a file to the store. When it returns they are in the store's files, those before a mistake as well.
pub async fn import(
    store: &Store,
    file: impl IntoIterator<Item = Read>,
    mut progress: impl FnMut(Counts),
) -> Result<Counts, TransferError> {
    let mut counts = Counts::default();
    let read = add(store, file, &mut counts, &mut progress).await;
    // What came before a mistake is kept.
    store.seal().await?;
    read.map(|()| counts)
}

async fn add(
    store: &Store,
    file: impl IntoIterator<Item = Read>,
    counts: &mut Counts,
    progress: &mut impl FnMut(Counts),
) -> Result<(), TransferError> {
    for request in file {
        let traces = request?;
        store.add(&traces, None);
        counts.requests += 1;
        counts.spans += u64::try_from(traces.span_count()).unwrap_or(u64::MAX);
        progress(*counts);
        if store.wants_seal() {
            store.seal().await?;
        }
    }
    Ok(())
}

/// Writes spans of the store, a request for each trace, the oldest first.
pub async fn export<W: Write>(
    store: &Store,
    wanted: &Wanted,
    writer: &mut Writer<W>,
    mut progress: impl FnMut(Counts, usize),
) -> Result<Counts, TransferError> {
    let found = traces(store, wanted).await?;
    let mut counts = Counts::default();
    for group in found.chunks(AT_ONCE) {
        let ids: Vec<String> = group.iter().map(|(id, _)| id.clone()).collect();
        let first = group.iter().map(|(_, (first, _))| *first).min().unwrap_or(i64::MIN);
        let last = group.iter().map(|(_, (_, last))| *last).max().unwrap_or(i64::MAX);
        let options = TraceOptions { window: Some((first, last)), ..TraceOptions::default() };
        for trace in store.traces(&ids, &options).await? {
            let spans =
                trace.resource_spans.iter().flat_map(|of| &of.scope_spans).map(|of| of.spans.len()).sum::<usize>();
            let request = ExportTraceServiceRequest { resource_spans: trace.resource_spans };
            writer.write(&request.encode_to_vec())?;
            counts.requests += 1;
            counts.spans += u64::try_from(spans).unwrap_or(u64::MAX);
        }
        progress(counts, found.len());
    }
    Ok(counts)
}

async fn traces(store: &Store, wanted: &Wanted) -> Result<Vec<Found>, TransferError> {
    let mut sql = "SELECT trace_id, min(start_time) AS first, max(start_time) AS last FROM spans WHERE true".to_owned();
    let mut positional = Vec::new();
    let mut also = |condition: &str, value: ScalarValue| {
        positional.push(value);
        sql.push_str(&format!(" AND {condition} ${}", positional.len()));
    };
    let time = |micros| ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into()));
    if let Some(trace) = &wanted.trace {
        also("trace_id =", ScalarValue::Utf8View(Some(trace.clone())));
    }
    if let Some(since) = wanted.since_us {
        also("start_time >=", time(since));
    }
    if let Some(until) = wanted.until_us {
        also("start_time <", time(until));
    }
    sql.push_str(" GROUP BY trace_id ORDER BY first, trace_id");
    let answer = store.query(&sql, &QueryOptions { positional, ..QueryOptions::default() }).await?;
    let batches: Vec<RecordBatch> = answer.rows.try_collect().await?;
    let mut found = Vec::new();
    for batch in &batches {
        let [ids, first, last] = batch.columns() else { continue };
        let [first, last] = [first, last].map(|times| times.as_primitive::<TimestampMicrosecondType>().values());
        let rows = ids.as_string_view().iter().zip(first).zip(last);
        found.extend(rows.map(|((id, first), last)| (id.unwrap_or_default().to_owned(), (*first, *last))));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use spanmill_loadgen::{Options as Load, Traffic};
    use spanmill_store::Options;

    use super::*;
    use crate::find::find;
    use crate::read::OtlpFile;
    use crate::write::Format;

    const START: u64 = 1_790_000_000_000_000_000;

    /// Scenario: a file is read into a store, written back as JSON, read into a second store and written as protobuf.
    /// Guarantees: no span is lost on the way, the same bytes come out of both stores, and a part is what was asked for.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_imported_is_exported() {
        let load = Load { seed: 3, calls: 60, now_unix_nano: START, period: std::time::Duration::from_secs(7200) };
        let exports = Traffic::generate(&load).exports;
        let sent: usize = exports.iter().map(|export| export.spans).sum();
        let mut file = Writer::new(Vec::new(), Format::Proto);
        exports.iter().for_each(|export| file.write(&export.bytes).unwrap());
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let mut outputs = Vec::new();
        let mut input = file.finish().unwrap();
        let mut stores = Vec::new();
        for folder in &folders {
            let store = Store::open(Options::new(folder.path().to_str().unwrap()), "import").await.unwrap();
            let counts = import(&store, OtlpFile::new(Cursor::new(input)).unwrap(), |_| {}).await.unwrap();
            assert_eq!(counts.spans, sent as u64);
            assert_eq!(store.hot_bytes(), 0);
            let mut proto = Writer::new(Vec::new(), Format::Proto);
            assert_eq!(export(&store, &Wanted::default(), &mut proto, |_, _| {}).await.unwrap().spans, sent as u64);
            outputs.push(proto.finish().unwrap());
            let mut json = Writer::new(Vec::new(), Format::Json);
            export(&store, &Wanted::default(), &mut json, |_, _| {}).await.unwrap();
            input = json.finish().unwrap();
            stores.push(store);
        }
        assert_eq!(outputs[0].len(), outputs[1].len());

        let store = &stores[0];
        let all = traces(store, &Wanted::default()).await.unwrap();
        let (id, (first, _)) = all[all.len() / 2].clone();
        let later = traces(store, &Wanted { since_us: Some(first), ..Wanted::default() }).await.unwrap();
        assert!(later.len() < all.len() && later.iter().any(|(later, _)| *later == id));
        let one = Wanted { trace: Some(id.clone()), ..Wanted::default() };
        assert_eq!(traces(store, &one).await.unwrap().len(), 1);
        assert_eq!(find(store, &id[..20]).await.unwrap(), [id]);
        assert!(find(store, "' OR 1=1").await.unwrap().is_empty());
    }

    /// Scenario: a file whose second request is cut off.
    /// Guarantees: it is an error, and what came before is in the store.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_came_before_a_mistake_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Options::new(folder.path().to_str().unwrap()), "import").await.unwrap();
        let request = spanmill_loadgen::shape::request(spanmill_loadgen::shape::Shape::Small, 10, 1);
        let mut file = Writer::new(Vec::new(), Format::Proto);
        file.write(&request).unwrap();
        file.write(&request).unwrap();
        let mut file = file.finish().unwrap();
        file.pop();
        let error = import(&store, OtlpFile::new(Cursor::new(file)).unwrap(), |_| {}).await.unwrap_err();
        assert_eq!(error.to_string(), "the last request is cut off");
        let mut out = Writer::new(Vec::new(), Format::Proto);
        assert_eq!(export(&store, &Wanted::default(), &mut out, |_, _| {}).await.unwrap().spans, 10);
    }
}
