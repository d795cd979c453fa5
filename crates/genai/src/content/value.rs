//! Values of attributes that are no plain text: lists and maps, of which the texts are rewritten.

use spanmill_otlp::{AnyValue, Value, ValueRef};

use super::wire::encoded;

/// The value with what `edit` changes of its texts, encoded; nothing if it changes nothing. Texts are given with the key they stand under.
pub(super) fn rewrite(
    value: ValueRef<'_>,
    key: &str,
    edit: &mut dyn FnMut(&str, &str) -> Option<String>,
) -> Option<Vec<u8>> {
    match value.get() {
        AnyValue::Text(text) => {
            let text = edit(key, &String::from_utf8_lossy(text))?;
            Some(encoded(&Value::Str(&text)))
        }
        AnyValue::Array(_) => {
            let items: Vec<(ValueRef<'_>, Option<Vec<u8>>)> =
                value.elements().map(|item| (item, rewrite(item, key, edit))).collect();
            if items.iter().all(|(_, changed)| changed.is_none()) {
                return None;
            }
            let items: Vec<Value<'_>> = items.iter().map(|(item, changed)| either(*item, changed.as_deref())).collect();
            Some(encoded(&Value::Array(&items)))
        }
        AnyValue::Map(_) => {
            let entries: Vec<(String, ValueRef<'_>, Option<Vec<u8>>)> = value
                .entries()
                .map(|(key, item)| {
                    let key = String::from_utf8_lossy(key).into_owned();
                    let changed = rewrite(item, &key, edit);
                    (key, item, changed)
                })
                .collect();
            if entries.iter().all(|(_, _, changed)| changed.is_none()) {
                return None;
            }
            let entries: Vec<(&str, Value<'_>)> =
                entries.iter().map(|(key, item, changed)| (key.as_str(), either(*item, changed.as_deref()))).collect();
            Some(encoded(&Value::Map(&entries)))
        }
        _ => None,
    }
}

/// Whether a value is a list of this many numbers, or more, and nothing else.
pub(super) fn is_vector(value: ValueRef<'_>, least: usize) -> bool {
    let number = |item: ValueRef<'_>| matches!(item.get(), AnyValue::Int(_) | AnyValue::Double(_));
    matches!(value.get(), AnyValue::Array(_)) && value.elements().all(number) && value.elements().count() >= least
}

fn either<'a>(item: ValueRef<'a>, changed: Option<&'a [u8]>) -> Value<'a> {
    Value::Raw(changed.unwrap_or(item.raw()))
}
