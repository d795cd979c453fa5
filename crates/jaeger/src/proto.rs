//! Jaeger's storage API, as generated.
#![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, clippy::indexing_slicing, reason = "generated")]

tonic::include_proto!("jaeger.storage.v2");
