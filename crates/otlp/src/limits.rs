/// Bounds on one request. They hold for the decompressed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest request in bytes; the index counts in 31 bits, so 2 GiB - 1 is the most that can be set.
    pub max_bytes: usize,
    /// Deepest nesting of arrays and maps inside an attribute value.
    pub max_depth: u32,
    /// Most spans in one request.
    pub max_spans: usize,
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 0x7fff_ffff, max_depth: 64, max_spans: 8 << 20 }
    }
}
