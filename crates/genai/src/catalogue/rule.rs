//! What an attribute means, compiled from the mappings of a source file.

use super::CatalogueError;
use crate::source::{Mapping, Member, Shapes, Unit};
use crate::target::{self, Target};
use crate::vocabulary::{Operation, Vocabulary};

/// What an attribute means for a source.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) target: Target,
    /// Smaller is stronger.
    pub(crate) priority: u16,
    /// Whether the key is the target's own.
    pub(crate) canonical: bool,
    pub(crate) unit: Unit,
    /// Bits of the operations it applies to.
    pub(crate) when: u32,
    /// Whether it tells of what the span was given.
    pub(crate) given: bool,
    /// Whether the key means this for its source only.
    pub(super) local: bool,
    /// Where in the JSON value.
    pub(crate) path: Option<Box<[Box<str>]>>,
    /// The member of a document of messages that the value is.
    pub(crate) member: Option<Box<str>>,
}

// === impl Rule ===

impl Rule {
    /// That the attribute of a target is to be taken as it is.
    pub(super) fn canonical(target: Target) -> Self {
        let (unit, when) = (Unit::Plain, !0);
        Self { target, priority: 0, canonical: true, unit, when, given: false, local: false, path: None, member: None }
    }

    /// Whether it takes an attribute of the conventions just as it is.
    pub(crate) fn is_plain(&self) -> bool {
        self.canonical && self.unit == Unit::Plain && self.when == !0 && self.path.is_none()
    }
}

/// The rules that a mapping stands for.
pub(super) fn rules_of(
    mapping: &Mapping,
    priority: u16,
    vocabulary: &Vocabulary,
    shapes: &Shapes,
    file: &str,
) -> Result<Vec<Rule>, CatalogueError> {
    let mut when = if mapping.when.is_empty() { !0 } else { 0 };
    for word in &mapping.when {
        let Operation::Known(bit) = vocabulary.operation(word) else {
            return Err(CatalogueError::new(file, format!("when: unknown operation {word:?}")));
        };
        when |= 1u32.checked_shl(u32::from(bit)).unwrap_or(0);
        // Gemini's word for a chat.
        if word == "chat"
            && let Operation::Known(bit) = vocabulary.operation("generate_content")
        {
            when |= 1u32.checked_shl(u32::from(bit)).unwrap_or(0);
        }
    }
    let find =
        |name: &str| target::target(name).ok_or_else(|| CatalogueError::new(file, format!("unknown target {name:?}")));
    let mut rules = Vec::new();
    if let Some(to) = &mapping.to {
        let member = mapping.member.as_deref().map(Box::from);
        rules.push(Rule {
            target: find(to)?,
            priority,
            canonical: false,
            unit: mapping.unit,
            when,
            given: mapping.given,
            local: mapping.local,
            path: None,
            member,
        });
    }
    let mut members: Vec<&Member> = mapping.members.iter().collect();
    for shape in &mapping.shapes {
        let known = shapes.get(shape);
        members.extend(known.ok_or_else(|| CatalogueError::new(file, format!("unknown shape {shape:?}")))?);
    }
    let top = [String::new()];
    let under = if mapping.under.is_empty() { top.as_slice() } else { mapping.under.as_slice() };
    for (under, member) in under.iter().flat_map(|under| members.iter().map(move |member| (under, member))) {
        let path =
            under.split('/').filter(|step| !step.is_empty()).chain(member.at.split('/')).map(Box::from).collect();
        rules.push(Rule {
            target: find(&member.to)?,
            priority,
            canonical: false,
            unit: member.unit,
            when,
            given: mapping.given,
            local: mapping.local,
            path: Some(path),
            member: None,
        });
    }
    if rules.is_empty() {
        return Err(CatalogueError::new(file, "a mapping needs `to`, `members` or `shapes`"));
    }
    Ok(rules)
}
