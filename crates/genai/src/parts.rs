//! What of a call has a price of its own.

/// Parts of token counts that have prices of their own, and what is paid by the piece; zero where there is none.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Parts {
    /// Of what was written to a cache, what is kept for an hour.
    pub(crate) write_1h: u32,
    pub(crate) audio_input: u32,
    pub(crate) audio_output: u32,
    /// Of what was read from a cache.
    pub(crate) audio_read: u32,
    pub(crate) image_input: u32,
    pub(crate) image_output: Option<u32>,
    /// Of what was read from a cache.
    pub(crate) image_read: u32,
    /// Searches that the provider made, and images of the answer.
    pub(crate) web_searches: Option<u32>,
    pub(crate) file_searches: u32,
    pub(crate) images: u32,
}

// === impl Parts ===

impl Parts {
    /// Takes from another span of the call what it does not know.
    pub(crate) fn complete(&mut self, from: &Self) {
        for (own, other) in [
            (&mut self.write_1h, from.write_1h),
            (&mut self.audio_input, from.audio_input),
            (&mut self.audio_output, from.audio_output),
            (&mut self.audio_read, from.audio_read),
            (&mut self.image_input, from.image_input),
            (&mut self.image_read, from.image_read),
            (&mut self.file_searches, from.file_searches),
            (&mut self.images, from.images),
        ] {
            if *own == 0 {
                *own = other;
            }
        }
        self.image_output = self.image_output.or(from.image_output);
        self.web_searches = self.web_searches.or(from.web_searches);
    }
}
