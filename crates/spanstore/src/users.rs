//! Ports with users of their own, whose protocols ask for a name and a password.

use std::net::IpAddr;

use serde::Deserialize;
use spanmill_config::{ConfigError, Endpoint, NullableBlock, Secret, Section};
use spanmill_query::{Access, User};
use spanmill_tls::ServerTls;

/// A port that is listened on, and who may ask there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardedConfig {
    /// Host and port, such as `localhost:4321`.
    pub endpoint: Endpoint,
    /// Who may ask. Without it everybody may, and see the rows of all tenants; the endpoint has to be on this machine's own network alone, or
    /// to want certificates of clients.
    pub auth: Option<AuthConfig>,
    /// TLS; without it everything is sent in the clear.
    #[serde(default)]
    pub tls: NullableBlock<ServerTls>,
}

/// The users who may ask at a port: one, who sees the rows of all tenants, or several.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthConfig {
    /// The name of the only user.
    pub username: String,
    /// The only user's password, which may be a reference such as `${env:PASSWORD}`.
    pub password: Secret,
    /// Several users, and for whom each of them acts.
    pub users: Vec<UserConfig>,
}

/// One of several users of a port: acts for a tenant, or is an operator.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UserConfig {
    /// The name, which no other user of the port has. Required.
    pub username: String,
    /// The password. Required.
    pub password: Secret,
    /// The user sees the rows of this tenant alone.
    pub tenant: String,
    /// The user sees the rows of all tenants. Default: `false`.
    pub operator: bool,
}

// === impl GuardedConfig ===

impl GuardedConfig {
    pub(crate) fn check(&self, section: &Section, name: &str) -> Result<(), ConfigError> {
        let (host, _) =
            self.endpoint.host_port().map_err(|error| section.error(&format!("{name}::endpoint"), error))?;
        if let Some(tls) = self.tls.as_ref() {
            tls.check(section, &format!("{name}::tls"))?;
        }
        let knows_clients = self.tls.as_ref().is_some_and(|tls| !tls.client_ca_file.is_empty());
        match &self.auth {
            None if !is_loopback(host) && !knows_clients => {
                let message = "without `auth` everybody who reaches this port may read everything: set it, or listen on localhost";
                Err(section.error(&format!("{name}::endpoint"), message))
            }
            None => Ok(()),
            Some(auth) => auth.check(section, &format!("{name}::auth")),
        }
    }

    /// Whether somebody who may ask acts for a tenant.
    pub(crate) fn knows_tenants(&self) -> bool {
        self.auth.iter().flat_map(|auth| &auth.users).any(|user| !user.operator)
    }

    /// Who may ask; everybody where there is nothing.
    #[cfg_attr(
        not(any(feature = "flight-sql", feature = "postgres")),
        expect(dead_code, reason = "no guarded port is built in")
    )]
    pub(crate) fn access(&self) -> Option<Access> {
        self.auth.as_ref().map(AuthConfig::access)
    }
}

// === impl AuthConfig ===

impl AuthConfig {
    fn check(&self, section: &Section, name: &str) -> Result<(), ConfigError> {
        if self.users.is_empty() {
            return if self.username.is_empty() || self.password.is_empty() {
                Err(section.error(name, "username and password must be non-empty, or users be given"))
            } else {
                Ok(())
            };
        }
        if !self.username.is_empty() || !self.password.is_empty() {
            return Err(section.error(name, "give either users, or username and password"));
        }
        for (at, user) in self.users.iter().enumerate() {
            let error =
                |option: &str, message: &str| Err(section.error(&format!("{name}::users::{at}{option}"), message));
            if user.username.is_empty() || user.password.is_empty() {
                return error("", "username and password must be non-empty");
            }
            if user.tenant.is_empty() != user.operator {
                return error("", "give either a tenant, or `operator: true` to one who sees the rows of all tenants");
            }
            if self.users.iter().take(at).any(|other| other.username == user.username) {
                return error("::username", "is given twice");
            }
        }
        Ok(())
    }

    fn access(&self) -> Access {
        if self.users.is_empty() {
            return Access::new([User::operator(&self.username, self.password.clone())]);
        }
        Access::new(self.users.iter().map(|user| User {
            tenant: (!user.operator).then(|| user.tenant.as_str().into()),
            ..User::operator(&user.username, user.password.clone())
        }))
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
