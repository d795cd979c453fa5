//! A stored table.

use std::cmp::Reverse;
use std::sync::{Arc, OnceLock};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::config::TableParquetOptions;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::union::UnionExec;
use object_store::ObjectMeta;
use parquet::arrow::async_reader::AsyncFileReader;

use super::confined::ConfinedExec;
use super::{Bounds, bounds};
use crate::file::time_range;
use crate::manifest::{FileStats, Piece};
use crate::schema::Table;
use crate::store::Snapshot;

/// What a query wants, which decides whether rows are filtered while they are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Few rows with many columns: filtering while decoding is faster.
    Lookup,
    /// Many rows with few columns: it would be slower.
    Aggregate,
}

/// A stored table at one moment.
#[derive(Debug)]
pub(crate) struct StoredTable {
    table: Table,
    snapshot: Arc<Snapshot>,
    class: Arc<OnceLock<Class>>,
    /// Whose rows alone are in it; all rows where there is nobody, and none where there are several.
    tenants: Vec<Arc<str>>,
    url: ObjectStoreUrl,
}

/// Footers are read with so many bytes at the first try.
const FOOTER: usize = 64 << 10;

// === impl StoredTable ===

impl StoredTable {
    pub(crate) fn new(table: Table, snapshot: Arc<Snapshot>, class: Arc<OnceLock<Class>>, url: ObjectStoreUrl) -> Self {
        Self { table, snapshot, class, tenants: Vec::new(), url }
    }

    /// The table with the rows of those tenants alone, of whom each one decides.
    pub(crate) fn confined(self, tenants: Vec<Arc<str>>) -> Self {
        Self { tenants, ..self }
    }

    /// The files that may hold rows within bounds, the newest first: who wants few rows mostly wants the last ones, and once those are found
    /// older files are not opened.
    async fn files(&self, state: &dyn Session, bounds: &Bounds) -> Vec<(Arc<Piece>, FileStats)> {
        let mut files = Vec::new();
        for piece in self.snapshot.pieces() {
            let Some(stats) = piece.tables.get(&self.table) else { continue };
            if !bounds.overlap(stats.min_us, stats.max_us) {
                continue;
            }
            if let Some(traces) = &bounds.traces {
                let open = || self.open(state, piece, *stats);
                if !self.snapshot.blooms.may_hold(&piece.id, self.table, traces, open).await {
                    continue;
                }
            }
            files.push((Arc::clone(piece), *stats));
        }
        files.sort_by_key(|(_, stats)| Reverse(stats.max_us));
        files
    }

    fn open(&self, state: &dyn Session, piece: &Piece, stats: FileStats) -> Option<Box<dyn AsyncFileReader>> {
        let file = Self::partitioned_file(self.table, piece, stats);
        let metrics = ExecutionPlanMetricsSet::new();
        Some(self.reader(state).create_reader(0, file, Some(FOOTER), &metrics).ok()?)
    }

    fn reader(&self, state: &dyn Session) -> CachedParquetFileReaderFactory {
        let cache = state.runtime_env().cache_manager.get_file_metadata_cache();
        CachedParquetFileReaderFactory::new(Arc::clone(self.snapshot.place.store()), cache)
    }

    fn hot(&self, bounds: &Bounds) -> Result<Vec<RecordBatch>> {
        let within = |rows: &&RecordBatch| {
            time_range(self.table, rows).is_none_or(|(min_us, max_us)| bounds.overlap(min_us, max_us))
        };
        match self.table {
            Table::Usage => Ok(match self.snapshot.hot.get(Table::Spans) {
                [] => Vec::new(),
                spans => vec![crate::rollup::roll_up(spans)?],
            }),
            table => Ok(self.snapshot.hot.get(table).iter().filter(within).cloned().collect()),
        }
    }

    fn file_scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        limit: Option<usize>,
        files: Vec<(Arc<Piece>, FileStats)>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut options =
            TableParquetOptions { global: state.config_options().execution.parquet.clone(), ..Default::default() };
        options.global.pushdown_filters = self.class.get() == Some(&Class::Lookup);
        options.global.reorder_filters = self.class.get() == Some(&Class::Lookup);
        let source = ParquetSource::new(self.table.schema())
            .with_table_parquet_options(options)
            .with_metadata_size_hint(FOOTER)
            .with_parquet_file_reader_factory(Arc::new(self.reader(state)));

        let total: u64 = files.iter().map(|(_, stats)| stats.rows).sum();
        let mut groups: Vec<FileGroup> =
            (0..state.config().target_partitions().clamp(1, files.len())).map(|_| FileGroup::default()).collect();
        let mut sizes = vec![0_u64; groups.len()];
        for (piece, stats) in files {
            // The next file goes to the group that has least to read.
            let least = sizes.iter().enumerate().min_by_key(|(_, size)| **size).map_or(0, |(at, _)| at);
            if let (Some(group), Some(size)) = (groups.get_mut(least), sizes.get_mut(least)) {
                group.push(Self::partitioned_file(self.table, &piece, stats));
                *size += stats.bytes;
            }
        }
        let config = FileScanConfigBuilder::new(self.url.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_projection_indices(projection.cloned())?
            .with_statistics(Statistics {
                num_rows: Precision::Exact(usize::try_from(total).unwrap_or(usize::MAX)),
                total_byte_size: Precision::Absent,
                column_statistics: vec![ColumnStatistics::new_unknown(); self.table.schema().fields().len()],
            })
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    fn partitioned_file(table: Table, piece: &Piece, stats: FileStats) -> PartitionedFile {
        let meta = ObjectMeta {
            location: piece.path(table),
            // Files never change: the time is only looked at to see whether what is cached of them still holds.
            last_modified: Default::default(),
            size: stats.bytes,
            e_tag: None,
            version: None,
        };
        let time = |micros| Precision::Exact(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())));
        let schema = table.schema();
        let column_statistics = schema.fields().iter().map(|field| {
            let unknown = ColumnStatistics::new_unknown();
            if field.name() != table.time_column() {
                return unknown;
            }
            ColumnStatistics {
                null_count: Precision::Exact(0),
                min_value: time(stats.min_us),
                max_value: time(stats.max_us),
                ..unknown
            }
        });
        PartitionedFile::from(meta).with_statistics(Arc::new(Statistics {
            num_rows: Precision::Exact(usize::try_from(stats.rows).unwrap_or(usize::MAX)),
            total_byte_size: Precision::Absent,
            column_statistics: column_statistics.collect(),
        }))
    }
}

#[async_trait]
impl TableProvider for StoredTable {
    fn schema(&self) -> SchemaRef {
        self.table.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some((tenant, others)) = self.tenants.split_first() else {
            return self.rows(state, projection, filters, limit).await;
        };
        let schema = self.projected(projection)?;
        if others.iter().any(|other| other != tenant) {
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        // A limit of all rows is none of the tenant's.
        let column = self.table.schema().index_of("tenant")?;
        let wanted = projection.map(|columns| columns.iter().copied().chain([column]).collect());
        let rows = self.rows(state, wanted.as_ref(), filters, None).await?;
        let column = projection.map_or(column, Vec::len);
        Ok(Arc::new(ConfinedExec::new(rows, tenant, column, schema)?))
    }
}

impl StoredTable {
    fn projected(&self, projection: Option<&Vec<usize>>) -> Result<SchemaRef> {
        Ok(match projection {
            Some(columns) => Arc::new(self.table.schema().project(columns)?),
            None => self.table.schema(),
        })
    }

    /// Rows of all tenants. Filters are looked at for times and traces only.
    async fn rows(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let bounds = bounds(self.table, filters);
        let hot = self.hot(&bounds)?;
        let files = self.files(state, &bounds).await;
        let mut inputs: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
        let schema = self.projected(projection)?;
        if !hot.is_empty() {
            // Nothing but the columns that are wanted: to query workers the rows themselves are sent.
            let hot = match projection {
                Some(columns) => {
                    hot.iter().map(|rows| rows.project(columns)).collect::<std::result::Result<_, ArrowError>>()?
                }
                None => hot,
            };
            inputs.push(MemorySourceConfig::try_new_exec(&spread(hot, state), Arc::clone(&schema), None)?);
        }
        if !files.is_empty() {
            inputs.push(self.file_scan(state, projection, limit, files)?);
        }
        match inputs.len() {
            0 => Ok(Arc::new(EmptyExec::new(schema))),
            1 => Ok(inputs.remove(0)),
            _ => UnionExec::try_new(inputs),
        }
    }
}

/// Batches in as many partitions as there are threads.
fn spread(batches: Vec<RecordBatch>, state: &dyn Session) -> Vec<Vec<RecordBatch>> {
    let most = state.config().target_partitions().max(1);
    let mut partitions: Vec<Vec<RecordBatch>> = vec![Vec::new(); most.min(batches.len()).max(1)];
    let count = partitions.len();
    for (at, batch) in batches.into_iter().enumerate() {
        if let Some(partition) = partitions.get_mut(at % count) {
            partition.push(batch);
        }
    }
    partitions
}
