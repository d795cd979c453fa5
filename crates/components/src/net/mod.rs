//! What receivers and exporters share of the network: listening, compression under a cap, gRPC's framing and statuses.

pub(crate) mod body;
pub(crate) mod budget;
pub(crate) mod compression;
pub(crate) mod cors;
pub(crate) mod frame;
pub(crate) mod header;
pub(crate) mod life;
pub(crate) mod listen;
pub(crate) mod local;
pub(crate) mod media_type;
pub(crate) mod passing;
pub(crate) mod path;
pub(crate) mod secure;
pub(crate) mod serve;
pub(crate) mod service;
pub(crate) mod site;
pub(crate) mod status;
