//! Where attributes are.

/// Where attributes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Resource,
    Scope,
    Span,
    Event,
    /// What statements note for those that follow.
    Cache,
    /// A log record. Of records, metrics and points the message here holds the attributes alone.
    Log,
    /// A metric, whose attributes are called metadata.
    Metric,
    /// A point of a metric.
    Point,
}

/// A set of levels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Levels(u8);

/// The field numbers of attributes.
pub(crate) const RESOURCE_ATTRIBUTES: u32 = 1;
pub(crate) const SCOPE_ATTRIBUTES: u32 = 3;
pub(crate) const SPAN_ATTRIBUTES: u32 = 9;
pub(crate) const EVENT_ATTRIBUTES: u32 = 3;
pub(crate) const CACHE_ENTRIES: u32 = 1;
pub(crate) const RECORD_ATTRIBUTES: u32 = 1;
/// The field numbers of what a span holds beside them.
pub(crate) const EVENTS: u32 = 11;
pub(crate) const LINKS: u32 = 13;
/// How many levels there are.
pub(crate) const LEVELS: usize = 8;

// === impl Level ===

impl Level {
    /// The number of the field that holds attributes.
    pub(crate) fn attributes(self) -> u32 {
        match self {
            Self::Resource => RESOURCE_ATTRIBUTES,
            Self::Scope => SCOPE_ATTRIBUTES,
            Self::Span => SPAN_ATTRIBUTES,
            Self::Event => EVENT_ATTRIBUTES,
            Self::Cache => CACHE_ENTRIES,
            Self::Log | Self::Metric | Self::Point => RECORD_ATTRIBUTES,
        }
    }
}

// === impl Levels ===

impl Levels {
    pub(crate) fn insert(&mut self, level: Level) {
        self.0 |= 1 << level as u8;
    }

    pub(crate) fn remove(&mut self, level: Level) {
        self.0 &= !(1 << level as u8);
    }

    pub(crate) fn contains(self, level: Level) -> bool {
        self.0 >> level as u8 & 1 != 0
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any level is in both.
    #[inline]
    pub(crate) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}
