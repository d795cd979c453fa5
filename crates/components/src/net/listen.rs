//! Listening on TCP or on a unix socket.

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use spanmill_pipeline::{Listeners, UnixSocket};
use spanmill_tls::{Acceptor, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UnixStream};

/// A bound address, and whether TLS is spoken there.
#[derive(Debug)]
pub(crate) struct Listener {
    bound: Bound,
    tls: Option<Acceptor>,
}

#[derive(Debug)]
enum Bound {
    Tcp(TcpListener),
    Unix(UnixSocket),
}

/// The address of who connected, where it is one of IP.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) Option<IpAddr>);

/// An accepted connection. Where TLS is spoken, hands are shaken when it is first read or written.
#[derive(Debug)]
pub(crate) struct Connection {
    peer: Peer,
    stream: Stream<Socket>,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

// === impl Listener ===

impl Listener {
    /// Binds `endpoint`: `host:port`, or the path of a socket where the transport is `unix`; nothing is any port that is free.
    pub(crate) async fn bind(listeners: &Listeners, transport: &str, endpoint: &str) -> io::Result<Self> {
        if transport == "unix" {
            let path = Path::new(endpoint.strip_prefix("unix://").unwrap_or(endpoint));
            let bound = Bound::Unix(listeners.bind_unix(path).await?);
            return Ok(Self { bound, tls: None });
        }
        let endpoint = if endpoint.is_empty() { ":0" } else { endpoint };
        Ok(Self { bound: Bound::Tcp(listeners.bind(endpoint).await?), tls: None })
    }

    /// The same, speaking TLS where it is given.
    pub(crate) fn with_tls(self, tls: Option<Acceptor>) -> Self {
        Self { tls, ..self }
    }

    /// Waits for a connection. Errors of a single connection, such as one that is already gone, are passed over; when the
    /// process has no file descriptors left, accepting pauses for a moment instead of spinning.
    pub(crate) async fn accept(&self) -> Connection {
        loop {
            let accepted = match &self.bound {
                Bound::Tcp(listener) => listener.accept().await.map(|(stream, address)| {
                    // A small answer must not wait for more to send; where it cannot be set, only latency suffers.
                    let _ = stream.set_nodelay(true);
                    (Socket::Tcp(stream), Some(address.ip()))
                }),
                Bound::Unix(socket) => socket.listener().accept().await.map(|(stream, _)| (Socket::Unix(stream), None)),
            };
            match accepted {
                Ok((socket, address)) => {
                    // An IPv4 address is shown as such, also where it came over IPv6.
                    let peer = Peer(address.map(|address| address.to_canonical()));
                    let stream = match &self.tls {
                        Some(tls) => tls.accept(socket),
                        None => Stream::plain(socket),
                    };
                    return Connection { peer, stream };
                }
                Err(error) if is_per_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            }
        }
    }
}

fn is_per_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

// === impl Connection ===

impl Connection {
    /// Who connected.
    pub(crate) fn peer(&self) -> Peer {
        self.peer
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl tonic::transport::server::Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer()
    }
}

// === impl Socket ===

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
