//! A store that is asked without a server.

use std::sync::Arc;
use std::time::Duration;

use spanmill_query::{Limits, QueryService};
use spanmill_store::{Cluster, Options, Store};
use tokio::runtime::{Builder, Runtime};

use crate::answer::Answer;
use crate::asked::Asked;
use crate::error::ConsoleError;

/// A store that is asked without a server.
#[derive(Debug)]
pub struct Local {
    service: QueryService,
    helpers: Option<Arc<dyn Cluster>>,
    runtime: Runtime,
}

// === impl Local ===

impl Local {
    pub(crate) fn open(options: Options, helpers: Option<Arc<dyn Cluster>>) -> Result<Self, ConsoleError> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime =
            runtime.map_err(|source| ConsoleError::Io { what: "threads cannot be started".to_owned(), source })?;
        let store = runtime.block_on(Store::open_to_read(options))?;
        // Who asks a store of their own decides what an answer may take.
        let limits = Limits { rows: u64::MAX, bytes: usize::MAX, time: Duration::MAX, ..Limits::default() };
        let service = {
            let _within = runtime.enter();
            QueryService::new(store, limits)
        };
        let service = match &helpers {
            Some(helpers) => service.with_cluster(Arc::clone(helpers)),
            None => service,
        };
        Ok(Self { service, helpers, runtime })
    }

    pub(crate) fn ask(&self, asked: &Asked) -> Result<Answer, ConsoleError> {
        let request = asked.request()?;
        self.runtime.block_on(async {
            // Nobody looks between questions, which may be hours apart.
            if let Some(helpers) = &self.helpers {
                helpers.look().await;
            }
            let mut rows = self.service.run(request).await?;
            let batches = rows.collect().await?;
            Ok(Answer { schema: rows.schema(), batches, truncated: rows.truncated() })
        })
    }
}
