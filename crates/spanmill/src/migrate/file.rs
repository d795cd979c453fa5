//! The text of a configuration as a tree that keeps its order, and what the suggestion asks of it.

use serde_yaml::Value;

/// The signal of a pipeline by its name: `traces` of `traces/in`.
pub(super) fn signal(pipeline: &str) -> &str {
    pipeline.split('/').next().unwrap_or_default().trim()
}

/// The type of a component by its id.
pub(super) fn type_name(id: &str) -> &str {
    signal(id)
}

/// Whether a component goes by an id, however its spaces are set.
pub(super) fn is_called(value: &Value, id: &str) -> bool {
    let apart =
        |text: &str| text.split_once('/').map(|(before, after)| (before.trim().to_owned(), after.trim().to_owned()));
    value.as_str().is_some_and(|text| text.trim() == id.trim() || (apart(text).is_some() && apart(text) == apart(id)))
}

pub(super) fn get_mut<'v>(value: &'v mut Value, path: &[&str]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, key| value.get_mut(*key))
}

/// The components of a section of the file, by id.
pub(super) fn components<'v>(file: &'v Value, section: &str) -> impl Iterator<Item = (&'v str, &'v Value)> {
    let entries = file.get(section).and_then(Value::as_mapping).into_iter().flatten();
    entries.filter_map(|(id, section)| Some((id.as_str()?, section)))
}

/// The pipelines, by name.
pub(super) fn pipelines(file: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let all = file.get("service").and_then(|service| service.get("pipelines")).and_then(Value::as_mapping);
    all.into_iter().flatten().filter_map(|(name, pipeline)| Some((name.as_str()?, pipeline)))
}

pub(super) fn each_pipeline(file: &mut Value, change: &mut dyn FnMut(&str, &mut Value)) {
    let Some(Value::Mapping(pipelines)) = get_mut(file, &["service", "pipelines"]) else { return };
    for (name, pipeline) in pipelines.iter_mut() {
        change(name.as_str().unwrap_or_default(), pipeline);
    }
}

/// The ids in one of a pipeline's lists.
pub(super) fn listed<'v>(pipeline: &'v Value, list: &str) -> impl Iterator<Item = &'v str> {
    pipeline.get(list).and_then(Value::as_sequence).into_iter().flatten().filter_map(Value::as_str)
}

/// Whether a pipeline's list names a component.
pub(super) fn lists(pipeline: &Value, list: &str, id: &str) -> bool {
    pipeline.get(list).and_then(Value::as_sequence).is_some_and(|ids| ids.iter().any(|value| is_called(value, id)))
}

/// Takes a component out of one of a pipeline's lists.
pub(super) fn unlist(pipeline: &mut Value, list: &str, id: &str) {
    if let Some(Value::Sequence(ids)) = pipeline.get_mut(list) {
        ids.retain(|value| !is_called(value, id));
    }
}

/// Whether the text of a tree, keys included, contains any of these; a backslash before a character does not hide it.
pub(super) fn mentions(value: &Value, words: &[&str]) -> bool {
    let has = |text: &str| {
        let text = text.replace('\\', "");
        words.iter().any(|word| text.contains(word))
    };
    match value {
        Value::String(text) => has(text),
        Value::Sequence(items) => items.iter().any(|item| mentions(item, words)),
        Value::Mapping(map) => map.iter().any(|(key, value)| mentions(key, words) || mentions(value, words)),
        Value::Tagged(tagged) => mentions(&tagged.value, words),
        _ => false,
    }
}
