//! A store that is asked without a server.

use std::time::Duration;

use spanmill_query::{Limits, QueryService};
use spanmill_store::{Options, Store};
use tokio::runtime::{Builder, Runtime};

use crate::answer::Answer;
use crate::asked::Asked;
use crate::error::ConsoleError;

/// A store that is asked without a server.
#[derive(Debug)]
pub struct Local {
    service: QueryService,
    runtime: Runtime,
}

// === impl Local ===

impl Local {
    pub(crate) fn open(address: &str) -> Result<Self, ConsoleError> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime =
            runtime.map_err(|source| ConsoleError::Io { what: "threads cannot be started".to_owned(), source })?;
        let store = runtime.block_on(Store::open_to_read(Options::new(address)))?;
        // Who asks a store of their own decides what an answer may take.
        let limits = Limits { rows: u64::MAX, bytes: usize::MAX, time: Duration::MAX, ..Limits::default() };
        let service = {
            let _within = runtime.enter();
            QueryService::new(store, limits)
        };
        Ok(Self { service, runtime })
    }

    pub(crate) fn ask(&self, asked: &Asked) -> Result<Answer, ConsoleError> {
        let request = asked.request()?;
        self.runtime.block_on(async {
            let mut rows = self.service.run(request).await?;
            let batches = rows.collect().await?;
            Ok(Answer { schema: rows.schema(), batches, truncated: rows.truncated() })
        })
    }
}
