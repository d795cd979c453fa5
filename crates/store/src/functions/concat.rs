//! `a || b`: as DataFusion has it, within the bound of what a call makes. Doubled in sixteen queries inside each other, a letter is 64 KiB, in every row.

use std::sync::Arc;

use arrow::array::{Array, AsArray, StringViewBuilder};
use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, ScalarValue, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::bounded::{MOST, too_much};

/// The function that stands for `||` between texts. Null with anything is null.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Concat {
    signature: Signature,
}

/// Plans `||` between texts as that function.
#[derive(Debug)]
pub(super) struct ConcatPlanner(Arc<ScalarUDF>);

// === impl ConcatPlanner ===

impl ConcatPlanner {
    pub(super) fn new() -> Self {
        Self(function())
    }
}

/// The function itself, which workers know by its name.
pub(super) fn function() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(Concat { signature: Signature::user_defined(Volatility::Immutable) }))
}

impl ExprPlanner for ConcatPlanner {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        if expr.op != BinaryOperator::StringConcat {
            return Ok(PlannerResult::Original(expr));
        }
        let [left, right] = [&expr.left, &expr.right].map(|side| side.get_type(schema));
        if !(is_plain(&left?) && is_plain(&right?)) {
            return Ok(PlannerResult::Original(expr));
        }
        let arguments = vec![expr.left, expr.right];
        Ok(PlannerResult::Planned(Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(&self.0), arguments))))
    }
}

/// Whether it is joined as a text; lists and bytes are not.
fn is_plain(kind: &DataType) -> bool {
    !kind.is_nested() && !matches!(kind, DataType::Binary | DataType::LargeBinary | DataType::BinaryView)
}

// === impl Concat ===

impl ScalarUDFImpl for Concat {
    fn name(&self) -> &str {
        "text_concat"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(vec![DataType::Utf8View; types.len()])
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = arguments.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let texts = ColumnarValue::values_to_arrays(&arguments.args)?;
        let [left, right] = texts.as_slice() else { return internal_err!("two texts are joined") };
        let (left, right) = (left.as_string_view(), right.as_string_view());
        let bytes: usize = left.lengths().chain(right.lengths()).map(|length| length as usize).sum();
        if bytes > MOST {
            return too_much("||", bytes);
        }
        let (mut joined, mut text) = (StringViewBuilder::with_capacity(left.len()), String::new());
        for pair in left.iter().zip(right) {
            let (Some(left), Some(right)) = pair else {
                joined.append_null();
                continue;
            };
            text.clear();
            text.push_str(left);
            text.push_str(right);
            joined.append_value(&text);
        }
        let joined = Arc::new(joined.finish());
        if constant {
            return ScalarValue::try_from_array(&*joined, 0).map(ColumnarValue::Scalar);
        }
        Ok(ColumnarValue::Array(joined))
    }
}
