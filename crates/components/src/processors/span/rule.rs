//! Taking attributes out of names.

use regex::bytes::{CaptureLocations, Regex};
use spanmill_otlp::Slot;
use spanmill_ottl::compile_re2_groups;
use thiserror::Error;

use crate::processors::actions::sheet::Sheet;

/// A pattern whose groups become attributes.
#[derive(Debug)]
pub(super) struct Rule {
    pattern: Regex,
    /// The groups: their names, and the slots of these.
    groups: Vec<(String, Slot)>,
}

/// A rule that is no pattern.
#[derive(Debug, Error)]
#[error("invalid regexp pattern {pattern:?}: {reason}")]
pub(super) struct RuleError {
    pattern: String,
    reason: String,
}

// === impl Rule ===

impl Rule {
    /// Compiles a pattern; `slot` numbers the attributes. A group without a name is an attribute without one, as in the Collector.
    pub(super) fn new(pattern: &str, mut slot: impl FnMut(&str) -> Slot) -> Result<Self, RuleError> {
        let (pattern, names) =
            compile_re2_groups(pattern).map_err(|reason| RuleError { pattern: pattern.to_owned(), reason })?;
        let groups = names.into_iter().map(|name| (slot(&name), name)).map(|(slot, name)| (name, slot)).collect();
        Ok(Self { pattern, groups })
    }

    pub(super) fn locations(&self) -> CaptureLocations {
        self.pattern.capture_locations()
    }

    /// Sets the attributes that the name holds, and gives the name with theirs in their place; none where it does not match.
    pub(super) fn apply(
        &self,
        name: &[u8],
        sheet: &mut Sheet<'_>,
        locations: &mut CaptureLocations,
    ) -> Option<Vec<u8>> {
        self.pattern.captures_read(locations, name)?;
        let mut left = Vec::with_capacity(name.len());
        let mut done = 0;
        for (index, (key, slot)) in self.groups.iter().enumerate() {
            let found = locations.get(index + 1);
            sheet.set_text(*slot, found.and_then(|(start, end)| name.get(start..end)).unwrap_or(&[]));
            // A group that took no part, or lies within another one, has no place of its own in the name.
            let Some((start, end)) = found.filter(|(start, _)| *start >= done) else { continue };
            left.extend_from_slice(name.get(done..start).unwrap_or(&[]));
            left.push(b'{');
            left.extend_from_slice(key.as_bytes());
            left.push(b'}');
            done = end;
        }
        left.extend_from_slice(name.get(done..).unwrap_or(&[]));
        Some(left)
    }
}
