//! Profiles in the format of <https://github.com/google/pprof/blob/main/proto/profile.proto>.

use std::collections::HashMap;
use std::time::UNIX_EPOCH;

use pprof::{Report, Symbol};

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Profile {
    #[prost(message, repeated, tag = "1")]
    sample_type: Vec<ValueType>,
    #[prost(message, repeated, tag = "2")]
    pub(super) sample: Vec<Sample>,
    #[prost(message, repeated, tag = "4")]
    location: Vec<Location>,
    #[prost(message, repeated, tag = "5")]
    function: Vec<Function>,
    /// Texts are numbers in this list; the first is empty.
    #[prost(string, repeated, tag = "6")]
    pub(super) string_table: Vec<String>,
    #[prost(int64, tag = "9")]
    time_nanos: i64,
    #[prost(int64, tag = "10")]
    duration_nanos: i64,
    #[prost(message, optional, tag = "11")]
    period_type: Option<ValueType>,
    #[prost(int64, tag = "12")]
    period: i64,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct ValueType {
    #[prost(int64, tag = "1")]
    kind: i64,
    #[prost(int64, tag = "2")]
    unit: i64,
}

/// A stack, and how often it was seen.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Sample {
    /// The innermost first.
    #[prost(uint64, repeated, tag = "1")]
    location_id: Vec<u64>,
    #[prost(int64, repeated, tag = "2")]
    value: Vec<i64>,
    #[prost(message, repeated, tag = "3")]
    label: Vec<Label>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct Label {
    #[prost(int64, tag = "1")]
    key: i64,
    #[prost(int64, tag = "2")]
    text: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Location {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(message, repeated, tag = "4")]
    line: Vec<Line>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct Line {
    #[prost(uint64, tag = "1")]
    function_id: u64,
    #[prost(int64, tag = "2")]
    line: i64,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct Function {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(int64, tag = "2")]
    name: i64,
    #[prost(int64, tag = "3")]
    system_name: i64,
    #[prost(int64, tag = "4")]
    filename: i64,
}

/// A profile that is put together.
#[derive(Default)]
struct Builder {
    profile: Profile,
    texts: HashMap<String, i64>,
    functions: HashMap<String, u64>,
}

/// The samples of a report.
pub(super) fn encode(report: &Report) -> Profile {
    let mut builder = Builder::default();
    builder.text(String::new());
    let [samples, count, cpu, nanoseconds, thread] =
        ["samples", "count", "cpu", "nanoseconds", "thread"].map(|text| builder.text(text.to_owned()));
    let timing = &report.timing;
    let period = 1_000_000_000 / i64::from(timing.frequency.max(1));
    for (frames, seen) in &report.data {
        let seen = i64::try_from(*seen).unwrap_or(i64::MAX);
        let location_id = frames.frames.iter().map(|inlined| builder.location(inlined)).collect();
        let name = builder.text(frames.thread_name_or_id());
        let label = vec![Label { key: thread, text: name }];
        builder.profile.sample.push(Sample { location_id, value: vec![seen, seen.saturating_mul(period)], label });
    }
    let cpu_time = ValueType { kind: cpu, unit: nanoseconds };
    let began = timing.start_time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Profile {
        sample_type: vec![ValueType { kind: samples, unit: count }, cpu_time],
        time_nanos: i64::try_from(began.as_nanos()).unwrap_or(i64::MAX),
        duration_nanos: i64::try_from(timing.duration.as_nanos()).unwrap_or(i64::MAX),
        period_type: Some(cpu_time),
        period,
        ..builder.profile
    }
}

// === impl Builder ===

impl Builder {
    fn text(&mut self, text: String) -> i64 {
        let next = i64::try_from(self.profile.string_table.len()).unwrap_or(i64::MAX);
        *self.texts.entry(text).or_insert_with_key(|text| {
            self.profile.string_table.push(text.clone());
            next
        })
    }

    /// One place in the code: a function, and those that were inlined into it, the innermost first.
    fn location(&mut self, inlined: &[Symbol]) -> u64 {
        let line = inlined
            .iter()
            .map(|symbol| Line { function_id: self.function(symbol), line: i64::from(symbol.lineno()) })
            .collect();
        let id = self.profile.location.len() as u64 + 1;
        self.profile.location.push(Location { id, line });
        id
    }

    fn function(&mut self, symbol: &Symbol) -> u64 {
        let system_name = symbol.sys_name().into_owned();
        if let Some(known) = self.functions.get(&system_name) {
            return *known;
        }
        let id = self.functions.len() as u64 + 1;
        let function = Function {
            id,
            name: self.text(symbol.name()),
            system_name: self.text(system_name.clone()),
            filename: self.text(symbol.filename().into_owned()),
        };
        self.profile.function.push(function);
        self.functions.insert(system_name, id);
        id
    }
}
