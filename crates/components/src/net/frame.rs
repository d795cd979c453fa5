//! gRPC's framing of one message: a flag, four bytes of length, the message. Unary calls need no more of it, and handling it
//! here leaves received bytes where they are and lets all compressions share one cap.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame};

use super::body::{BodyError, Clocked, Meter, Pace, Pieces};

/// A framed message, as received.
#[derive(Debug)]
pub(crate) struct Message {
    /// Whether it is compressed, by the encoding that the headers name.
    pub(crate) compressed: bool,
    /// The message.
    pub(crate) bytes: Bytes,
    /// What came after it.
    pub(crate) trailers: Option<HeaderMap>,
}

/// Why no message could be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("message of {len} bytes is larger than {limit} bytes")]
    TooLarge { len: usize, limit: usize },
    #[error("message ends too early")]
    Truncated,
    #[error("more than one message in a unary call")]
    SeveralMessages,
    #[error("message with an unknown flag")]
    Flag,
    #[error(transparent)]
    Body(#[from] BodyError),
}

/// The body of one framed message, with trailers where it is a response.
#[derive(Debug)]
pub(crate) struct OneMessage {
    header: Option<Bytes>,
    message: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

/// Length of the frame header.
const HEADER: usize = 5;

/// Reads the one message of a unary call; with none, its bytes are empty. A message that arrives in one piece is not copied.
pub(crate) async fn read_message<B>(
    body: B,
    limit: usize,
    pace: Pace,
    meter: &mut impl Meter,
) -> Result<Message, FrameError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    let (mut body, mut pieces) = (Clocked::new(body, pace), Pieces::default());
    let mut trailers = None;
    let mut expected = None;
    while let Some(frame) = body.next_frame().await? {
        let data = match frame.into_data() {
            Ok(data) => data,
            Err(frame) => {
                trailers = frame.into_trailers().ok();
                continue;
            }
        };
        meter.hold(pieces.as_slice().len() + data.len()).await.map_err(BodyError::Refused)?;
        pieces.push(data, expected.unwrap_or(0));
        let have = pieces.as_slice();
        if expected.is_none() {
            expected = length(have).map(|len| len.saturating_add(HEADER));
            if let Some(len) = expected.filter(|len| *len > limit.saturating_add(HEADER)) {
                return Err(FrameError::TooLarge { len: len - HEADER, limit });
            }
        }
        if expected.is_some_and(|len| have.len() > len) {
            return Err(FrameError::SeveralMessages);
        }
    }
    let mut all = pieces.finish();
    if all.is_empty() {
        return Ok(Message { compressed: false, bytes: Bytes::new(), trailers });
    }
    if expected != Some(all.len()) {
        return Err(FrameError::Truncated);
    }
    let compressed = match all.first() {
        Some(0) => false,
        Some(1) => true,
        _ => return Err(FrameError::Flag),
    };
    all.advance(HEADER);
    Ok(Message { compressed, bytes: all, trailers })
}

fn length(header: &[u8]) -> Option<usize> {
    let len = header.get(1..)?.first_chunk::<4>()?;
    usize::try_from(u32::from_be_bytes(*len)).ok()
}

// === impl OneMessage ===

impl OneMessage {
    /// A request.
    pub(crate) fn request(message: Bytes, compressed: bool) -> Self {
        let mut header = BytesMut::with_capacity(HEADER);
        header.put_u8(u8::from(compressed));
        header.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
        Self { header: Some(header.freeze()), message: Some(message).filter(|bytes| !bytes.is_empty()), trailers: None }
    }

    /// A good response.
    pub(crate) fn response(message: Bytes) -> Self {
        let mut trailers = HeaderMap::with_capacity(1);
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        Self { trailers: Some(trailers), ..Self::request(message, false) }
    }
}

impl Body for OneMessage {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        let frame = match this.header.take().or_else(|| this.message.take()) {
            Some(data) => Some(Frame::data(data)),
            None => this.trailers.take().map(Frame::trailers),
        };
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.header.is_none() && self.message.is_none() && self.trailers.is_none()
    }
}
