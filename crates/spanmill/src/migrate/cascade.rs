//! Leaves out what does not run, and then what has lost its sense by it, until nothing changes.

use std::collections::BTreeSet;

use serde_yaml::Value;
use spanmill_config::{ComponentId, Kind};

use super::file::{
    components, each_pipeline, get_mut, is_called, lists, mentions, pipelines, signal, type_name, unlist,
};
use super::log::Log;
use super::remarks::idle_detectors;
use super::{alternatives, routes};

/// Connectors whose two sides are of one signal.
const OF_ONE_SIGNAL: &[&str] = &["forward", "routing", "failover"];

/// A connector, and where both its sides are of one signal, which.
type Use = (String, Option<String>);

/// Leaves components out, and pipelines of profiles.
pub(super) fn leave_out(file: &mut Value, missing: &[(Kind, &ComponentId)], log: &mut Log) {
    let whole = two_sided(file);
    let lost = without_profiles(file, log);
    if missing.is_empty() && !lost {
        return;
    }
    for (kind, id) in missing {
        remove(file, *kind, &id.to_string());
        log.change(format!("{}::{id} is left out: it does not run", kind.section()));
        if *kind == Kind::Processor {
            log.note(format!("processors::{id}: what it changed, added, removed or dropped is passed on as it comes"));
        }
        if *kind == Kind::Extension {
            release(file, &id.to_string(), log);
        }
    }
    while without_empty_pipelines(file, log) | routes::follow(file, log) | without_halves(file, &whole, log) {}
    for (kind, id) in missing {
        tell_readers(file, &id.to_string(), alternatives::written_by(*kind, id), log);
    }
}

/// Removes a component, and its name from all pipelines.
pub(super) fn remove(file: &mut Value, kind: Kind, id: &str) {
    if let Some(Value::Mapping(components)) = get_mut(file, &[kind.section()]) {
        components.retain(|key, _| !is_called(key, id));
    }
    let list: &[&str] = match kind {
        Kind::Receiver => &["receivers"],
        Kind::Processor => &["processors"],
        Kind::Exporter => &["exporters"],
        Kind::Connector => &["receivers", "exporters"],
        Kind::Extension => {
            if let Some(service) = file.get_mut("service") {
                unlist(service, "extensions", id);
            }
            &[]
        }
    };
    each_pipeline(file, &mut |_, pipeline| list.iter().for_each(|list| unlist(pipeline, list, id)));
}

/// Pipelines of profiles go.
fn without_profiles(file: &mut Value, log: &mut Log) -> bool {
    let Some(Value::Mapping(pipelines)) = get_mut(file, &["service", "pipelines"]) else { return false };
    let before = pipelines.len();
    pipelines.retain(|name, _| {
        let name = name.as_str().unwrap_or_default();
        let is_one = signal(name) == "profiles";
        if is_one {
            log.change(format!("service::pipelines::{name} is left out: there are no profiles here"));
        }
        !is_one
    });
    pipelines.len() < before
}

/// A pipeline that has lost all its receivers or all its exporters goes.
fn without_empty_pipelines(file: &mut Value, log: &mut Log) -> bool {
    let Some(Value::Mapping(pipelines)) = get_mut(file, &["service", "pipelines"]) else { return false };
    let before = pipelines.len();
    let is_empty =
        |pipeline: &Value, list: &str| pipeline.get(list).and_then(Value::as_sequence).is_none_or(Vec::is_empty);
    pipelines.retain(|name, pipeline| {
        let lost = ["receivers", "exporters"].into_iter().find(|list| is_empty(pipeline, list));
        if let Some(lost) = lost {
            log.change(format!("service::pipelines::{} is left out: it has no {lost}", name.as_str().unwrap_or("")));
        }
        lost.is_none()
    });
    pipelines.len() < before
}

/// The uses of connectors that have both sides.
fn two_sided(file: &Value) -> BTreeSet<Use> {
    let (takes, gives) = (sides(file, "exporters"), sides(file, "receivers"));
    takes.intersection(&gives).cloned().collect()
}

/// What stands on a side of connectors.
fn sides(file: &Value, list: &str) -> BTreeSet<Use> {
    let mut found = BTreeSet::new();
    for (id, _) in components(file, Kind::Connector.section()) {
        let by_signal = OF_ONE_SIGNAL.contains(&type_name(id));
        let used = pipelines(file).filter(|(_, pipeline)| lists(pipeline, list, id));
        found.extend(used.map(|(name, _)| (id.to_owned(), by_signal.then(|| signal(name).to_owned()))));
    }
    found
}

/// A connector that had two sides and has one left goes.
fn without_halves(file: &mut Value, whole: &BTreeSet<Use>, log: &mut Log) -> bool {
    let (takes, gives) = (sides(file, "exporters"), sides(file, "receivers"));
    let halves: Vec<Use> = takes.symmetric_difference(&gives).filter(|half| whole.contains(half)).cloned().collect();
    for (id, only) in &halves {
        each_pipeline(file, &mut |name, pipeline| {
            if only.as_ref().is_none_or(|only| only == signal(name)) {
                unlist(pipeline, "receivers", id);
                unlist(pipeline, "exporters", id);
            }
        });
        if !sides(file, "exporters").iter().any(|(other, _)| other == id) {
            remove(file, Kind::Connector, id);
        }
        log.change(format!("connectors::{id} is left out: what is on its other side is gone"));
    }
    !halves.is_empty()
}

/// Exporters do without an extension that does not run. Receivers do not: without what authenticates they would be open to all.
fn release(file: &mut Value, id: &str, log: &mut Log) {
    for kind in [Kind::Exporter, Kind::Connector, Kind::Processor] {
        let Some(Value::Mapping(map)) = get_mut(file, &[kind.section()]) else { continue };
        for (name, section) in map.iter_mut() {
            let name = format!("{}::{}", kind.section(), name.as_str().unwrap_or_default());
            if forget(section, "auth", &|auth| auth.get("authenticator").is_some_and(|value| is_called(value, id))) {
                log.change(format!("{name}: auth is left out, since {id} does not run"));
                log.note(format!("{name} sends without credentials: give it others"));
            }
            if forget(section, "storage", &|value| is_called(value, id)) {
                log.change(format!("{name}: storage is left out, since {id} does not run"));
                log.note(format!("{name} keeps its queue in memory, which a restart loses: file_storage keeps it"));
            }
        }
    }
    for section in [Kind::Receiver, Kind::Extension].map(Kind::section) {
        for (name, _) in components(file, section).filter(|(_, value)| asks(value, id)) {
            log.note(format!("{section}::{name} still asks {id} who may come in, so that it is not open to all: choose another authenticator"));
        }
    }
}

/// Takes a key out wherever its value is such.
fn forget(value: &mut Value, key: &str, is_such: &dyn Fn(&Value) -> bool) -> bool {
    match value {
        Value::Mapping(map) => {
            let found = map.get(key).is_some_and(is_such) && map.shift_remove(key).is_some();
            map.values_mut().fold(found, |found, value| forget(value, key, is_such) | found)
        }
        Value::Sequence(items) => items.iter_mut().fold(false, |found, item| forget(item, key, is_such) | found),
        _ => false,
    }
}

fn asks(value: &Value, id: &str) -> bool {
    forget(&mut value.clone(), "authenticator", &|value| is_called(value, id))
}

/// Says who reads what detectors would have written that find nothing here.
pub(super) fn tell_of_detectors(file: &Value, log: &mut Log) {
    for (id, section) in components(file, Kind::Processor.section()) {
        if type_name(id).starts_with("resource") && !idle_detectors(section).is_empty() {
            tell_readers(file, id, &["cloud.", "k8s."], log);
        }
    }
}

/// Says who still reads what a component does not write, or no longer.
fn tell_readers(file: &Value, id: &str, written: &[&str], log: &mut Log) {
    for section in [Kind::Processor, Kind::Connector, Kind::Exporter].map(Kind::section) {
        for (name, _) in components(file, section).filter(|(name, value)| *name != id && mentions(value, written)) {
            log.note(format!(
                "{section}::{name} reads {}*, which {id} wrote elsewhere: it finds nothing unless the spans bring it",
                written.join("* or ")
            ));
        }
    }
}
