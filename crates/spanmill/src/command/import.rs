//! `spanmill import`: files of OTLP requests into a store.

use std::fs::File;
use std::io::{self, Read, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use spanmill_genai::{Engine, Options};
use spanmill_store::Store;
use spanmill_traces::{Counts, OtlpFile};

use super::stores::{block_on, to_write, wrong};
use crate::arguments::{Import, StoreAddress};
use crate::error::CommandError;

/// What happens to spans that are imported once more.
const AGAIN: &str = "importing it again stores them twice, until the server of the store compacts it";

/// Moves the bar by what is read.
struct Watched<R> {
    reader: R,
    bar: ProgressBar,
}

pub(super) fn run(options: &Import) -> Result<(), CommandError> {
    // A name that is wrong is told before anything is stored.
    for name in options.files.iter().filter(|name| *name != "-") {
        File::open(name).map_err(|error| wrong(name, &error))?;
    }
    let engine = options.genai.then(|| Engine::new(&Options::default())).transpose();
    let engine = engine.map_err(|error| wrong("--genai", &error))?;
    block_on(async {
        let mut store = None;
        let mut names = options.files.iter();
        while let Some(name) = names.next() {
            let Counts { requests, spans } =
                import(&options.store, &mut store, engine.as_ref(), name).await.map_err(|error| {
                    let later = names.as_slice().join(", ");
                    if later.is_empty() { error } else { CommandError::Usage(format!("{error}; not read: {later}")) }
                })?;
            // Where stderr is closed, nobody misses the line.
            let _ = writeln!(io::stderr(), "{name}: {spans} spans in {requests} requests");
        }
        Ok(())
    })
}

/// Reads a file into the store, which is opened once there is something to store.
async fn import(
    address: &StoreAddress,
    store: &mut Option<Store>,
    engine: Option<&Engine>,
    name: &str,
) -> Result<Counts, CommandError> {
    let (reader, bytes): (Box<dyn Read>, Option<u64>) = if name == "-" {
        (Box::new(io::stdin()), None)
    } else {
        let file = File::open(name).map_err(|error| wrong(name, &error))?;
        let bytes = file.metadata().map(|about| about.len()).ok();
        (Box::new(file), bytes)
    };
    let bar = bar(name, bytes);
    let file = OtlpFile::new(Watched { reader, bar: bar.clone() }).map_err(|error| wrong(name, &error))?;
    let mut requests = file.map(|request| {
        let mut traces = request?;
        if let Some(engine) = engine {
            engine.process(&mut traces);
        }
        Ok(traces.freeze())
    });
    let first = requests.next().transpose().map_err(|error| wrong(name, &error))?;
    let requests = first.map(Ok).into_iter().chain(requests);
    let store = match store {
        Some(store) => &*store,
        None => store.insert(to_write(address).await?),
    };
    let mut kept = Counts::default();
    let counts = spanmill_traces::import(store, requests, |counts| {
        kept = counts;
        bar.set_message(format!("{} spans", counts.spans));
    });
    let counts = counts.await;
    bar.finish_and_clear();
    counts.map_err(|error| match kept.spans {
        0 => wrong(name, &error),
        spans => wrong(name, &format!("{error}; its first {spans} spans are in the store, and {AGAIN}")),
    })
}

/// A bar on stderr, which is not there where no person sits at it.
fn bar(name: &str, bytes: Option<u64>) -> ProgressBar {
    let (bar, template) = match bytes {
        Some(bytes) => (ProgressBar::new(bytes), "{prefix} {bar:30} {bytes}/{total_bytes} {msg} {eta}"),
        None => (ProgressBar::no_length(), "{prefix} {spinner} {bytes} {msg}"),
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.progress_chars("=> "));
    bar.set_prefix(name.to_owned());
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

// === impl Watched ===

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(into)?;
        self.bar.inc(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}
