//! OTLP bytes to Arrow rows, without anything in between.

mod beside;
mod builder;
mod cells;
mod json;
mod shared;
mod span;

use spanmill_otlp::{Guesses, KeyTable, Traces};

use self::builder::Rows;
use self::shared::Shared;
use crate::batches::Batches;
use crate::schema::{Origin, Table, moved};
use crate::store::Owner;

/// Makes rows of requests.
#[derive(Debug)]
pub(crate) struct Encoder {
    spans: Rows,
    events: Rows,
    links: Rows,
    content: Rows,
    keys: KeyTable,
    /// By slot of `keys`: the column, and where its value comes from.
    moved: Vec<(usize, Origin)>,
    guesses: Guesses,
    /// Larger attributes go to `content`.
    max_attribute: usize,
    scratch: span::Scratch,
}

// === impl Encoder ===

impl Encoder {
    /// An encoder that leaves attributes of at most so many bytes in `spans`.
    pub(crate) fn new(max_attribute: usize) -> Self {
        let (keys, moved) = moved();
        let rows = |table: Table| Rows::new(table.schema(), table.columns().into_iter());
        Self {
            spans: rows(Table::Spans),
            events: rows(Table::Events),
            links: rows(Table::Links),
            content: rows(Table::Content),
            keys,
            moved,
            guesses: Guesses::default(),
            max_attribute,
            scratch: span::Scratch::default(),
        }
    }

    /// Adds all spans of a request.
    pub(crate) fn push(&mut self, traces: &Traces, owner: &Owner) {
        let mut shared: Option<Shared> = None;
        for span in traces.spans() {
            let scope = span.scope();
            let current = match shared.take() {
                Some(known) if known.is_of(scope) => known,
                _ => Shared::new(scope),
            };
            span::push(self, span, &current, owner);
            shared = Some(current);
        }
    }

    /// How many spans were added since the last [`Encoder::finish`].
    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    /// About how many bytes the rows take.
    pub(crate) fn bytes(&self) -> usize {
        self.spans.bytes() + self.events.bytes() + self.links.bytes() + self.content.bytes()
    }

    /// The rows since the last time.
    pub(crate) fn finish(&mut self) -> Batches {
        let mut batches = Batches::default();
        for (table, rows) in [
            (Table::Spans, &mut self.spans),
            (Table::Events, &mut self.events),
            (Table::Links, &mut self.links),
            (Table::Content, &mut self.content),
        ] {
            if let Some(batch) = rows.finish() {
                batches.push(table, batch);
            }
        }
        batches
    }
}
