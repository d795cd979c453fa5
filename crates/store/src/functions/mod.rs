//! Functions that spanmill adds to SQL.

use datafusion::error::Result;
use datafusion::execution::session_state::SessionState;

/// The state with all functions.
pub(crate) fn registered(state: SessionState) -> Result<SessionState> {
    Ok(state)
}
