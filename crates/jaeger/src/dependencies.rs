//! `DependencyReader`: which service calls which.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use datafusion::common::ScalarValue;
use futures_util::TryStreamExt;
use prost_types::Timestamp;
use spanmill_store::{QueryOptions, Store};
use tonic::{Request, Response, Status};

use crate::error::query_failed;
use crate::proto::dependency_reader_server::DependencyReader;
use crate::proto::{Dependency, GetDependenciesRequest, GetDependenciesResponse};
use crate::reader::confined;
use crate::search::{micros, time};

/// Answers which service calls which.
#[derive(Debug, Clone)]
pub(crate) struct Dependencies {
    store: Store,
}

/// A caller that started more than an hour before what it calls is not found.
const LONGEST_CALL: i64 = 3_600_000_000;

const SQL: &str = "\
SELECT parent.service AS parent, child.service AS child, count(*) AS calls
FROM (SELECT trace_id, parent_span_id, service FROM spans
      WHERE start_time >= $1 AND start_time <= $2 AND parent_span_id IS NOT NULL AND service IS NOT NULL) AS child
JOIN (SELECT trace_id, span_id, service FROM spans
      WHERE start_time >= $3 AND start_time <= $2 AND service IS NOT NULL) AS parent
  ON child.trace_id = parent.trace_id AND child.parent_span_id = parent.span_id
WHERE child.service <> parent.service
GROUP BY parent.service, child.service
ORDER BY calls DESC, parent, child";

// === impl Dependencies ===

impl Dependencies {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

#[tonic::async_trait]
impl DependencyReader for Dependencies {
    async fn get_dependencies(
        &self,
        request: Request<GetDependenciesRequest>,
    ) -> Result<Response<GetDependenciesResponse>, Status> {
        let store = confined(&self.store, &request);
        let GetDependenciesRequest { start_time, end_time } = request.into_inner();
        let bound = |time: Option<Timestamp>, unset| time.as_ref().and_then(micros).unwrap_or(unset);
        // A year more than there are spans is as good as no bound, and is a time.
        let (first, last) = (bound(start_time, 0), bound(end_time, i64::MAX / 1_000));
        let positional: Vec<ScalarValue> =
            [first, last, first.saturating_sub(LONGEST_CALL)].into_iter().map(time).collect();
        let options = QueryOptions { positional, ..QueryOptions::default() };
        let answer = store.query(SQL, &options).await.map_err(|error| query_failed(&error))?;
        let batches: Vec<_> = answer.rows.try_collect().await.map_err(|error| query_failed(&error))?;
        let mut dependencies = Vec::new();
        for batch in &batches {
            let [parents, children, calls] = batch.columns() else { continue };
            let rows =
                parents.as_string_view().iter().zip(children.as_string_view()).zip(calls.as_primitive::<Int64Type>());
            dependencies.extend(rows.map(|((parent, child), calls)| Dependency {
                parent: parent.unwrap_or_default().to_owned(),
                child: child.unwrap_or_default().to_owned(),
                call_count: calls.unwrap_or_default().unsigned_abs(),
                source: String::new(),
            }));
        }
        Ok(Response::new(GetDependenciesResponse { dependencies }))
    }
}
