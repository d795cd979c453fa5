//! Compression with a cap on what comes out: a small bomb must not fill the memory.

use std::cell::Cell;
use std::io::{BufRead, Read, Write};

use bytes::Bytes;
use flate2::Compression as Level;
use serde::Deserialize;
use spanmill_pipeline::ConsumeError;
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
    /// Next to nothing becomes a lot: nobody sends that in good faith.
    #[error("message grows to more than {0} times its size when decompressed")]
    Ratio(usize),
    /// There is no room for it.
    #[error(transparent)]
    Refused(ConsumeError),
    /// It is not what its encoding says.
    #[error("invalid {encoding} data: {source}")]
    Invalid { encoding: &'static str, source: std::io::Error },
}

/// How far a body may grow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cap {
    /// Its size in the end.
    pub(crate) bytes: usize,
    /// How many times its compressed size, beyond what is always allowed; 0: any.
    pub(crate) ratio: usize,
}

/// Compressed bytes, and how many of them were read.
struct Counted<'a> {
    rest: &'a [u8],
    read: &'a Cell<usize>,
}

/// Up to this size the ratio does not matter: small and very regular requests are common in tests, and do no harm.
const ANY_RATIO: usize = 16 << 20;

/// How much is decompressed between two looks at the cap.
const STEP: usize = 4 << 20;

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

    /// Whether Go's library knows that level, of which -1 is its default and -2 is without search.
    pub(crate) fn has_level(self, level: i32) -> bool {
        match self {
            Self::None | Self::Zstd => true,
            Self::Gzip | Self::Zlib => (-2..=9).contains(&level),
            Self::Snappy | Self::SnappyFramed => level == 0,
        }
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
        let gzip_level = match level {
            Some(-1) => Level::default(),
            level => Level::new(level.and_then(|level| u32::try_from(level).ok()).unwrap_or(1).min(9)),
        };
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
            Self::Zstd => zstd::bulk::compress(body, level.unwrap_or(1).clamp(1, 22))?,
            Self::Snappy => snap::raw::Encoder::new().compress_vec(body).map_err(std::io::Error::other)?,
            Self::SnappyFramed => {
                let mut encoder = snap::write::FrameEncoder::new(Vec::with_capacity(room));
                encoder.write_all(body)?;
                encoder.into_inner().map_err(|error| std::io::Error::other(error.error().to_string()))?
            }
        }
        .into())
    }

    /// Decompresses a whole body as far as `cap` allows. `hold` is told in steps how much there is, and may refuse.
    pub(crate) fn decompress(
        self,
        body: &Bytes,
        cap: Cap,
        hold: &mut dyn FnMut(usize) -> Result<(), ConsumeError>,
    ) -> Result<Bytes, DecompressError> {
        let read = Cell::new(0);
        let source = Counted { rest: body, read: &read };
        let invalid = |encoding| move |source| DecompressError::Invalid { encoding, source };
        match self {
            Self::None if body.len() > cap.bytes => Err(DecompressError::TooLarge(cap.bytes)),
            Self::None => Ok(body.clone()),
            Self::Gzip => cap.read(flate2::bufread::MultiGzDecoder::new(source), body.len(), &read, hold, "gzip"),
            Self::Zlib => cap.read(flate2::bufread::ZlibDecoder::new(source), body.len(), &read, hold, "deflate"),
            Self::SnappyFramed => {
                cap.read(snap::read::FrameDecoder::new(source), body.len(), &read, hold, "x-snappy-framed")
            }
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(source).map_err(invalid("zstd"))?;
                // A window larger than the limit would be allocated before the first byte comes out.
                let window = cap.bytes.checked_next_power_of_two().unwrap_or(usize::MAX).ilog2();
                decoder.window_log_max(window.clamp(10, 27)).map_err(invalid("zstd"))?;
                cap.read(decoder, body.len(), &read, hold, "zstd")
            }
            // Both formats go by that name: blocks in HTTP, frames in gRPC and in older HTTP clients.
            Self::Snappy if body.starts_with(SNAPPY_STREAM) => Self::SnappyFramed.decompress(body, cap, hold),
            Self::Snappy => {
                let invalid = |error| invalid("snappy")(std::io::Error::other(error));
                // The length stands in front, so nothing is allocated that is not allowed.
                let len = snap::raw::decompress_len(body).map_err(invalid)?;
                cap.check(len, body.len())?;
                hold(len).map_err(DecompressError::Refused)?;
                snap::raw::Decoder::new().decompress_vec(body).map(Bytes::from).map_err(invalid)
            }
        }
    }
}

// === impl Cap ===

impl Cap {
    fn check(self, len: usize, compressed: usize) -> Result<(), DecompressError> {
        if len > self.bytes {
            return Err(DecompressError::TooLarge(self.bytes));
        }
        let is_bomb = self.ratio > 0 && len > ANY_RATIO && len > compressed.saturating_mul(self.ratio);
        if is_bomb { Err(DecompressError::Ratio(self.ratio)) } else { Ok(()) }
    }

    /// Reads to the end, step by step.
    fn read(
        self,
        mut reader: impl Read,
        compressed: usize,
        read: &Cell<usize>,
        hold: &mut dyn FnMut(usize) -> Result<(), ConsumeError>,
        encoding: &'static str,
    ) -> Result<Bytes, DecompressError> {
        let guess = compressed.saturating_mul(4).clamp(64, STEP).min(self.bytes);
        let mut out = Vec::with_capacity(guess);
        loop {
            // One byte more than allowed tells whether there is more.
            let step = STEP.min((self.bytes - out.len()).saturating_add(1)) as u64;
            let came = reader.by_ref().take(step).read_to_end(&mut out);
            let came = came.map_err(|source| DecompressError::Invalid { encoding, source })? as u64;
            self.check(out.len(), read.get())?;
            hold(out.len()).map_err(DecompressError::Refused)?;
            if came < step {
                return Ok(out.into());
            }
        }
    }
}

// === impl Counted ===

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.rest.read(buffer)?;
        self.read.set(self.read.get() + count);
        Ok(count)
    }
}

impl BufRead for Counted<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        Ok(self.rest)
    }

    fn consume(&mut self, count: usize) {
        self.rest.consume(count);
        self.read.set(self.read.get() + count);
    }
}
