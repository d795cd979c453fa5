//! Reads typed configuration out of the tree, strictly: a value of another type is an error, never converted.
//!
//! What differs from a common deserialiser, as in the Collector:
//! * A string takes the original text of a value that was put in for `${...}`.
//! * Nothing (`key:`) is the zero of numbers, booleans and strings; lists, maps and sections keep the field's default, see
//!   [`deserialize`].
//! * A list of strings may be given as one text with commas.
//! * A number without fraction may be given as a float, and the other way round.

mod access;
mod error;
mod node;

#[cfg(test)]
mod tests;

use serde::de::DeserializeOwned;

pub(crate) use error::DeError;
pub(crate) use node::{NULL_STAYS_OFF, NULL_TURNS_ON, SECRET};

use crate::Node;
use crate::node::Step;
use node::{NodeDeserializer, Nulls};

/// The most fields given as nothing, and keys passed over, that one section may have.
const MAX_LEFT_OUT: usize = 10_000;

/// Reads a `T`. A list, map or section that is given as nothing keeps the value that its parent's default gives it: as that default is
/// only known to the struct itself, the field is taken out and the whole is read again.
pub(crate) fn deserialize<T: DeserializeOwned>(node: &Node) -> Result<T, DeError> {
    deserialize_passing(node, |_| false).map(|(value, _)| value)
}

/// The same where keys that are not known are passed over in the blocks of which `passes` says so; they come back beside the value.
pub(crate) fn deserialize_passing<T: DeserializeOwned>(
    node: &Node,
    passes: impl Fn(&[Step]) -> bool,
) -> Result<(T, Vec<DeError>), DeError> {
    let mut passed = Vec::new();
    let mut error = match T::deserialize(NodeDeserializer::new(node, Nulls::AreZero)) {
        Ok(value) => return Ok((value, passed)),
        Err(error) => error,
    };
    let mut reduced = node.clone();
    for _ in 0..MAX_LEFT_OUT {
        let unknown = error.unknown_key().filter(|_| passes(&error.steps()));
        let is_unknown = unknown.is_some();
        let left_out = unknown.or_else(|| error.keeps_default().then(|| error.steps()));
        if !left_out.is_some_and(|path| reduced.remove(&path)) {
            break;
        }
        let next = T::deserialize(NodeDeserializer::new(&reduced, Nulls::AreZero));
        if is_unknown {
            passed.push(error);
        }
        match next {
            Ok(value) => return Ok((value, passed)),
            Err(next) => error = next,
        }
    }
    Err(error)
}
