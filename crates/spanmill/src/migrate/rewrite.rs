//! The suggested file: what does not run is left out, and what `genai` does is left to it.

use serde_yaml::{Mapping, Value};
use spanmill_config::{ComponentId, ConfigError, Document, Kind, Providers, load};
use spanmill_pipeline::{Factories, Service};

use super::statements::Purpose;

/// A suggested configuration.
#[derive(Debug)]
pub(crate) struct Suggestion {
    yaml: String,
    /// What was changed, a line each.
    pub(crate) changes: Vec<String>,
}

/// Makes the suggestion out of the text of a file, given the components that do not run.
pub(super) fn suggest(text: &Value, broken: &[(Kind, &ComponentId)]) -> Suggestion {
    let mut file = text.clone();
    let mut changes = Vec::new();
    for (kind, id) in broken {
        remove(&mut file, *kind, &id.to_string());
        changes.push(format!("{}::{id} is left out: it does not run", kind.section()));
    }
    let replaced = replace_by_genai(&mut file, &mut changes);
    if replaced {
        set(&mut file, &["processors", "genai"], Value::Mapping(Mapping::new()));
    }
    drop_empty_pipelines(&mut file, &mut changes);
    let mut yaml = String::new();
    for change in &changes {
        yaml.push_str(&format!("# {change}\n"));
    }
    yaml.push_str(&serde_yaml::to_string(&file).unwrap_or_default());
    Suggestion { yaml, changes }
}

// === impl Suggestion ===

impl Suggestion {
    /// The file.
    pub(crate) fn yaml(&self) -> &str {
        &self.yaml
    }

    /// Whether it is valid.
    pub(super) fn check(&self, factories: &Factories) -> Result<(), ConfigError> {
        let uri = format!("yaml:{}", self.yaml).parse();
        let Ok(uri) = uri else { return Err(ConfigError::new("", "the suggestion is no YAML")) };
        let resolved = load(&[uri], &[], &Providers::from_process())?;
        Service::validate(&Document::from_tree(resolved.tree)?, factories)
    }
}

/// Takes statements out that `genai` makes needless, and whole processors with them; says whether there were any.
fn replace_by_genai(file: &mut Value, changes: &mut Vec<String>) -> bool {
    let Some(Value::Mapping(processors)) = get_mut(file, &["processors"]) else { return false };
    let mut gone = Vec::new();
    let mut lighter = Vec::new();
    for (id, section) in processors.iter_mut() {
        let Some(id) = id.as_str().map(str::to_owned) else { continue };
        match id.split('/').next().unwrap_or_default().trim() {
            "gen_ai_normalizer" | "genainormalizer" => gone.push(id),
            "transform" => match thin_out(section) {
                (0, _) => {}
                (count, 0) => {
                    changes.push(format!("processors::{id}: all {count} statements are left to genai"));
                    gone.push(id);
                }
                (count, left) => {
                    changes.push(format!("processors::{id}: {count} statements are left to genai, {left} stay"));
                    lighter.push(id);
                }
            },
            _ => {}
        }
    }
    if gone.is_empty() && lighter.is_empty() {
        return false;
    }
    each_pipeline(file, &mut |name, pipeline| {
        let Some(Value::Sequence(processors)) = pipeline.get_mut("processors") else { return };
        let is = |value: &Value, ids: &[String]| value.as_str().is_some_and(|id| ids.iter().any(|known| known == id));
        let first = processors.iter().position(|value| is(value, &gone) || is(value, &lighter));
        let Some(first) = first else { return };
        let already = processors.iter().any(|value| value.as_str() == Some("genai"));
        if !already {
            processors.insert(first, Value::from("genai"));
            changes.push(format!("service::pipelines::{name}: genai comes in"));
        }
        processors.retain(|value| !is(value, &gone));
    });
    for id in &gone {
        if let Some(Value::Mapping(processors)) = get_mut(file, &["processors"]) {
            processors.remove(id.as_str());
        }
        if !id.starts_with("transform") {
            changes.push(format!("processors::{id} is replaced by genai"));
        }
    }
    true
}

/// Removes the statements that `genai` makes needless; says how many there were, and how many stay.
fn thin_out(section: &mut Value) -> (usize, usize) {
    let (mut gone, mut left) = (0, 0);
    let Some(Value::Sequence(items)) = section.get_mut("trace_statements") else { return (0, 0) };
    let mut needless = |value: &Value| {
        let is = value.as_str().is_some_and(|text| Purpose::of(text).is_some());
        if is {
            gone += 1
        } else {
            left += 1
        };
        is
    };
    items.retain_mut(|item| match item {
        Value::Mapping(group) => {
            let Some(Value::Sequence(statements)) = group.get_mut("statements") else { return true };
            statements.retain(|statement| !needless(statement));
            !statements.is_empty()
        }
        statement => !needless(statement),
    });
    let others = ["metric_statements", "log_statements"];
    if others.iter().any(|key| section.get(key).is_some()) {
        left += 1;
    }
    (gone, left)
}

/// Removes a component, and its name from all pipelines.
fn remove(file: &mut Value, kind: Kind, id: &str) {
    if let Some(Value::Mapping(components)) = get_mut(file, &[kind.section()]) {
        components.remove(id);
    }
    let lists: &[&str] = match kind {
        Kind::Receiver => &["receivers"],
        Kind::Processor => &["processors"],
        Kind::Exporter => &["exporters"],
        Kind::Connector => &["receivers", "exporters"],
        Kind::Extension => {
            if let Some(Value::Sequence(extensions)) = get_mut(file, &["service", "extensions"]) {
                extensions.retain(|value| value.as_str() != Some(id));
            }
            return;
        }
    };
    each_pipeline(file, &mut |_, pipeline| {
        for list in lists {
            if let Some(Value::Sequence(ids)) = pipeline.get_mut(list) {
                ids.retain(|value| value.as_str() != Some(id));
            }
        }
    });
}

/// A pipeline that has lost all its receivers or all its exporters goes.
fn drop_empty_pipelines(file: &mut Value, changes: &mut Vec<String>) {
    let Some(Value::Mapping(pipelines)) = get_mut(file, &["service", "pipelines"]) else { return };
    let is_empty =
        |pipeline: &Value, list: &str| pipeline.get(list).and_then(Value::as_sequence).is_none_or(Vec::is_empty);
    pipelines.retain(|name, pipeline| {
        let stays = !is_empty(pipeline, "receivers") && !is_empty(pipeline, "exporters");
        if !stays {
            changes.push(format!(
                "service::pipelines::{} is left out: nothing is left of it",
                name.as_str().unwrap_or("")
            ));
        }
        stays
    });
}

fn each_pipeline(file: &mut Value, change: &mut dyn FnMut(&str, &mut Value)) {
    let Some(Value::Mapping(pipelines)) = get_mut(file, &["service", "pipelines"]) else { return };
    for (name, pipeline) in pipelines.iter_mut() {
        change(name.as_str().unwrap_or_default(), pipeline);
    }
}

fn get_mut<'v>(value: &'v mut Value, path: &[&str]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, key| value.get_mut(*key))
}

/// Sets a value in a map that is there.
fn set(file: &mut Value, path: &[&str], value: Value) {
    let Some((last, before)) = path.split_last() else { return };
    if let Some(Value::Mapping(map)) = get_mut(file, before)
        && !map.contains_key(*last)
    {
        map.insert(Value::from(*last), value);
    }
}
