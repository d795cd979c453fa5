//! What is paid for: kinds of tokens, and what is charged by the piece.

/// What is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Input,
    CacheRead,
    CacheWrite,
    Output,
    Reasoning,
    CacheWrite1h,
    AudioInput,
    AudioOutput,
    AudioRead,
    ImageInput,
    ImageOutput,
    ImageRead,
    WebSearch,
    /// A call that searched the web, however often.
    Grounding,
    FileSearch,
    Image,
}

pub(super) const KINDS: usize = 16;

/// Kinds of tokens of text, which come first: most calls use no other.
pub(super) const TEXT: usize = 5;

// === impl Kind ===

impl Kind {
    pub(super) const ALL: [Self; KINDS] = [
        Self::Input,
        Self::CacheRead,
        Self::CacheWrite,
        Self::Output,
        Self::Reasoning,
        Self::CacheWrite1h,
        Self::AudioInput,
        Self::AudioOutput,
        Self::AudioRead,
        Self::ImageInput,
        Self::ImageOutput,
        Self::ImageRead,
        Self::WebSearch,
        Self::Grounding,
        Self::FileSearch,
        Self::Image,
    ];

    /// The kind with that name in a table of prices.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.words().0 == name)
    }

    /// For people.
    pub(super) fn label(self) -> &'static str {
        self.words().1
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Input => ("in", "input"),
            Self::CacheRead => ("read", "cache read"),
            Self::CacheWrite => ("write", "cache write"),
            Self::Output => ("out", "output"),
            Self::Reasoning => ("reasoning", "reasoning"),
            Self::CacheWrite1h => ("write1h", "cache write for an hour"),
            Self::AudioInput => ("audio_in", "audio input"),
            Self::AudioOutput => ("audio_out", "audio output"),
            Self::AudioRead => ("audio_read", "audio cache read"),
            Self::ImageInput => ("image_in", "image input"),
            Self::ImageOutput => ("image_out", "image output"),
            Self::ImageRead => ("image_read", "image cache read"),
            Self::WebSearch => ("search", "web search"),
            Self::Grounding => ("grounding", "prompt with web search"),
            Self::FileSearch => ("file_search", "file search"),
            Self::Image => ("image", "image"),
        }
    }

    /// Whether its price is for one piece, rather than for a million tokens.
    pub(super) fn is_piece(self) -> bool {
        matches!(self, Self::WebSearch | Self::Grounding | Self::FileSearch | Self::Image)
    }
}
