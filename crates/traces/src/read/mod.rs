//! Files of OTLP requests.

mod compressed;
mod records;

use std::io::{self, BufReader, Read};

use bytes::Bytes;
use spanmill_otlp::{Limits, Signal, Traces, json};
use thiserror::Error;

use self::compressed::uncompressed;
use self::records::{Records, is_json};

/// The requests of a file, one after the other. What it is, is seen from its first bytes:
///
/// * JSON: one document, or one a line, as the Collector's file exporter writes;
/// * protobuf: one request, or requests with four bytes of length in front, as the exporter writes with `format: proto` or a compression;
/// * any of these inside gzip or zstd, the file as a whole or each request.
pub struct OtlpFile {
    records: Records<Box<dyn Read>>,
    number: u64,
}

/// A file that is no file of OTLP requests.
#[derive(Debug, Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A request in it is not one.
    #[error("request {number}: {reason}")]
    Malformed {
        /// Which one, counted from one.
        number: u64,
        /// What is wrong.
        reason: String,
    },
}

/// No request is larger, uncompressed.
const LARGEST: usize = 512 << 20;

// === impl OtlpFile ===

impl OtlpFile {
    /// The requests that `reader` gives.
    pub fn new(reader: impl Read + 'static) -> Result<Self, FileError> {
        let reader = uncompressed(Box::new(BufReader::with_capacity(256 << 10, reader)))?;
        Ok(Self { records: Records::new(reader)?, number: 0 })
    }

    fn parse(&self, record: Vec<u8>) -> Result<Traces, FileError> {
        let malformed = |reason: String| FileError::Malformed { number: self.number, reason };
        let mut bytes = Vec::new();
        let limit = u64::try_from(LARGEST).unwrap_or(u64::MAX);
        uncompressed(Box::new(io::Cursor::new(record)))?.take(limit).read_to_end(&mut bytes)?;
        if bytes.len() == LARGEST {
            return Err(malformed("it is too large".to_owned()));
        }
        if is_json(&bytes) {
            let read = json::to_protobuf(Signal::Traces, &bytes, &Limits::default());
            bytes = read.map_err(|error| malformed(error.to_string()))?;
        }
        Traces::parse(Bytes::from(bytes)).map_err(|error| malformed(error.to_string()))
    }
}

impl Iterator for OtlpFile {
    type Item = Result<Traces, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.number += 1;
        match self.records.next_record() {
            Ok(Some(record)) => Some(self.parse(record)),
            Ok(None) => None,
            Err(error) => {
                self.records.stop();
                Some(Err(error.into()))
            }
        }
    }
}

impl std::fmt::Debug for OtlpFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OtlpFile").field("number", &self.number).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
