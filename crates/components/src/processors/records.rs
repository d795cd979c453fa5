//! Requests of log records and metrics, decoded where a processor looks at all of them.

use prost::Message;
use spanmill_otlp::{Opaque, Signal};
use spanmill_pipeline::{Code, ConsumeError};

use super::changing::refusal;

/// Decodes a request.
pub(super) fn decode<M: Message + Default>(opaque: &Opaque) -> Result<M, ConsumeError> {
    // Another attempt would find the same bytes.
    M::decode(opaque.bytes().clone())
        .map_err(|error| ConsumeError::permanent(error.to_string()).with_code(Code::InvalidArgument))
}

/// Encodes a request that was changed.
pub(super) fn encode(signal: Signal, message: &impl Message) -> Result<Opaque, ConsumeError> {
    Opaque::parse(signal, message.encode_to_vec().into()).map_err(refusal)
}
