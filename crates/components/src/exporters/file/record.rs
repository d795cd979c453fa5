//! A batch as it stands in the file.

use spanmill_otlp::{Malformed, json};
use spanmill_pipeline::Batch;
use thiserror::Error;

use super::config::{Compression, Config, Format};

/// A batch that cannot be written.
#[derive(Debug, Error)]
pub(super) enum RecordError {
    /// Its bytes are not OTLP all the way down.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It could not be compressed.
    #[error("cannot compress: {0}")]
    Compress(std::io::Error),
    /// Its length does not fit in the four bytes before it.
    #[error("a message of {0} bytes is too large")]
    TooLarge(usize),
}

/// The bytes to append to the file: a line of JSON; or, for protobuf and whatever is compressed, four bytes of length, the
/// highest first, and the message.
pub(super) fn encode(batch: &Batch, config: &Config) -> Result<Vec<u8>, RecordError> {
    let encoded = batch.encode();
    let mut message = Vec::new();
    match config.format {
        Format::Json => json::from_protobuf(batch.signal(), &encoded, &mut message)?,
        Format::Proto => message.extend_from_slice(&encoded),
    }
    match (config.format, config.compression) {
        (Format::Json, Compression::None) => {
            message.push(b'\n');
            Ok(message)
        }
        (Format::Proto, Compression::None) => framed(&message),
        (_, Compression::Zstd) => {
            let level = match config.compression_params.level {
                0 => zstd::DEFAULT_COMPRESSION_LEVEL,
                level => level,
            };
            framed(&zstd::bulk::compress(&message, level).map_err(RecordError::Compress)?)
        }
    }
}

fn framed(message: &[u8]) -> Result<Vec<u8>, RecordError> {
    let len = u32::try_from(message.len()).map_err(|_| RecordError::TooLarge(message.len()))?;
    let mut record = Vec::with_capacity(4 + message.len());
    record.extend_from_slice(&len.to_be_bytes());
    record.extend_from_slice(message);
    Ok(record)
}
