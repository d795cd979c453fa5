//! Which files may hold a trace: Bloom filters of trace ids, kept in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::arrow::ParquetRecordBatchStreamBuilder;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::bloom_filter::Sbbf;
use parquet::errors::ParquetError;
use parquet::schema::types::SchemaDescriptor;

use crate::manifest::PieceId;
use crate::schema::Table;

/// The traces of a file: a filter for the whole, or one a row group.
#[derive(Debug, Clone)]
pub(crate) struct Bloom(Arc<[Sbbf]>);

/// The filters of all files that were asked for. Those of files written here are there from the start; others are read once.
///
/// Each table has its own: an event may stand in a later hour than its span, and so in another piece.
#[derive(Debug, Default)]
pub(crate) struct Blooms {
    known: Mutex<HashMap<(PieceId, Table), Bloom>>,
}

// === impl Bloom ===

impl Bloom {
    /// The filters of a file that was just written.
    pub(crate) fn of(file: &Bytes) -> Result<Self, ParquetError> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file.clone())?;
        let Some(column) = column(builder.parquet_schema()) else { return Ok(Self::none()) };
        let groups = 0..builder.metadata().num_row_groups();
        let filters = groups.map(|group| builder.get_row_group_column_bloom_filter(group, column));
        Ok(filters.collect::<Result<Option<Vec<_>>, _>>()?.map_or_else(Self::none, |filters| Self(filters.into())))
    }

    /// Whether a trace may be there. Without a filter any may.
    pub(crate) fn may_hold(&self, trace_id: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|filter| filter.check(trace_id))
    }

    /// Rules nothing out.
    fn none() -> Self {
        Self(Arc::default())
    }

    async fn read(reader: Box<dyn AsyncFileReader>) -> Result<Self, ParquetError> {
        let mut builder = ParquetRecordBatchStreamBuilder::new(reader).await?;
        let Some(column) = column(builder.parquet_schema()) else { return Ok(Self::none()) };
        let mut filters = Vec::new();
        for group in 0..builder.metadata().num_row_groups() {
            match builder.get_row_group_column_bloom_filter(group, column).await? {
                Some(filter) => filters.push(filter),
                None => return Ok(Self::none()),
            }
        }
        Ok(Self(filters.into()))
    }
}

fn column(schema: &SchemaDescriptor) -> Option<usize> {
    schema.columns().iter().position(|column| column.name() == "trace_id")
}

// === impl Blooms ===

impl Blooms {
    pub(crate) fn insert(&self, id: PieceId, table: Table, bloom: Bloom) {
        self.lock().insert((id, table), bloom);
    }

    /// Forgets all pieces but these.
    pub(crate) fn retain(&self, is_live: impl Fn(&PieceId) -> bool) {
        self.lock().retain(|(id, _), _| is_live(id));
    }

    /// Whether a file may hold one of the traces. `open` opens it; a filter that cannot be read rules nothing out.
    pub(crate) async fn may_hold(
        &self,
        id: &PieceId,
        table: Table,
        traces: &[String],
        open: impl FnOnce() -> Option<Box<dyn AsyncFileReader>>,
    ) -> bool {
        let known = self.lock().get(&(id.clone(), table)).cloned();
        let bloom = match known {
            Some(bloom) => bloom,
            None => {
                let Some(reader) = open() else { return true };
                let Ok(bloom) = Bloom::read(reader).await else { return true };
                self.insert(id.clone(), table, bloom.clone());
                bloom
            }
        };
        traces.iter().any(|trace| bloom.may_hold(trace))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(PieceId, Table), Bloom>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
