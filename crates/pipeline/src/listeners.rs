//! Listening sockets that outlive the components that use them.
//!
//! A socket that a component of a service binds is kept, by its address, as long as any running component uses it. While the configuration
//! changes nothing is closed: a new component that asks for an address gets the same socket, and connections made in between wait in the
//! system's queue instead of being refused. What nobody names any more is closed after the change. Two components that both stay never
//! share an address: the second one is refused, as the system would.
//!
//! Sockets that were handed over by who started the process (systemd's socket activation) are in here from the beginning, and stay.

#[cfg(test)]
mod tests;

use std::io::{self, ErrorKind};
use std::net::{self, IpAddr, Ipv6Addr, SocketAddr};
use std::os::unix::net as unix;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::{TcpListener, UnixListener, UnixStream};

use crate::host::{Stage, Ties};
use crate::listen::addresses;

/// Where a component gets its listening sockets.
#[derive(Debug, Clone)]
pub struct Listeners {
    sockets: Option<Arc<Sockets>>,
    user: Arc<Ties>,
}

/// A listener on a unix socket, whose file is removed when the last one that listens there is gone.
#[derive(Debug)]
pub struct UnixSocket {
    listener: UnixListener,
    #[expect(dead_code, reason = "removes the file when the last one is dropped")]
    file: Option<Arc<SocketFile>>,
}

/// The sockets of a service.
#[derive(Debug, Default)]
pub struct Sockets(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    tcp: Vec<Entry<SocketAddr, net::TcpListener>>,
    unix: Vec<Entry<PathBuf, WithFile>>,
    /// While the configuration changes nothing is closed.
    changing: bool,
}

/// A unix socket, and its file where that is ours.
type WithFile = (unix::UnixListener, Option<Arc<SocketFile>>);

/// A socket, and who uses it.
#[derive(Debug)]
struct Entry<A, S> {
    address: A,
    socket: S,
    users: Vec<Arc<Ties>>,
    /// Whoever started the process holds it as well: closing it here would leave clients waiting there for ever.
    handed_over: bool,
}

/// Removes the socket's file in the end.
#[derive(Debug)]
struct SocketFile(PathBuf);

// === impl Listeners ===

impl Listeners {
    pub(crate) fn new(sockets: Option<Arc<Sockets>>, user: Arc<Ties>) -> Self {
        Self { sockets, user }
    }

    /// Listens on `host:port`: see [`bind`](crate::bind).
    ///
    /// # Errors
    ///
    /// Fails when the name cannot be resolved or none of its addresses be bound, be it because another component listens there.
    pub async fn bind(&self, endpoint: &str) -> io::Result<TcpListener> {
        let Some(sockets) = &self.sockets else { return crate::bind(endpoint).await };
        let addresses = addresses(endpoint).await?;
        for address in &addresses {
            if let Some(known) = sockets.lock().tcp(*address) {
                let socket = known.join(&self.user)?.try_clone()?;
                return TcpListener::from_std(socket);
            }
        }
        let mut refused = io::Error::new(ErrorKind::InvalidInput, "the name stands for no address");
        let mut port = 0;
        for address in addresses {
            match TcpListener::bind(address).await {
                Ok(listener) => return sockets.keep(listener, &self.user),
                Err(error) => (refused, port) = (error, address.port()),
            }
        }
        if refused.kind() == ErrorKind::AddrInUse {
            sockets.lock().blame(port);
        }
        Err(refused)
    }

    /// Listens on the path of a unix socket. A file on which nobody listens any more is replaced.
    ///
    /// # Errors
    ///
    /// Fails when the path cannot be bound, be it because somebody listens there.
    pub async fn bind_unix(&self, path: &Path) -> io::Result<UnixSocket> {
        if let Some(sockets) = &self.sockets
            && let Some(known) = sockets.lock().unix.iter_mut().find(|entry| entry.address == path)
        {
            let (socket, file) = known.join(&self.user)?;
            return Ok(UnixSocket { listener: UnixListener::from_std(socket.try_clone()?)?, file: file.clone() });
        }
        remove_stale(path).await?;
        let listener = UnixListener::bind(path)?;
        let file = Some(Arc::new(SocketFile(path.to_owned())));
        let Some(sockets) = &self.sockets else { return Ok(UnixSocket { listener, file }) };
        let socket = listener.into_std()?;
        let listener = UnixListener::from_std(socket.try_clone()?)?;
        let (address, users) = (path.to_owned(), vec![Arc::clone(&self.user)]);
        sockets.lock().unix.push(Entry { address, socket: (socket, file.clone()), users, handed_over: false });
        Ok(UnixSocket { listener, file })
    }
}

/// Removes the file of a socket on which nobody listens any more.
async fn remove_stale(path: &Path) -> io::Result<()> {
    match UnixStream::connect(path).await {
        Ok(_) => Err(io::Error::new(ErrorKind::AddrInUse, "another process listens on this socket")),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => tokio::fs::remove_file(path).await,
        Err(_) => Ok(()),
    }
}

// === impl Sockets ===

impl Sockets {
    /// Sockets that were handed over to the process.
    ///
    /// # Errors
    ///
    /// Fails where the system does not tell the address of one.
    pub fn handed_over(tcp: Vec<net::TcpListener>, unix: Vec<unix::UnixListener>) -> io::Result<Self> {
        let mut kept = Kept::default();
        for socket in tcp {
            socket.set_nonblocking(true)?;
            let address = socket.local_addr()?;
            kept.tcp.push(Entry { address, socket, users: Vec::new(), handed_over: true });
        }
        for socket in unix {
            socket.set_nonblocking(true)?;
            let address = socket.local_addr()?;
            let address = address.as_pathname().ok_or_else(|| io::Error::other("a unix socket without a path"))?;
            let address = address.to_owned();
            kept.unix.push(Entry { address, socket: (socket, None), users: Vec::new(), handed_over: true });
        }
        Ok(Self(Mutex::new(kept)))
    }

    /// The addresses of sockets that were handed over and that no component uses.
    pub(crate) fn unused(&self) -> Vec<String> {
        let kept = self.lock();
        let tcp = kept.tcp.iter().filter(|entry| entry.users.is_empty()).map(|entry| entry.address.to_string());
        let unix = kept.unix.iter().filter(|entry| entry.users.is_empty());
        tcp.chain(unix.map(|entry| entry.address.display().to_string())).collect()
    }

    /// From now on nothing is closed, until the change is over.
    pub(crate) fn begin_change(&self) {
        self.lock().changing = true;
    }

    /// Closes what nobody uses, from now on at once.
    pub(crate) fn end_change(&self) {
        self.lock().changing = false;
        self.release();
    }

    /// Closes sockets whose users have all stopped, unless a change is under way; then only those that are in the way of it.
    pub(crate) fn release(&self) {
        let mut kept = self.lock();
        let changing = kept.changing;
        kept.tcp.retain_mut(|entry| entry.is_needed(changing));
        kept.unix.retain_mut(|entry| entry.is_needed(changing));
    }

    fn keep(&self, listener: TcpListener, user: &Arc<Ties>) -> io::Result<TcpListener> {
        let address = listener.local_addr()?;
        let socket = listener.into_std()?;
        let listener = TcpListener::from_std(socket.try_clone()?)?;
        let users = vec![Arc::clone(user)];
        self.lock().tcp.push(Entry { address, socket, users, handed_over: false });
        Ok(listener)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Kept ===

impl Kept {
    /// The socket for an address. One that was handed over for all addresses of IPv6 takes connections over IPv4 too.
    fn tcp(&mut self, wanted: SocketAddr) -> Option<&mut Entry<SocketAddr, net::TcpListener>> {
        let all = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), wanted.port());
        let serves = |entry: &Entry<SocketAddr, _>| {
            entry.address == wanted || (entry.handed_over && wanted.ip().is_unspecified() && entry.address == all)
        };
        // Port 0 stands for any port that is free, a new one each time.
        (wanted.port() != 0).then(|| self.tcp.iter_mut().find(|entry| serves(entry))).flatten()
    }

    /// A port could not be bound: those that listen there, on other addresses, are in the way if they are about to go.
    fn blame(&self, port: u16) {
        for entry in self.tcp.iter().filter(|entry| entry.address.port() == port) {
            for user in &entry.users {
                user.blame();
            }
        }
    }
}

// === impl Entry ===

impl<A, S> Entry<A, S> {
    /// The socket for one more user, once all others are leaving.
    fn join(&mut self, user: &Arc<Ties>) -> io::Result<&S> {
        let stays = |other: &Arc<Ties>| matches!(other.stage(), Stage::Made | Stage::Running);
        if self.users.iter().any(stays) {
            return Err(io::Error::new(ErrorKind::AddrInUse, "another component listens there"));
        }
        self.users.push(Arc::clone(user));
        Ok(&self.socket)
    }

    fn is_needed(&mut self, changing: bool) -> bool {
        let all_stopped = self.users.iter().all(|user| user.stage() == Stage::Stopped);
        if changing {
            let in_the_way = self.users.iter().any(|user| user.is_in_the_way());
            return self.handed_over || !(all_stopped && in_the_way);
        }
        self.users.retain(|user| user.stage() != Stage::Stopped);
        self.handed_over || !self.users.is_empty()
    }
}

// === impl UnixSocket ===

impl UnixSocket {
    /// What listens.
    pub fn listener(&self) -> &UnixListener {
        &self.listener
    }
}

// === impl SocketFile ===

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = std::fs::remove_file(&self.0);
    }
}
