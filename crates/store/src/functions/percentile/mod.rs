//! `p50`, `p95`, `p99` and `percentile_hist`: percentiles out of histograms that are added up.

mod counted;
mod groups;

use std::fmt;
use std::mem::size_of_val;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::{ScalarValue, exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, GroupsAccumulator, Signature, Volatility};

use self::counted::Counted;
use self::groups::Groups;
use crate::histogram::{Histogram, list_type};

/// `p95(duration_hist)`: the duration in nanoseconds that 95 % are below, over the histograms of all rows together. Plain numbers, such as
/// `duration_ns`, are counted first; the answer is as near: 4.4 % at most.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Percentile {
    name: &'static str,
    /// In thousandths; none where the second argument says it.
    share: Option<u16>,
    signature: Signature,
}

struct Merged {
    histogram: Histogram,
    share: Option<f64>,
    /// Whether the share is part of what is passed on.
    given: bool,
}

// === impl Percentile ===

impl Percentile {
    pub(super) const ALL: [fn() -> Self; 4] = [
        || Self::new("p50", Some(500)),
        || Self::new("p95", Some(950)),
        || Self::new("p99", Some(990)),
        || Self::new("percentile_hist", None),
    ];

    fn new(name: &'static str, share: Option<u16>) -> Self {
        Self { name, share, signature: Signature::user_defined(Volatility::Immutable) }
    }

    fn share(&self) -> Option<f64> {
        self.share.map(|share| f64::from(share) / 1_000.0)
    }
}

impl AggregateUDFImpl for Percentile {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let name = self.name;
        let counted = match types.first() {
            Some(DataType::List(field) | DataType::LargeList(field)) if field.data_type().is_integer() => list_type(),
            Some(number) if number.is_numeric() || number.is_null() => DataType::Int64,
            _ => return plan_err!("{name} takes a histogram, such as duration_hist, or a number"),
        };
        match (self.share, types) {
            (Some(_), [_]) => Ok(vec![counted]),
            (None, [_, share]) if share.is_numeric() => Ok(vec![counted, DataType::Float64]),
            (Some(_), _) => plan_err!("{name} takes one argument"),
            (None, _) => plan_err!("{name} takes a histogram and a share from 0 to 1"),
        }
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, _arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Merged { histogram: Histogram::default(), share: self.share(), given: self.share.is_none() }))
    }

    fn groups_accumulator_supported(&self, _arguments: AccumulatorArgs<'_>) -> bool {
        self.share.is_some()
    }

    fn create_groups_accumulator(&self, _arguments: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        match self.share() {
            Some(share) => Ok(Box::new(Groups::new(share))),
            None => exec_err!("the share is known row by row"),
        }
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let name = arguments.name;
        let mut fields: Vec<FieldRef> = vec![Arc::new(Field::new(format!("{name}[counts]"), list_type(), true))];
        if self.share.is_none() {
            fields.push(Arc::new(Field::new(format!("{name}[share]"), DataType::Float64, true)));
        }
        Ok(fields)
    }
}

// === impl Merged ===

impl Merged {
    fn set_share(&mut self, shares: &ArrayRef) -> Result<()> {
        for share in shares.as_primitive::<Float64Type>().iter().flatten() {
            if !(0.0..=1.0).contains(&share) {
                return exec_err!("percentile_hist: {share} is no share from 0 to 1");
            }
            if self.share.is_some_and(|known| known != share) {
                return exec_err!("percentile_hist: the share must be the same for all rows");
            }
            self.share = Some(share);
        }
        Ok(())
    }
}

impl Accumulator for Merged {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if let [counted, shares @ ..] = values {
            Counted::each(counted, |_, counted| counted.add_to(&mut self.histogram))?;
            shares.iter().try_for_each(|shares| self.set_share(shares))?;
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let counts: Vec<ScalarValue> = self.histogram.list().map(ScalarValue::from).collect();
        let mut state = vec![ScalarValue::List(ScalarValue::new_list_nullable(&counts, &DataType::Int64))];
        if self.given {
            state.push(ScalarValue::Float64(self.share));
        }
        Ok(state)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.share.and_then(|share| self.histogram.quantile(share))))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.histogram.heap_bytes()
    }
}

impl fmt::Debug for Merged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Merged").field("share", &self.share).finish_non_exhaustive()
    }
}
