//! Attributes that have a column.

use super::{Kind, Origin, SPANS, SpanColumn};

/// The column that an attribute's value stands in where it has the column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttributeColumn {
    /// Its name in SQL.
    pub name: &'static str,
    /// What stands in it.
    pub unit: Unit,
}

/// What stands in a column, next to the attribute's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// The text itself.
    Text,
    /// The integer itself.
    Int,
    /// Billionths of the attribute's double.
    Billionths,
    /// The boolean itself.
    Flag,
}

/// The column that an attribute of a span, or of its resource, stands in or is copied to.
pub fn attribute_column(key: &str) -> Option<AttributeColumn> {
    SPANS.iter().find(|column| is_of(column, key)).and_then(described)
}

/// The column of `spans` with that name, where it is text, a number or a flag.
pub fn span_column(name: &str) -> Option<AttributeColumn> {
    SPANS.iter().find(|column| column.column.name == name).and_then(described)
}

fn is_of(column: &SpanColumn, key: &str) -> bool {
    match column.origin {
        Origin::Moved(moved) | Origin::Seconds(moved) | Origin::Amount(moved) => moved == key,
        Origin::Resource(keys) => keys.contains(&key),
        // Of copied attributes the first of several keys hides the others.
        _ => false,
    }
}

fn described(column: &SpanColumn) -> Option<AttributeColumn> {
    let unit = match (column.origin, column.column.kind) {
        (Origin::Seconds(_) | Origin::Amount(_), _) => Unit::Billionths,
        (_, Kind::Word | Kind::Id | Kind::Json) => Unit::Text,
        (_, Kind::Int | Kind::Nanos | Kind::Small) => Unit::Int,
        (_, Kind::Flag) => Unit::Flag,
        (_, Kind::Time) => return None,
    };
    Some(AttributeColumn { name: column.column.name, unit })
}
