//! Copies of attributes under the conventions' names that are left to `genai`, which makes them as well.

use serde_yaml::Value;
use spanmill_config::Kind;

use super::cascade;
use super::file::{get_mut, lists, pipelines, signal};
use super::log::Log;
use super::native::{HIDING, is_unconditional, neighbours_mention};
use super::statements::Statement;

/// Takes copies out of a `transform` that `genai` makes as well, if it does so wherever the `transform` is, and if nobody else has
/// to do with either attribute.
pub(super) fn thin_out(file: &mut Value, id: &str, places: &[String], log: &mut Log) {
    let elsewhere = pipelines(file)
        .filter(|(name, pipeline)| signal(name) == "traces" && lists(pipeline, "processors", id))
        .any(|(name, _)| !places.iter().any(|place| place == name));
    if elsewhere {
        return;
    }
    let before = file.clone();
    let gone = take_copies(file, id);
    if gone.is_empty() {
        return;
    }
    let named: Vec<&str> = gone.iter().flat_map(|(from, to)| [from.as_str(), to.as_str()]).collect();
    if neighbours_mention(file, id, &named, true) || neighbours_mention(file, id, HIDING, true) {
        *file = before;
        return;
    }
    log.change(format!("processors::{id}: statements that are left to genai: {}", gone.len()));
    if is_idle(file, id) {
        cascade::remove(file, Kind::Processor, id);
        log.change(format!("processors::{id} is left out: nothing is left of it"));
    }
}

/// Takes the copies out, and groups that are empty by it.
fn take_copies(file: &mut Value, id: &str) -> Vec<(String, String)> {
    let mut gone = Vec::new();
    let Some(Value::Sequence(items)) = get_mut(file, &["processors", id, "trace_statements"]) else { return gone };
    let mut stays = |value: &Value| {
        let copy = value.as_str().and_then(Statement::read).and_then(|statement| statement.copy());
        let Some((from, to)) = copy else { return true };
        gone.push((from.to_owned(), to.to_owned()));
        false
    };
    items.retain_mut(|item| {
        if item.is_string() {
            return stays(item);
        }
        if !is_unconditional(item) {
            return true;
        }
        let Some(Value::Sequence(statements)) = item.get_mut("statements") else { return true };
        let had_any = !statements.is_empty();
        statements.retain(&mut stays);
        !had_any || !statements.is_empty()
    });
    gone
}

/// Whether a `transform` has no statements at all.
fn is_idle(file: &Value, id: &str) -> bool {
    let has = |key: &str| {
        let section = file.get("processors").and_then(|processors| processors.get(id));
        section
            .and_then(|section| section.get(key))
            .is_some_and(|list| list.as_sequence().is_none_or(|list| !list.is_empty()))
    };
    !["trace_statements", "metric_statements", "log_statements", "profile_statements"].into_iter().any(has)
}
