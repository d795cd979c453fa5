//! Functions that make much out of little: `repeat('x', 2000000000)` would take all the memory there is, and nobody would have counted it. They
//! are DataFusion's own, behind a bound of what a call makes.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

/// A function behind a bound.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Bounded {
    inner: Arc<ScalarUDF>,
    growth: Growth,
}

/// What decides how much a function makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Growth {
    /// The first argument, as often as the second says.
    Times,
    /// As much as the second argument says.
    Length,
    /// A list of as many elements as the second argument says.
    Elements,
    /// The first argument, of which every part may become the third.
    Replaced,
    /// All arguments together.
    Sum,
}

const FUNCTIONS: [(&str, Growth); 11] = [
    ("repeat", Growth::Times),
    ("lpad", Growth::Length),
    ("rpad", Growth::Length),
    ("array_repeat", Growth::Elements),
    ("list_repeat", Growth::Elements),
    ("array_resize", Growth::Elements),
    ("list_resize", Growth::Elements),
    ("replace", Growth::Replaced),
    ("regexp_replace", Growth::Replaced),
    ("concat", Growth::Sum),
    ("concat_ws", Growth::Sum),
];

/// Functions that make lists of any length out of numbers, which tables of the same names do piece by piece.
const LEFT_OUT: [&str; 2] = ["range", "generate_series"];

/// So many bytes a call makes at most, for all its rows.
pub(super) const MOST: usize = 64 << 20;

/// Puts the bounds before the functions that are there.
pub(super) fn bound(state: &mut SessionState) -> Result<()> {
    for (name, growth) in FUNCTIONS {
        if let Ok(inner) = state.udf(name) {
            // By its own name alone: an alias is another entry of this list.
            let bounded = ScalarUDF::from(Bounded { inner, growth });
            state.register_udf(Arc::new(bounded))?;
        }
    }
    for name in LEFT_OUT {
        state.deregister_udf(name)?;
    }
    Ok(())
}

/// Says that too much would be made.
pub(super) fn too_much<T>(function: &str, bytes: usize) -> Result<T> {
    exec_err!("{function} would make {bytes} bytes of one batch of rows, and {MOST} are allowed")
}

// === impl Growth ===

impl Growth {
    /// How many bytes a call makes at most.
    fn bytes(self, arguments: &[ArrayRef]) -> Result<usize> {
        let rows = arguments.first().map_or(0, |first| first.len());
        let mut sum = 0_usize;
        let size = |at: usize| arguments.get(at).map(Sizes::of).transpose();
        let number = |at: usize| arguments.get(at).map(|array| cast(array, &DataType::Int64)).transpose();
        match self {
            Self::Times | Self::Length | Self::Elements => {
                let (Some(first), Some(numbers)) = (size(0)?, number(1)?) else { return Ok(0) };
                let numbers = numbers.as_primitive::<Int64Type>();
                for row in (0..rows).filter(|row| numbers.is_valid(*row)) {
                    let number = usize::try_from(numbers.value(row)).unwrap_or(0);
                    let bytes = match self {
                        Self::Times => first.row(row).saturating_mul(number),
                        // A character has four bytes at most.
                        Self::Length => number.saturating_mul(4),
                        _ => first.row(row).max(16).saturating_mul(number),
                    };
                    sum = sum.saturating_add(bytes);
                }
            }
            Self::Replaced => {
                let (Some(first), Some(by)) = (size(0)?, size(2)?) else { return Ok(0) };
                for row in 0..rows {
                    let (all, by) = (first.row(row), by.row(row));
                    // Where nothing is replaced, all stays; what is replaced has a byte at least, and there is an end.
                    let bytes = all.saturating_add(if by == 0 { 0 } else { (all + 1).saturating_mul(by) });
                    // What is written as often as it was found comes to this only if everything is replaced: each row by itself.
                    if bytes > MOST {
                        return Ok(bytes);
                    }
                }
            }
            Self::Sum => {
                for array in arguments {
                    sum = sum.saturating_add(Sizes::of(array)?.all(rows));
                }
            }
        }
        Ok(sum)
    }
}

/// How many bytes the values of an array have.
struct Sizes(ArrayRef);

impl Sizes {
    fn of(array: &ArrayRef) -> Result<Self> {
        let text = matches!(array.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Dictionary(..));
        Ok(Self(if text { cast(array, &DataType::Utf8View)? } else { Arc::clone(array) }))
    }

    fn row(&self, row: usize) -> usize {
        match self.0.as_string_view_opt() {
            Some(texts) => texts.value(row).len(),
            None => self.0.get_array_memory_size() / self.0.len().max(1),
        }
    }

    fn all(&self, rows: usize) -> usize {
        match self.0.as_string_view_opt() {
            Some(texts) => texts.lengths().take(rows).map(|length| length as usize).sum(),
            None => self.0.get_array_memory_size(),
        }
    }
}

// === impl Bounded ===

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.return_field_from_args(arguments)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match self.growth.bytes(&ColumnarValue::values_to_arrays(&arguments.args)?)? {
            bytes if bytes > MOST => too_much(self.name(), bytes),
            _ => self.inner.invoke_with_args(arguments),
        }
    }
}
