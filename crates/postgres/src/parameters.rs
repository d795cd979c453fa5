//! Values of parameters: PostgreSQL's in DataFusion's terms, and which types are asked for.

use arrow::datatypes::DataType;
use arrow_pg::datatypes::into_pg_type;
use datafusion::common::ScalarValue;
use pgwire::api::Type;
use pgwire::api::portal::Portal;
use pgwire::error::PgWireResult;

use crate::error::{code, refused};

/// PostgreSQL counts time from 2000, in microseconds.
const EPOCH: i64 = 946_684_800_000_000;

/// The type a client should send a parameter in, given what the query says of it.
pub(crate) fn wanted(kind: Option<&DataType>) -> Type {
    match kind {
        None | Some(DataType::Null) => Type::TEXT,
        Some(kind) if kind.is_integer() => Type::INT8,
        Some(kind) if kind.is_numeric() => Type::FLOAT8,
        Some(kind) => into_pg_type(kind).unwrap_or(Type::TEXT),
    }
}

/// The value of a parameter that was bound, of the type that it was announced to have.
pub(crate) fn value<S: Clone>(portal: &Portal<S>, at: usize, kind: &Type) -> PgWireResult<ScalarValue> {
    let text = |portal: &Portal<S>| portal.parameter::<String>(at, &Type::TEXT).map(ScalarValue::Utf8);
    Ok(match *kind {
        Type::BOOL => ScalarValue::Boolean(portal.parameter(at, kind)?),
        Type::INT2 => ScalarValue::Int64(portal.parameter::<i16>(at, kind)?.map(i64::from)),
        Type::INT4 => ScalarValue::Int64(portal.parameter::<i32>(at, kind)?.map(i64::from)),
        Type::INT8 => ScalarValue::Int64(portal.parameter(at, kind)?),
        Type::FLOAT4 => ScalarValue::Float64(portal.parameter::<f32>(at, kind)?.map(f64::from)),
        Type::FLOAT8 => ScalarValue::Float64(portal.parameter(at, kind)?),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::JSON => text(portal)?,
        Type::TIMESTAMP | Type::TIMESTAMPTZ if portal.parameter_format.is_binary(at) => timestamp(portal, at)?,
        // DataFusion reads times, dates and decimal numbers that are written out.
        _ if portal.parameter_format.is_text(at) => text(portal)?,
        _ => return Err(refused(code::UNSUPPORTED, format!("parameters of type {kind} are taken as text only"))),
    })
}

fn timestamp<S: Clone>(portal: &Portal<S>, at: usize) -> PgWireResult<ScalarValue> {
    let micros = match portal.parameters.get(at).and_then(Option::as_ref) {
        None => None,
        Some(bytes) => {
            let bytes = <[u8; 8]>::try_from(&**bytes);
            let bytes = bytes.map_err(|_| refused(code::BAD_PARAMETER, "a time has eight bytes"))?;
            Some(i64::from_be_bytes(bytes).saturating_add(EPOCH))
        }
    };
    Ok(ScalarValue::TimestampMicrosecond(micros, Some("UTC".into())))
}
