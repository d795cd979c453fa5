//! Compression with a cap on what comes out: a small bomb must not fill the memory.

use std::io::{Read, Write};

use bytes::Bytes;
use flate2::Compression as Level;
use serde::Deserialize;
use thiserror::Error;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Compression {
    /// Not at all.
    #[serde(alias = "")]
    None,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// RFC 1950; HTTP calls it `deflate`.
    #[serde(alias = "deflate")]
    Zlib,
    /// Snappy's block format.
    Snappy,
    /// Snappy's framing format.
    #[serde(rename = "x-snappy-framed")]
    SnappyFramed,
}

/// Why a body could not be decompressed.
#[derive(Debug, Error)]
pub(crate) enum DecompressError {
    /// It is larger than allowed.
    #[error("decompressed message is larger than {0} bytes")]
    TooLarge(usize),
    /// It is not what its encoding says.
    #[error("invalid {encoding} data: {source}")]
    Invalid { encoding: &'static str, source: std::io::Error },
}

/// How everything in snappy's framing format begins.
const SNAPPY_STREAM: &[u8] = b"\xff\x06\x00\x00sNaPpY";

// === impl Compression ===

impl Compression {
    /// By the name in `Content-Encoding` or `grpc-encoding`.
    pub(crate) fn from_header(name: &str) -> Option<Self> {
        Some(match name {
            "" | "identity" | "none" => Self::None,
            "gzip" => Self::Gzip,
            "zstd" => Self::Zstd,
            "zlib" | "deflate" => Self::Zlib,
            "snappy" => Self::Snappy,
            "x-snappy-framed" => Self::SnappyFramed,
            _ => return None,
        })
    }

    /// The name in headers; none where there is no compression.
    pub(crate) fn header(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
            Self::Zlib => Some("deflate"),
            Self::Snappy => Some("snappy"),
            Self::SnappyFramed => Some("x-snappy-framed"),
        }
    }

    /// Compresses a message for gRPC, whose `snappy` is the framing format: what the Go implementation that everybody uses does.
    pub(crate) fn compress_grpc(self, message: &Bytes, level: Option<i32>) -> std::io::Result<Bytes> {
        match self {
            Self::Snappy => Self::SnappyFramed.compress(message, level),
            other => other.compress(message, level),
        }
    }

    /// Compresses a whole body. Speed goes before size: a span's bytes are read once and thrown away.
    pub(crate) fn compress(self, body: &Bytes, level: Option<i32>) -> std::io::Result<Bytes> {
        let gzip_level = Level::new(level.and_then(|level| u32::try_from(level).ok()).unwrap_or(1).min(9));
        let room = body.len() / 4 + 64;
        Ok(match self {
            Self::None => return Ok(body.clone()),
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::with_capacity(room), gzip_level);
                encoder.write_all(body)?;
                encoder.finish()?
            }
            Self::Zlib => {
                let mut encoder = flate2::write::ZlibEncoder::new(Vec::with_capacity(room), gzip_level);
                encoder.write_all(body)?;
                encoder.finish()?
            }
            Self::Zstd => zstd::bulk::compress(body, level.unwrap_or(1))?,
            Self::Snappy => snap::raw::Encoder::new().compress_vec(body).map_err(std::io::Error::other)?,
            Self::SnappyFramed => {
                let mut encoder = snap::write::FrameEncoder::new(Vec::with_capacity(room));
                encoder.write_all(body)?;
                encoder.into_inner().map_err(|error| std::io::Error::other(error.error().to_string()))?
            }
        }
        .into())
    }

    /// Decompresses a whole body of at most `limit` bytes.
    pub(crate) fn decompress(self, body: &Bytes, limit: usize) -> Result<Bytes, DecompressError> {
        match self {
            Self::None if body.len() > limit => Err(DecompressError::TooLarge(limit)),
            Self::None => Ok(body.clone()),
            Self::Gzip => read_capped(flate2::bufread::MultiGzDecoder::new(&**body), body.len(), limit, "gzip"),
            Self::Zlib => read_capped(flate2::bufread::ZlibDecoder::new(&**body), body.len(), limit, "deflate"),
            Self::SnappyFramed => {
                read_capped(snap::read::FrameDecoder::new(&**body), body.len(), limit, "x-snappy-framed")
            }
            Self::Zstd => {
                let invalid = |source| DecompressError::Invalid { encoding: "zstd", source };
                let mut decoder = zstd::stream::read::Decoder::with_buffer(&**body).map_err(invalid)?;
                // A window larger than the limit would be allocated before the first byte comes out.
                let window = limit.checked_next_power_of_two().unwrap_or(usize::MAX).ilog2();
                decoder.window_log_max(window.clamp(10, 27)).map_err(invalid)?;
                read_capped(decoder, body.len(), limit, "zstd")
            }
            // Both formats go by that name: blocks in HTTP, frames in gRPC and in older HTTP clients.
            Self::Snappy if body.starts_with(SNAPPY_STREAM) => Self::SnappyFramed.decompress(body, limit),
            Self::Snappy => {
                let invalid =
                    |error| DecompressError::Invalid { encoding: "snappy", source: std::io::Error::other(error) };
                // The length stands in front, so nothing is allocated that is not allowed.
                let len = snap::raw::decompress_len(body).map_err(invalid)?;
                if len > limit {
                    return Err(DecompressError::TooLarge(limit));
                }
                snap::raw::Decoder::new().decompress_vec(body).map(Bytes::from).map_err(invalid)
            }
        }
    }
}

/// Reads up to `limit` bytes; one more is an error.
fn read_capped(
    reader: impl Read,
    compressed_len: usize,
    limit: usize,
    encoding: &'static str,
) -> Result<Bytes, DecompressError> {
    let mut out = Vec::with_capacity(compressed_len.saturating_mul(4).min(limit));
    let mut capped = reader.take(limit as u64 + 1);
    capped.read_to_end(&mut out).map_err(|source| DecompressError::Invalid { encoding, source })?;
    if out.len() > limit { Err(DecompressError::TooLarge(limit)) } else { Ok(out.into()) }
}
