//! The words of GenAI telemetry and their spellings, from `vocabulary.yaml`, compiled to lookups.

mod lookup;
mod words;

use std::collections::BTreeMap;

use memchr::memmem;
use regex::Regex;
use serde::Deserialize;

use self::lookup::{Prefixes, is_host};
pub(crate) use self::lookup::{Words, names_snapshot};
pub(crate) use self::words::{Class, ErrorClass, Finish, Operation};
use crate::catalogue::CatalogueError;
use crate::pattern::Pattern;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    providers: BTreeMap<String, Vec<String>>,
    not_providers: Vec<String>,
    providers_by_model: Vec<ByModel>,
    routed: BTreeMap<String, Vec<String>>,
    hosts: BTreeMap<String, Vec<String>>,
    answered_by_snapshots: Vec<String>,
    opening_chunks: Vec<String>,
    made_up_ids: Vec<String>,
    routes: BTreeMap<String, Vec<String>>,
    operations: Vec<OperationEntry>,
    finish_reasons: BTreeMap<String, Vec<String>>,
    errors: ErrorsEntry,
    other_namespaces: Vec<String>,
    fillers: Vec<String>,
    clients: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ByModel {
    model: String,
    provider: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OperationEntry {
    name: String,
    class: Class,
    spellings: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorsEntry {
    texts: Vec<TextEntry>,
    weak_texts: Vec<TextEntry>,
    types: BTreeMap<String, Vec<String>>,
    general_types: BTreeMap<String, Vec<String>>,
    statuses: BTreeMap<u16, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TextEntry {
    class: String,
    words: Vec<String>,
}

/// A known host, by its ordinal.
pub(crate) type HostIx = u16;

/// The compiled vocabulary.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    providers: Words<Option<Box<str>>>,
    /// Words that LiteLLM alone puts before names of models.
    routed: Words<Box<str>>,
    by_model: Vec<(Pattern, Box<str>)>,
    /// Hosts, and whose they are.
    hosts: Vec<(Box<str>, Box<str>)>,
    answered_by_snapshots: Prefixes,
    opening_chunks: Vec<String>,
    made_up_ids: Prefixes,
    clients: Prefixes,
    routes: BTreeMap<String, Vec<String>>,
    operations: Words<u8>,
    operation_names: Vec<(Box<str>, Class)>,
    finish: Words<Finish>,
    pub(crate) errors: Errors,
    /// First parts of keys that tell nothing of a call.
    pub(crate) other_namespaces: Vec<String>,
    /// Words before the end of a key, in the same part, that change nothing of what it means.
    pub(crate) fillers: Vec<String>,
}

/// How errors are told apart.
#[derive(Debug)]
pub(crate) struct Errors {
    /// Lower-case words of messages.
    pub(crate) texts: Vec<(Box<str>, ErrorClass)>,
    pub(crate) weak_texts: Vec<(Box<str>, ErrorClass)>,
    pub(crate) types: Words<ErrorClass>,
    pub(crate) general_types: Words<ErrorClass>,
    pub(crate) statuses: BTreeMap<u16, ErrorClass>,
    /// A status code in a message.
    pub(crate) status_in_text: Regex,
    /// The name of an error in a message.
    pub(crate) type_in_text: Regex,
}

// === impl Vocabulary ===

impl Vocabulary {
    pub(crate) fn parse(yaml: &str) -> Result<Self, CatalogueError> {
        let file: File =
            serde_yaml::from_str(yaml).map_err(|error| CatalogueError::new("vocabulary", error.to_string()))?;
        let known = file.providers.into_iter().flat_map(|(name, spellings)| {
            spellings.into_iter().map(move |spelling| (spelling, Some(Box::from(name.as_str()))))
        });
        let providers = Words::new(known.chain(file.not_providers.into_iter().map(|name| (name, None))));
        let routed = Words::new(
            file.routed
                .into_iter()
                .flat_map(|(name, words)| words.into_iter().map(move |word| (word, Box::from(name.as_str())))),
        );
        let mut by_model = Vec::new();
        for ByModel { model, provider } in file.providers_by_model {
            by_model.push((Pattern::new(&model, "vocabulary")?, provider.into()));
        }
        let hosts = file.hosts.into_iter().flat_map(|(provider, hosts)| {
            hosts.into_iter().map(move |host| (host.into(), Box::from(provider.as_str())))
        });
        let operations =
            Words::new(file.operations.iter().enumerate().flat_map(|(at, operation)| {
                operation.spellings.iter().map(move |spelling| (spelling.clone(), at as u8))
            }));
        let operation_names =
            file.operations.into_iter().map(|operation| (operation.name.into(), operation.class)).collect();
        let finish = words(file.finish_reasons, Finish::from_name)?;
        let (made_up_ids, routes) = (Prefixes::new(file.made_up_ids), file.routes);
        Ok(Self {
            providers,
            routed,
            by_model,
            hosts: hosts.collect(),
            answered_by_snapshots: Prefixes::new(file.answered_by_snapshots),
            opening_chunks: file.opening_chunks,
            made_up_ids,
            clients: Prefixes::new(file.clients),
            routes,
            operations,
            operation_names,
            finish,
            errors: Errors::new(file.errors)?,
            other_namespaces: file.other_namespaces,
            fillers: file.fillers,
        })
    }

    /// The canonical name of a provider: `None` where the word is unknown, `Some(None)` where it names no provider.
    pub(crate) fn provider(&self, word: &str) -> Option<Option<&str>> {
        self.providers.get(word).map(Option::as_deref)
    }

    /// The provider that such a model most likely belongs to.
    pub(crate) fn provider_of_model(&self, model: &str) -> Option<&str> {
        self.by_model.iter().find(|(pattern, _)| pattern.is_match(model)).map(|(_, provider)| &**provider)
    }

    /// Who serves a model in front of which the name of its family stands, `anthropic.claude-…`.
    pub(crate) fn server_of_family(&self, family: &str, model: &str) -> Option<&str> {
        let named = model.split('.').any(|part| self.provider(part) == Some(Some(family)));
        named.then(|| self.provider_of_model(model))?
    }

    /// The provider that serves models at such a host.
    pub(crate) fn provider_of_host(&self, host: &str) -> Option<&str> {
        self.host(host).and_then(|at| self.provider_at(at))
    }

    /// A host where models are served.
    pub(crate) fn host(&self, host: &str) -> Option<HostIx> {
        self.hosts.iter().position(|(pattern, _)| is_host(host, pattern)).map(|at| at as HostIx)
    }

    /// The provider that serves models at a known host.
    pub(crate) fn provider_at(&self, host: HostIx) -> Option<&str> {
        self.hosts.get(usize::from(host)).map(|(_, provider)| &**provider)
    }

    /// Whether a model of that name, which has no date, is answered by one that has.
    pub(crate) fn is_answered_by_snapshot(&self, model: &str) -> bool {
        self.answered_by_snapshots.start(model.rsplit('/').next().unwrap_or(model).as_bytes())
    }

    /// Whether an event of a stream, in its encoding, only opens it: no token has come yet.
    pub(crate) fn opens_stream(&self, event: &[u8]) -> bool {
        self.opening_chunks.iter().any(|sign| memmem::find(event, sign.as_bytes()).is_some())
    }

    /// Whether the class of an exception is that of a provider's client.
    pub(crate) fn is_of_client(&self, class: &str) -> bool {
        self.clients.start(class.as_bytes())
    }

    /// Whether an id was made up by a framework, so that it says nothing about the response.
    pub(crate) fn is_made_up_id(&self, id: &[u8]) -> bool {
        self.made_up_ids.start(id)
    }

    /// A model's name without the provider, and the route to it, in front.
    pub(crate) fn strip_provider<'m>(&self, model: &'m str, provider: &str) -> &'m str {
        let mut rest = model;
        while let Some((prefix, tail)) = rest.split_once('/') {
            let route = self.routes.get(provider).is_some_and(|routes| routes.iter().any(|route| route == prefix));
            let same = self.provider(prefix).flatten().is_some_and(|named| is_same_family(named, provider));
            if tail.is_empty() || !route && !same {
                break;
            }
            rest = tail;
        }
        rest
    }

    /// LiteLLM's name of a model: the provider in front of it, and the rest.
    pub(crate) fn routed<'m>(&self, model: &'m str) -> Option<(&str, &'m str)> {
        let (word, name) = model.split_once('/').filter(|(_, name)| !name.is_empty())?;
        let provider = self.provider(word).flatten().or_else(|| self.routed.get(word).map(|name| &**name))?;
        Some((provider, name))
    }

    pub(crate) fn operation(&self, word: &str) -> Operation {
        self.operations.get(word).map_or(Operation::Custom, |at| Operation::Known(*at))
    }

    /// The name and class of an operation; none for [`Operation::Absent`] and [`Operation::Custom`].
    pub(crate) fn describe(&self, operation: Operation) -> Option<(&str, Class)> {
        let Operation::Known(at) = operation else { return None };
        self.operation_names.get(usize::from(at)).map(|(name, class)| (&**name, *class))
    }

    pub(crate) fn finish(&self, word: &str) -> Option<Finish> {
        let last = || word.rsplit(['.', ':']).next().unwrap_or(word);
        self.finish.get(word).or_else(|| self.finish.get(last())).copied()
    }
}

// === impl Errors ===

impl Errors {
    fn new(entry: ErrorsEntry) -> Result<Self, CatalogueError> {
        let mut statuses = BTreeMap::new();
        for (status, class) in entry.statuses {
            statuses.insert(status, named(&class, ErrorClass::from_name)?);
        }
        Ok(Self {
            texts: texts(entry.texts)?,
            weak_texts: texts(entry.weak_texts)?,
            types: words(entry.types, ErrorClass::from_name)?,
            general_types: words(entry.general_types, ErrorClass::from_name)?,
            statuses,
            status_in_text: regex(
                r#"(?i)(?:^|^\w*(?:error|exception): )(\d{3})\b|\b(?:error code|status code|status_code|statuscode|status|http|code)['"]?\s*[:= ]\s*(\d{3})\b"#,
                "vocabulary",
            )?,
            type_in_text: regex(r"[A-Za-z_]*(?:Error|Exception|_error|[A-Z]+_[A-Z_]+)\b", "vocabulary")?,
        })
    }
}

/// Whether two providers are one: Google's are told apart by the way to them alone.
pub(crate) fn is_same_family(left: &str, right: &str) -> bool {
    left == right || left.starts_with("gcp.") && right.starts_with("gcp.")
}

fn texts(entries: Vec<TextEntry>) -> Result<Vec<(Box<str>, ErrorClass)>, CatalogueError> {
    let mut texts = Vec::new();
    for TextEntry { class, words } in entries {
        let class = named(&class, ErrorClass::from_name)?;
        texts.extend(words.into_iter().map(|word| (word.to_ascii_lowercase().into(), class)));
    }
    Ok(texts)
}

fn words<T: Copy>(
    lists: BTreeMap<String, Vec<String>>,
    from_name: fn(&str) -> Option<T>,
) -> Result<Words<T>, CatalogueError> {
    let mut entries = Vec::new();
    for (name, spellings) in lists {
        let meaning = named(&name, from_name)?;
        entries.extend(spellings.into_iter().map(|spelling| (spelling, meaning)));
    }
    Ok(Words::new(entries))
}

fn named<T>(name: &str, from_name: fn(&str) -> Option<T>) -> Result<T, CatalogueError> {
    from_name(name).ok_or_else(|| CatalogueError::new("vocabulary", format!("unknown word {name:?}")))
}

pub(crate) fn regex(pattern: &str, file: &str) -> Result<Regex, CatalogueError> {
    Regex::new(pattern).map_err(|error| CatalogueError::new(file, error.to_string()))
}
