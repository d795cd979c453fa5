//! Percentiles of many groups at once.

use std::mem::size_of;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array};
use datafusion::error::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::counted::Counted;
use crate::histogram::{Histogram, lists};

/// A histogram a group.
#[derive(Debug)]
pub(super) struct Groups {
    share: f64,
    histograms: Vec<Histogram>,
    /// What they take beside themselves, in bytes.
    bytes: usize,
}

// === impl Groups ===

impl Groups {
    pub(super) fn new(share: f64) -> Self {
        Self { share, histograms: Vec::new(), bytes: 0 }
    }

    fn add(&mut self, rows: &ArrayRef, groups: &[usize], filter: Option<&BooleanArray>, total: usize) -> Result<()> {
        self.histograms.resize_with(total, Histogram::default);
        Counted::each(rows, |row, counted| {
            let wanted = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            let histogram = groups.get(row).and_then(|group| self.histograms.get_mut(*group));
            if let Some(histogram) = histogram.filter(|_| wanted) {
                let before = histogram.heap_bytes();
                counted.add_to(histogram);
                self.bytes += histogram.heap_bytes() - before;
            }
        })
    }

    fn take(&mut self, wanted: EmitTo) -> Vec<Histogram> {
        let taken = wanted.take_needed(&mut self.histograms);
        self.bytes -= taken.iter().map(Histogram::heap_bytes).sum::<usize>();
        taken
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        values.iter().try_for_each(|rows| self.add(rows, group_indices, opt_filter, total_num_groups))
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.update_batch(states, group_indices, None, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let share = self.share;
        let quantiles = self.take(emit_to).into_iter().map(|histogram| histogram.quantile(share));
        Ok(Arc::new(quantiles.collect::<Float64Array>()))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![Arc::new(lists(self.take(emit_to).iter()))])
    }

    /// Each row as a group of its own: what is done where grouping makes nothing fewer.
    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |rows| rows.len());
        let mut groups = Self::new(self.share);
        groups.update_batch(values, &(0..rows).collect::<Vec<_>>(), opt_filter, rows)?;
        groups.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.bytes + self.histograms.capacity() * size_of::<Histogram>()
    }
}
