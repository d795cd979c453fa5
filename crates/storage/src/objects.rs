//! Object stores by address.

use std::sync::Arc;

use object_store::aws::AmazonS3ConfigKey;
use object_store::azure::AzureConfigKey;
use object_store::gcp::GoogleConfigKey;
use object_store::path::Path;
use object_store::{ClientConfigKey, ObjectStore};
use thiserror::Error;
use url::Url;

/// An address or options that no object store has.
#[derive(Debug, Error)]
pub enum OpenError {
    /// An address of something else.
    #[error("the scheme is none of {}", SCHEMES.join(", "))]
    Scheme,
    /// An option that no object store has.
    #[error("{0:?} is no option of an object store")]
    Option(String),
    /// The store does not take the address or the options.
    #[error(transparent)]
    Store(#[from] object_store::Error),
}

/// Schemes of object stores.
const SCHEMES: &[&str] = &["s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss", "http", "https"];

/// The object store at an address such as `s3://bucket/folder`, and the folder. Options are named as `object_store` names them, such as
/// `aws_region`; they come before `AWS_…`, `AZURE_…` and `GOOGLE_…` of the environment. Nothing is asked of the store yet.
///
/// # Errors
///
/// When the scheme or an option is not known, or the store does not take them.
pub fn open(
    url: &Url,
    options: impl IntoIterator<Item = (String, String)>,
) -> Result<(Arc<dyn ObjectStore>, Path), OpenError> {
    if !SCHEMES.contains(&url.scheme()) {
        return Err(OpenError::Scheme);
    }
    let options: Vec<(String, String)> = options.into_iter().collect();
    if let Some((unknown, _)) = options.iter().find(|(key, _)| !is_option(key)) {
        return Err(OpenError::Option(unknown.clone()));
    }
    let (store, folder) = object_store::parse_url_opts(url, environment().chain(options))?;
    Ok((store.into(), folder))
}

fn is_option(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key.parse::<AmazonS3ConfigKey>().is_ok()
        || key.parse::<AzureConfigKey>().is_ok()
        || key.parse::<GoogleConfigKey>().is_ok()
        || key.parse::<ClientConfigKey>().is_ok()
}

/// What the environment says of object stores: where credentials usually come from.
fn environment() -> impl Iterator<Item = (String, String)> {
    let ours = |name: &str| ["AWS_", "AZURE_", "GOOGLE_"].iter().any(|prefix| name.starts_with(prefix));
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).filter(move |(name, _)| ours(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: an address of S3 with options, one with a wrong option, and one of no object store.
    /// Guarantees: the first is opened with its folder; the others are refused by name.
    #[test]
    fn addresses_and_options() {
        let open =
            |url: &str, key: &str| super::open(&url.parse().unwrap(), [(key.to_owned(), "eu-west-1".to_owned())]);
        assert_eq!(open("s3://bucket/a/b", "aws_region").unwrap().1, Path::from("a/b"));
        assert_eq!(
            open("s3://bucket", "aws_regoin").unwrap_err().to_string(),
            "\"aws_regoin\" is no option of an object store"
        );
        assert!(matches!(open("ftp://x", "aws_region"), Err(OpenError::Scheme)));
    }
}
