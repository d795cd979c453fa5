//! Transactions, of which there is nothing but what is told of them: whether one was begun, and whether it failed.

use pgwire::api::results::{Response, Tag};
use pgwire::error::PgWireResult;
use pgwire::messages::response::TransactionStatus;

use crate::error::{code, refused};
use crate::statement::Kind;

/// Refuses what a transaction that failed does not let be asked, and savepoints without one.
pub(crate) fn check(kind: Kind, status: TransactionStatus) -> PgWireResult<()> {
    match (kind, status) {
        (Kind::End(_) | Kind::BackToSavepoint, TransactionStatus::Error) => Ok(()),
        (_, TransactionStatus::Error) => Err(refused(
            code::FAILED_TRANSACTION,
            "current transaction is aborted, commands ignored until end of transaction block",
        )),
        (Kind::Savepoint(_) | Kind::BackToSavepoint, TransactionStatus::Idle) => {
            Err(refused(code::NO_TRANSACTION, "savepoints can only be used in transaction blocks"))
        }
        _ => Ok(()),
    }
}

/// The status after a statement that was answered.
pub(crate) fn after(kind: Kind, status: TransactionStatus) -> TransactionStatus {
    match kind {
        Kind::Begin => status.to_in_transaction_state(),
        Kind::End(_) => TransactionStatus::Idle,
        Kind::BackToSavepoint => TransactionStatus::Transaction,
        Kind::Query | Kind::Ignored(_) | Kind::Savepoint(_) => status,
    }
}

/// The answer to a statement that does nothing.
pub(crate) fn done(kind: Kind, status: TransactionStatus) -> Response {
    match kind {
        Kind::Query => Response::EmptyQuery,
        Kind::Ignored(tag) | Kind::Savepoint(tag) => Response::Execution(Tag::new(tag)),
        Kind::BackToSavepoint => Response::Execution(Tag::new("ROLLBACK")),
        Kind::Begin => Response::TransactionStart(Tag::new("BEGIN")),
        // What failed is not committed.
        Kind::End(_) if status == TransactionStatus::Error => Response::TransactionEnd(Tag::new("ROLLBACK")),
        Kind::End(tag) => Response::TransactionEnd(Tag::new(tag)),
    }
}
