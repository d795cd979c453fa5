//! An attribute that must be there.

use spanmill_otlp::{AnyValue, ValueRef, put_plain_double};

use super::config::{AttributeConfig, PropertiesConfig};
use super::texts::Texts;
use crate::processors::identity;
use crate::processors::literal::Literal;

/// An attribute that must be there.
#[derive(Debug)]
pub(super) struct Attribute {
    pub(super) key: String,
    expected: Expected,
}

#[derive(Debug)]
enum Expected {
    Anything,
    /// A text, a number or a boolean whose text matches.
    Text(Texts),
    /// The very value, and its canonical form.
    Value(Literal, Vec<u8>),
}

// === impl Attribute ===

impl Attribute {
    pub(super) fn compile(config: &PropertiesConfig, attribute: &AttributeConfig) -> Result<Self, String> {
        if attribute.key.is_empty() {
            return Err("can't have empty key in the list of attributes".to_owned());
        }
        let expected = match (&attribute.value, config.match_type.as_str()) {
            (None, _) => Expected::Anything,
            (Some(value), "strict") => {
                let mut form = Vec::new();
                identity::put_value(&mut form, value.value());
                Expected::Value(value.clone(), form)
            }
            (Some(value), "regexp") => {
                let pattern = value.value().as_str().ok_or("match_type=regexp only supports strings as value")?;
                Expected::Text(Texts::compile(config, [&pattern.to_owned()])?)
            }
            // Says that there is no such type.
            (Some(_), _) => Expected::Text(Texts::compile(config, [])?),
        };
        Ok(Self { key: attribute.key.clone(), expected })
    }

    pub(super) fn is_met(&self, found: Option<ValueRef<'_>>) -> bool {
        let Some(found) = found else { return false };
        match &self.expected {
            Expected::Anything => true,
            Expected::Text(texts) => match found.get() {
                AnyValue::Text(text) => texts.contain(text),
                AnyValue::Double(number) => {
                    let mut text = Vec::new();
                    put_plain_double(&mut text, number);
                    texts.contain(&text)
                }
                AnyValue::Bool(_) | AnyValue::Int(_) => {
                    let mut text = Vec::new();
                    found.put_text(&mut text);
                    texts.contain(&text)
                }
                AnyValue::Empty | AnyValue::Array(_) | AnyValue::Map(_) | AnyValue::Bytes(_) => false,
            },
            Expected::Value(value, form) => match (value.value().get(), found.get()) {
                (AnyValue::Text(expected), AnyValue::Text(found)) => expected == found,
                // Not their bits: both zeros are the same.
                (AnyValue::Double(expected), AnyValue::Double(found)) => expected == found,
                _ => {
                    let mut found_form = Vec::new();
                    identity::put_value(&mut found_form, found);
                    *form == found_form
                }
            },
        }
    }
}
