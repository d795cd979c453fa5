//! What is known of a source beside its attributes.

use std::collections::BTreeMap;

use super::CatalogueError;
use crate::pattern::Pattern;
use crate::source::{Inclusion, SourceFile};
use crate::vocabulary::{Operation, Vocabulary, Words};

/// A compiled source.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: Box<str>,
    /// Whether a span of its scopes may have nothing to do with GenAI.
    pub(crate) mixed: bool,
    pub(crate) spans: Vec<(Pattern, Operation, bool)>,
    /// Events whose attributes are read as if they were the span's own.
    pub(crate) events: Vec<Box<[u8]>>,
    pub(crate) default_provider: Option<Box<str>>,
    pub(crate) providers: Words<Box<str>>,
    pub(crate) default_operation: Operation,
    pub(crate) operations: Words<Operation>,
    pub(crate) input: Inclusion,
    pub(crate) input_by_provider: BTreeMap<String, Inclusion>,
    pub(crate) output: Inclusion,
    pub(crate) output_by_provider: BTreeMap<String, Inclusion>,
    pub(crate) total_proves_nothing: bool,
    pub(crate) running_totals: bool,
    pub(crate) ttft_only_streaming: bool,
    pub(crate) ttft_weak: bool,
    pub(crate) answers_as_request_model: bool,
    pub(crate) answers_without_maker: bool,
    pub(crate) always_stops: bool,
    copies_model: Option<Pattern>,
    routes_model: Option<Pattern>,
}

// === impl Source ===

impl Source {
    pub(super) fn new(file: &SourceFile, vocabulary: &Vocabulary) -> Result<Self, CatalogueError> {
        let mut spans = Vec::new();
        for rule in &file.spans {
            spans.push((Pattern::new(&rule.name, &file.name)?, known(&rule.operation, vocabulary), rule.overrides));
        }
        let operations = Words::new(
            file.operation.values.iter().map(|(word, operation)| (word.clone(), known(operation, vocabulary))),
        );
        let default_operation =
            file.operation.default.as_deref().map_or(Operation::Absent, |word| known(word, vocabulary));
        Ok(Self {
            name: file.name.as_str().into(),
            mixed: file.recognise.mixed,
            spans,
            events: file.events.iter().map(|name| name.as_bytes().into()).collect(),
            default_provider: file.provider.default.as_deref().map(Box::from),
            providers: Words::new(
                file.provider.values.iter().map(|(word, provider)| (word.clone(), provider.as_str().into())),
            ),
            default_operation,
            operations,
            input: file.usage.input,
            input_by_provider: file.usage.input_by_provider.clone(),
            output: file.usage.output,
            output_by_provider: file.usage.output_by_provider.clone(),
            total_proves_nothing: file.usage.total_proves_nothing,
            running_totals: file.usage.running_totals,
            ttft_only_streaming: file.time_to_first_token.only_streaming,
            ttft_weak: file.time_to_first_token.weak,
            answers_as_request_model: file.answers_as_request_model,
            answers_without_maker: file.answers_without_maker,
            always_stops: file.always_stops,
            copies_model: pattern(file.response_model_copied_by.as_deref(), &file.name)?,
            routes_model: pattern(file.models_routed_by.as_deref(), &file.name)?,
        })
    }

    /// Whether spans of a scope say the model of the request where they do not know which one answered.
    pub(crate) fn copies_model(&self, scope: &[u8]) -> bool {
        self.copies_model.as_ref().is_some_and(|pattern| pattern.is_match(&String::from_utf8_lossy(scope)))
    }

    /// Whether names of models begin with LiteLLM's word for the provider on spans of a scope.
    pub(crate) fn routes_model(&self, scope: &[u8]) -> bool {
        self.routes_model.as_ref().is_some_and(|pattern| pattern.is_match(&String::from_utf8_lossy(scope)))
    }
}

fn pattern(scopes: Option<&str>, file: &str) -> Result<Option<Pattern>, CatalogueError> {
    scopes.map(|scopes| Pattern::new(scopes, file)).transpose()
}

/// An operation by a word of the vocabulary; `none` takes the operation away.
fn known(word: &str, vocabulary: &Vocabulary) -> Operation {
    if word == "none" { Operation::Custom } else { vocabulary.operation(word) }
}
