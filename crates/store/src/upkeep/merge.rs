//! Sorted files of a table to one sorted stream.

use std::sync::Arc;

use arrow::compute::SortOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};

use crate::manifest::Piece;
use crate::schema::Table;
use crate::store::Store;

/// Rows of a file that are in memory at a time.
const ROWS: usize = 2048;

/// All rows of a table of some pieces, by time.
pub(super) fn merged(store: &Store, table: Table, pieces: &[Piece]) -> Result<Option<SendableRecordBatchStream>> {
    let schema = table.schema();
    let by_time = PhysicalSortExpr::new(col(table.time_column(), &schema)?, SortOptions::default());
    let Some(ordering) = LexOrdering::new([by_time]) else { return Ok(None) };
    let mut inputs: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
    for piece in pieces {
        let Some(stats) = piece.tables.get(&table) else { continue };
        let source = Arc::new(ParquetSource::new(Arc::clone(&schema)));
        let config = FileScanConfigBuilder::new(store.engine().url(), source)
            .with_file(PartitionedFile::new(piece.path(table).to_string(), stats.bytes))
            .with_output_ordering(vec![ordering.clone()])
            .build();
        inputs.push(DataSourceExec::from_data_source(config));
    }
    let input = match inputs.len() {
        0 => return Ok(None),
        1 => inputs.remove(0),
        _ => UnionExec::try_new(inputs)?,
    };
    let merged = Arc::new(SortPreservingMergeExec::new(ordering, input));
    Ok(Some(execute_stream(merged, store.engine().task_context(ROWS))?))
}
