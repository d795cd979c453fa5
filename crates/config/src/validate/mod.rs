//! What must hold between the parts of a configuration, with the Collector's words.

mod graph;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use crate::suggest::nearest;
use crate::{ComponentId, Components, ConfigError, Document, Kind, KnownTypes, PipelineConfig, PipelineId, Problem};

impl Document {
    /// Checks everything that can be checked without building components: types exist, pipelines are complete, what they refer to
    /// is configured, connectors have two sides and form no cycle. Components that no pipeline uses are fine.
    ///
    /// # Errors
    ///
    /// Fails with all problems that were found.
    pub fn validate(&self, known: &KnownTypes) -> Result<(), ConfigError> {
        let is_empty = Kind::ALL.into_iter().all(|kind| self.components(kind).is_empty());
        if is_empty {
            return Err(self.error("", "empty configuration file"));
        }
        let mut problems = Vec::new();
        if self.receivers.is_empty() {
            problems.push(self.problem("", "no receiver configuration specified in config"));
        }
        if self.exporters.is_empty() {
            problems.push(self.problem("", "no exporter configuration specified in config"));
        }
        self.check_types(known, &mut problems);
        self.check_ambiguous_ids(&mut problems);
        self.check_extensions(&mut problems);
        if self.service.pipelines.is_empty() {
            problems.push(self.problem("service::pipelines", "service must have at least one pipeline"));
        }
        for (id, pipeline) in &self.service.pipelines {
            self.check_pipeline(id, pipeline, &mut problems);
        }
        if problems.is_empty() {
            graph::check(self, known, &mut problems);
        }
        ConfigError::all(problems)
    }

    fn check_types(&self, known: &KnownTypes, problems: &mut Vec<Problem>) {
        for kind in Kind::ALL {
            let unknown = self.components(kind).iter().filter(|(id, _)| known.find(kind, id).is_none());
            problems.extend(unknown.map(|(id, section)| self.unknown_type(kind, id, section.path(), known)));
        }
    }

    fn unknown_type(&self, kind: Kind, id: &ComponentId, path: &str, known: &KnownTypes) -> Problem {
        let name = id.type_name();
        let problem = self.problem_of_names(path, format_args!("unknown type: {name:?} for id: \"{id}\""));
        if kind == Kind::Exporter && name == "logging" {
            let message = "the logging exporter has been deprecated, use the debug exporter instead";
            return Problem { message: message.to_owned(), ..problem };
        }
        let other = Kind::ALL.into_iter().find(|other| known.find(*other, id).is_some());
        let valid = known.names(kind).join(", ");
        let hint = match other {
            Some(other) => format!("that is a type of {}; valid values: {valid}", other.section()),
            None => format!("valid values: {valid}"),
        };
        let spellings = known.of(kind).flat_map(|one| std::iter::once(one.name).chain(one.aliases.iter().copied()));
        Problem { suggestion: nearest(name, spellings), hint: Some(hint), ..problem }
    }

    fn check_ambiguous_ids(&self, problems: &mut Vec<Problem>) {
        for (id, section) in &self.connectors {
            for kind in [Kind::Exporter, Kind::Receiver] {
                if self.components(kind).contains_key(id) {
                    let message = format!(
                        "ambiguous ID: Found both \"{id}\" {kind} and \"{id}\" connector. Change one of the components' IDs \
                         to eliminate ambiguity (e.g. rename \"{id}\" connector to \"{id}/connector\")"
                    );
                    problems.push(self.problem_of_names(section.path(), message));
                }
            }
        }
    }

    fn check_extensions(&self, problems: &mut Vec<Problem>) {
        let path = "service::extensions";
        for (index, id) in self.service.extensions.iter().enumerate() {
            if !self.extensions.contains_key(id) {
                let message = format!("references extension \"{id}\" which is not configured");
                let problem = self.problem(&format!("{path}[{index}]"), message);
                let suggestion = nearest_id(id, &[&self.extensions]);
                problems.push(Problem { path: path.to_owned(), suggestion, ..problem });
            }
        }
    }

    fn check_pipeline(&self, id: &PipelineId, pipeline: &PipelineConfig, problems: &mut Vec<Problem>) {
        let path = format!("service::pipelines::{id}");
        if pipeline.receivers.is_empty() {
            problems.push(self.problem(&path, "must have at least one receiver"));
        }
        if pipeline.exporters.is_empty() {
            problems.push(self.problem(&path, "must have at least one exporter"));
        }
        let connectors = &self.connectors;
        self.check_references(&path, Kind::Receiver, &pipeline.receivers, &[&self.receivers, connectors], problems);
        self.check_references(&path, Kind::Processor, &pipeline.processors, &[&self.processors], problems);
        self.check_references(&path, Kind::Exporter, &pipeline.exporters, &[&self.exporters, connectors], problems);

        let mut seen = HashSet::new();
        for (index, processor) in pipeline.processors.iter().enumerate() {
            if !seen.insert(processor) {
                let message = format!("references processor \"{processor}\" multiple times");
                let problem = self.problem(&format!("{path}::processors[{index}]"), message);
                problems.push(Problem { path: path.clone(), ..problem });
            }
        }
    }

    fn check_references(
        &self,
        path: &str,
        kind: Kind,
        references: &[ComponentId],
        configured: &[&Components],
        problems: &mut Vec<Problem>,
    ) {
        for (index, id) in references.iter().enumerate() {
            if configured.iter().any(|components| components.contains_key(id)) {
                continue;
            }
            let message = format!("references {kind} \"{id}\" which is not configured");
            let problem = self.problem(&format!("{path}::{}[{index}]", kind.section()), message);
            let suggestion = nearest_id(id, configured);
            problems.push(Problem { path: path.to_owned(), suggestion, ..problem });
        }
    }
}

fn nearest_id(id: &ComponentId, configured: &[&Components]) -> Option<String> {
    let ids: Vec<String> =
        configured.iter().flat_map(|components| components.keys()).map(ToString::to_string).collect();
    nearest(&id.to_string(), ids.iter().map(String::as_str))
}
