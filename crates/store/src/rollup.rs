//! `usage_1m`: one row a minute, tenant, service, model and so on, computed from the spans of a piece.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use ahash::RandomState;
use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringViewArray, StringViewBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;

use crate::histogram::{Histogram, list_type, lists};

/// What rows are told apart by, beside the minute.
const WORDS: [&str; 9] = [
    "tenant",
    "service",
    "environment",
    "provider",
    "model",
    "operation",
    "finish_reason",
    "error_class",
    "cost_currency",
];

/// Columns of `spans` that are summed, under the same names.
const SUMS: [&str; 7] = [
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_creation_tokens",
    "reasoning_tokens",
    "cost_nano",
    "duration_ns",
];

/// What one call of a model does. Agents, workflows and tools without usage are no calls.
const OF_MODELS: [&str; 4] = ["chat", "text_completion", "generate_content", "embeddings"];

/// Counts: calls, those that failed, and so on.
const COUNTS: [&str; 5] = ["calls", "errors", "unpriced", "slow_small", "tool_loops"];

const MINUTE: i64 = 60_000_000;

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let mut fields = vec![Field::new("minute", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false)];
    fields.extend(WORDS.iter().map(|name| Field::new(*name, DataType::Utf8View, true)));
    fields.extend(COUNTS.iter().map(|name| Field::new(*name, DataType::Int64, false)));
    fields.extend(SUMS.iter().map(|name| Field::new(*name, DataType::Int64, false)));
    fields.push(Field::new("duration_hist", list_type(), false));
    fields.push(Field::new("ttft_ns", DataType::Int64, false));
    fields.push(Field::new("ttft_hist", list_type(), false));
    Arc::new(Schema::new(fields))
});

/// One row.
#[derive(Debug, Default)]
struct Totals {
    counts: [i64; COUNTS.len()],
    sums: [i64; SUMS.len()],
    ttft: i64,
    durations: Histogram,
    ttfts: Histogram,
}

/// The columns of `spans` that rows are made of.
struct Input<'a> {
    words: Vec<&'a StringViewArray>,
    request_model: &'a StringViewArray,
    role: &'a StringViewArray,
    status: &'a StringViewArray,
    sums: Vec<&'a Int64Array>,
    duration: &'a Int64Array,
    ttft: &'a Int64Array,
    cost: &'a Int64Array,
    loops: &'a Int64Array,
    slow_small: &'a arrow::array::BooleanArray,
    time: &'a arrow::array::TimestampMicrosecondArray,
}

/// The schema of `usage_1m`.
pub(crate) fn schema() -> SchemaRef {
    Arc::clone(&SCHEMA)
}

/// The rows for some spans: calls that own their usage, and calls of models that told none, such as those that failed.
pub(crate) fn roll_up(spans: &[RecordBatch]) -> Result<RecordBatch, ArrowError> {
    let mut rows: HashMap<(i64, [Option<&str>; WORDS.len()]), Totals, RandomState> = HashMap::default();
    for batch in spans {
        let input = Input::new(batch)?;
        for row in 0..batch.num_rows() {
            let Some(words) = input.words_of(row) else { continue };
            let minute = input.time.value(row).div_euclid(MINUTE) * MINUTE;
            input.add(row, rows.entry((minute, words)).or_default());
        }
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_unstable_by_key(|(key, _)| *key);
    to_batch(&rows)
}

// === impl Input ===

impl<'a> Input<'a> {
    fn new(batch: &'a RecordBatch) -> Result<Self, ArrowError> {
        let column = |name: &str| {
            batch.column_by_name(name).ok_or_else(|| ArrowError::SchemaError(format!("spans have no column {name}")))
        };
        let words = |name: &str| Ok::<_, ArrowError>(column(name)?.as_string_view());
        let ints = |name: &str| Ok::<_, ArrowError>(column(name)?.as_primitive::<Int64Type>());
        let of_span = |name: &&str| words(if *name == "model" { "response_model" } else { name });
        Ok(Self {
            words: WORDS.iter().map(of_span).collect::<Result<_, _>>()?,
            request_model: words("request_model")?,
            role: words("usage_role")?,
            status: words("status")?,
            sums: SUMS.iter().map(|name| ints(name)).collect::<Result<_, _>>()?,
            duration: ints("duration_ns")?,
            ttft: ints("ttft_ns")?,
            cost: ints("cost_nano")?,
            loops: ints("tool_loop_count")?,
            slow_small: column("slow_small")?.as_boolean(),
            time: column("start_time")?.as_primitive::<TimestampMicrosecondType>(),
        })
    }

    /// What the row is counted under; none where it is not counted.
    fn words_of(&self, row: usize) -> Option<[Option<&'a str>; WORDS.len()]> {
        let mut words = [None; WORDS.len()];
        for (word, column) in words.iter_mut().zip(&self.words) {
            *word = text(column, row);
        }
        let [_, _, _, _, model, operation, _, error, _] = &mut words;
        if model.is_none() {
            *model = text(self.request_model, row);
        }
        // What failed is told apart from what did not, whether or not it says why.
        if self.failed(row) {
            error.get_or_insert("other");
        }
        match text(self.role, row) {
            Some("owner") => Some(words),
            None if operation.is_some_and(|operation| OF_MODELS.contains(&operation)) => Some(words),
            _ => None,
        }
    }

    fn failed(&self, row: usize) -> bool {
        text(self.status, row) == Some("error")
    }

    fn add(&self, row: usize, totals: &mut Totals) {
        let owner = text(self.role, row).is_some();
        let counted = [
            true,
            self.failed(row),
            owner && self.cost.is_null(row),
            !self.slow_small.is_null(row) && self.slow_small.value(row),
            !self.loops.is_null(row),
        ];
        for (count, counted) in totals.counts.iter_mut().zip(counted) {
            *count += i64::from(counted);
        }
        for (sum, column) in totals.sums.iter_mut().zip(&self.sums) {
            *sum = sum.saturating_add(number(column, row).unwrap_or(0));
        }
        totals.durations.record(self.duration.value(row));
        if let Some(ttft) = number(self.ttft, row) {
            totals.ttft = totals.ttft.saturating_add(ttft);
            totals.ttfts.record(ttft);
        }
    }
}

fn text(column: &StringViewArray, row: usize) -> Option<&str> {
    (!column.is_null(row)).then(|| column.value(row))
}

fn number(column: &Int64Array, row: usize) -> Option<i64> {
    (!column.is_null(row)).then(|| column.value(row))
}

type Row<'a> = ((i64, [Option<&'a str>; WORDS.len()]), Totals);

fn to_batch(rows: &[Row<'_>]) -> Result<RecordBatch, ArrowError> {
    let mut minutes = TimestampMicrosecondBuilder::new().with_timezone("UTC");
    for ((minute, _), _) in rows {
        minutes.append_value(*minute);
    }
    let mut columns: Vec<ArrayRef> = vec![Arc::new(minutes.finish())];
    for at in 0..WORDS.len() {
        let mut builder = StringViewBuilder::new().with_deduplicate_strings();
        for ((_, words), _) in rows {
            builder.append_option(words.get(at).copied().flatten());
        }
        columns.push(Arc::new(builder.finish()));
    }
    let ints = |value: &dyn Fn(&Totals) -> i64| -> ArrayRef {
        Arc::new(rows.iter().map(|(_, totals)| value(totals)).collect::<Int64Array>())
    };
    for at in 0..COUNTS.len() {
        columns.push(ints(&|totals| totals.counts.get(at).copied().unwrap_or(0)));
    }
    for at in 0..SUMS.len() {
        columns.push(ints(&|totals| totals.sums.get(at).copied().unwrap_or(0)));
    }
    columns.push(Arc::new(lists(rows.iter().map(|(_, totals)| &totals.durations))));
    columns.push(ints(&|totals| totals.ttft));
    columns.push(Arc::new(lists(rows.iter().map(|(_, totals)| &totals.ttfts))));
    RecordBatch::try_new(schema(), columns)
}
