//! Rows as the body of a response.

use std::io;
use std::time::Instant;

use arrow::array::RecordBatch;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use http_body::Frame;
use serde_json::json;

use crate::error::QueryError;
use crate::format::{Encoder, Format, io_error, type_name};
use crate::rows::Rows;

/// Rows that are encoded at once, so that the limit of bytes is not overrun by much.
const AT_ONCE: usize = 1_024;

/// Tells in a trailer whether rows were cut off, where the body has no place for it.
const TRUNCATED: HeaderName = HeaderName::from_static("spanmill-truncated");

/// So many rows come at most, so that a client of a stream without trailers can tell that there are likely more.
const MAX_ROWS: HeaderName = HeaderName::from_static("spanmill-max-rows");

/// What is being written.
struct Writing {
    rows: Rows,
    encoder: Encoder,
    /// Rows that were read and not written yet.
    batch: Option<RecordBatch>,
    bytes_left: usize,
    written: u64,
}

/// What comes next in a body.
enum Stage {
    Begin(Box<Writing>),
    Rows(Box<Writing>),
    Trailer { truncated: bool },
    End,
}

/// A response with these rows.
pub(super) async fn response(
    rows: Rows,
    format: Format,
    most_bytes: usize,
    started: Instant,
) -> Result<Response, QueryError> {
    let most_rows = HeaderValue::from(rows.most());
    let encoder = Encoder::new(format, &rows.schema())?;
    let mut writing = Box::new(Writing { rows, encoder, batch: None, bytes_left: most_bytes, written: 0 });
    let body = match format {
        Format::Json => Body::from(whole(*writing, started).await?),
        _ => {
            // What fails before the first row still has a status to say so.
            writing.fetch().await?;
            streamed(writing)
        }
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(MAX_ROWS, most_rows);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    if format != Format::Json {
        response.headers_mut().insert(header::TRAILER, HeaderValue::from_static("spanmill-truncated"));
    }
    Ok(response)
}

/// The object is complete before it is sent: an answer that ends too early would be no JSON, and its status could not tell why.
async fn whole(mut writing: Writing, started: Instant) -> Result<Vec<u8>, QueryError> {
    let columns: Vec<_> = writing
        .rows
        .schema()
        .fields()
        .iter()
        .map(|field| json!({ "name": field.name(), "type": type_name(field.data_type()) }))
        .collect();
    let mut body = format!("{{\"columns\":{},\"rows\":[", json!(columns)).into_bytes();
    let begin = body.len();
    while let Some(mut lines) = writing.next().await? {
        // Texts have no raw line feeds: each ends a row.
        lines.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b',');
        body.append(&mut lines);
    }
    if body.len() > begin {
        body.pop();
    }
    let elapsed = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let end = format!(
        "],\"row_count\":{},\"elapsed_ms\":{elapsed},\"truncated\":{}}}\n",
        writing.written,
        writing.rows.truncated()
    );
    body.extend_from_slice(end.as_bytes());
    Ok(body)
}

fn streamed(writing: Box<Writing>) -> Body {
    let frames = stream::unfold(Stage::Begin(writing), |stage| async move {
        match step(stage).await {
            Ok(next) => next.map(|(frame, stage)| (Ok(frame), stage)),
            // The body breaks off, which tells the client that rows are missing.
            Err(error) => Some((Err(error), Stage::End)),
        }
    });
    Body::new(Frames(Box::pin(frames)))
}

async fn step(stage: Stage) -> io::Result<Option<(Frame<Bytes>, Stage)>> {
    match stage {
        Stage::Begin(mut writing) => Ok(Some((Frame::data(writing.encoder.begin().into()), Stage::Rows(writing)))),
        Stage::Rows(mut writing) => match writing.next().await.map_err(io::Error::other)? {
            Some(bytes) => Ok(Some((Frame::data(bytes.into()), Stage::Rows(writing)))),
            None => {
                let end = writing.encoder.end().map_err(io_error)?;
                Ok(Some((Frame::data(end.into()), Stage::Trailer { truncated: writing.rows.truncated() })))
            }
        },
        Stage::Trailer { truncated } => {
            let mut trailers = HeaderMap::new();
            trailers.insert(TRUNCATED, HeaderValue::from_static(if truncated { "true" } else { "false" }));
            Ok(Some((Frame::trailers(trailers), Stage::End)))
        }
        Stage::End => Ok(None),
    }
}

// === impl Writing ===

impl Writing {
    async fn fetch(&mut self) -> Result<(), QueryError> {
        if self.batch.is_none() {
            self.batch = self.rows.next().await.transpose()?;
        }
        Ok(())
    }

    /// The next rows, encoded; none after the last, or where the limit of bytes is reached.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, QueryError> {
        self.fetch().await?;
        let Some(batch) = self.batch.take() else { return Ok(None) };
        let now = batch.num_rows().min(AT_ONCE);
        let part = batch.slice(0, now);
        if now < batch.num_rows() {
            self.batch = Some(batch.slice(now, batch.num_rows() - now));
        }
        let bytes = self.encoder.rows(&part).map_err(|error| QueryError::Store(error.to_string()))?;
        match self.bytes_left.checked_sub(bytes.len()) {
            Some(left) => {
                self.bytes_left = left;
                self.written += now as u64;
                Ok(Some(bytes))
            }
            None => {
                self.batch = None;
                self.rows.cut();
                Ok(None)
            }
        }
    }
}

/// Frames of a body.
struct Frames<S>(std::pin::Pin<Box<S>>);

// === impl Frames ===

impl<S: stream::Stream<Item = io::Result<Frame<Bytes>>>> http_body::Body for Frames<S> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.as_mut().poll_next(context)
    }
}
