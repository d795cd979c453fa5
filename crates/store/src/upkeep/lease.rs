//! Who may put an hour's pieces together.
//!
//! A lease keeps others from doing the same work. It is no lock: where two hold it, since one's clock is wrong or it was away for long,
//! the manifest counts one of their results and ignores the other.

use bytes::Bytes;
use jiff::Timestamp;
use object_store::path::Path;
use serde::{Deserialize, Serialize};

use crate::place::{Place, PlaceError};

/// A lease lasts so many seconds.
const SECONDS: i64 = 600;

#[derive(Debug, Serialize, Deserialize)]
struct Lease {
    /// Seconds since 1970.
    until: i64,
}

/// A lease that is held; to be released when the work is done.
#[derive(Debug)]
pub(super) struct Held {
    path: Path,
}

/// Takes the lease of an hour, unless another holds it.
pub(super) async fn take(place: &Place, hour: i64, now: Timestamp) -> Result<Option<Held>, PlaceError> {
    let path = Path::from(format!("leases/{hour}.json"));
    let lease = Lease { until: now.as_second() + SECONDS };
    let bytes = Bytes::from(serde_json::to_vec(&lease).unwrap_or_default());
    if place.create(&path, bytes.clone()).await? {
        return Ok(Some(Held { path }));
    }
    let held = match place.get(&path).await {
        Ok(held) => serde_json::from_slice::<Lease>(&held).ok(),
        Err(error) if error.is_not_found() => None,
        Err(error) => return Err(error),
    };
    if held.is_some_and(|held| held.until > now.as_second()) {
        return Ok(None);
    }
    place.delete(&path).await?;
    Ok(place.create(&path, bytes).await?.then_some(Held { path }))
}

// === impl Held ===

impl Held {
    pub(super) async fn release(self, place: &Place) -> Result<(), PlaceError> {
        place.delete(&self.path).await
    }
}
