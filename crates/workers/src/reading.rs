//! What a worker does not do: it reads, and nothing else.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::sink::DataSinkExec;
use datafusion::error::{DataFusionError, Result};
use datafusion_distributed::{WorkerPlanRewriteEvent, WorkerPlanRewriteEventResponse};

/// Refuses a plan that would write.
pub(crate) fn only_reads(event: WorkerPlanRewriteEvent<'_>) -> Result<WorkerPlanRewriteEventResponse> {
    event.plan.apply(|node| match node.downcast_ref::<DataSinkExec>() {
        Some(_) => Err(DataFusionError::Plan("query workers do not write".to_owned())),
        None => Ok(TreeNodeRecursion::Continue),
    })?;
    Ok(WorkerPlanRewriteEventResponse::new(event.plan))
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::{SessionConfig, SessionContext};

    use super::*;

    /// Scenario: a plan that reads, and one that writes its rows to a file, as they come from who asks.
    /// Guarantees: the first goes through as it is, the second does not.
    #[tokio::test]
    async fn plans_that_write_are_refused() {
        let (context, config) = (SessionContext::new(), SessionConfig::new());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("stolen.parquet");
        let writes = format!("COPY (SELECT 1 AS one) TO '{}'", file.display());
        for (sql, wanted) in [("SELECT 1 AS one", true), (writes.as_str(), false)] {
            let plan = context.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
            let event = WorkerPlanRewriteEvent { plan, session_config: &config };
            assert_eq!(only_reads(event).is_ok(), wanted, "{sql}");
        }
    }
}
