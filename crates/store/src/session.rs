//! Queries: SQL to an answer.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, CatalogProviderList};
use datafusion::catalog::{MemoryCatalogProvider, MemoryCatalogProviderList, SchemaProvider, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{ParamValues, ScalarValue, plan_err};
use datafusion::datasource::ViewTable;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::execution::{SendableRecordBatchStream, TaskContext, context::SQLOptions};
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::Statement;

use crate::cluster::Cluster;
use crate::options::Options;
use crate::pause::PausingJoins;
use crate::place::Place;
use crate::runtime;
use crate::schema::Table;
use crate::store::{Snapshot, Store, StoreError};
use crate::table::{Class, StoredTable};
use crate::views;

/// What all queries have in common: functions, memory, files that were opened. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Engine {
    state: Arc<SessionState>,
    /// Memory of all queries together, in bytes.
    memory: usize,
    url: ObjectStoreUrl,
}

/// What a query may see, and what stands for its parameters.
#[derive(Debug, Clone, Default)]
pub struct QueryOptions {
    /// Values of `$1`, `$2` and so on.
    pub positional: Vec<ScalarValue>,
    /// Values of `$name`; only looked at where there are no positional ones.
    pub named: Vec<(String, ScalarValue)>,
    /// Only rows of this tenant exist, whatever the SQL says.
    pub tenant: Option<String>,
    /// Others that help, where they are there.
    pub cluster: Option<Arc<dyn Cluster>>,
}

/// The answer to a query. To drop it cancels the query.
pub struct Answer {
    /// Its columns.
    pub schema: SchemaRef,
    /// Its rows, as they are found.
    pub rows: SendableRecordBatchStream,
}

/// What a query takes and gives, as far as planning tells.
#[derive(Debug, Clone)]
pub struct Description {
    /// Its columns.
    pub schema: SchemaRef,
    /// Names of the parameters that were given no value, such as `$1`, in the order of their names; with types where the query tells them.
    pub parameters: BTreeMap<String, Option<DataType>>,
}

/// The tables of one query, made when the SQL names them.
#[derive(Clone)]
struct Tables {
    snapshot: Arc<Snapshot>,
    /// Decided once the query is understood, and before it is planned.
    class: Arc<OnceLock<Class>>,
    /// Whose rows are in them.
    tenants: Vec<Arc<str>>,
    engine: Engine,
}

const CATALOG: &str = "spanmill";
const SCHEMA: &str = "public";

// === impl Store ===

impl Store {
    /// Answers a query about what is in memory and in files at this moment. Statements that are no queries are refused.
    pub async fn query(&self, sql: &str, options: &QueryOptions) -> Result<Answer> {
        let session = self.engine().session(&Arc::new(self.snapshot()), options, self.tenant())?;
        let plan = session.plan(sql, options).await?;
        let _ = session.class.set(class_of(&plan)?);
        let frame = session.context.execute_logical_plan(plan).await?;
        let rows = frame.execute_stream().await?;
        Ok(Answer { schema: rows.schema(), rows })
    }

    /// What a query takes and gives; nothing is read. What [`Store::query`] refuses as no query is refused here as well.
    pub async fn describe(&self, sql: &str, options: &QueryOptions) -> Result<Description> {
        let session = self.engine().session(&Arc::new(self.snapshot()), options, self.tenant())?;
        let _ = session.class.set(Class::Lookup);
        let plan = session.plan(sql, options).await?;
        let parameters = plan.get_parameter_types()?.into_iter().collect();
        // Types that both sides of an operator are brought to are known once that was done.
        let plan = session.context.state().optimize(&plan)?;
        Ok(Description { schema: Arc::clone(plan.schema().inner()), parameters })
    }

    /// A DataFusion session that sees the store as it is at this moment, for interfaces that plan on their own. Use it for one query:
    /// what is written later is not in it.
    pub fn session(&self, tenant: Option<&str>) -> Result<SessionContext> {
        let options = QueryOptions { tenant: tenant.map(str::to_owned), ..QueryOptions::default() };
        let session = self.engine().session(&Arc::new(self.snapshot()), &options, self.tenant())?;
        let _ = session.class.set(Class::Aggregate);
        Ok(session.context)
    }

    /// A session for a part of a plan that was made on another machine. It knows the files and functions, and no tables.
    pub fn reading(&self, builder: SessionStateBuilder) -> Result<SessionState> {
        crate::functions::registered(builder.with_runtime_env(self.engine().runtime_of_one_query()).build())
    }
}

/// A session for one query.
pub(crate) struct Session {
    pub(crate) context: SessionContext,
    pub(crate) class: Arc<OnceLock<Class>>,
    /// Who asks acts for a tenant.
    is_confined: bool,
}

// === impl Session ===

impl Session {
    /// A query, understood, with its parameters put in.
    async fn plan(&self, sql: &str, options: &QueryOptions) -> Result<LogicalPlan> {
        let state = self.context.state();
        let statement = state.sql_to_statement(sql, &state.config_options().sql_parser.dialect)?;
        no_copy(&statement)?;
        let plan = state.statement_to_plan(statement).await?;
        within_bound(&plan)?;
        let only_queries = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        only_queries.verify_plan(&plan)?;
        if self.is_confined && matches!(plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_)) {
            return plan_err!("EXPLAIN is for those who may see the rows of all tenants: it tells how many there are");
        }
        match (options.positional.as_slice(), options.named.as_slice()) {
            ([], []) => Ok(plan),
            ([], named) => plan.with_param_values(ParamValues::from(named.to_vec())),
            (positional, _) => plan.with_param_values(ParamValues::from(positional.to_vec())),
        }
    }
}

// === impl Engine ===

impl Engine {
    pub(crate) fn new(options: &Options, place: &Place) -> Result<Self, StoreError> {
        let url = ObjectStoreUrl::parse("spanmill://store")?;
        let runtime = runtime::shared(options, place, &url)?;
        let mut config = SessionConfig::new()
            .with_target_partitions(options.query_threads.max(1))
            .with_default_catalog_and_schema(CATALOG, SCHEMA)
            .with_create_default_catalog_and_schema(false)
            .with_information_schema(true);
        config.options_mut().sql_parser.collect_spans = true;
        // As times of columns have it: `now()` and casts to TIMESTAMP WITH TIME ZONE are times in UTC, not times of nowhere.
        config.options_mut().execution.time_zone = Some("UTC".to_owned());
        // The rules have done what they can after the second pass: the third takes a twentieth of a short query, to see that.
        config.options_mut().optimizer.max_passes = 2;
        config.options_mut().execution.parquet.metadata_size_hint = Some(64 << 10);
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(runtime)
            .with_default_features()
            .with_physical_optimizer_rule(Arc::new(PausingJoins))
            .build();
        Ok(Self { state: Arc::new(crate::functions::registered(state)?), memory: options.query_memory, url })
    }

    /// A session that sees a snapshot.
    fn session(
        &self,
        snapshot: &Arc<Snapshot>,
        options: &QueryOptions,
        confined_to: Option<&Arc<str>>,
    ) -> Result<Session> {
        let asked = options.tenant.as_deref().map(Arc::from);
        let tenants: Vec<Arc<str>> = confined_to.cloned().into_iter().chain(asked).collect();
        let class = Arc::new(OnceLock::new());
        let tables = Tables {
            snapshot: Arc::clone(snapshot),
            class: Arc::clone(&class),
            tenants: tenants.clone(),
            engine: self.clone(),
        };
        let builder = self.builder_with(tables).with_runtime_env(self.runtime_of_one_query());
        // Others are sent plans, and there is none that says whose rows are whose.
        let cluster = options.cluster.as_deref().filter(|cluster| tenants.is_empty() && cluster.is_there());
        let builder = match cluster {
            Some(cluster) => cluster.plan(builder)?,
            None => builder,
        };
        let context = SessionContext::new_with_state(builder.build());
        Ok(Session { context, class, is_confined: confined_to.is_some() })
    }

    fn runtime_of_one_query(&self) -> Arc<RuntimeEnv> {
        runtime::of_one_query(self.state.runtime_env(), self.memory)
    }

    /// How files of the store are named in plans.
    pub(crate) fn url(&self) -> ObjectStoreUrl {
        self.url.clone()
    }

    /// To run plans that were not made from SQL, so many rows at a time.
    pub(crate) fn task_context(&self, rows: usize) -> Arc<TaskContext> {
        let mut state = SessionState::clone(&self.state);
        *state.config_mut() = state.config().clone().with_batch_size(rows);
        state.task_ctx()
    }

    fn builder_with(&self, tables: Tables) -> SessionStateBuilder {
        let catalog = MemoryCatalogProvider::new();
        // Names of this memory catalog are free: nothing was registered before.
        let _ = catalog.register_schema(SCHEMA, Arc::new(tables));
        let catalogs = MemoryCatalogProviderList::new();
        catalogs.register_catalog(CATALOG.to_owned(), Arc::new(catalog));
        SessionStateBuilder::new_from_existing(SessionState::clone(&self.state)).with_catalog_list(Arc::new(catalogs))
    }
}

// === impl Tables ===

impl Tables {
    fn stored(&self, table: Table) -> Arc<dyn TableProvider> {
        let stored = StoredTable::new(table, Arc::clone(&self.snapshot), Arc::clone(&self.class), self.engine.url());
        Arc::new(stored.confined(self.tenants.clone()))
    }

    async fn view(&self, sql: &'static str) -> Result<Option<Arc<dyn TableProvider>>> {
        // A session of its own, since the one that asks cannot be borrowed from here. Views name stored tables alone.
        let plan = self.engine.builder_with(self.clone()).build().create_logical_plan(sql).await?;
        Ok(Some(Arc::new(ViewTable::new(plan, Some(sql.to_owned())))))
    }
}

#[async_trait]
impl SchemaProvider for Tables {
    fn table_names(&self) -> Vec<String> {
        Table::ALL
            .iter()
            .map(|table| table.name())
            .chain(views::ALL.iter().map(|view| view.name))
            .map(str::to_owned)
            .collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        if let Some(table) = Table::ALL.into_iter().find(|table| table.name() == name) {
            return Ok(Some(self.stored(table)));
        }
        match views::ALL.iter().find(|view| view.name == name) {
            Some(view) => self.view(view.sql).await,
            None => Ok(None),
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        self.table_names().iter().any(|known| known == name)
    }
}

impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tables").field("tenants", &self.tenants).finish_non_exhaustive()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("schema", &self.schema).finish_non_exhaustive()
    }
}

/// Planning looks at the file that is to be written, and its errors are about that.
fn no_copy(mut statement: &Statement) -> Result<()> {
    while let Statement::Explain(explain) = statement {
        statement = &explain.statement;
    }
    if matches!(statement, Statement::CopyTo(_)) {
        return plan_err!("DML not supported: COPY");
    }
    Ok(())
}

/// Parts of a plan, each as often as it is named: planning rewrites them dozens of times.
const MOST_PARTS: usize = 4_000;

/// A CTE that names the one before it twice, and so on, is a short text, and a plan that has no end.
fn within_bound(plan: &LogicalPlan) -> Result<()> {
    let mut parts = 0_usize;
    plan.apply_with_subqueries(|_| {
        parts += 1;
        Ok(if parts > MOST_PARTS { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    if parts > MOST_PARTS {
        return plan_err!("the query is too large: its tables, views and CTEs have more than {MOST_PARTS} parts");
    }
    Ok(())
}

/// What a query wants: single rows, or a summary of many. A trace that is named makes few rows of any query.
fn class_of(plan: &LogicalPlan) -> Result<Class> {
    let (mut summary, mut by_trace) = (false, false);
    plan.apply_with_subqueries(|node| {
        match node {
            LogicalPlan::Aggregate(_) | LogicalPlan::Window(_) | LogicalPlan::Distinct(_) => summary = true,
            LogicalPlan::Filter(filter) => {
                by_trace |=
                    crate::table::bounds(Table::Spans, std::slice::from_ref(&filter.predicate)).traces.is_some();
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(if summary && !by_trace { Class::Aggregate } else { Class::Lookup })
}
