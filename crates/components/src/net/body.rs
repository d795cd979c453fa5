//! Reading bodies of bounded size, from senders that may stop in the middle.

use std::future::Future;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use spanmill_pipeline::ConsumeError;
use thiserror::Error;
use tokio::time::{Instant, timeout};

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
    /// Nothing came for a while, or too little.
    #[error("the body came too slowly")]
    Slow,
    /// There is no room for it.
    #[error(transparent)]
    Refused(ConsumeError),
    /// The connection broke, or its protocol was violated.
    #[error("connection broke: {0}")]
    Broken(String),
}

/// How fast a body must come. A sender that does not keep up will not finish, and holds what others could use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// The longest time in which nothing comes; also how far a body may fall behind.
    pub(crate) silence: Duration,
    /// Bytes a second that must come on average; 0: any.
    pub(crate) rate: u64,
}

/// Is told how much of a body there is, and may refuse to hold more.
pub(crate) trait Meter: Send {
    /// So many bytes are there.
    fn hold(&mut self, bytes: usize) -> impl Future<Output = Result<(), ConsumeError>> + Send;
}

/// A body that nobody measures: an answer of a backend, which has a small limit anyway.
#[derive(Debug)]
pub(crate) struct Unmetered;

/// Watches over the pace of one body.
#[derive(Debug)]
pub(crate) struct Clocked<B> {
    body: B,
    pace: Pace,
    began: Instant,
    received: u64,
}

/// A received body shares the connection's read buffer. Below this size it is copied, so that a small request that waits
/// in a queue does not keep a large buffer.
const WORTH_SHARING: usize = 32 << 10;

/// The most that is set aside on the word of a header.
const MOST_IN_ADVANCE: usize = 1 << 20;

/// Reads a whole body of at most `limit` bytes.
pub(crate) async fn read<B>(body: B, limit: usize, pace: Pace, meter: &mut impl Meter) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(BodyError::TooLarge(limit));
    }
    let (mut body, mut pieces) = (Clocked::new(body, pace), Pieces::default());
    while let Some(frame) = body.next_frame().await? {
        let Ok(data) = frame.into_data() else { continue };
        let all = pieces.as_slice().len() + data.len();
        if all > limit {
            return Err(BodyError::TooLarge(limit));
        }
        meter.hold(all).await.map_err(BodyError::Refused)?;
        pieces.push(data, announced);
    }
    Ok(pieces.finish())
}

/// Reads the rest of a body and forgets it, so that a sender that is in the middle of it gets to read the answer: at most so many bytes, in
/// at most that time.
pub(crate) async fn drain<B>(body: &mut B, most: usize, time: Duration)
where
    B: Body<Data = Bytes> + Unpin,
{
    let reading = async {
        let mut left = most;
        while let Some(Ok(frame)) = body.frame().await {
            match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    // Whether it came to the end is for the connection to find out.
    let _ = timeout(time, reading).await;
}

// === impl Pace ===

impl Default for Pace {
    fn default() -> Self {
        Self { silence: Duration::from_secs(60), rate: 0 }
    }
}

// === impl Unmetered ===

impl Meter for Unmetered {
    async fn hold(&mut self, _bytes: usize) -> Result<(), ConsumeError> {
        Ok(())
    }
}

// === impl Clocked ===

impl<B> Clocked<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    pub(crate) fn new(body: B, pace: Pace) -> Self {
        Self { body, pace, began: Instant::now(), received: 0 }
    }

    /// The next piece, or the trailers.
    pub(crate) async fn next_frame(&mut self) -> Result<Option<Frame<Bytes>>, BodyError> {
        let next = timeout(self.patience(), self.body.frame()).await.map_err(|_| BodyError::Slow)?;
        let frame = next.transpose().map_err(|error| BodyError::Broken(error.to_string()))?;
        let data = frame.as_ref().and_then(Frame::data_ref);
        self.received += data.map_or(0, Bytes::len) as u64;
        Ok(frame)
    }

    /// How long the next piece may take.
    fn patience(&self) -> Duration {
        let Pace { silence, rate } = self.pace;
        let Some(earned) = self.received.saturating_mul(1000).checked_div(rate) else { return silence };
        let due = silence.saturating_add(Duration::from_millis(earned));
        silence.min(due.saturating_sub(self.began.elapsed()))
    }
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
        if self.joined.capacity() - self.joined.len() < data.len() {
            // A header is believed once so much has come: to grow bit by bit would have a large body in memory twice.
            let rest = announced.saturating_sub(self.joined.len());
            self.joined.reserve(rest.max(data.len()));
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
