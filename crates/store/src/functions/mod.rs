//! Functions that spanmill adds to SQL, and bounds of those that make much out of little.

mod attr;
mod bounded;
mod concat;
mod json;
mod percentile;
mod time_bucket;

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use attr::Attr;
use concat::ConcatPlanner;
use percentile::Percentile;
use time_bucket::TimeBucket;

/// The state with all functions.
pub(crate) fn registered(mut state: SessionState) -> Result<SessionState> {
    state.register_udf(Arc::new(ScalarUDF::from(Attr::new())))?;
    state.register_udf(Arc::new(ScalarUDF::from(TimeBucket::new())))?;
    for function in Percentile::ALL {
        state.register_udaf(Arc::new(AggregateUDF::from(function())))?;
    }
    bounded::bound(&mut state)?;
    state.register_udf(concat::function())?;
    state.register_expr_planner(Arc::new(ConcatPlanner::new()))?;
    Ok(state)
}
