//! Slow work on files beside the writer: the next segment is made, old ones are removed, and what is lost of damaged ones is counted.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;

use crate::damage::Damage;
use crate::error::Failure;
use crate::files::Files;
use crate::segment::{self, Spare};
use crate::shared::Shared;

/// Does slow work on files, one thing after another.
#[derive(Debug)]
pub(crate) struct Helper {
    work: Work,
    spares: Receiver<Result<Spare, Failure>>,
    hands: Hands,
}

/// Who works.
#[derive(Debug)]
enum Hands {
    Thread {
        chores: Option<Sender<Chore>>,
        thread: Option<JoinHandle<()>>,
    },
    /// The caller: tests want the same order every time.
    Caller,
}

/// Whether zeros are written ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filling {
    Zeros,
    Nothing,
}

#[derive(Debug)]
enum Chore {
    Prepare(u64, Filling),
    Reuse(PathBuf, u64),
    Remove(Vec<PathBuf>),
    Count(Damage, Arc<Shared>),
}

#[derive(Debug, Clone)]
struct Work {
    files: Arc<dyn Files>,
    dir: Arc<Path>,
    spares: Sender<Result<Spare, Failure>>,
}

// === impl Helper ===

impl Helper {
    /// With a thread of its own, or without one if `inline` or none is to be had.
    pub(crate) fn start(files: Arc<dyn Files>, dir: &Path, inline: bool) -> Self {
        let (send_spare, spares) = mpsc::channel();
        let work = Work { files, dir: dir.into(), spares: send_spare };
        let hands = if inline { Hands::Caller } else { Hands::thread(work.clone()) };
        Self { work, spares, hands }
    }

    /// Asks for a segment, which [`Helper::spare`] waits for.
    pub(crate) fn prepare(&self, bytes: u64, filling: Filling) {
        self.give(Chore::Prepare(bytes, filling));
    }

    /// The same, with a segment that nobody needs.
    pub(crate) fn reuse(&self, path: PathBuf, bytes: u64) {
        self.give(Chore::Reuse(path, bytes));
    }

    pub(crate) fn remove(&self, paths: Vec<PathBuf>) {
        if !paths.is_empty() {
            self.give(Chore::Remove(paths));
        }
    }

    /// Counts what is lost.
    pub(crate) fn count(&self, damage: Damage, shared: &Arc<Shared>) {
        self.give(Chore::Count(damage, Arc::clone(shared)));
    }

    /// Waits for what was asked of [`Helper::prepare`].
    pub(crate) fn spare(&self) -> Option<Result<Spare, Failure>> {
        self.spares.recv().ok()
    }

    fn give(&self, chore: Chore) {
        let left = match &self.hands {
            Hands::Thread { chores: Some(chores), .. } => chores.send(chore).err().map(|refused| refused.0),
            _ => Some(chore),
        };
        if let Some(chore) = left {
            self.work.run(chore);
        }
    }

    /// Lets everything come to its end.
    pub(crate) fn stop(mut self) {
        if let Hands::Thread { chores, thread } = &mut self.hands {
            chores.take();
            if let Some(thread) = thread.take() {
                let _ = thread.join();
            }
        }
    }
}

// === impl Hands ===

impl Hands {
    fn thread(work: Work) -> Self {
        let (chores, list) = mpsc::channel();
        let run = move || list.into_iter().for_each(|chore| work.run(chore));
        match std::thread::Builder::new().name("wal-helper".into()).spawn(run) {
            Ok(thread) => Self::Thread { chores: Some(chores), thread: Some(thread) },
            Err(error) => {
                tracing::warn!(%error, "no thread to prepare segments; the writer does it");
                Self::Caller
            }
        }
    }
}

// === impl Work ===

impl Work {
    fn run(&self, chore: Chore) {
        match chore {
            Chore::Prepare(bytes, filling) => {
                let zeros = filling == Filling::Zeros;
                let _ = self.spares.send(segment::prepare(&*self.files, &self.dir, bytes, zeros));
            }
            Chore::Reuse(path, bytes) => {
                let spare = segment::reuse(&*self.files, &self.dir, &path).or_else(|error| {
                    tracing::warn!(%error, "a consumed segment could not be used again");
                    segment::prepare(&*self.files, &self.dir, bytes, false)
                });
                let _ = self.spares.send(spare);
            }
            Chore::Remove(paths) => self.remove(&paths),
            Chore::Count(damage, shared) => damage.count(&shared),
        }
    }

    /// A segment that cannot be removed is tried again when the log is opened.
    fn remove(&self, paths: &[PathBuf]) {
        for path in paths {
            if let Err(error) = self.files.remove(path) {
                tracing::warn!(path = %path.display(), %error, "a consumed segment could not be removed");
            }
        }
        if let Err(error) = self.files.sync_dir(&self.dir) {
            tracing::warn!(dir = %self.dir.display(), %error, "removed segments may come back at the next start");
        }
    }
}
