//! What a ticket or a prepared statement is on the wire: the SQL, and values of its parameters.

use std::io::Cursor;

use arrow::array::{ArrayRef, RecordBatch};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use datafusion::common::ScalarValue;
use spanmill_query::{Parameters, Request};
use tonic::Status;

/// A statement and values of its parameters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Handle {
    pub(crate) sql: String,
    /// A row whose columns are `$1`, `$2` and so on.
    pub(crate) parameters: Option<RecordBatch>,
}

// === impl Handle ===

impl Handle {
    /// A statement without values.
    pub(crate) fn of(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), parameters: None }
    }

    /// Length of the SQL in four bytes, the SQL, and the values as Arrow's inter-process stream.
    pub(crate) fn encode(&self) -> Result<Bytes, Status> {
        let mut bytes = BytesMut::with_capacity(self.sql.len() + 4);
        bytes
            .put_u32(u32::try_from(self.sql.len()).map_err(|_| Status::invalid_argument("the statement is too long"))?);
        bytes.put_slice(self.sql.as_bytes());
        if let Some(rows) = &self.parameters {
            let mut stream = Vec::new();
            let written = StreamWriter::try_new(&mut stream, rows.schema_ref())
                .and_then(|mut writer| writer.write(rows).and_then(|()| writer.finish()));
            written.map_err(|error| Status::internal(error.to_string()))?;
            bytes.put_slice(&stream);
        }
        Ok(bytes.freeze())
    }

    /// Reads what [`Handle::encode`] wrote, or a client made up.
    pub(crate) fn decode(mut bytes: Bytes) -> Result<Self, Status> {
        let wrong = || Status::invalid_argument("this handle is not one of this server");
        if bytes.remaining() < 4 {
            return Err(wrong());
        }
        let length = bytes.get_u32() as usize;
        if bytes.remaining() < length {
            return Err(wrong());
        }
        let sql = String::from_utf8(bytes.split_to(length).to_vec()).map_err(|_| wrong())?;
        if bytes.is_empty() {
            return Ok(Self::of(sql));
        }
        let mut rows = StreamReader::try_new(Cursor::new(bytes), None).map_err(|_| wrong())?;
        let parameters = rows.next().transpose().map_err(|_| wrong())?;
        Ok(Self { sql, parameters })
    }

    /// The query that it stands for.
    pub(crate) fn request(self) -> Result<Request, Status> {
        let values = match &self.parameters {
            None => Vec::new(),
            Some(rows) if rows.num_rows() == 1 => {
                let value = |column: &ArrayRef| ScalarValue::try_from_array(column, 0);
                let values = rows.columns().iter().map(value).collect::<Result<_, _>>();
                values.map_err(|error| Status::invalid_argument(error.to_string()))?
            }
            Some(rows) => {
                let problem = format!("one row of parameters is wanted, and {} were given", rows.num_rows());
                return Err(Status::invalid_argument(problem));
            }
        };
        Ok(Request { sql: self.sql, parameters: Parameters::Positional(values), ..Request::default() })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};

    use super::*;

    /// Scenario: handles without and with values, and bytes that are none.
    /// Guarantees: what is encoded is read back; everything else is refused.
    #[test]
    fn handles_come_back() {
        let columns: [(&str, ArrayRef); 2] =
            [("1", Arc::new(Int64Array::from(vec![7]))), ("2", Arc::new(StringArray::from(vec!["ü"])))];
        let values = RecordBatch::try_from_iter(columns).unwrap();
        for handle in [
            Handle::of(""),
            Handle::of("SELECT 'ü'"),
            Handle { sql: "SELECT $1, $2".to_owned(), parameters: Some(values) },
        ] {
            assert_eq!(Handle::decode(handle.encode().unwrap()).unwrap(), handle);
        }
        for bytes in [&b""[..], b"abc", b"\0\0\0\x09SELECT", b"\0\0\0\x01\xff", b"\0\0\0\x01xrubbish"] {
            assert!(Handle::decode(Bytes::copy_from_slice(bytes)).is_err(), "{bytes:?}");
        }
    }
}
