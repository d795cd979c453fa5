use std::path::PathBuf;

use spanmill_config::Endpoint;

/// Where an endpoint says to send, as Go's gRPC understands it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// Over TCP.
    Host {
        /// `host:port`, with brackets around an IPv6 address.
        address: String,
        /// There is TLS, whatever the options say. `http://` means nothing of the kind: the options alone turn TLS off.
        is_https: bool,
    },
    /// The path of a socket.
    Unix(PathBuf),
}

// === impl Target ===

impl Target {
    /// Reads `host:port`, with `http://`, `https://` or one of Go's resolvers before it, or `unix://` and a path.
    pub(super) fn parse(endpoint: &str) -> Result<Self, String> {
        let (scheme, rest) = endpoint.split_once("://").unwrap_or(("", endpoint));
        let address = match scheme {
            "unix" if rest.is_empty() => return Err("unix socket path cannot be empty".to_owned()),
            "unix" => return Ok(Self::Unix(rest.into())),
            "" | "http" | "https" => rest,
            // Who is to resolve the name stands before the slash; here it is always the system.
            "dns" | "passthrough" => rest.split_once('/').map_or(rest, |(_, address)| address),
            other => {
                return Err(format!("{other:?} is no resolver: expected http, https, dns, passthrough or unix"));
            }
        };
        if address.is_empty() {
            return Err("requires a non-empty \"endpoint\"".to_owned());
        }
        let endpoint = Endpoint::new(address);
        let (host, port) = endpoint.host_port().map_err(|error| error.to_string())?;
        let address = match host {
            "" => format!("localhost:{port}"),
            host if host.contains(':') => format!("[{host}]:{port}"),
            host => format!("{host}:{port}"),
        };
        Ok(Self::Host { address, is_https: scheme == "https" })
    }

    /// What stands in `:authority`, where nothing else is asked for; Go says `localhost` to a socket.
    pub(super) fn authority(&self) -> &str {
        match self {
            Self::Host { address, .. } => address,
            Self::Unix(_) => "localhost",
        }
    }
}
