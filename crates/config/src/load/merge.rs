//! Joining maps, and keys that are paths.

use crate::node::Entry;
use crate::yaml::MAX_DEPTH;
use crate::{ConfigError, Map, Node, Problem, Value};

/// What parts a key that is a path.
const SEPARATOR: &str = "::";

/// Puts `over` on top of `base`: maps are joined, everything else is replaced, by nothing (`key:`) as well.
pub(super) fn merge(base: &mut Map, over: Map) {
    for (key, entry) in over {
        match (base.get_mut(&key), entry) {
            (
                Some(Entry { node: Node { value: Value::Map(below), .. }, .. }),
                Entry { node: Node { value: Value::Map(above), .. }, .. },
            ) => merge(below, above),
            (Some(below), entry) => *below = entry,
            (None, entry) => {
                base.insert(key, entry);
            }
        }
    }
}

/// Turns keys like `a::b` into nested maps, in all maps that are not within a list.
pub(super) fn split_keys(map: Map) -> Result<Map, ConfigError> {
    split_keys_at(map, 1)
}

fn split_keys_at(map: Map, depth: usize) -> Result<Map, ConfigError> {
    let mut result = Map::with_capacity(map.len());
    for (key, mut entry) in map {
        let parts: Vec<&str> = key.split(SEPARATOR).collect();
        let depth = depth + parts.len();
        if depth > MAX_DEPTH {
            let problem = Problem::new("", format_args!("nested deeper than {MAX_DEPTH} levels"));
            return Err(problem.at(entry.key_place).into());
        }
        if let Value::Map(inner) = entry.node.value {
            entry.node.value = Value::Map(split_keys_at(inner, depth)?);
        }
        let mut nested = Map::new();
        let (first, rest) = parts.split_first().map_or(("", &[][..]), |(first, rest)| (*first, rest));
        for part in rest.iter().rev() {
            let key_place = entry.key_place.clone();
            let inner = Map::from_iter([((*part).to_owned(), entry)]);
            entry = Entry { node: Node::new(Value::Map(inner), key_place.clone()), key_place };
        }
        nested.insert(first.to_owned(), entry);
        merge(&mut result, nested);
    }
    Ok(result)
}
