//! Who is asked.

use clap::Args;

use super::StoreAddress;

/// Who is asked: a running server or a store itself. A flag goes before the environment.
#[derive(Debug, Default, Args)]
pub(crate) struct SourceAddress {
    /// The server that is asked; by default SPANMILL_URL, or http://127.0.0.1:4320
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Ask a folder or bucket itself, such as s3://bucket/folder, instead of a server: what that has only in memory is missing. SPANMILL_STORE
    /// is asked where neither --url nor SPANMILL_URL is there
    #[arg(long, value_name = "PATH|URL", conflicts_with = "url")]
    store: Option<String>,
    /// An option of the bucket, such as aws_endpoint=http://localhost:9000; may be repeated
    #[arg(long = "store-option", value_name = "KEY=VALUE")]
    options: Vec<String>,
}

/// One of the two.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A running server.
    Server(String),
    /// A store.
    Store(StoreAddress),
}

const SERVER: &str = "http://127.0.0.1:4320";

// === impl SourceAddress ===

impl SourceAddress {
    /// The one that is asked.
    pub(crate) fn place(&self) -> Result<Place, String> {
        self.place_within(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn place_within(&self, environment: impl Fn(&str) -> Option<String>) -> Result<Place, String> {
        let url = || self.url.clone().or_else(|| environment("SPANMILL_URL"));
        let store = |store| Place::Store(StoreAddress { store, options: self.options.clone() });
        let place = match &self.store {
            Some(address) => store(address.clone()),
            None => match (url(), environment("SPANMILL_STORE")) {
                (Some(url), _) => Place::Server(url),
                (None, Some(address)) => store(address),
                (None, None) => Place::Server(SERVER.to_owned()),
            },
        };
        match place {
            Place::Server(url) if !self.options.is_empty() => {
                Err(format!("--store-option is for stores, and {url} is asked; --store names a store"))
            }
            place => Ok(place),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: flags and variables in all combinations that matter.
    /// Guarantees: a flag goes before the environment, a server's address before a store's; options of a store are not passed over.
    #[test]
    fn flags_go_first() {
        let place = |flags: [&str; 2], variables: [&str; 2]| {
            let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            let address = SourceAddress { url: some(flags[0]), store: some(flags[1]), options: Vec::new() };
            let [url, store] = variables;
            let place = address.place_within(|name| some(if name == "SPANMILL_URL" { url } else { store }));
            match place.unwrap() {
                Place::Server(url) => url,
                Place::Store(store) => store.store,
            }
        };
        assert_eq!(place(["", ""], ["", ""]), SERVER);
        assert_eq!(place(["", ""], ["", "spans"]), "spans");
        assert_eq!(place(["", ""], ["http://x", "spans"]), "http://x");
        assert_eq!(place(["", "given"], ["http://x", "spans"]), "given");
        assert_eq!(place(["http://y", ""], ["http://x", "spans"]), "http://y");
        let options = SourceAddress { options: vec!["a=b".to_owned()], ..SourceAddress::default() };
        assert!(options.place_within(|_| None).unwrap_err().contains("--store"));
    }
}
