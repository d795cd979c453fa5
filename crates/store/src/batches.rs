//! Rows of several tables that belong together.

use arrow::array::RecordBatch;

use crate::schema::Table;

/// Rows of several tables that belong together: what one encoder made, or what one piece of the store holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batches {
    tables: [Vec<RecordBatch>; 4],
}

/// The tables that are filled from spans, in the order of [`Batches::tables`].
pub(crate) const FILLED: [Table; 4] = [Table::Spans, Table::Events, Table::Links, Table::Content];

// === impl Batches ===

impl Batches {
    pub(crate) fn push(&mut self, table: Table, batch: RecordBatch) {
        if let Some(batches) = self.tables.get_mut(table as usize) {
            batches.push(batch);
        }
    }

    pub(crate) fn pop(&mut self, table: Table) -> Option<RecordBatch> {
        self.tables.get_mut(table as usize)?.pop()
    }

    pub(crate) fn last(&self, table: Table) -> Option<&RecordBatch> {
        self.get(table).last()
    }

    pub(crate) fn get(&self, table: Table) -> &[RecordBatch] {
        self.tables.get(table as usize).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tables.iter().all(Vec::is_empty)
    }

    pub(crate) fn append(&mut self, other: Self) {
        for (mine, theirs) in self.tables.iter_mut().zip(other.tables) {
            mine.extend(theirs);
        }
    }

    /// All batches with their tables.
    pub(crate) fn into_tables(self) -> impl Iterator<Item = (Table, RecordBatch)> {
        FILLED
            .into_iter()
            .zip(self.tables)
            .flat_map(|(table, batches)| batches.into_iter().map(move |batch| (table, batch)))
    }
}
