//! Who answers.

use std::sync::Arc;

use spanmill_query::QueryError;
use spanmill_store::{Cluster, Options};
use url::Url;

use crate::answer::Answer;
use crate::asked::{Asked, What};
use crate::catalogue::Catalogue;
use crate::error::ConsoleError;
use crate::local::Local;
use crate::remote::Remote;

/// Who answers.
#[derive(Debug)]
pub enum Source {
    /// A running server.
    Server(Remote),
    /// The files of a store. What a running server has only in memory is not in them.
    Store(Box<Local>),
}

const COLUMNS: &str = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'";

// === impl Source ===

impl Source {
    /// The server at an address such as `http://127.0.0.1:4320`.
    pub fn server(url: &str) -> Result<Self, ConsoleError> {
        match Url::parse(url) {
            Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => Ok(Self::Server(Remote::new(parsed))),
            Ok(_) => Err(ConsoleError::Usage(format!(
                "--url: {url} is no address of HTTP; --store takes folders and buckets"
            ))),
            Err(error) => Err(ConsoleError::Usage(format!("--url: {url}: {error}"))),
        }
    }

    /// A store itself; others help to answer, where they are there.
    pub fn store(options: Options, helpers: Option<Arc<dyn Cluster>>) -> Result<Self, ConsoleError> {
        Local::open(options, helpers).map(Box::new).map(Self::Store)
    }

    /// Answers a question.
    pub fn ask(&self, asked: &Asked) -> Result<Answer, ConsoleError> {
        if asked.what == What::Sql(String::new()) {
            return Err(QueryError::Request("there is no question".to_owned()).into());
        }
        let mut answer = match self {
            Self::Server(server) => server.ask(asked)?,
            Self::Store(store) => store.ask(asked)?,
        };
        answer.cut(asked.limit);
        Ok(answer)
    }

    /// The words of its tables and columns, for completion.
    pub fn catalogue(&self, like: &Asked) -> Result<Catalogue, ConsoleError> {
        let columns =
            Asked { what: What::Sql(COLUMNS.to_owned()), parameters: Vec::new(), limit: 9_999, ..like.clone() };
        Ok(Catalogue::new(&self.ask(&columns)?))
    }
}
