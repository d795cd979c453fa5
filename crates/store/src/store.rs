//! The store: rows in memory, pieces in files, one view of both.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use spanmill_otlp::Traces;
use thiserror::Error;

use crate::batches::Batches;
use crate::bloom::Blooms;
use crate::file::EncodeError;
use crate::hot::Hot;
use crate::manifest::{Manifest, ManifestError, Part, Piece, State, hour_of};
use crate::options::Options;
use crate::place::{Place, PlaceError};
use crate::seal::{NewPiece, Window, pieces};
use crate::session::Engine;
use crate::upkeep::{Dead, Recent};

/// A span store. Cloning shares it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
    /// Of all that is in it only rows of this tenant are shown.
    tenant: Option<Arc<str>>,
}

struct Inner {
    options: Options,
    place: Place,
    manifest: Manifest,
    hot: Mutex<Hot>,
    blooms: Arc<Blooms>,
    engine: Engine,
    dead: Dead,
    recent: Recent,
    /// One seal at a time.
    sealing: tokio::sync::Mutex<()>,
}

/// Whose spans are those of a request: what their column `tenant` has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// What they or their resource say in `tenant.id` or `tenant`.
    Attributes,
    /// This tenant's, whatever they say; nobody's where there is none.
    Known(Option<Arc<str>>),
}

/// What the store consists of at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) state: Arc<State>,
    pub(crate) hot: Arc<Batches>,
    pub(crate) place: Place,
    pub(crate) blooms: Arc<Blooms>,
}

/// The store could not do what it had to.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The folder or object store failed.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The manifest is unreadable, or a later version's.
    #[error("{0}")]
    Manifest(String),
    /// Rows could not be encoded.
    #[error("spans cannot be encoded: {0}")]
    Encode(String),
    /// The query engine could not be set up.
    #[error("{0}")]
    Engine(#[from] datafusion::error::DataFusionError),
}

/// What sealing did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sealed {
    /// Spans that are in files now.
    pub spans: u64,
    /// Files that were written.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// The last record of the log whose spans are in files now.
    pub through: Option<u64>,
}

// === impl Store ===

impl Store {
    /// Opens the store at `options.address`; a folder that is not there is made. `writer` names who writes: nobody else may use the
    /// same name at the same time.
    pub async fn open(options: Options, writer: &str) -> Result<Self, StoreError> {
        Self::open_as(options, writer, true).await
    }

    /// Opens a store to ask it. What others write later is seen after [`Store::refresh`].
    pub async fn open_to_read(options: Options) -> Result<Self, StoreError> {
        Self::open_as(options, "", false).await
    }

    async fn open_as(options: Options, writer: &str, create: bool) -> Result<Self, StoreError> {
        let place = Place::open(&options.address, &options.object_store, create)?;
        let manifest = Manifest::open(place.clone(), writer.to_owned()).await?;
        let engine = Engine::new(&options, &place)?;
        let hot = Mutex::new(Hot::new(options.max_attribute));
        let inner = Inner {
            options,
            place,
            manifest,
            hot,
            blooms: Arc::default(),
            engine,
            dead: Dead::default(),
            recent: Recent::default(),
            sealing: tokio::sync::Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner), tenant: None })
    }

    /// The same store for those who act for a tenant: to them, nothing else is in it, whatever they ask. What shows a tenant's rows already
    /// stays as it is.
    #[must_use]
    pub fn confined(&self, tenant: Option<Arc<str>>) -> Self {
        Self { inner: Arc::clone(&self.inner), tenant: self.tenant.clone().or(tenant) }
    }

    /// Whose rows are shown; those of all where there is nothing.
    pub fn tenant(&self) -> Option<&Arc<str>> {
        self.tenant.as_ref()
    }

    /// Adds the spans of a request. `record` is its number in the log, where there is one; numbers grow.
    pub fn add(&self, traces: &Traces, record: Option<u64>) {
        self.add_as(traces, &Owner::Attributes, record);
    }

    /// The same, where it is known whose spans they are.
    pub fn add_as(&self, traces: &Traces, owner: &Owner, record: Option<u64>) {
        self.hot().add(traces, owner, record);
    }

    /// Size of the rows that are in no file yet, in bytes.
    pub fn hot_bytes(&self) -> usize {
        self.hot().all_bytes()
    }

    /// Whether rows wait to be written to files, by size or by age.
    pub fn wants_seal(&self) -> bool {
        let hot = self.hot();
        hot.bytes() >= self.inner.options.hot_max_bytes
            || hot.since().is_some_and(|since| since + self.inner.options.hot_max_age <= Instant::now())
    }

    /// The last record of this writer's log whose spans are in files.
    pub fn stored_through(&self) -> Option<u64> {
        self.inner.manifest.through()
    }

    /// Writes all rows that are in memory to files. Where that fails they stay, and go on to answer.
    pub async fn seal(&self) -> Result<Sealed, StoreError> {
        let _one = self.inner.sealing.lock().await;
        let (batches, through) = self.hot().start_sealing();
        if batches.is_empty() {
            return Ok(Sealed { through, ..Sealed::default() });
        }
        let (window, level) = (self.window(), self.inner.options.compression_level);
        let encoded = tokio::task::spawn_blocking(move || pieces(&batches, window, level)).await;
        let pieces = encoded.map_err(|error| StoreError::Encode(error.to_string()))??;
        let mut sealed = Sealed { through, ..Sealed::default() };
        let mut part = Part { through, ..Part::default() };
        for NewPiece { piece, files, blooms } in pieces {
            for (table, file) in files {
                sealed.files += 1;
                sealed.bytes += file.stats.bytes;
                if table == crate::schema::Table::Spans {
                    sealed.spans += file.stats.rows;
                }
                self.inner.place.put(&piece.path(table), file.bytes).await?;
            }
            for (table, bloom) in blooms {
                self.inner.blooms.insert(piece.id.clone(), table, bloom);
            }
            part.adds.push(Arc::new(piece));
        }
        self.inner.manifest.commit(part, || self.hot().sealed()).await?;
        Ok(sealed)
    }

    /// Looks for what other writers did.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        Ok(self.inner.manifest.refresh().await?)
    }

    /// What the store consists of now: files and memory at one moment.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let (state, hot) = self.inner.manifest.with_state(|state| (Arc::clone(state), self.hot().snapshot()));
        Snapshot { state, hot: Arc::new(hot), place: self.inner.place.clone(), blooms: Arc::clone(&self.inner.blooms) }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    pub(crate) fn options(&self) -> &Options {
        &self.inner.options
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.inner.manifest
    }

    pub(crate) fn place(&self) -> &Place {
        &self.inner.place
    }

    pub(crate) fn blooms(&self) -> &Blooms {
        &self.inner.blooms
    }

    pub(crate) fn recent(&self) -> &Recent {
        &self.inner.recent
    }

    pub(crate) fn dead(&self) -> &Dead {
        &self.inner.dead
    }

    fn window(&self) -> Window {
        let now = Timestamp::now().as_microsecond();
        let micros = |duration: std::time::Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        let earliest = hour_of(now.saturating_sub(micros(self.inner.options.max_past)));
        let latest = hour_of(now.saturating_add(micros(self.inner.options.max_future)));
        Window { hours: (earliest, latest), now: hour_of(now) }
    }

    fn hot(&self) -> std::sync::MutexGuard<'_, Hot> {
        self.inner.hot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("address", &self.inner.options.address).finish_non_exhaustive()
    }
}

// === impl Snapshot ===

impl Snapshot {
    /// All pieces, oldest first.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &Arc<Piece>> {
        self.state.pieces()
    }
}

// === impl StoreError ===

impl From<ManifestError> for StoreError {
    fn from(error: ManifestError) -> Self {
        match error {
            ManifestError::Place(error) => Self::Place(error),
            error => Self::Manifest(error.to_string()),
        }
    }
}

impl From<EncodeError> for StoreError {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error.to_string())
    }
}
