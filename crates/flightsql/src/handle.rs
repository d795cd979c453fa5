//! What a ticket or a prepared statement is on the wire: whose it is, the SQL, and values of its parameters.

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

    /// The user's name and the SQL, each behind its length in four bytes, and the values as Arrow's inter-process stream.
    pub(crate) fn encode(&self, user: &str) -> Result<Bytes, Status> {
        let mut bytes = BytesMut::with_capacity(user.len() + self.sql.len() + 8);
        for text in [user, &self.sql] {
            let length = u32::try_from(text.len());
            bytes.put_u32(length.map_err(|_| Status::invalid_argument("the statement is too long"))?);
            bytes.put_slice(text.as_bytes());
        }
        if let Some(rows) = &self.parameters {
            let mut stream = Vec::new();
            let written = StreamWriter::try_new(&mut stream, rows.schema_ref())
                .and_then(|mut writer| writer.write(rows).and_then(|()| writer.finish()));
            written.map_err(|error| Status::internal(error.to_string()))?;
            bytes.put_slice(&stream);
        }
        Ok(bytes.freeze())
    }

    /// Reads what [`Handle::encode`] wrote for the same user, or a client made up. That of another user is refused, since it
    /// would have other rows there. It opens nothing: whatever it says, rows are those of who asks.
    pub(crate) fn decode(mut bytes: Bytes, user: &str) -> Result<Self, Status> {
        let wrong = || Status::invalid_argument("this handle is not one of this server");
        if text(&mut bytes).ok_or_else(wrong)? != user {
            return Err(Status::permission_denied("this ticket or statement is another user's"));
        }
        let sql = text(&mut bytes).ok_or_else(wrong)?;
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

/// A text behind its length.
fn text(bytes: &mut Bytes) -> Option<String> {
    let length = bytes.try_get_u32().ok()? as usize;
    let text = (bytes.len() >= length).then(|| bytes.split_to(length))?;
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};

    use super::*;

    /// Scenario: handles without and with values, of users with and without a name, and bytes that are none.
    /// Guarantees: what is encoded is read back for the same user; everything else is refused.
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
            for user in ["", "shop"] {
                let bytes = handle.encode(user).unwrap();
                assert_eq!(Handle::decode(bytes.clone(), user).unwrap(), handle);
                let refused = Handle::decode(bytes, "search").unwrap_err();
                assert_eq!(refused.code(), tonic::Code::PermissionDenied);
            }
        }
        for sql in [&b""[..], b"abc", b"\0\0\0\x09SELECT", b"\0\0\0\x01\xff", b"\0\0\0\x01xrubbish"] {
            let bytes = Bytes::from([b"\0\0\0\0", sql].concat());
            assert!(Handle::decode(bytes, "").is_err(), "{sql:?}");
        }
        assert!(Handle::decode(Bytes::from_static(b"\xff\xff\xff\xffshop"), "shop").is_err());
    }
}
