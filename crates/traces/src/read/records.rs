//! Where a request ends and the next one begins.

use std::io::{self, BufRead, BufReader, Read};

use super::LARGEST;

/// The requests of a file, encoded.
pub(super) struct Records<R> {
    reader: BufReader<R>,
    shape: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// JSON, of which it is not known yet whether a line is a document.
    Json,
    Lines,
    /// One request.
    Whole,
    /// Four bytes of length before each.
    Prefixed,
    End,
}

/// The first byte of a request in protobuf: its resources, in bytes with a length.
const RESOURCE_SPANS: u8 = 0x0a;

/// Editors of Windows put it in front of texts in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

// === impl Records ===

impl<R: Read> Records<R> {
    pub(super) fn new(reader: R) -> io::Result<Self> {
        let mut reader = BufReader::new(reader);
        if reader.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
            reader.consume(BYTE_ORDER_MARK.len());
        }
        let start = reader.fill_buf()?;
        let shape = match start.first() {
            None => Shape::End,
            _ if is_json(start) => Shape::Json,
            // As a length it would be 160 MiB.
            Some(&RESOURCE_SPANS) => Shape::Whole,
            Some(_) => Shape::Prefixed,
        };
        Ok(Self { reader, shape })
    }

    /// Nothing more is read.
    pub(super) fn stop(&mut self) {
        self.shape = Shape::End;
    }

    pub(super) fn next_record(&mut self) -> io::Result<Option<Vec<u8>>> {
        match self.shape {
            Shape::End => Ok(None),
            Shape::Whole => {
                self.shape = Shape::End;
                self.rest(Vec::new()).map(Some)
            }
            Shape::Prefixed => self.prefixed(),
            Shape::Lines => self.line(),
            Shape::Json => {
                let Some(line) = self.line()? else { return Ok(None) };
                // A first line that is no document by itself is the start of one.
                if serde_json::from_slice::<serde::de::IgnoredAny>(&line).is_ok() {
                    self.shape = Shape::Lines;
                    return Ok(Some(line));
                }
                self.shape = Shape::End;
                self.rest(line).map(Some)
            }
        }
    }

    /// The next line that is not empty.
    fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let mut line = Vec::new();
            let read = self.reader.by_ref().take(limit()).read_until(b'\n', &mut line)?;
            if read == 0 {
                return Ok(None);
            }
            small_enough(&line)?;
            if !line.trim_ascii().is_empty() {
                return Ok(Some(line));
            }
        }
    }

    fn rest(&mut self, mut start: Vec<u8>) -> io::Result<Vec<u8>> {
        self.reader.by_ref().take(limit()).read_to_end(&mut start)?;
        small_enough(&start)?;
        Ok(start)
    }

    fn prefixed(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.reader.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let mut length = [0; 4];
        self.reader.read_exact(&mut length).map_err(cut_off)?;
        let length = u32::from_be_bytes(length);
        if u64::from(length) > limit() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "neither OTLP in JSON nor in protobuf"));
        }
        let mut record = Vec::new();
        let read = self.reader.by_ref().take(u64::from(length)).read_to_end(&mut record)?;
        if u32::try_from(read).ok() != Some(length) {
            return Err(cut_off(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(Some(record))
    }
}

/// Whether these bytes begin as JSON does.
pub(super) fn is_json(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().first() == Some(&b'{')
}

fn limit() -> u64 {
    u64::try_from(LARGEST).unwrap_or(u64::MAX)
}

fn small_enough(record: &[u8]) -> io::Result<()> {
    if record.len() < LARGEST {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidData, "a request is too large"))
    }
}

fn cut_off(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::new(error.kind(), "the last request is cut off"),
        _ => error,
    }
}
