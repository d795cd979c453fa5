//! The rows of an answer, as they come.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

use crate::error::QueryError;

/// The rows of an answer, as they come. To drop it cancels the query.
pub struct Rows {
    schema: SchemaRef,
    batches: mpsc::Receiver<Result<Option<RecordBatch>, QueryError>>,
    task: AbortHandle,
    most: u64,
    left: u64,
    truncated: bool,
    /// Whether all rows came, or an error.
    ended: bool,
    deadline: Instant,
    time: Duration,
}

// === impl Rows ===

impl Rows {
    pub(crate) fn new(
        batches: mpsc::Receiver<Result<Option<RecordBatch>, QueryError>>,
        task: AbortHandle,
        most: u64,
        deadline: Instant,
        time: Duration,
    ) -> Self {
        Self {
            schema: Arc::new(Schema::empty()),
            batches,
            task,
            most,
            left: most,
            truncated: false,
            ended: false,
            deadline,
            time,
        }
    }

    pub(crate) fn set_schema(&mut self, schema: SchemaRef) {
        self.schema = schema;
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Whether rows were cut off.
    pub fn truncated(&self) -> bool {
        self.truncated
    }

    /// So many rows come at most.
    pub fn most(&self) -> u64 {
        self.most
    }

    /// The next rows; none after the last, or where the limit of rows is reached.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, QueryError>> {
        loop {
            if self.truncated || self.ended {
                return None;
            }
            let batch = match timeout_at(self.deadline, self.batches.recv()).await {
                Ok(Some(Ok(Some(batch)))) => batch,
                Ok(Some(Ok(None))) => {
                    self.ended = true;
                    return None;
                }
                Ok(Some(Err(error))) => return Some(Err(self.end(error))),
                Ok(None) if Instant::now() < self.deadline => {
                    return Some(Err(self.end(QueryError::Store("the query ended before its last row".to_owned()))));
                }
                // The query was stopped, or is stopped now.
                Ok(None) | Err(_) => return Some(Err(self.end(QueryError::Time(self.time)))),
            };
            if batch.num_rows() == 0 {
                continue;
            }
            let (rows, most) = (batch.num_rows() as u64, self.left);
            if rows <= most {
                self.left = most - rows;
                return Some(Ok(batch));
            }
            self.cut();
            return match usize::try_from(most) {
                Ok(0) | Err(_) => None,
                Ok(most) => Some(Ok(batch.slice(0, most))),
            };
        }
    }

    /// All rows that are left.
    pub async fn collect(&mut self) -> Result<Vec<RecordBatch>, QueryError> {
        let mut all = Vec::new();
        while let Some(batch) = self.next().await {
            all.push(batch?);
        }
        Ok(all)
    }

    fn end(&mut self, error: QueryError) -> QueryError {
        self.ended = true;
        self.task.abort();
        error
    }

    /// No more rows are wanted.
    pub(crate) fn cut(&mut self) {
        self.truncated = true;
        self.task.abort();
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("schema", &self.schema).field("truncated", &self.truncated).finish_non_exhaustive()
    }
}
