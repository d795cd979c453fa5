//! `attr(attributes, 'key')`: one attribute out of a column of JSON.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, AsArray, StringViewBuilder};
use arrow::datatypes::DataType;
use datafusion::common::{ScalarValue, exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use super::json::Key;

/// `attr(attributes, 'key')`: the text of a top-level key; numbers, booleans, lists and maps as JSON; null where it is absent or null.
/// The key is taken as it is: a dot in it is a dot, and a dollar before it no sign of the store.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Attr {
    signature: Signature,
}

/// As the key stands in the column: what begins with one dollar is the store's own.
fn stored(key: &str) -> Cow<'_, str> {
    if key.starts_with('$') { format!("${key}").into() } else { key.into() }
}

// === impl Attr ===

impl Attr {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Attr {
    fn name(&self) -> &str {
        "attr"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let text = |kind: &DataType| {
            matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null)
                || matches!(kind, DataType::Dictionary(_, value) if matches!(**value, DataType::Utf8 | DataType::Utf8View))
        };
        match types {
            [document, key] if text(document) && text(key) => Ok(vec![DataType::Utf8View; 2]),
            _ => plan_err!("attr takes a text of JSON and a key, as in attr(attributes, 'http.route')"),
        }
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let [documents, keys] = arguments.args.as_slice() else { return exec_err!("attr takes two arguments") };
        match (documents, keys) {
            (ColumnarValue::Scalar(document), ColumnarValue::Scalar(key)) => {
                let found = match (document.try_as_str().flatten(), key.try_as_str().flatten()) {
                    (Some(document), Some(key)) => Key::new(&stored(key)).find(document).map(Cow::into_owned),
                    _ => None,
                };
                Ok(ColumnarValue::Scalar(ScalarValue::Utf8View(found)))
            }
            (ColumnarValue::Array(documents), ColumnarValue::Scalar(key)) => {
                let Some(key) = key.try_as_str().flatten() else {
                    return Ok(ColumnarValue::Scalar(ScalarValue::Utf8View(None)));
                };
                let key = stored(key);
                let key = Key::new(&key);
                let mut values = StringViewBuilder::with_capacity(rows);
                for document in documents.as_string_view() {
                    values.append_option(document.and_then(|document| key.find(document)));
                }
                Ok(ColumnarValue::Array(Arc::new(values.finish())))
            }
            (documents, ColumnarValue::Array(keys)) => {
                let documents = documents.clone().into_array(rows)?;
                let mut values = StringViewBuilder::with_capacity(keys.len());
                for pair in documents.as_string_view().iter().zip(keys.as_string_view()) {
                    values.append_option(match pair {
                        (Some(document), Some(key)) => Key::new(&stored(key)).find(document),
                        _ => None,
                    });
                }
                Ok(ColumnarValue::Array(Arc::new(values.finish())))
            }
        }
    }
}
