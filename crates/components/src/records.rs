//! Requests of log records and metrics, decoded where a processor or a connector looks at all of them.

use prost::Message;
use spanmill_otlp::{Malformed, Opaque, Signal};
use spanmill_pipeline::{Code, ConsumeError};

/// Decodes a request. Text that is no UTF-8 is mended, since a decoded message cannot hold it.
pub(crate) fn decode<M: Message + Default>(opaque: &Opaque) -> Result<M, ConsumeError> {
    if let Ok(decoded) = M::decode(opaque.bytes().clone()) {
        return Ok(decoded);
    }
    // Most often it is text that is no UTF-8. Where it is not, another attempt would find the same bytes.
    let mended = opaque.with_valid_text().map_err(refusal)?;
    M::decode(mended.bytes().clone())
        .map_err(|error| ConsumeError::permanent(error.to_string()).with_code(Code::InvalidArgument))
}

/// Encodes a request that was changed.
pub(crate) fn encode(signal: Signal, message: &impl Message) -> Result<Opaque, ConsumeError> {
    Opaque::parse(signal, message.encode_to_vec().into()).map_err(refusal)
}

/// Why a request is refused: nobody could read it, and another attempt would find the same bytes.
pub(crate) fn refusal(error: Malformed) -> ConsumeError {
    ConsumeError::permanent(error.to_string()).with_code(Code::InvalidArgument)
}
