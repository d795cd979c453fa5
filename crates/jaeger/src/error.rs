//! What is told to clients that cannot be answered.

use datafusion::error::DataFusionError;
use spanmill_store::DecodeError;
use tonic::Status;

use crate::search::SearchError;

pub(crate) fn query_failed(error: &DataFusionError) -> Status {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(message) => Status::resource_exhausted(message.clone()),
        _ => {
            tracing::warn!(%error, "a query for Jaeger failed");
            Status::internal(error.to_string())
        }
    }
}

pub(crate) fn decode_failed(error: &DecodeError) -> Status {
    match error {
        DecodeError::Query(error) => query_failed(error),
        error => {
            tracing::warn!(%error, "rows could not be made into spans");
            Status::data_loss(error.to_string())
        }
    }
}

pub(crate) fn search_failed(error: &SearchError) -> Status {
    match error {
        SearchError::Query(error) => query_failed(error),
        SearchError::Tags(_) => Status::invalid_argument(error.to_string()),
    }
}
