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

    /// Looks who is there now.
    async fn look(&self);

    /// How many were lost so far. Where a query failed and that grew since it began, it is worth a second try.
    fn losses(&self) -> u64;

    /// Whether what a query failed with, as it is told, would come again from whoever is left: then it is not tried a second time.
    fn is_final(&self, error: &str) -> bool;
}
