//! Where configuration comes from, as given on the command line.

use std::fmt;
use std::str::FromStr;

use crate::redact::without_url_secrets;

/// The value of `--config`: `scheme:rest`. What has no colon, or a drive letter in front of it, is a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uri {
    pub(super) scheme: Scheme,
    pub(super) rest: String,
}

/// How a URI is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    File,
    Env,
    Yaml,
    Http,
    Https,
}

/// The value of `--set`: `a.b=v`, which stands for `a: {b: v}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetFlag {
    uri: Uri,
    path: String,
}

/// Why a text is no URI of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// It has a colon without a scheme before it.
    #[error("invalid uri: {0:?}")]
    Invalid(String),
    /// No provider is known for its scheme.
    #[error("unsupported scheme on URI {0:?} (valid schemes: env, file, http, https, yaml)")]
    UnknownScheme(String),
    /// A variable with a default needs its scheme, as in the Collector.
    #[error("invalid uri: {0:?}, did you mean \"env:{0}\"?")]
    DefaultWithoutScheme(String),
}

/// Why a text is no value of `--set`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--set {0:?}: missing equal sign")]
pub struct SetFlagError(String);

// === impl Uri ===

impl Uri {
    /// A URI inside `${...}`, where a name without scheme is an environment variable.
    pub(super) fn parse_reference(text: &str) -> Result<Self, UriError> {
        match text.split_once(':') {
            None => Ok(Self { scheme: Scheme::Env, rest: text.to_owned() }),
            Some((name, rest)) if rest.starts_with('-') && Self::with_scheme(text, name, rest).is_err() => {
                Err(UriError::DefaultWithoutScheme(text.to_owned()))
            }
            Some((scheme, rest)) => Self::with_scheme(text, scheme, rest),
        }
    }

    /// The name under which places of this source are shown: the file's path, or the URI.
    pub(super) fn label(&self) -> String {
        match self.scheme {
            Scheme::File => self.rest.clone(),
            // Its first key: values may be secret.
            Scheme::Yaml => format!("yaml:{}", first_key(&self.rest).unwrap_or("...")),
            _ => without_url_secrets(&self.to_string()).into_owned(),
        }
    }

    fn with_scheme(text: &str, scheme: &str, rest: &str) -> Result<Self, UriError> {
        let is_scheme = scheme.len() > 1
            && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|other| other.is_ascii_alphanumeric() || "+.-".contains(other));
        if !is_scheme {
            return Err(UriError::Invalid(text.to_owned()));
        }
        let scheme = match scheme {
            "file" => Scheme::File,
            "env" => Scheme::Env,
            "yaml" => Scheme::Yaml,
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(UriError::UnknownScheme(text.to_owned())),
        };
        Ok(Self { scheme, rest: rest.to_owned() })
    }
}

/// What stands before the first colon that ends a key, where that is one.
fn first_key(yaml: &str) -> Option<&str> {
    let line = yaml.lines().next()?;
    let key = line.split_once(": ").map(|(key, _)| key).or_else(|| line.strip_suffix(':'))?;
    let is_key = |character: char| character.is_ascii_alphanumeric() || "_-./:".contains(character);
    (!key.is_empty() && key.chars().all(is_key)).then_some(key)
}

impl FromStr for Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        match text.split_once(':') {
            None => Ok(Self { scheme: Scheme::File, rest: text.to_owned() }),
            Some((drive, _)) if drive.len() == 1 && drive.starts_with(|first: char| first.is_ascii_alphabetic()) => {
                Ok(Self { scheme: Scheme::File, rest: text.to_owned() })
            }
            Some((scheme, rest)) => Self::with_scheme(text, scheme, rest),
        }
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::File => "file",
            Scheme::Env => "env",
            Scheme::Yaml => "yaml",
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        write!(f, "{scheme}:{}", self.rest)
    }
}

// === impl SetFlag ===

impl SetFlag {
    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The name under which places of this source are shown; without the value, which may be a secret.
    pub(super) fn label(&self) -> String {
        format!("--set {}", self.path)
    }
}

impl FromStr for SetFlag {
    type Err = SetFlagError;

    fn from_str(text: &str) -> Result<Self, SetFlagError> {
        let (path, value) = text.split_once('=').ok_or_else(|| SetFlagError(text.to_owned()))?;
        let yaml = format!("{}: {}", path.replace('.', "::").trim(), value.trim());
        Ok(Self { uri: Uri { scheme: Scheme::Yaml, rest: yaml }, path: path.trim().to_owned() })
    }
}
