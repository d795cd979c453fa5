//! Which web pages may send.

use serde::Deserialize;

/// Options of `cors`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Cors {
    /// Origins that may send; `*` stands for any text.
    pub(crate) allowed_origins: Vec<String>,
    /// Headers they may use beside those that are always allowed.
    pub(crate) allowed_headers: Vec<String>,
    /// Headers of the response that they may see.
    pub(crate) exposed_headers: Vec<String>,
    /// For how many seconds a browser may remember the answer; below 0: not at all.
    pub(crate) max_age: i64,
}
