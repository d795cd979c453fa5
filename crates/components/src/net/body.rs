//! Reading bodies of bounded size, from senders that may stop in the middle.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use thiserror::Error;

/// Pieces of a body, joined. A body that comes in one piece is not copied.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    first: Bytes,
    joined: BytesMut,
}

/// Why a body could not be read.
#[derive(Debug, Error)]
pub(crate) enum BodyError {
    /// It is larger than allowed.
    #[error("larger than {0} bytes")]
    TooLarge(usize),
    /// Nothing came for a while.
    #[error("the sender fell silent in the middle")]
    Silent,
    /// The connection broke, or its protocol was violated.
    #[error("connection broke: {0}")]
    Broken(String),
}

/// A sender that falls silent for so long in the middle of a request will not finish it.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// A received body shares the connection's read buffer. Below this size it is copied, so that a small request that waits
/// in a queue does not keep a large buffer.
const WORTH_SHARING: usize = 32 << 10;

/// The most that is set aside on the word of a header.
const MOST_IN_ADVANCE: usize = 8 << 20;

/// Reads a whole body of at most `limit` bytes.
pub(crate) async fn read<B>(mut body: B, limit: usize) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(BodyError::TooLarge(limit));
    }
    let mut pieces = Pieces::default();
    while let Some(frame) = next_frame(&mut body).await? {
        let Ok(data) = frame.into_data() else { continue };
        if pieces.as_slice().len() + data.len() > limit {
            return Err(BodyError::TooLarge(limit));
        }
        pieces.push(data, announced);
    }
    Ok(pieces.finish())
}

/// The next piece of a body, or its trailers.
pub(crate) async fn next_frame<B>(body: &mut B) -> Result<Option<Frame<Bytes>>, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    let next = tokio::time::timeout(LONGEST_SILENCE, body.frame()).await.map_err(|_| BodyError::Silent)?;
    next.transpose().map_err(|error| BodyError::Broken(error.to_string()))
}

// === impl Pieces ===

impl Pieces {
    /// Adds a piece of a body of which `announced` bytes are to come in all.
    pub(crate) fn push(&mut self, data: Bytes, announced: usize) {
        if self.as_slice().is_empty() {
            self.first = data;
            return;
        }
        if self.joined.is_empty() {
            let known = self.first.len() + data.len();
            self.joined.reserve(known.max(announced.min(MOST_IN_ADVANCE)));
            self.joined.put(std::mem::take(&mut self.first));
        }
        self.joined.put(data);
    }

    /// What came so far.
    pub(crate) fn as_slice(&self) -> &[u8] {
        if self.joined.is_empty() { &self.first } else { &self.joined }
    }

    /// The whole.
    pub(crate) fn finish(self) -> Bytes {
        if !self.joined.is_empty() {
            self.joined.freeze()
        } else if self.first.len() < WORTH_SHARING {
            Bytes::copy_from_slice(&self.first)
        } else {
            self.first
        }
    }
}
