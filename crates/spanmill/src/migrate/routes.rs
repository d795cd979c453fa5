//! Connectors that name pipelines, when some of these are gone.

use std::collections::BTreeSet;

use serde_yaml::Value;
use spanmill_config::Kind;

use super::cascade::remove;
use super::file::{get_mut, pipelines, type_name};
use super::log::Log;

/// Takes pipelines that are gone out of routes and levels; says whether anything was changed.
pub(super) fn follow(file: &mut Value, log: &mut Log) -> bool {
    let there: BTreeSet<String> = pipelines(file).map(|(name, _)| name.to_owned()).collect();
    let is_gone = |value: &Value| value.as_str().is_some_and(|name| !there.contains(name));
    let Some(Value::Mapping(connectors)) = get_mut(file, &[Kind::Connector.section()]) else { return false };
    let (mut changed, mut idle) = (false, Vec::new());
    for (id, section) in connectors.iter_mut() {
        let id = id.as_str().unwrap_or_default();
        let before = section.clone();
        let works = match type_name(id) {
            "routing" => reroute(id, section, &is_gone, log),
            "failover" => lower(section, &is_gone),
            _ => true,
        };
        if *section == before {
            continue;
        }
        changed = true;
        log.change(format!("connectors::{id} no longer names pipelines that are gone"));
        if !works {
            idle.push(id.to_owned());
        }
    }
    for id in &idle {
        log.change(format!("connectors::{id} is left out: it leads nowhere"));
        remove(file, Kind::Connector, id);
    }
    changed
}

/// What met a route that is gone goes on to later routes and at last to the default pipelines, as if it had not met it.
fn reroute(id: &str, section: &mut Value, is_gone: &dyn Fn(&Value) -> bool, log: &mut Log) -> bool {
    let had_defaults = section.get("default_pipelines").is_some_and(|value| !is_empty(value));
    let defaults = section.get_mut("default_pipelines").map_or(Vec::new(), |value| keep(value, is_gone));
    if had_defaults && defaults.is_empty() {
        log.note(format!("connectors::{id}: spans that no route takes are dropped"));
    }
    let Some(Value::Sequence(table)) = section.get_mut("table") else { return true };
    let last = table.len().saturating_sub(1);
    let mut at = 0;
    let mut kept = 0;
    table.retain_mut(|route| {
        let is_last = at == last;
        at += 1;
        let Some(pipelines) = route.get_mut("pipelines") else { return true };
        let had_any = !is_empty(pipelines);
        let left = keep(pipelines, is_gone);
        if !had_any || !left.is_empty() {
            kept += 1;
            return true;
        }
        // A table must have a route: the last one leads where its spans would go without it.
        let stays = is_last && kept == 0 && !defaults.is_empty();
        if stays {
            *pipelines = Value::Sequence(defaults.clone());
            route.as_mapping_mut().and_then(|route| route.shift_remove("action"));
        }
        let condition = ["condition", "statement"].iter().find_map(|key| route.get(*key).and_then(Value::as_str));
        let condition = condition.unwrap_or_default();
        let onwards = if defaults.is_empty() { "" } else { " and the default pipelines" };
        log.note(format!(
            "connectors::{id}: spans that meet {condition:?} go on to later routes{onwards}: see whether they may"
        ));
        stays
    });
    !table.is_empty()
}

/// A level that has lost its pipelines goes.
fn lower(section: &mut Value, is_gone: &dyn Fn(&Value) -> bool) -> bool {
    let Some(Value::Sequence(levels)) = section.get_mut("priority_levels") else { return true };
    levels.retain_mut(|level| is_empty(level) || !keep(level, is_gone).is_empty());
    !levels.is_empty()
}

fn is_empty(list: &Value) -> bool {
    list.as_sequence().is_none_or(Vec::is_empty)
}

/// Takes the names that are gone out of a list, and returns those that stay.
fn keep(list: &mut Value, is_gone: &dyn Fn(&Value) -> bool) -> Vec<Value> {
    let Value::Sequence(names) = list else { return Vec::new() };
    names.retain(|name| !is_gone(name));
    names.clone()
}
