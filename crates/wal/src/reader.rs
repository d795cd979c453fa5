//! Reads the log in order, from where its cursor stands.

use std::io;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};
use tokio::task::spawn_blocking;

use crate::cursor::Cursor;
use crate::error::{CursorError, Failure, ReadError};
use crate::place::{Place, Step};
use crate::recent::Position;
use crate::record::{Record, Seq};
use crate::scan;
use crate::segments::Segment;
use crate::shared::{Request, Shared, State, Tail};
use crate::window::Spot;

/// Reads the log in order, from where its cursor stands. Only records that were acknowledged are seen.
#[derive(Debug)]
pub struct Reader {
    shared: Arc<Shared>,
    cursor: Arc<Cursor>,
    tail: watch::Receiver<Tail>,
    /// The number of the record to give next; more where that is gone.
    next: Seq,
    place: Option<Place>,
    /// Where `next` begins, if the record before it was not read from a file.
    resume: Option<Position>,
}

/// Moves a cursor; can be handed to whoever knows that records are done with.
#[derive(Debug, Clone)]
pub struct Committer {
    shared: Arc<Shared>,
    cursor: Arc<Cursor>,
}

// === impl Reader ===

impl Reader {
    /// The caller has taken the cursor.
    pub(crate) fn new(shared: Arc<Shared>, cursor: Arc<Cursor>) -> Self {
        let (tail, next) = (shared.tail.subscribe(), cursor.next());
        shared.recent.join();
        Self { shared, cursor, tail, next, place: None, resume: None }
    }

    /// The next record; waits until there is one. It may be dropped while it waits: nothing is skipped then.
    ///
    /// # Errors
    ///
    /// [`ReadError::Closed`] and [`ReadError::Failed`] when all was read and nothing will come; [`ReadError::Io`] and
    /// [`ReadError::Damaged`] when the same may be tried again.
    pub async fn next(&mut self) -> Result<Record, ReadError> {
        loop {
            if let Some(record) = self.try_next().await? {
                return Ok(record);
            }
            // The sender cannot be gone: this reader has a share in it.
            let _ = self.tail.changed().await;
        }
    }

    /// The next record, or `None` if everything that was acknowledged has been read.
    ///
    /// # Errors
    ///
    /// Those of [`Reader::next`].
    pub async fn try_next(&mut self) -> Result<Option<Record>, ReadError> {
        loop {
            if let Some((record, end)) = self.shared.recent.take(self.next) {
                self.next = record.seq.next();
                self.place = None;
                self.resume = Some(end);
                return Ok(Some(record));
            }
            let step = self.place.as_mut().map_or(Step::End, Place::step);
            if let Step::Record(record) = step {
                if record.seq < self.next {
                    continue;
                }
                self.next = record.seq.next();
                return Ok(Some(record));
            }
            if !self.go_on(&step).await? {
                return Ok(None);
            }
        }
    }

    /// Commits everything up to a record, durably. See [`Committer::commit`].
    ///
    /// # Errors
    ///
    /// Those of [`Committer::commit`].
    pub async fn commit(&self, seq: Seq) -> Result<(), CursorError> {
        self.committer().commit(seq).await
    }

    /// Moves the same cursor from elsewhere.
    #[must_use]
    pub fn committer(&self) -> Committer {
        Committer { shared: Arc::clone(&self.shared), cursor: Arc::clone(&self.cursor) }
    }

    /// Makes more readable; `false` if there is no more now.
    async fn go_on(&mut self, step: &Step) -> Result<bool, ReadError> {
        let tail = self.tail.borrow_and_update().clone();
        if self.next >= tail.next {
            return match tail.state {
                State::Open => Ok(false),
                State::Failed(failure) => Err(ReadError::Failed(failure)),
                State::Closed => Err(ReadError::Closed),
            };
        }
        let known = self.place.as_ref().and_then(|place| {
            // An empty segment may have been replaced by another one of its number.
            self.shared.segments().get(place.first).filter(|segment| segment.header.salt == place.salt).cloned()
        });
        let (Some(place), Some(segment)) = (&mut self.place, known) else {
            let segment = self.shared.segments().at(self.next).cloned();
            return self.enter(segment).await;
        };
        let is_active = place.first == tail.segment;
        let limit = if is_active { tail.offset } else { place.bytes };
        if limit > place.limit {
            place.limit = limit;
            return Ok(true);
        }
        match step {
            Step::Record(_) => return Ok(true),
            Step::Read(wanted) => {
                let source = place.source(*wanted);
                let read =
                    spawn_blocking(|| Place::read(source)).await.unwrap_or_else(|error| Err(io::Error::other(error)));
                let buffer = read.map_err(|error| ReadError::Io(Failure::new("read", &segment.path, error)))?;
                if place.refill(buffer, *wanted) {
                    return Ok(true);
                }
            }
            // A file that was another segment before has its records behind the end.
            Step::End | Step::Damage if !is_active => {
                let after = self.shared.segments().after(place.first).cloned();
                let is_whole = after.as_ref().is_some_and(|after| place.expected >= after.header.follows);
                if is_whole || segment.ends_by(place.expected) {
                    return self.enter(after).await;
                }
            }
            Step::End | Step::Damage => {}
        }
        self.pass_damage().await
    }

    /// Goes to the beginning of a segment.
    async fn enter(&mut self, segment: Option<Segment>) -> Result<bool, ReadError> {
        self.place = None;
        let Some(segment) = segment else { return Ok(true) };
        let (files, path) = (Arc::clone(&self.shared.files), segment.path.clone());
        let opened = spawn_blocking(move || {
            let file = files.open(&path)?;
            let bytes = file.len()?;
            Ok((file, bytes))
        });
        match opened.await.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Ok((file, bytes)) => {
                let (first, salt) = (segment.header.first, segment.header.salt);
                self.next = self.next.max(first);
                let mut place = Place::new(file, bytes, first, salt);
                if let Some(Position { offset, .. }) = self.resume.take_if(|resume| resume.segment == first) {
                    place.skip(Spot { seq: self.next, offset });
                }
                self.place = Some(place);
                Ok(true)
            }
            Err(error) => {
                let is_still_there =
                    self.shared.segments().get(segment.header.first).is_some_and(|now| now.path == segment.path);
                // It was set aside or dropped in the meantime.
                if error.kind() == io::ErrorKind::NotFound && !is_still_there {
                    return Ok(true);
                }
                Err(ReadError::Io(Failure::new("open", &segment.path, error)))
            }
        }
    }

    /// Has the segment set aside, and goes to the next good record in it or, where there is none, to the next segment.
    async fn pass_damage(&mut self) -> Result<bool, ReadError> {
        let Some(place) = &mut self.place else { return Ok(true) };
        let (first, bad) = (place.first, place.spot());
        let set_aside = || self.shared.segments().get(first).filter(|segment| segment.damaged).cloned();
        if set_aside().is_none_or(|segment| segment.end.is_none()) {
            let (done, answer) = oneshot::channel();
            self.shared.request(Request::Damaged { segment: first, bad, done });
            if !answer.await.unwrap_or(false) {
                return Err(ReadError::Damaged { segment: first, offset: bad.offset });
            }
        }
        // It may be gone by now.
        let Some((segment, end)) = set_aside().and_then(|segment| segment.end.map(|end| (segment, end))) else {
            return Ok(true);
        };
        let (file, salt, budget) = (Arc::clone(&place.file), place.salt, place.budget);
        let search = move || scan::behind(&*file, salt, bad, end, budget);
        let searched = spawn_blocking(search).await.unwrap_or_else(|error| Err(io::Error::other(error)));
        let found = searched.map_err(|error| ReadError::Io(Failure::new("read", &segment.path, error)))?;
        match found {
            (Some(good), budget) => {
                place.budget = budget;
                place.skip(good);
                Ok(true)
            }
            (None, _) => {
                let after = self.shared.segments().after(first).cloned();
                self.enter(after).await
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.shared.recent.leave();
        self.cursor.give_back();
    }
}

// === impl Committer ===

impl Committer {
    /// Commits everything up to a record: it will not be read again, whatever happens after this has returned. Segments that all
    /// cursors have passed are removed. Costs a sync beside those of the log, and no room on the disk; calls that wait for each other become one, and
    /// what was committed already costs nothing.
    ///
    /// Dropping the future leaves it open whether the cursor moves.
    ///
    /// # Errors
    ///
    /// When the file cannot be written (the old position holds), the record was not written yet, the log is closed or the
    /// cursor removed.
    pub async fn commit(&self, seq: Seq) -> Result<(), CursorError> {
        let next = self.shared.tail.borrow().next;
        if seq >= next {
            return Err(CursorError::Ahead { seq, next });
        }
        if seq < self.cursor.next() {
            return Ok(());
        }
        self.cursor.want(seq.next());
        let (shared, cursor) = (Arc::clone(&self.shared), Arc::clone(&self.cursor));
        let persist = move || cursor.persist(&*shared.files, &shared.dir, false);
        spawn_blocking(persist).await.unwrap_or(Err(CursorError::Closed))?;
        self.shared.request(Request::Collect);
        Ok(())
    }

    /// The first record that is not committed.
    #[must_use]
    pub fn next(&self) -> Seq {
        self.cursor.next()
    }
}
