//! A server's connection, secure or not. The handshake happens when it is first read or written, in the task that serves it: nobody else
//! waits for a slow client.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustls::{AlertDescription, Error};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use tokio_rustls::Accept;
use tokio_rustls::server::TlsStream;

use crate::Failed;

/// A connection.
pub struct Stream<S>(State<S>);

enum State<S> {
    Plain(S),
    Handshake(Box<Handshake<S>>),
    Secure(Box<TlsStream<S>>),
    /// The handshake failed, which has been said.
    Broken,
}

struct Handshake<S> {
    accept: Accept<S>,
    limit: Pin<Box<Sleep>>,
    failed: Option<Failed>,
}

/// How long a handshake may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a handshake failed.
fn reason(error: &io::Error) -> &'static str {
    if error.kind() == io::ErrorKind::TimedOut {
        return "timeout";
    }
    let Some(error) = error.get_ref().and_then(|error| error.downcast_ref::<Error>()) else { return "closed" };
    match error {
        Error::InvalidMessage(_) => "plaintext",
        Error::NoCertificatesPresented | Error::InvalidCertificate(_) => "certificate",
        Error::AlertReceived(
            AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::UnsupportedCertificate,
        ) => "certificate",
        Error::PeerIncompatible(_)
        | Error::NoApplicationProtocol
        | Error::AlertReceived(AlertDescription::HandshakeFailure | AlertDescription::ProtocolVersion) => {
            "incompatible"
        }
        _ => "other",
    }
}

// === impl Stream ===

impl<S> Stream<S> {
    /// A connection without TLS.
    pub fn plain(stream: S) -> Self {
        Self(State::Plain(stream))
    }

    /// Takes out what is not secure, leaving nothing.
    pub(crate) fn take_plain(&mut self) -> Option<S> {
        match std::mem::replace(&mut self.0, State::Broken) {
            State::Plain(stream) => Some(stream),
            other => {
                self.0 = other;
                None
            }
        }
    }

    pub(crate) fn handshake(accept: Accept<S>, failed: Option<Failed>) -> Self {
        Self(State::Handshake(Box::new(Handshake { accept, limit: Box::pin(sleep(PATIENCE)), failed })))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream<S> {
    /// Shakes hands, where that has not happened yet.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let State::Handshake(handshake) = &mut self.0 else { return Poll::Ready(Ok(())) };
        let shaken = match Pin::new(&mut handshake.accept).poll(cx) {
            Poll::Ready(shaken) => shaken,
            Poll::Pending => {
                ready!(handshake.limit.as_mut().poll(cx));
                Err(io::Error::new(io::ErrorKind::TimedOut, "the TLS handshake took too long"))
            }
        };
        match shaken {
            Ok(stream) => {
                self.0 = State::Secure(Box::new(stream));
                Poll::Ready(Ok(()))
            }
            Err(error) => {
                if let Some(failed) = &handshake.failed {
                    failed(reason(&error));
                }
                self.0 = State::Broken;
                Poll::Ready(Err(error))
            }
        }
    }
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the TLS handshake failed")
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_open(cx))?;
        match &mut this.0 {
            State::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            State::Secure(stream) => Pin::new(stream).poll_read(cx, buf),
            State::Handshake(_) | State::Broken => Poll::Ready(Err(broken())),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_open(cx))?;
        match &mut this.0 {
            State::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            State::Secure(stream) => Pin::new(stream).poll_write(cx, buf),
            State::Handshake(_) | State::Broken => Poll::Ready(Err(broken())),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_open(cx))?;
        match &mut this.0 {
            State::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            State::Secure(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            State::Handshake(_) | State::Broken => Poll::Ready(Err(broken())),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.0 {
            State::Plain(stream) => stream.is_write_vectored(),
            State::Handshake(_) | State::Secure(_) | State::Broken => true,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_open(cx))?;
        match &mut this.0 {
            State::Plain(stream) => Pin::new(stream).poll_flush(cx),
            State::Secure(stream) => Pin::new(stream).poll_flush(cx),
            State::Handshake(_) | State::Broken => Poll::Ready(Ok(())),
        }
    }

    /// Does not wait for a handshake: there is nothing to say yet.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            State::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            State::Secure(stream) => Pin::new(stream).poll_shutdown(cx),
            State::Handshake(handshake) => match handshake.accept.get_mut() {
                Some(stream) => Pin::new(stream).poll_shutdown(cx),
                None => Poll::Ready(Ok(())),
            },
            State::Broken => Poll::Ready(Ok(())),
        }
    }
}

impl<S> std::fmt::Debug for Stream<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            State::Plain(_) => "Plain",
            State::Handshake(_) => "Handshake",
            State::Secure(_) => "Secure",
            State::Broken => "Broken",
        })
    }
}
