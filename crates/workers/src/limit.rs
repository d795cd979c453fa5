//! How long a part of a query may take.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};
use tonic::Status;

/// What a call gives back, until its time is up: then it ends with an error, and what was computed for it is dropped, which stops it.
pub(crate) struct Limited<B> {
    /// Nothing, once its time was up.
    body: Option<B>,
    over: Pin<Box<Sleep>>,
    limit: Duration,
}

/// What a worker's limit is set by, and its error names.
pub(crate) const OPTION: &str = "--time-limit";

// === impl Limited ===

impl<B> Limited<B> {
    /// Begins to count.
    pub(crate) fn new(body: B, limit: Duration) -> Self {
        Self { body: Some(body), over: Box::pin(sleep(limit)), limit }
    }

    fn trailers(&self) -> HeaderMap {
        let mut trailers = HeaderMap::new();
        let message = format!("a query worker gives a part of a query {:?}, and not more ({OPTION})", self.limit);
        // Without them the call ends without a status, which is an error too.
        let _ = Status::deadline_exceeded(message).add_header(&mut trailers);
        trailers
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Limited<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        if this.over.as_mut().poll(context).is_ready() {
            this.body = None;
            return Poll::Ready(Some(Ok(Frame::trailers(this.trailers()))));
        }
        Pin::new(body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        // An end before that would be a break of HTTP.
        SizeHint::default()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tonic::Code;

    use super::*;

    /// What computes for ever.
    struct Endless;

    impl Body for Endless {
        type Data = Bytes;
        type Error = Status;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
            Poll::Pending
        }
    }

    /// Scenario: a call that would never give anything back.
    /// Guarantees: it ends when its time is up, with a status that names the option; what was computed for it is dropped, and nothing follows.
    #[tokio::test]
    async fn a_call_ends_in_time() {
        let mut call = Limited::new(Endless, Duration::from_millis(20));
        let frame = poll_fn(|context| Pin::new(&mut call).poll_frame(context)).await.unwrap().unwrap();
        let status = Status::from_header_map(frame.trailers_ref().unwrap()).unwrap();
        assert_eq!(status.code(), Code::DeadlineExceeded);
        assert!(status.message().contains(OPTION), "{status}");
        assert!(call.body.is_none() && call.is_end_stream());
        assert!(poll_fn(|context| Pin::new(&mut call).poll_frame(context)).await.is_none());
    }
}
