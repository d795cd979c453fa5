//! What a call used, and how soon it was to be answered.

use super::kind::{KINDS, TEXT};

/// What a call used, in tokens and pieces. Input includes what was read from and written to a cache, output includes reasoning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) input: i64,
    pub(crate) output: i64,
    pub(crate) cache_read: i64,
    pub(crate) cache_write: i64,
    pub(crate) reasoning: i64,
    /// Of what was written to a cache, what is kept for an hour.
    pub(crate) write_1h: i64,
    pub(crate) audio_input: i64,
    pub(crate) audio_output: i64,
    /// Of what was read from a cache, what is audio.
    pub(crate) audio_read: i64,
    pub(crate) image_input: i64,
    /// None where nobody says how much of the output is an image.
    pub(crate) image_output: Option<i64>,
    /// Of what was read from a cache, what is images.
    pub(crate) image_read: i64,
    pub(crate) web_searches: i64,
    pub(crate) file_searches: i64,
    pub(crate) images: i64,
}

/// How soon a provider promised to answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Service {
    #[default]
    Standard,
    Priority,
    Flex,
    Batch,
}

pub(super) const SERVICES: usize = 4;

// === impl Usage ===

impl Usage {
    /// How much of each kind is charged, in their order: nothing is charged twice.
    pub(super) fn quantities(self) -> [i64; KINDS] {
        let [uncached, cached, written, said, thought] = self.text();
        let audio_read = part(self.audio_read, cached);
        let image_read = part(self.image_read, cached - audio_read);
        let heard = part(self.audio_input.saturating_sub(audio_read), uncached);
        let seen = part(self.image_input.saturating_sub(image_read), uncached.saturating_sub(heard));
        let hour = part(self.write_1h, written);
        let spoken = part(self.audio_output, said);
        let said = said.saturating_sub(spoken);
        let drawn = part(self.image_output.unwrap_or(0), said);
        [
            uncached.saturating_sub(heard).saturating_sub(seen),
            cached - audio_read - image_read,
            written - hour,
            said.saturating_sub(drawn),
            thought,
            hour,
            heard,
            spoken,
            audio_read,
            seen,
            drawn,
            image_read,
            self.web_searches,
            self.web_searches.min(1),
            self.file_searches,
            self.images,
        ]
    }

    /// The same where nothing is used but tokens of text: of the kinds that come first.
    #[inline]
    pub(super) fn text(&self) -> [i64; TEXT] {
        let (cached, written) = (self.cache_read.max(0), self.cache_write.max(0));
        let uncached = self.input.saturating_sub(cached).saturating_sub(written);
        let thought = part(self.reasoning, self.output);
        [uncached, cached, written, self.output.saturating_sub(thought), thought]
    }

    /// Whether there is anything beside tokens of text.
    #[inline]
    pub(super) fn has_parts(&self) -> bool {
        let heard = self.audio_input | self.audio_output | self.audio_read;
        let seen = self.image_input | self.image_output.unwrap_or(0) | self.image_read | self.images;
        self.write_1h | heard | seen | self.web_searches | self.file_searches != 0
    }
}

/// Parts are parts of the count they belong to, whatever a span says.
fn part(part: i64, whole: i64) -> i64 {
    part.clamp(0, whole.max(0))
}

// === impl Service ===

impl Service {
    pub(super) const ALL: [Self; SERVICES] = [Self::Standard, Self::Priority, Self::Flex, Self::Batch];

    /// The service that a provider's word names; standard where the word is another.
    pub(crate) fn of(word: &str) -> Self {
        Self::named(word).unwrap_or_default()
    }

    pub(super) fn named(word: &str) -> Option<Self> {
        match word {
            "priority" => Some(Self::Priority),
            "flex" => Some(Self::Flex),
            "batch" | "batches" => Some(Self::Batch),
            _ => None,
        }
    }
}
