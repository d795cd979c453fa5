//! What sends batches on.
