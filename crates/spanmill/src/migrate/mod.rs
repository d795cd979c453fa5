//! `spanmill migrate`: what of a Collector's configuration runs here, what does not, and what is better done natively.

mod alternatives;
mod cascade;
mod copies;
mod file;
mod log;
mod native;
mod prices;
mod remarks;
mod rewrite;
mod routes;
mod statements;
#[cfg(test)]
mod tests;

use std::fmt::Write;

use serde_yaml::Value;
use spanmill_config::{ComponentId, ConfigError, Document, Kind, Problem};
use spanmill_pipeline::{Factories, Service};

use log::Log;
pub(crate) use rewrite::Suggestion;

/// What there is to say about a configuration.
#[derive(Debug)]
pub(crate) struct Review {
    pub(crate) components: Vec<Verdict>,
    /// Problems that no single component has.
    pub(crate) problems: Vec<Problem>,
    /// What of the service itself has no effect.
    pub(crate) without_effect: Vec<String>,
    pub(crate) suggestion: Suggestion,
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

/// Reviews a configuration: as components, with the pipelines of profiles that are left out of them, and as the text that a new file is made of.
pub(crate) fn review(document: &Document, profiles: Vec<Problem>, text: &Value, factories: &Factories) -> Review {
    let mut problems = Service::validate(document, factories).err().map(ConfigError::into_problems).unwrap_or_default();
    problems.extend(profiles);
    let mut components = Vec::new();
    for kind in Kind::ALL {
        for id in document.components(kind).keys() {
            let path = format!("{}::{id}", kind.section());
            let (own, others) = problems.into_iter().partition(|problem| is_within(&problem.path, &path));
            problems = others;
            let remarks = remarks::of(kind, id, part(text, kind, id));
            components.push(Verdict { kind, id: id.clone(), problems: own, remarks });
        }
    }
    // What is only configured wrongly stays: a filter that is left out lets everything through.
    let known = factories.known_types();
    let (missing, wrong): (Vec<&Verdict>, Vec<&Verdict>) = components
        .iter()
        .filter(|verdict| !verdict.problems.is_empty())
        .partition(|verdict| known.find(verdict.kind, &verdict.id).is_none());
    let missing: Vec<(Kind, &ComponentId)> = missing.iter().map(|verdict| (verdict.kind, &verdict.id)).collect();
    let mut log = Log::default();
    wrong.iter().for_each(|verdict| log.note(format!("{} stays, and has to be corrected", verdict.name())));
    let suggestion = rewrite::suggest(text, &missing, log);
    Review { components, problems, without_effect: Service::without_effect(document), suggestion }
}

/// The text of a component.
fn part<'t>(text: &'t Value, kind: Kind, id: &ComponentId) -> &'t Value {
    let id = id.to_string();
    file::components(text, kind.section())
        .find(|(name, _)| file::is_called(&Value::from(*name), &id))
        .map_or(&Value::Null, |(_, section)| section)
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
                    let _ = writeln!(out, "  {}: {}", verdict.name(), verdict.told(problem));
                }
            }
            for problem in &self.problems {
                let _ = writeln!(out, "  {}", told(problem, None));
            }
        }
        if !self.without_effect.is_empty() {
            out.push_str("\nDoes less:\n");
            for less in &self.without_effect {
                let _ = writeln!(out, "  {less}");
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

/// A problem, and what may be done: what is known to do the work of the component is better than a name that sounds alike.
fn told(problem: &Problem, instead: Option<&str>) -> String {
    let mut told = problem.message.clone();
    if let Some(instead) = instead {
        let _ = write!(told, "; instead: {instead}");
    } else if let Some(suggestion) = &problem.suggestion {
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

    fn told(&self, problem: &Problem) -> String {
        told(problem, alternatives::instead_of(self.kind, &self.id))
    }
}
