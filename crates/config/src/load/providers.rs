//! What reads the content behind a URI.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::uri::{Scheme, Uri};
use crate::yaml::{self, MAX_TEXT, YamlError};
use crate::{Node, Stamp, Value};

/// How long the answer to an HTTP request may take as a whole.
const HTTP_TIMEOUT: Duration = Duration::from_secs(30);

type Environment = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The outside world as the loader sees it: files, HTTP, and the environment.
pub struct Providers {
    environment: Environment,
    /// What was asked for, and how it was right before it was read.
    files: Mutex<BTreeMap<PathBuf, Stamp>>,
}

/// What a URI stands for.
pub(super) struct Retrieved {
    pub(super) node: Node,
    /// The text as it was read, for string fields.
    pub(super) text: Arc<str>,
    /// Why the text was taken as a string, when it is no YAML.
    pub(super) invalid_yaml: Option<YamlError>,
    /// What is suspicious about it.
    pub(super) warning: Option<String>,
}

// === impl Providers ===

impl Providers {
    /// The process's own environment.
    pub fn from_process() -> Self {
        Self::with_environment(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// Another environment, for tests.
    pub fn with_environment(environment: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self { environment: Box::new(environment), files: Mutex::default() }
    }

    /// A file that is not what it was when it was last asked for, also by `${file:…}`, whether it could be read then or not. It blocks.
    pub fn changed_file(&self) -> Option<PathBuf> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.iter().find(|(_, stamp)| stamp.is_outdated()).map(|(path, _)| path.clone())
    }

    /// Reads what `uri` stands for; `label` is the name of the source in places.
    pub(super) fn retrieve(&self, uri: &Uri, label: &str) -> Result<Retrieved, String> {
        let retrieved = match uri.scheme {
            Scheme::Env => self.environment_variable(&uri.rest, label),
            Scheme::Yaml => Ok(Retrieved::from_yaml(&uri.rest, label)),
            Scheme::File => {
                let path = PathBuf::from(&uri.rest);
                let stamp = Stamp::of(&path);
                self.files.lock().unwrap_or_else(PoisonError::into_inner).insert(path, stamp);
                read_file(&uri.rest).map(|text| Retrieved::from_yaml(&text, label))
            }
            Scheme::Http | Scheme::Https => {
                let url = uri.to_string();
                let text = read_http(&url).map_err(|error| format!("unable to read {url}: {error}"))?;
                Ok(Retrieved::from_yaml(&text, label))
            }
        }?;
        match retrieved.node.value {
            // The Collector's words.
            Value::UInt(_) => {
                Err("unsupported type=uint64 for retrieved config, ensure that values are wrapped in quotes".to_owned())
            }
            _ => Ok(retrieved),
        }
    }

    fn environment_variable(&self, text: &str, label: &str) -> Result<Retrieved, String> {
        let (name, default) = match text.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (text, None),
        };
        if !is_variable_name(name) {
            return Err(format!(
                "environment variable {name:?} has invalid name: must match regex ^[a-zA-Z_][a-zA-Z0-9_]*$"
            ));
        }
        match ((self.environment)(name), default) {
            (Some(value), _) => Ok(Retrieved::from_yaml(&value, label)),
            // An empty default is an empty text, an empty variable is nothing.
            (None, Some("")) => Ok(Retrieved::text("")),
            (None, Some(default)) => Ok(Retrieved::from_yaml(default, label)),
            (None, None) => {
                let warning = format!("configuration references unset environment variable {name:?}");
                Ok(Retrieved { warning: Some(warning), ..Retrieved::from_yaml("", label) })
            }
        }
    }
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Providers").finish_non_exhaustive()
    }
}

// === impl Retrieved ===

impl Retrieved {
    /// Text that is YAML, or else a string. A string is the text as it stands, quotes included.
    fn from_yaml(text: &str, label: &str) -> Self {
        match yaml::parse(text, label) {
            Ok(Node { value: Value::String(_), .. }) => Self::text(text),
            Ok(node) => Self { node, text: Arc::from(text), invalid_yaml: None, warning: None },
            Err(error) => Self { invalid_yaml: Some(error), ..Self::text(text) },
        }
    }

    fn text(text: &str) -> Self {
        let node = Node::new(Value::String(text.to_owned()), None);
        Self { node, text: Arc::from(text), invalid_yaml: None, warning: None }
    }
}

fn is_variable_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|other| other.is_ascii_alphanumeric() || other == '_')
}

fn read_file(path: &str) -> Result<String, String> {
    let file = File::open(Path::new(path)).map_err(|error| format!("unable to read the file {path}: {error}"))?;
    read_limited(file).map_err(|error| format!("unable to read the file {path}: {error}"))
}

fn read_http(url: &str) -> Result<String, String> {
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(HTTP_TIMEOUT)).build().into();
    let response = agent.get(url).call().map_err(|error| error.to_string())?;
    read_limited(response.into_body().into_reader())
}

fn read_limited(source: impl Read) -> Result<String, String> {
    let limit = u64::try_from(MAX_TEXT).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    source.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() > MAX_TEXT {
        return Err(format!("longer than {MAX_TEXT} bytes"));
    }
    text(bytes)
}

/// Text in UTF-8, or in UTF-16 where a byte order mark says so: the encodings that YAML has and the Collector reads.
fn text(bytes: Vec<u8>) -> Result<String, String> {
    let unit: fn([u8; 2]) -> u16 = match bytes.as_slice() {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return String::from_utf8(bytes).map_err(|error| format!("not UTF-8: {error}")),
    };
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err("not UTF-16: half a character at the end".to_owned());
    }
    let decoded = char::decode_utf16(pairs.iter().skip(1).map(|pair| unit(*pair))).collect::<Result<String, _>>();
    decoded.map_err(|error| format!("not UTF-16: {error}"))
}
