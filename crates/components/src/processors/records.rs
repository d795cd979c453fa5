//! Requests of log records and metrics, decoded where a processor looks at all of them.

use prost::Message;
use spanmill_otlp::{Opaque, Signal};
use spanmill_pipeline::{Code, ConsumeError};

use super::changing::refusal;

/// Decodes a request. Text that is no UTF-8 is mended, since a decoded message cannot hold it.
pub(super) fn decode<M: Message + Default>(opaque: &Opaque) -> Result<M, ConsumeError> {
    if let Ok(decoded) = M::decode(opaque.bytes().clone()) {
        return Ok(decoded);
    }
    // Most often it is text that is no UTF-8. Where it is not, another attempt would find the same bytes.
    let mended = opaque.with_valid_text().map_err(refusal)?;
    M::decode(mended.bytes().clone())
        .map_err(|error| ConsumeError::permanent(error.to_string()).with_code(Code::InvalidArgument))
}

/// Encodes a request that was changed.
pub(super) fn encode(signal: Signal, message: &impl Message) -> Result<Opaque, ConsumeError> {
    Opaque::parse(signal, message.encode_to_vec().into()).map_err(refusal)
}
