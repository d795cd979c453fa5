use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};
use spanmill_pipeline::{Event, Service, ServiceError};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::configuration::Sources;
use crate::arguments::Run;
use crate::error::CommandError;
use crate::factories::FACTORIES;
use crate::logging::Logging;
use crate::systemd;

/// How often files of the configuration are looked at.
const EVERY: Duration = Duration::from_secs(1);

/// Runs the pipelines until a signal ends them.
pub(super) fn run(options: &Run) -> Result<(), CommandError> {
    // Before any thread is started: the sockets are told by the environment.
    let sockets = systemd::sockets().map_err(|source| CommandError::Io { what: "cannot take over sockets", source })?;
    let sources = Arc::new(Sources::read(&options.configuration)?);
    let logging = Arc::new(Logging::default());
    let read = Arc::clone(&sources);
    let service = Service {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        factories: FACTORIES,
        load: Arc::new(move || read.document(&mut |warning| tracing::warn!("{warning}"))),
        log: Arc::new(move |settings| logging.apply(settings)),
        tell: Arc::new(systemd::tell),
        sockets: Arc::new(sockets),
        shutdown_timeout: options.shutdown_timeout,
    };
    let runtime =
        runtime(options.workers).map_err(|source| CommandError::Io { what: "cannot start threads", source })?;
    open_many_files();
    let outcome = runtime.block_on(async {
        let (sender, events) = mpsc::channel(8);
        listen(sender.clone()).map_err(|source| CommandError::Io { what: "cannot listen to signals", source })?;
        if options.watch {
            tokio::spawn(watch(sources, sender));
        }
        tokio::spawn(systemd::stay_alive());
        service.run(events).await.map_err(CommandError::from)
    });
    if matches!(outcome, Err(CommandError::Service(ServiceError::Interrupted | ServiceError::Late))) {
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
fn listen(sender: mpsc::Sender<Event>) -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
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
    Ok(())
}

/// Changes of files as events.
async fn watch(sources: Arc<Sources>, sender: mpsc::Sender<Event>) {
    loop {
        tokio::time::sleep(EVERY).await;
        let looked = Arc::clone(&sources);
        // Looking at files may block, and cannot fail otherwise than with the runtime.
        let Ok(changed) = spawn_blocking(move || looked.changed_file()).await else { return };
        let Some(file) = changed else { continue };
        tracing::info!(file = %file.display(), "a file of the configuration changed");
        if sender.send(Event::Reload("a configuration file changed")).await.is_err() {
            return;
        }
    }
}
