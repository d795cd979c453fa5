//! A bounded queue in memory.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use spanmill_pipeline::Batch;
use tokio::sync::Notify;

use super::{Cost, Item, Offered, Refused, until};
use crate::exporters::sending::config::Sizer;

/// What waits to be sent, and what is being sent: both count.
#[derive(Debug)]
pub(in crate::exporters::sending) struct Memory {
    capacity: usize,
    sizer: Sizer,
    state: Mutex<State>,
    /// Something came in, or the queue was closed.
    filled: Notify,
    /// Something went out, or sending ran into trouble.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Item>,
    size: usize,
    bytes: usize,
    /// Of each signal, by its number.
    held: [usize; 3],
    /// Requests that are waiting for another try.
    in_trouble: usize,
    closed: bool,
}

/// While sending works, clients are answered at its pace once so much is held. It keeps the queue short, so that memory is
/// for the time when the backend is away.
const PACED_BYTES: usize = 8 << 20;

/// So much is held at most where the queue counts requests or items: 1,000 requests of a backend that is away must not take
/// all memory.
const HELD_BYTES: usize = 256 << 20;

// === impl Memory ===

impl Memory {
    pub(in crate::exporters::sending) fn new(capacity: usize, sizer: Sizer) -> Self {
        Self { capacity, sizer, state: Mutex::default(), filled: Notify::new(), changed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a request in, or says that there is no room.
    pub(in crate::exporters::sending) fn offer(&self, offered: Offered) -> Result<(), Refused> {
        let cost = Cost::of(&offered.batch, self.sizer);
        let mut state = self.state();
        if state.closed {
            return Err(Refused::Closed);
        }
        if cost.size > self.capacity {
            return Err(Refused::TooLarge);
        }
        if !self.has_room(&state, cost) {
            return Err(Refused::Full(offered));
        }
        state.size += cost.size;
        state.bytes += cost.bytes;
        state.held.iter_mut().zip(cost.items).for_each(|(held, items)| *held += items);
        let Offered { batch, client, waiting } = offered;
        state.items.push_back(Item { batch, cost, client, waiting, seq: None });
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Waits until less is held than makes clients wait, or sending is in trouble.
    pub(in crate::exporters::sending) async fn keep_pace(&self) {
        self.until(|state| state.bytes <= PACED_BYTES || state.in_trouble > 0 || state.closed).await;
    }

    /// Waits until there is room for the request.
    pub(in crate::exporters::sending) async fn wait_for_room(&self, batch: &Batch) {
        let cost = Cost::of(batch, self.sizer);
        self.until(|state| self.has_room(state, cost) || state.closed).await;
    }

    /// Whoever counts in bytes has said how much memory it may be; a count of requests or items says nothing about it.
    fn has_room(&self, state: &State, cost: Cost) -> bool {
        let in_bytes = self.sizer == Sizer::Bytes || state.bytes == 0 || state.bytes + cost.bytes <= HELD_BYTES;
        in_bytes && state.size + cost.size <= self.capacity
    }

    async fn until(&self, reached: impl Fn(&State) -> bool) {
        until(&self.changed, || reached(&self.state())).await;
    }

    /// The next request; none once the queue is closed and empty.
    pub(in crate::exporters::sending) async fn take(&self) -> Option<Item> {
        loop {
            let filled = self.filled.notified();
            {
                let mut state = self.state();
                if let Some(item) = state.items.pop_front() {
                    let more = !state.items.is_empty();
                    drop(state);
                    if more {
                        self.filled.notify_one();
                    }
                    return Some(item);
                }
                if state.closed {
                    // The next consumer must see it too.
                    self.filled.notify_one();
                    return None;
                }
            }
            filled.await;
        }
    }

    /// Gives back what requests took that are done with.
    pub(in crate::exporters::sending) fn release(&self, cost: Cost) {
        let mut state = self.state();
        state.size = state.size.saturating_sub(cost.size);
        state.bytes = state.bytes.saturating_sub(cost.bytes);
        state.held.iter_mut().zip(cost.items).for_each(|(held, items)| *held = held.saturating_sub(items));
        drop(state);
        self.changed.notify_waiters();
    }

    /// Notes that a request begins or ends to wait for another try.
    pub(in crate::exporters::sending) fn trouble(&self, begins: bool) {
        let mut state = self.state();
        state.in_trouble = if begins { state.in_trouble + 1 } else { state.in_trouble.saturating_sub(1) };
        drop(state);
        self.changed.notify_waiters();
    }

    /// Lets nothing more in.
    pub(in crate::exporters::sending) fn close(&self) {
        self.state().closed = true;
        self.filled.notify_one();
        self.changed.notify_waiters();
    }

    /// Items of each signal that are not done with.
    pub(in crate::exporters::sending) fn items(&self) -> [usize; 3] {
        self.state().held
    }

    /// How full it is, counted by the sizer.
    pub(in crate::exporters::sending) fn size(&self) -> usize {
        self.state().size
    }
}
