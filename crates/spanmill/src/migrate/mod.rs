//! `spanmill migrate`: what of a Collector's configuration runs here, what does not, and what is better done natively.

mod remarks;
mod rewrite;
mod statements;
#[cfg(test)]
mod tests;

use std::fmt::Write;

use serde_yaml::Value;
use spanmill_config::{ComponentId, ConfigError, Document, Kind, Problem};
use spanmill_pipeline::{Factories, Service};

pub(crate) use rewrite::Suggestion;

/// What there is to say about a configuration.
#[derive(Debug)]
pub(crate) struct Review {
    pub(crate) components: Vec<Verdict>,
    /// Problems that no single component has.
    pub(crate) problems: Vec<Problem>,
    pub(crate) suggestion: Suggestion,
    /// What is wrong with the suggested file, if anything.
    pub(crate) remaining: Option<ConfigError>,
}

/// What becomes of one component.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) kind: Kind,
    pub(crate) id: ComponentId,
    /// Why it does not run; nothing where it does.
    pub(crate) problems: Vec<Problem>,
    /// What is done better natively.
    pub(crate) remarks: Vec<String>,
}

/// Reviews a configuration: as components, and as the text that a new file is made of.
pub(crate) fn review(document: &Document, text: &Value, factories: &Factories) -> Review {
    let mut problems = Service::validate(document, factories).err().map(ConfigError::into_problems).unwrap_or_default();
    let mut components = Vec::new();
    for kind in Kind::ALL {
        for (id, section) in document.components(kind) {
            let path = format!("{}::{id}", kind.section());
            let (own, others) = problems.into_iter().partition(|problem| is_within(&problem.path, &path));
            problems = others;
            components.push(Verdict { kind, id: id.clone(), problems: own, remarks: remarks::of(kind, id, section) });
        }
    }
    let broken: Vec<(Kind, &ComponentId)> = components
        .iter()
        .filter(|verdict| !verdict.problems.is_empty())
        .map(|verdict| (verdict.kind, &verdict.id))
        .collect();
    let suggestion = rewrite::suggest(text, &broken);
    let remaining = suggestion.check(factories).err();
    Review { components, problems, suggestion, remaining }
}

/// Whether a path is that of a component, or leads into it.
fn is_within(path: &str, component: &str) -> bool {
    path.strip_prefix(component).is_some_and(|rest| rest.is_empty() || rest.starts_with(':') || rest.starts_with('['))
}

// === impl Review ===

impl Review {
    /// Whether everything runs as it is.
    pub(crate) fn runs(&self) -> bool {
        self.problems.is_empty() && self.components.iter().all(|verdict| verdict.problems.is_empty())
    }

    /// The report, for a person.
    pub(crate) fn report(&self, file: &str) -> String {
        let mut out = String::new();
        let (run, broken): (Vec<_>, Vec<_>) = self.components.iter().partition(|verdict| verdict.problems.is_empty());
        let _ =
            writeln!(out, "{file}: {} of {} components run on spanmill as they are", run.len(), self.components.len());
        if !run.is_empty() {
            out.push_str("\nRuns:\n");
            for verdict in &run {
                let _ = writeln!(out, "  {}", verdict.name());
            }
        }
        if !broken.is_empty() || !self.problems.is_empty() {
            out.push_str("\nDoes not run:\n");
            for verdict in broken {
                for problem in &verdict.problems {
                    let _ = writeln!(out, "  {}: {}", verdict.name(), told(problem));
                }
            }
            for problem in &self.problems {
                let _ = writeln!(out, "  {}", told(problem));
            }
        }
        if self.components.iter().any(|verdict| !verdict.remarks.is_empty()) {
            out.push_str("\nBetter done natively:\n");
            for verdict in &self.components {
                for remark in &verdict.remarks {
                    let _ = writeln!(out, "  {}: {remark}", verdict.name());
                }
            }
        }
        out
    }
}

fn told(problem: &Problem) -> String {
    let mut told = problem.message.clone();
    if let Some(suggestion) = &problem.suggestion {
        let _ = write!(told, ", did you mean {suggestion:?}?");
    }
    if let Some(place) = &problem.place {
        let _ = write!(told, " ({place})");
    }
    told
}

// === impl Verdict ===

impl Verdict {
    fn name(&self) -> String {
        format!("{}::{}", self.kind.section(), self.id)
    }
}
