//! Types by their names in SQL, and what their values are to DataFusion.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};
use arrow_pg::datatypes::into_pg_type;
use pgwire::api::Type;

/// Types that columns and parameters may have, and those of their arrays.
pub(crate) static ALL: [(Type, Type); 23] = [
    (Type::BOOL, Type::BOOL_ARRAY),
    (Type::BYTEA, Type::BYTEA_ARRAY),
    (Type::CHAR, Type::CHAR_ARRAY),
    (Type::NAME, Type::NAME_ARRAY),
    (Type::INT8, Type::INT8_ARRAY),
    (Type::INT2, Type::INT2_ARRAY),
    (Type::INT4, Type::INT4_ARRAY),
    (Type::TEXT, Type::TEXT_ARRAY),
    (Type::OID, Type::OID_ARRAY),
    (Type::JSON, Type::JSON_ARRAY),
    (Type::FLOAT4, Type::FLOAT4_ARRAY),
    (Type::FLOAT8, Type::FLOAT8_ARRAY),
    (Type::BPCHAR, Type::BPCHAR_ARRAY),
    (Type::VARCHAR, Type::VARCHAR_ARRAY),
    (Type::DATE, Type::DATE_ARRAY),
    (Type::TIME, Type::TIME_ARRAY),
    (Type::TIMESTAMP, Type::TIMESTAMP_ARRAY),
    (Type::TIMESTAMPTZ, Type::TIMESTAMPTZ_ARRAY),
    (Type::INTERVAL, Type::INTERVAL_ARRAY),
    (Type::NUMERIC, Type::NUMERIC_ARRAY),
    (Type::UUID, Type::UUID_ARRAY),
    (Type::JSONB, Type::JSONB_ARRAY),
    (Type::RECORD, Type::RECORD_ARRAY),
];

/// The type of a name in SQL, such as that of a cast; lengths and precisions are passed over.
pub(crate) fn named(name: &str) -> Option<Type> {
    let name = name.to_ascii_lowercase();
    if let Some(element) = name.strip_suffix("[]") {
        return array_of(&named(element)?);
    }
    let (name, rest) = name.split_once('(').unwrap_or((&name, ""));
    let zone = rest.split_once(')').map_or("", |(_, rest)| rest.trim());
    Some(match (name.trim().trim_start_matches("pg_catalog.").trim_matches('"'), zone) {
        ("boolean", _) => Type::BOOL,
        ("smallint", _) => Type::INT2,
        ("int" | "integer", _) => Type::INT4,
        ("bigint", _) => Type::INT8,
        ("real", _) => Type::FLOAT4,
        ("double" | "double precision" | "float", _) => Type::FLOAT8,
        ("decimal" | "dec", _) => Type::NUMERIC,
        ("character varying" | "char varying" | "string", _) => Type::VARCHAR,
        ("character", _) => Type::BPCHAR,
        ("timestamp with time zone", _) | ("timestamp", "with time zone") => Type::TIMESTAMPTZ,
        ("timestamp without time zone" | "datetime", _) => Type::TIMESTAMP,
        (name, _) => ALL.iter().map(|(kind, _)| kind).find(|kind| kind.name() == name)?.clone(),
    })
}

/// The type of an array of such elements.
pub(crate) fn array_of(element: &Type) -> Option<Type> {
    ALL.iter().find(|(kind, _)| kind == element).map(|(_, array)| array.clone())
}

/// The type of an array's elements.
pub(crate) fn element_of(array: &Type) -> Option<Type> {
    ALL.iter().find(|(_, kind)| kind == array).map(|(element, _)| element.clone())
}

/// The type a client should send a parameter in, given what the query says of it.
pub(crate) fn wanted(kind: Option<&DataType>) -> Type {
    match kind {
        None | Some(DataType::Null) => Type::TEXT,
        Some(kind) if kind.is_integer() => Type::INT8,
        Some(kind) if kind.is_numeric() => Type::FLOAT8,
        Some(kind) => into_pg_type(kind).unwrap_or(Type::TEXT),
    }
}

/// What values of a type are to DataFusion. What it has no type for is text.
pub(crate) fn computed(kind: &Type) -> DataType {
    if let Some(element) = element_of(kind) {
        return DataType::List(Arc::new(Field::new_list_field(computed(&element), true)));
    }
    match *kind {
        Type::BOOL => DataType::Boolean,
        Type::INT2 => DataType::Int16,
        Type::INT4 => DataType::Int32,
        Type::INT8 | Type::OID => DataType::Int64,
        Type::FLOAT4 => DataType::Float32,
        Type::FLOAT8 => DataType::Float64,
        // Values have the digits that they have.
        Type::NUMERIC => DataType::Decimal128(38, 10),
        Type::BYTEA => DataType::Binary,
        Type::DATE => DataType::Date32,
        Type::TIME => DataType::Time64(TimeUnit::Microsecond),
        Type::TIMESTAMP => DataType::Timestamp(TimeUnit::Microsecond, None),
        Type::TIMESTAMPTZ => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Type::INTERVAL => DataType::Interval(IntervalUnit::MonthDayNano),
        _ => DataType::Utf8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: names of types as drivers and people write them.
    /// Guarantees: each is the type that PostgreSQL means by it; what is no type is none.
    #[test]
    fn names() {
        for (name, kind) in [
            ("int4", Type::INT4),
            ("INTEGER", Type::INT4),
            ("TIMESTAMPTZ", Type::TIMESTAMPTZ),
            ("TIMESTAMP(3) WITH TIME ZONE", Type::TIMESTAMPTZ),
            ("timestamp", Type::TIMESTAMP),
            ("TEXT[]", Type::TEXT_ARRAY),
            ("oid[]", Type::OID_ARRAY),
            ("VARCHAR(10)", Type::VARCHAR),
            ("DOUBLE PRECISION", Type::FLOAT8),
            ("numeric(10, 2)", Type::NUMERIC),
            ("BOOL", Type::BOOL),
        ] {
            assert_eq!(named(name), Some(kind), "{name}");
        }
        assert_eq!(named("regtype"), None);
    }
}
