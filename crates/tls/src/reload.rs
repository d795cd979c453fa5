//! What is made of files, made anew when they have changed. They are looked at when somebody asks and the time has come: no task runs, and
//! nothing is read for nobody.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::TlsError;
use crate::pem::{Pems, Sources};

/// A value made of files.
pub(crate) struct Reloading<T> {
    sources: Sources,
    make: Box<Make<T>>,
    /// How often files are looked at; never without.
    every: Option<Duration>,
    current: RwLock<Arc<T>>,
    looked: Mutex<Looked>,
}

type Make<T> = dyn Fn(&Pems) -> Result<T, TlsError> + Send + Sync;

/// What was found the last time.
struct Looked {
    next: Instant,
    /// What the current value is made of.
    pems: Pems,
    /// What is wrong since, so that it is said once.
    wrong: Option<TlsError>,
}

// === impl Reloading ===

impl<T> Reloading<T> {
    /// Reads the files now.
    pub(crate) fn new(
        sources: Sources,
        every: Option<Duration>,
        make: impl Fn(&Pems) -> Result<T, TlsError> + Send + Sync + 'static,
    ) -> Result<Self, TlsError> {
        let pems = sources.read()?;
        let current = RwLock::new(Arc::new(make(&pems)?));
        let next = Instant::now() + every.unwrap_or_default();
        Ok(Self {
            sources,
            make: Box::new(make),
            every,
            current,
            looked: Mutex::new(Looked { next, pems, wrong: None }),
        })
    }

    /// The value, of the files as they are now or were a short time ago.
    pub(crate) fn current(&self) -> Arc<T> {
        if let Some(every) = self.every {
            self.look(every);
        }
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn look(&self, every: Duration) {
        // One looks; the others go on with what there is.
        let Ok(mut looked) = self.looked.try_lock() else { return };
        let now = Instant::now();
        if now < looked.next {
            return;
        }
        looked.next = now + every;
        let made = self.sources.read_again(&looked.pems).and_then(|pems| {
            let made = if pems == looked.pems { None } else { Some((self.make)(&pems)?) };
            Ok((pems, made))
        });
        match made {
            Ok((pems, made)) => {
                (looked.pems, looked.wrong) = (pems, None);
                if let Some(made) = made {
                    tracing::info!("TLS certificates changed");
                    *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(made);
                }
            }
            Err(error) if looked.wrong.as_ref() != Some(&error) => {
                tracing::warn!(%error, "TLS certificates are kept as they were");
                looked.wrong = Some(error);
            }
            Err(_) => {}
        }
    }
}

impl<T> std::fmt::Debug for Reloading<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reloading").field("every", &self.every).finish_non_exhaustive()
    }
}
