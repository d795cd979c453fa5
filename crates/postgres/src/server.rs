//! The port.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;

use pgwire::api::auth::StartupHandler;
use pgwire::api::cancel::{CancelHandler, DefaultCancelHandler};
use pgwire::api::query::{ExtendedQueryHandler, SimpleQueryHandler};
use pgwire::api::{ConnectionManager, PgWireServerHandlers};
use pgwire::tokio::process_socket_unix;
use spanmill_pipeline::Port;
use spanmill_query::{Access, QueryService};
use spanmill_tls::{Acceptor, Stream};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::frames::pass;
use crate::handler::Asker;
use crate::startup::Startup;

/// What one connection needs.
struct Connection {
    asker: Arc<Asker>,
    startup: Arc<Startup>,
    cancel: Arc<DefaultCancelHandler>,
    tls: Option<Acceptor>,
}

/// So many clients may be connected; others wait.
const CONNECTIONS: usize = 256;

/// An answer is cut off, with an error, after so many rows.
const MOST_ROWS: u64 = 1_000_000;

/// A message of a client holds a statement or values, and a little beside them.
const AROUND: usize = 64 << 10;

/// Answers PostgreSQL's protocol on a port until `shutdown`, which ends all connections. A user who acts for a tenant sees the rows of that tenant
/// alone; without `access` everybody may ask, and sees all. With `tls` clients must speak it; the port itself has none, since connections begin without.
pub async fn serve(
    port: impl Into<Port>,
    tls: Option<Acceptor>,
    service: QueryService,
    access: Option<Access>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let (port, service) = (port.into(), service.with_most_rows(MOST_ROWS));
    let manager = Arc::new(ConnectionManager::new());
    let longest = u32::try_from(service.limits().text.saturating_add(AROUND)).unwrap_or(u32::MAX);
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accept(&port, &slots) => accepted,
        };
        while connections.try_join_next().is_some() {}
        let Some((stream, slot)) = accepted else { continue };
        let connection = Connection {
            asker: Arc::new(Asker::new(service.clone(), access.clone())),
            startup: Arc::new(Startup::new(access.clone(), &manager)),
            cancel: Arc::new(DefaultCancelHandler::new(Arc::clone(&manager))),
            tls: tls.clone(),
        };
        connections.spawn(async move {
            let _slot = slot;
            if let Err(error) = connection.serve(stream, longest).await {
                tracing::debug!(%error, "a connection ended");
            }
        });
    }
    connections.shutdown().await;
}

async fn accept(port: &Port, slots: &Arc<Semaphore>) -> Option<(Stream<TcpStream>, impl Send + 'static)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    Some((port.accept().await, slot))
}

// === impl Connection ===

impl Connection {
    async fn serve(self, stream: Stream<TcpStream>, longest: u32) -> io::Result<()> {
        let (inside, outside) = UnixStream::pair()?;
        let mut passed = pin!(pass(stream, self.tls.clone(), outside, longest));
        tokio::select! {
            // A client that has gone wants no answer: what runs for it ends here.
            ended = &mut passed => ended,
            served = process_socket_unix(inside, self) => {
                served?;
                passed.await
            }
        }
    }
}

impl PgWireServerHandlers for Connection {
    fn simple_query_handler(&self) -> Arc<impl SimpleQueryHandler> {
        Arc::clone(&self.asker)
    }

    fn extended_query_handler(&self) -> Arc<impl ExtendedQueryHandler> {
        Arc::clone(&self.asker)
    }

    fn startup_handler(&self) -> Arc<impl StartupHandler> {
        Arc::clone(&self.startup)
    }

    fn cancel_handler(&self) -> Arc<impl CancelHandler> {
        Arc::clone(&self.cancel)
    }
}
