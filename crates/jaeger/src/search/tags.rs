//! What the key of a tag stands for.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{cast, when};
use datafusion::prelude::{Expr, col, lit};
use spanmill_store::{Unit, attribute_column, span_column};

use super::field::{Field, attribute};
use super::query::Tag;

/// That a span has the tag, in its columns, its attributes or those of its resource.
pub(super) fn on_span(tag: &Tag) -> Expr {
    let Tag { key, condition } = tag;
    let mut holds = attribute("attributes", key, condition).or(attribute("resource", key, condition));
    if let Some(field) = field(key) {
        // The column first, since a comparison of columns is cheaper.
        holds = field.is(condition).or(holds);
    }
    holds
}

/// The column of an attribute, or what Jaeger shows as a tag, or a column by its name.
fn field(key: &str) -> Option<Field> {
    if let Some(column) = attribute_column(key) {
        return Some(column.into());
    }
    let text = |value: Expr| Some(Field::new(value, Unit::Text));
    match key {
        "error" => Some(Field::new(col("status").eq(lit("error")), Unit::Flag)),
        "span.kind" => text(col("kind")),
        "otel.status_code" => text(status_code()?),
        "otel.status_description" => text(col("status_message")),
        "otel.scope.name" | "otel.library.name" => text(col("scope_name")),
        "otel.scope.version" | "otel.library.version" => text(col("scope_version")),
        "w3c.tracestate" => text(col("trace_state")),
        "duration" => Some(Field::new(col("duration_ns"), Unit::Billionths)),
        "ttft" => Some(Field::new(col("ttft_ns"), Unit::Billionths)),
        "cost" => Some(Field::new(col("cost_nano"), Unit::Billionths)),
        "tokens_per_second" => {
            let seconds = cast(col("duration_ns"), DataType::Float64) / lit(1e9);
            let speed = when(col("duration_ns").gt(lit(0_i64)), col("output_tokens") / seconds).end().ok()?;
            Some(Field::new(speed * lit(1e9), Unit::Billionths))
        }
        // A dotted key is an attribute's.
        key => span_column(key).map(Field::from),
    }
}

/// As Jaeger writes it.
fn status_code() -> Option<Expr> {
    let text = |text: &str| lit(ScalarValue::Utf8View(Some(text.to_owned())));
    let error = when(col("status").eq(lit("error")), text("ERROR")).when(col("status").eq(lit("ok")), text("OK")).end();
    error.ok()
}
