//! Names with a `*` for anything.

/// A name, in the pieces between its stars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    first: Box<str>,
    /// What comes after each star; the last one ends the name.
    rest: Vec<Box<str>>,
}

pub(super) fn patterns(names: &[String]) -> Vec<Pattern> {
    names.iter().map(|name| Pattern::new(name)).collect()
}

// === impl Pattern ===

impl Pattern {
    fn new(name: &str) -> Self {
        let mut pieces = name.split('*').map(Box::from);
        Self { first: pieces.next().unwrap_or_default(), rest: pieces.collect() }
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        let Some(mut left) = name.strip_prefix(&*self.first) else { return false };
        let Some((last, middle)) = self.rest.split_last() else { return left.is_empty() };
        for piece in middle {
            // The earliest place leaves most for what comes after.
            let Some((_, after)) = left.split_once(&**piece) else { return false };
            left = after;
        }
        left.ends_with(&**last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: names with no star, one, and several.
    /// Guarantees: a star stands for anything, nothing included, and everything else for itself.
    #[test]
    fn stars_stand_for_anything() {
        for (pattern, name, expected) in [
            ("a.b", "a.b", true),
            ("a.b", "a.bc", false),
            ("a.*", "a.", true),
            ("a.*", "a", false),
            ("a.*.c", "a.b.c", true),
            ("a.*.c", "a.c", false),
            ("a.*.c", "a.b.c.d", false),
            ("*", "anything", true),
            ("*.content*", "a.0.content.1", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(name), expected, "{pattern} {name}");
        }
    }
}
