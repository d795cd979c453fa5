//! A question, planned here and answered by executors.

use std::sync::Arc;

use ballista_core::execution_plans::execute_physical_plan;
use ballista_core::extension::SessionConfigExt;
use ballista_core::optimizer::with_ballista_optimizer_rules;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::ParamValues;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::DataFusionError;
use datafusion::error::Result;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::context::SQLOptions;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::{ExecutionPlan, common};
use datafusion::prelude::SessionContext;
use datafusion_proto::protobuf::PhysicalPlanNode;
use spanmill_query::{Parameters, Request};
use spanmill_store::Store;

use crate::error::BallistaStoreError;

/// The answer to a question.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its columns.
    pub schema: SchemaRef,
    /// Its rows.
    pub batches: Vec<RecordBatch>,
}

/// Answers a question about the files of a store, with the executors of the scheduler at that address, such as `http://localhost:50050`.
/// What limits a request beside its parameters is refused: Ballista would not keep to it.
pub async fn ask(scheduler: &str, store: &Store, request: Request) -> Result<Answer, BallistaStoreError> {
    let limits = [
        ("tenant", request.tenant.is_some()),
        ("max_rows", request.max_rows.is_some()),
        ("timeout", request.timeout.is_some()),
    ];
    if let Some((limit, _)) = limits.into_iter().find(|(_, given)| *given) {
        return Err(BallistaStoreError::Limit(limit));
    }
    let session = for_ballista(store)?;
    let plan = plan(&session, request).await?;
    let (schema, config) = (plan.schema(), session.copied_config());
    let codec = config.ballista_physical_extension_codec();
    let (ballista, id) = (config.ballista_config(), session.session_id());
    let rows = execute_physical_plan::<PhysicalPlanNode>(
        scheduler.to_owned(),
        &ballista,
        plan,
        codec.as_ref(),
        id,
        config.clone(),
    );
    Ok(Answer { schema, batches: common::collect(rows.await?).await? })
}

/// A session that sees the store as it is now, and plans as stages want it: no filters that travel between operators, no results shared in memory.
fn for_ballista(store: &Store) -> Result<SessionContext, BallistaStoreError> {
    let state = store.session(None)?.state();
    let config = state.config().clone().upgrade_for_ballista();
    let rules = with_ballista_optimizer_rules(state.optimizers());
    let builder = SessionStateBuilder::new_from_existing(state).with_config(config).with_optimizer_rules(rules);
    Ok(SessionContext::new_with_state(builder.build()))
}

async fn plan(session: &SessionContext, request: Request) -> Result<Arc<dyn ExecutionPlan>, BallistaStoreError> {
    let only_queries = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    let query = session.sql_with_options(&request.sql, only_queries).await?;
    let query = match request.parameters {
        Parameters::Positional(values) if values.is_empty() => query,
        Parameters::Positional(values) => query.with_param_values(ParamValues::from(values))?,
        Parameters::Named(values) => query.with_param_values(ParamValues::from(values))?,
    };
    Ok(scanning_nothing(query.create_physical_plan().await?)?)
}

/// What reads nothing becomes a scan of nothing. Where it is a branch of a union, Ballista 55.0 does that itself, in those tasks alone that have no part in it, and
/// then waits for ever, as it wants all tasks of a stage to have as many operators.
fn scanning_nothing(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
    plan.transform_up(|node| {
        if node.is::<EmptyExec>() {
            let scan = MemorySourceConfig::try_new_exec(&[Vec::new()], node.schema(), None)?;
            return Ok(Transformed::yes(scan as Arc<dyn ExecutionPlan>));
        }
        Ok(Transformed::no(node))
    })
    .data()
}
