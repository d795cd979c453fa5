//! Rows of an answer as messages.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::datatypes::Schema;
use arrow_pg::datatypes::arrow_schema_to_pg_fields;
use arrow_pg::encode_recordbatch;
use futures_util::future::{Either, select};
use futures_util::{StreamExt, TryStreamExt, stream};
use pgwire::api::portal::Format;
use pgwire::api::results::{FieldInfo, QueryResponse};
use pgwire::api::{ClientInfo, ConnectionHandle};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::data::DataRow;
use spanmill_query::{Parameters, QueryService, Request, Rows};

use crate::error::{code, refused};
use crate::translate::Translated;

/// Rows that were encoded, and those that are still to come.
struct Encoding {
    rows: Option<Rows>,
    fields: Arc<Vec<FieldInfo>>,
    ready: VecDeque<PgWireResult<DataRow>>,
    query: Translated,
    /// Bytes that may still be sent: clients that prepare their statements get nothing before everything is there.
    left: usize,
    most: usize,
}

/// The columns of an answer, as PostgreSQL describes them.
pub(crate) fn fields(schema: &Schema, format: &Format) -> PgWireResult<Vec<FieldInfo>> {
    if let Format::Individual(formats) = format
        && formats.len() != schema.fields().len()
    {
        let problem = format!("{} formats were given for {} columns", formats.len(), schema.fields().len());
        return Err(refused(code::PROTOCOL, problem));
    }
    arrow_schema_to_pg_fields(schema, format, None)
}

/// Answers a query.
pub(crate) async fn answer(
    service: &QueryService,
    query: Translated,
    parameters: Parameters,
    format: &Format,
) -> PgWireResult<QueryResponse> {
    let request = Request { parameters, ..Request::of(query.sql.as_str()) };
    let rows = service.run(request).await.map_err(|error| query.failed(&error))?;
    let fields = Arc::new(fields(&rows.schema(), format)?);
    let most = service.limits().bytes;
    let ready = VecDeque::new();
    let mut encoding = Encoding { rows: Some(rows), fields: Arc::clone(&fields), ready, query, left: most, most };
    // What can be told before any row is told as an error of the statement, and not in the middle of its answer.
    encoding.fill().await?;
    Ok(QueryResponse::new(fields, stream::unfold(encoding, Encoding::next)))
}

/// An answer whose rows end where a client cancels it. pgwire lets clients cancel until an answer begins, and not what follows. Nothing may be
/// awaited between this and the return to pgwire: it takes what stops to be listened to here for a cancellation.
pub(crate) async fn cancellable(client: &impl ClientInfo, answer: QueryResponse) -> QueryResponse {
    let Some(handle) = client.session_extensions().get::<Arc<ConnectionHandle>>() else { return answer };
    let cancelled = handle.start_query().await;
    let fields = answer.row_schema();
    let rows = stream::unfold(Some((answer.data_rows, Some(cancelled))), async |state| {
        let (mut rows, listens) = state?;
        let Some(cancelled) = listens else { return rows.next().await.map(|row| (row, Some((rows, None)))) };
        match select(cancelled, rows.next()).await {
            Either::Left((Ok(()), _)) => Some((Err(PgWireError::QueryCanceled), None)),
            // Another query of the connection was begun, and is the one that is cancelled.
            Either::Left((Err(_), next)) => next.await.map(|row| (row, Some((rows, None)))),
            Either::Right((row, cancelled)) => row.map(|row| (row, Some((rows, Some(cancelled))))),
        }
    });
    QueryResponse::new(fields, rows)
}

/// An answer with all its rows in memory, so that its query has ended: queries that wait for one another's readers would wait for ever.
pub(crate) async fn complete(mut answer: QueryResponse) -> PgWireResult<QueryResponse> {
    let rows: Vec<DataRow> = answer.data_rows().try_collect().await?;
    Ok(QueryResponse::new(answer.row_schema(), stream::iter(rows.into_iter().map(Ok))))
}

// === impl Encoding ===

impl Encoding {
    /// Encodes the next rows, where there are any and none are ready.
    async fn fill(&mut self) -> PgWireResult<()> {
        while self.ready.is_empty()
            && let Some(rows) = &mut self.rows
        {
            match rows.next().await {
                Some(Ok(batch)) => self.ready.extend(encode_recordbatch(Arc::clone(&self.fields), batch)),
                Some(Err(error)) => return Err(self.query.failed(&error)),
                // This protocol has no other way to tell.
                None if rows.truncated() => {
                    let most = rows.most();
                    let problem = format!("the answer was cut off: more than {most} rows are not given, use LIMIT");
                    return Err(refused(code::TOO_MUCH, problem));
                }
                None => self.rows = None,
            }
        }
        Ok(())
    }

    async fn next(mut self) -> Option<(PgWireResult<DataRow>, Self)> {
        if let Err(error) = self.fill().await {
            return Some(self.end(error));
        }
        let row = self.ready.pop_front()?;
        let bytes = row.as_ref().map_or(0, |row| row.data.len());
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Some((row, self))
            }
            None => {
                let problem = format!("the answer was cut off: more than {} bytes are not given, use LIMIT", self.most);
                Some(self.end(refused(code::TOO_MUCH, problem)))
            }
        }
    }

    fn end(mut self, error: PgWireError) -> (PgWireResult<DataRow>, Self) {
        self.rows = None;
        self.ready.clear();
        (Err(error), self)
    }
}
