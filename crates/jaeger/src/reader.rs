//! `TraceReader`: services, operations, searches and traces.

use std::collections::HashSet;
use std::pin::Pin;

use arrow::array::{AsArray, RecordBatch};
use datafusion::common::ScalarValue;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use opentelemetry_proto::tonic::trace::v1::TracesData;
use spanmill_pipeline::auth::Identity;
use spanmill_store::{QueryOptions, Store, TraceOptions};
use tonic::{Request, Response, Status};

use crate::chunks::chunks;
use crate::error::{decode_failed, query_failed, search_failed};
use crate::proto::trace_reader_server::TraceReader;
use crate::proto::{
    FindTraceIDsResponse, FindTracesRequest, FoundTraceId, GetOperationsRequest, GetOperationsResponse,
    GetServicesRequest, GetServicesResponse, GetTracesRequest, Operation,
};
use crate::search::{Search, timestamp};

/// Answers what Jaeger asks about traces.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    store: Store,
}

/// Traces that are in memory at a time.
const AT_ONCE: usize = 32;

type TracesStream = Pin<Box<dyn Stream<Item = Result<TracesData, Status>> + Send>>;

// === impl Reader ===

impl Reader {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// The same for who asks.
    fn of<T>(&self, request: &Request<T>) -> Self {
        Self { store: confined(&self.store, request) }
    }

    async fn rows(&self, sql: &str, positional: Vec<ScalarValue>) -> Result<Vec<RecordBatch>, Status> {
        let options = QueryOptions { positional, ..QueryOptions::default() };
        let answer = self.store.query(sql, &options).await.map_err(|error| query_failed(&error))?;
        answer.rows.try_collect().await.map_err(|error| query_failed(&error))
    }

    /// The traces one after the other, some of them in memory at a time.
    fn stream(&self, ids: &[String]) -> TracesStream {
        let groups: Vec<Vec<String>> = ids.chunks(AT_ONCE).map(<[String]>::to_vec).collect();
        let store = self.store.clone();
        let traces = stream::iter(groups).then(move |ids| {
            let store = store.clone();
            async move { store.traces(&ids, &TraceOptions::default()).await }
        });
        let messages = traces.flat_map(|traces| match traces {
            Ok(traces) => {
                let messages = traces.into_iter().flat_map(|trace| chunks(trace.resource_spans)).map(Ok);
                stream::iter(messages.collect::<Vec<_>>())
            }
            Err(error) => stream::iter(vec![Err(decode_failed(&error))]),
        });
        Box::pin(messages)
    }
}

#[tonic::async_trait]
impl TraceReader for Reader {
    type GetTracesStream = TracesStream;
    type FindTracesStream = TracesStream;

    /// The times that may come with an id are hints, which Bloom filters make unnecessary.
    async fn get_traces(&self, request: Request<GetTracesRequest>) -> Result<Response<TracesStream>, Status> {
        let reader = self.of(&request);
        let mut ids: Vec<String> = request.into_inner().query.iter().map(|query| hex(&query.trace_id)).collect();
        let mut seen = HashSet::new();
        ids.retain(|id| seen.insert(id.clone()));
        Ok(Response::new(reader.stream(&ids)))
    }

    async fn get_services(
        &self,
        request: Request<GetServicesRequest>,
    ) -> Result<Response<GetServicesResponse>, Status> {
        let sql = "SELECT DISTINCT service FROM spans WHERE service IS NOT NULL ORDER BY service";
        let batches = self.of(&request).rows(sql, Vec::new()).await?;
        let services = batches.iter().filter_map(|batch| batch.columns().first()?.as_string_view_opt());
        let services = services.flat_map(|services| services.iter().flatten()).map(str::to_owned).collect();
        Ok(Response::new(GetServicesResponse { services }))
    }

    async fn get_operations(
        &self,
        request: Request<GetOperationsRequest>,
    ) -> Result<Response<GetOperationsResponse>, Status> {
        let reader = self.of(&request);
        let GetOperationsRequest { service, span_kind } = request.into_inner();
        let sql =
            "SELECT DISTINCT name, kind FROM spans WHERE service = $1 AND ($2 = '' OR kind = $2) ORDER BY name, kind";
        let text = |text| ScalarValue::Utf8View(Some(text));
        let batches = reader.rows(sql, vec![text(service), text(span_kind)]).await?;
        let mut operations = Vec::new();
        for batch in &batches {
            let [names, kinds] = batch.columns() else { continue };
            let rows = names.as_string_view().iter().zip(kinds.as_string_view());
            operations.extend(rows.map(|(name, kind)| Operation {
                name: name.unwrap_or_default().to_owned(),
                span_kind: kind.filter(|kind| *kind != "unspecified").unwrap_or_default().to_owned(),
            }));
        }
        Ok(Response::new(GetOperationsResponse { operations }))
    }

    async fn find_traces(&self, request: Request<FindTracesRequest>) -> Result<Response<TracesStream>, Status> {
        let reader = self.of(&request);
        let search = Search::from(request.into_inner().query.unwrap_or_default());
        let found = search.find(&reader.store).await.map_err(|error| search_failed(&error))?;
        let ids: Vec<String> = found.into_iter().map(|found| found.trace_id).collect();
        Ok(Response::new(reader.stream(&ids)))
    }

    async fn find_trace_i_ds(
        &self,
        request: Request<FindTracesRequest>,
    ) -> Result<Response<FindTraceIDsResponse>, Status> {
        let reader = self.of(&request);
        let search = Search::from(request.into_inner().query.unwrap_or_default());
        let found = search.find(&reader.store).await.map_err(|error| search_failed(&error))?;
        let trace_ids = found.into_iter().map(|found| FoundTraceId {
            trace_id: bytes(&found.trace_id),
            start: Some(timestamp(found.first_us)),
            end: Some(timestamp(found.last_us)),
        });
        Ok(Response::new(FindTraceIDsResponse { trace_ids: trace_ids.collect() }))
    }
}

/// What the store has for who asks, where somebody found out who that is.
pub(crate) fn confined<T>(store: &Store, request: &Request<T>) -> Store {
    store.confined(request.extensions().get::<Identity>().and_then(|identity| identity.tenant.clone()))
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(id: &str) -> Vec<u8> {
    let pairs = id.as_bytes().as_chunks::<2>().0;
    pairs.iter().filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
