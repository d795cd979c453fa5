//! Who may ask, and what a connection is told at its beginning.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::Sink;
use pgwire::api::auth::noop::NoopStartupHandler;
use pgwire::api::auth::sasl::SASLAuthStartupHandler;
use pgwire::api::auth::sasl::scram::{SCRAM_ITERATIONS, ScramAuth, gen_salted_password};
use pgwire::api::auth::{AuthSource, DefaultServerParameterProvider, LoginInfo, Password, StartupHandler};
use pgwire::api::{ClientInfo, ConnectionManager};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use spanmill_config::Secret;
use spanmill_query::Access;
use uuid::Uuid;

use crate::settings::Session;

/// The beginning of one connection.
pub(crate) enum Startup {
    Open(Open),
    Guarded(Box<SASLAuthStartupHandler<DefaultServerParameterProvider>>),
}

/// Lets everybody in.
pub(crate) struct Open(Arc<ConnectionManager>);

/// Knows the users.
#[derive(Debug)]
struct Users(Access);

// === impl Startup ===

impl Startup {
    /// Without `access` everybody may ask.
    pub(crate) fn new(access: Option<Access>, connections: &Arc<ConnectionManager>) -> Self {
        let Some(access) = access else { return Self::Open(Open(Arc::clone(connections))) };
        let mut told = DefaultServerParameterProvider::default();
        (told.is_superuser, told.default_transaction_read_only) = (false, true);
        let guarded = SASLAuthStartupHandler::new(Arc::new(told))
            .with_scram(ScramAuth::new(Arc::new(Users(access))))
            .with_connection_manager(Arc::clone(connections));
        Self::Guarded(Box::new(guarded))
    }
}

#[async_trait]
impl StartupHandler for Startup {
    async fn on_startup<C>(&self, client: &mut C, message: PgWireFrontendMessage) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        match self {
            Self::Open(open) => open.on_startup(client, message).await,
            Self::Guarded(guarded) => guarded.on_startup(client, message).await.map_err(|error| match error {
                // pgwire does not know the name any more.
                PgWireError::InvalidPassword(_) => PgWireError::InvalidPassword(Session::of(client).user),
                other => other,
            }),
        }
    }
}

// === impl Open ===

#[async_trait]
impl NoopStartupHandler for Open {
    fn connection_manager(&self) -> Option<Arc<ConnectionManager>> {
        Some(Arc::clone(&self.0))
    }
}

// === impl Users ===

#[async_trait]
#[expect(
    elided_lifetimes_in_paths,
    reason = "async_trait counts only lifetimes that are written, and pgwire wrote none"
)]
impl AuthSource for Users {
    async fn get_password(&self, login: &LoginInfo) -> PgWireResult<Password> {
        let salt = Uuid::new_v4().into_bytes().to_vec();
        // Who is unknown fails as one with a wrong password does, and as late.
        let user = self.0.named(login.user().unwrap_or_default());
        let password = user.map_or_else(|| Secret::new(Uuid::new_v4()), |user| user.password.clone());
        let salted = gen_salted_password(password.expose(), &salt, SCRAM_ITERATIONS);
        Ok(Password::new(Some(salt), salted))
    }
}
