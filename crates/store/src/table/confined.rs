//! Rows of one tenant, and nothing of others.
//!
//! A filter beside those of the query would not do: what a query computes may fail at a row, and say why, before the filter has taken that row
//! away. So rows are taken out here, and nothing of the query is let through to what lies below: to the optimizer this is a leaf, or it would
//! sort and compute on the other side of it.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, Datum, RecordBatch, Scalar};
use arrow::compute::filter_record_batch;
use arrow::compute::kernels::cmp;
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{ScalarValue, internal_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures_util::StreamExt;

/// Lets the rows of one tenant through.
#[derive(Debug, Clone)]
pub(crate) struct ConfinedExec {
    input: Arc<dyn ExecutionPlan>,
    own: Own,
    properties: Arc<PlanProperties>,
}

/// What is one's own, and what is shown of it.
#[derive(Clone)]
struct Own {
    tenant: Arc<Scalar<ArrayRef>>,
    /// The column that has the tenant.
    column: usize,
    /// The first columns are shown.
    schema: SchemaRef,
}

// === impl ConfinedExec ===

impl ConfinedExec {
    /// Of the rows of a plan those of the tenant, which stands in that column, and of their columns the first ones, as the schema has them.
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>, tenant: &str, column: usize, schema: SchemaRef) -> Result<Self> {
        let kind = input.schema().field(column).data_type().clone();
        let tenant = ScalarValue::from(tenant).cast_to(&kind)?.to_scalar()?;
        let below = input.properties();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(below.output_partitioning().partition_count()),
            below.emission_type,
            below.boundedness,
        );
        let own = Own { tenant: Arc::new(tenant), column, schema };
        Ok(Self { input, own, properties: Arc::new(properties) })
    }
}

impl DisplayAs for ConfinedExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConfinedExec")
    }
}

impl ExecutionPlan for ConfinedExec {
    fn name(&self) -> &str {
        "ConfinedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        if !children.is_empty() {
            return internal_err!("nothing is put below the rows of a tenant");
        }
        Ok(self)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = self.input.execute(partition, context)?;
        let own = self.own.clone();
        let rows = rows.map(move |batch| own.of(&batch?));
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.own.schema), rows)))
    }
}

// === impl Own ===

impl Own {
    fn of(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let Some(tenants) = batch.columns().get(self.column) else {
            return internal_err!("rows have no tenant");
        };
        let tenant: &dyn Datum = &*self.tenant;
        let own = cmp::eq(tenants, tenant)?;
        let shown: Vec<usize> = (0..self.schema.fields().len()).collect();
        let shown = batch.project(&shown)?;
        filter_record_batch(&shown, &own).map_err(DataFusionError::from)
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own").field("column", &self.column).finish_non_exhaustive()
    }
}
