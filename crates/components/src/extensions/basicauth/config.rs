use serde::Deserialize;
use spanmill_config::{ConfigError, NullableBlock, Secret, Section};

use super::htpasswd::Htpasswd as Users;

/// Options of the `basicauth` extension: one of the two.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// Who may send.
    pub(super) htpasswd: NullableBlock<Htpasswd>,
    /// Who we are.
    pub(super) client_auth: NullableBlock<ClientAuth>,
}

/// Options of `htpasswd`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Htpasswd {
    /// A file as Apache's `htpasswd` writes it.
    pub(super) file: String,
    /// The same, inline; goes before the file.
    pub(super) inline: Secret,
}

/// Options of `client_auth`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ClientAuth {
    /// The name.
    pub(super) username: String,
    /// A file with the name; goes before it.
    pub(super) username_file: String,
    /// The password.
    pub(super) password: Secret,
    /// A file with the password; goes before it.
    pub(super) password_file: String,
}

// === impl Config ===

impl Config {
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = section.parse()?;
        match (config.htpasswd.as_ref(), config.client_auth.as_ref()) {
            (Some(_), Some(_)) => Err(section.error("", "only one of `htpasswd` or `client_auth` can be specified")),
            (None, None) => Err(section.error("", "no credential source provided")),
            (Some(server), None) if server.file.is_empty() && server.inline.is_empty() => {
                Err(section.error("htpasswd", "no credential source provided"))
            }
            (Some(server), None) if !server.inline.is_empty() => {
                // Of a variable that is not set an empty password is left.
                if let Some(line) = Users::without_password(server.inline.expose()) {
                    return Err(
                        section.error("htpasswd::inline", format!("line {line}: the password must not be empty"))
                    );
                }
                if Users::parse(server.inline.expose()).0.is_empty() {
                    tracing::warn!(
                        at = section.path(),
                        "no line of htpasswd::inline is a user: they are name:password"
                    );
                }
                Ok(config)
            }
            _ => Ok(config),
        }
    }
}
