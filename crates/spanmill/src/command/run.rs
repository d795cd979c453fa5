use std::num::NonZero;
use std::sync::Arc;

use rustix::process::{Resource, getrlimit, setrlimit};
use spanmill_pipeline::{Event, Service, ServiceError};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::configuration::Sources;
use crate::arguments::Run;
use crate::error::CommandError;
use crate::factories::FACTORIES;
use crate::logging::Logging;

/// Runs the pipelines until a signal ends them.
pub(super) fn run(options: &Run) -> Result<(), CommandError> {
    let sources = Sources::read(&options.configuration)?;
    let logging = Arc::new(Logging::default());
    let service = Service {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        factories: FACTORIES,
        load: Arc::new(move || sources.document(&mut |warning| tracing::warn!("{warning}"))),
        log: Arc::new(move |settings| logging.apply(settings)),
        shutdown_timeout: options.shutdown_timeout,
    };
    let runtime =
        runtime(options.workers).map_err(|source| CommandError::Io { what: "cannot start threads", source })?;
    open_many_files();
    let outcome = runtime.block_on(async {
        let events = listen().map_err(|source| CommandError::Io { what: "cannot listen to signals", source })?;
        service.run(events).await.map_err(CommandError::from)
    });
    if matches!(outcome, Err(CommandError::Service(ServiceError::Interrupted))) {
        // Tasks that block are not waited for.
        runtime.shutdown_background();
    }
    outcome
}

/// Every connection is an open file, and the usual limit of 1,024 is there for programs that cannot count further (`select`). Programs in Go raise it
/// as well.
fn open_many_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

fn runtime(workers: Option<u16>) -> std::io::Result<Runtime> {
    let workers = match workers {
        Some(workers) => usize::from(workers),
        None => std::thread::available_parallelism().map_or(1, NonZero::get),
    };
    Builder::new_multi_thread().worker_threads(workers).thread_name("spanmill").enable_all().build()
}

/// Signals as events. They are caught from here on.
fn listen() -> std::io::Result<mpsc::Receiver<Event>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let (sender, receiver) = mpsc::channel(8);
    tokio::spawn(async move {
        loop {
            let event = tokio::select! {
                Some(()) = interrupt.recv() => Event::Stop("SIGINT"),
                Some(()) = terminate.recv() => Event::Stop("SIGTERM"),
                Some(()) = hangup.recv() => Event::Reload("SIGHUP"),
                else => return,
            };
            if sender.send(event).await.is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}
