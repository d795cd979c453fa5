//! Others that help to answer.

use std::fmt;

use async_trait::async_trait;
use datafusion::error::Result;
use datafusion::execution::session_state::SessionStateBuilder;

/// Others that help to answer queries, by running parts of their plans over the same files.
#[async_trait]
pub trait Cluster: fmt::Debug + Send + Sync {
    /// Whether anybody is there.
    fn is_there(&self) -> bool;

    /// Has plans made for those who are there.
    fn plan(&self, builder: SessionStateBuilder) -> Result<SessionStateBuilder>;

    /// Looks who is there now; says whether somebody is gone since the last look. A query that failed is worth a second try then.
    async fn lost_any(&self) -> bool;
}
