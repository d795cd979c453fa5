//! Requests to a file, as the Collector's file exporter writes them.

use std::io::{self, Write};

use spanmill_otlp::{Signal, json};

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A line of OTLP/JSON a request.
    Json,
    /// Protobuf, four bytes of length before each request.
    Proto,
}

/// Writes requests to a file.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    format: Format,
    line: Vec<u8>,
}

// === impl Writer ===

impl<W: Write> Writer<W> {
    /// Writes to `out`.
    pub fn new(out: W, format: Format) -> Self {
        Self { out, format, line: Vec::new() }
    }

    /// Adds an encoded request.
    pub fn write(&mut self, request: &[u8]) -> io::Result<()> {
        let invalid = |reason: String| io::Error::new(io::ErrorKind::InvalidData, reason);
        match self.format {
            Format::Json => {
                self.line.clear();
                json::from_protobuf(Signal::Traces, request, &mut self.line)
                    .map_err(|error| invalid(error.to_string()))?;
                self.line.push(b'\n');
                self.out.write_all(&self.line)
            }
            Format::Proto => {
                let length = u32::try_from(request.len()).map_err(|error| invalid(error.to_string()))?;
                self.out.write_all(&length.to_be_bytes())?;
                self.out.write_all(request)
            }
        }
    }

    /// Writes out what is buffered and gives back what it writes to.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}
