//! What the load generator sends.

use std::io::Write;

use bytes::{BufMut, Bytes, BytesMut};
use flate2::Compression as Level;
use flate2::write::GzEncoder;
use spanmill_loadgen::Template;
use spanmill_loadgen::shape::Shape;

/// How messages are compressed, on both sides of the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compression {
    /// Not at all.
    None,
    /// With gzip, at the fastest level on the side of the load generator.
    Gzip,
}

/// An endless supply of distinct requests of one shape.
#[derive(Debug)]
pub struct Traffic {
    templates: Vec<Template>,
    compression: Compression,
}

/// Spans in a request, as SDKs send at most by default.
pub const SPANS: usize = 512;

/// The filter drops spans with fewer input tokens: about a tenth of them.
pub const FILTER_BELOW: i64 = 800;

// === impl Compression ===

impl Compression {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::None, Self::Gzip];

    /// As configurations and headers have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
        }
    }
}

// === impl Traffic ===

impl Traffic {
    /// Requests of that shape.
    pub fn new(shape: Shape, compression: Compression) -> Self {
        Self::of(shape, compression, SPANS)
    }

    /// Requests of so many spans each.
    pub fn of(shape: Shape, compression: Compression, spans: usize) -> Self {
        // Enough different ones that no cache of the processor holds them all.
        let count = if shape == Shape::Small { 16 } else { 4 };
        let templates = (0..count).map(|number| Template::new(shape, spans, 77 + number * 7919)).collect();
        Self { templates, compression }
    }

    /// How messages are compressed.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// Of the request of that number: how many spans a filter leaves over.
    pub fn passing(&self) -> Vec<u64> {
        let passing = |template: &Template| template.spans() - template.spans_below(FILTER_BELOW);
        self.templates.iter().map(|template| u64::try_from(passing(template)).unwrap_or_default()).collect()
    }

    /// Which of the requests before that number the given one repeats, but for its ids.
    pub fn kind(&self, number: u64) -> usize {
        usize::try_from(number).unwrap_or_default() % self.templates.len().max(1)
    }

    /// A gRPC frame: a flag, the length, the message.
    pub fn frame(&self, number: u64) -> Bytes {
        let Some(template) = self.templates.get(self.kind(number)) else { return Bytes::new() };
        let message = template.fresh(number);
        let (flag, message) = match self.compression {
            Compression::None => (0, message),
            Compression::Gzip => (1, gzip(&message)),
        };
        let mut frame = BytesMut::with_capacity(message.len() + 5);
        frame.put_u8(flag);
        frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
        frame.put(message);
        frame.freeze()
    }
}

/// At the fastest level, so that the generator keeps up with the subject.
fn gzip(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Level::fast());
    // Writing to memory cannot fail.
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.map(Bytes::from).unwrap_or_default()
}
