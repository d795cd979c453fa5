//! Writes what is known of a call to its span.

use spanmill_otlp::{Patch, Pos, Value};

use crate::call::{Call, Role, Write, Written};
use crate::catalogue::Catalogue;
use crate::datum::Strings;
use crate::derive::{self, LOOP, SlowSmallRule};
use crate::encoded::Encoded;
use crate::price::Priced;
use crate::target::{self, Names, Target};
use crate::vocabulary::Class;

/// Names of what spanmill adds.
pub(crate) mod names {
    pub(crate) const SOURCE: &str = "spanmill.source";
    pub(crate) const ROLE: &str = "spanmill.usage.role";
    pub(crate) const TOTAL_TOKENS: &str = "spanmill.total_tokens";
    pub(crate) const TOKENS_PER_SECOND: &str = "spanmill.tokens_per_second";
    pub(crate) const GENERATION_RATE: &str = "spanmill.generation.tokens_per_second";
    pub(crate) const TIME_PER_OUTPUT_TOKEN: &str = "spanmill.time_per_output_token";
    pub(crate) const OUTPUT_INPUT_RATIO: &str = "spanmill.output_input_ratio";
    pub(crate) const CACHE_HIT_RATIO: &str = "spanmill.cache.hit_ratio";
    pub(crate) const CONTEXT_USED: &str = "spanmill.context.used";
    pub(crate) const FINISH: &str = "spanmill.finish_reason";
    pub(crate) const ERROR_CLASS: &str = "spanmill.error.class";
    pub(crate) const SLOW_SMALL: &str = "spanmill.slow_small";
    pub(crate) const SLOW_SMALL_CAUSE: &str = "spanmill.slow_small.cause";
    pub(crate) const TOOL_LOOP: &str = "spanmill.tool_loop";
    pub(crate) const TOOL_LOOP_COUNT: &str = "spanmill.tool_loop.count";
    pub(crate) const INPUT_BUCKET: &str = "spanmill.input_tokens.bucket";
    pub(crate) const COST: &str = "gen_ai.usage.cost.amount";
    pub(crate) const COST_CURRENCY: &str = "gen_ai.usage.cost.currency";
    pub(crate) const COST_SOURCE: &str = "gen_ai.usage.cost.source";
}

/// What writing depends on beside the call.
pub(crate) struct Rules<'e> {
    pub(crate) catalogue: &'e Catalogue,
    pub(crate) encoded: &'e Encoded,
    pub(crate) slow_small: &'e SlowSmallRule,
}

/// The patch of one span, with the places that are still to be replaced.
struct Writer<'p> {
    patch: &'p mut Patch,
    names: &'p Names,
}

/// Fills `patch` with everything that is to change on the span of `call`.
pub(crate) fn write<'a>(
    patch: &mut Patch,
    call: &Call<'a>,
    priced: Priced,
    rules: &Rules<'_>,
    writes: &[Write<'a>],
    cuts: &[Pos],
) {
    patch.clear();
    let mut writer = Writer { patch, names: &rules.catalogue.names };
    writer.standard(call, rules.catalogue);
    for Write { target, at, value } in writes {
        writer.copied(*target, *at, value);
    }
    writer.derived(call, rules);
    writer.double(&rules.encoded.cost, priced.cost);
    writer.double(&rules.encoded.context_used, derive::context_used(call, priced.context));
    for at in cuts {
        writer.patch.cut(*at);
    }
}

// === impl Writer ===

impl Writer<'_> {
    fn standard(&mut self, call: &Call<'_>, catalogue: &Catalogue) {
        if call.known() & !call.right == 0 {
            return;
        }
        let texts = [
            (target::PROVIDER, call.provider.as_deref()),
            (target::OPERATION, catalogue.vocabulary.describe(call.operation).map(|(name, _)| name)),
            (target::REQUEST_MODEL, call.request_model.as_deref()),
            (target::RESPONSE_MODEL, call.response_model.as_deref()),
            (target::RESPONSE_ID, call.response_id.as_deref().and_then(|id| std::str::from_utf8(id).ok())),
        ];
        // On other spans, what stands in a document is said of a call somewhere below.
        let own = call.class == Class::Model || call.role != Role::None;
        for (target, text) in texts {
            if !own && matches!(target, target::RESPONSE_ID | target::RESPONSE_MODEL) && call.place(target).is_none() {
                continue;
            }
            match text {
                _ if call.is_right(target) => {}
                Some(text) => self.set(target, call, Value::Str(text)),
                None if matches!(target, target::REQUEST_MODEL | target::RESPONSE_MODEL) => self.unset(target, call),
                None => {}
            }
        }
        if let (false, true, Some(reasons)) = (call.is_right(target::FINISH), own, &call.finish_reasons) {
            let at = call.place(target::FINISH);
            self.strings(self.names.attribute(target::FINISH), at, reasons);
        }
        let counts = [
            (target::INPUT, call.input),
            (target::OUTPUT, call.output),
            (target::CACHE_READ, call.cache_read),
            (target::CACHE_WRITE, call.cache_write),
            (target::REASONING, call.reasoning),
        ];
        for (target, count) in counts {
            match count {
                _ if call.is_right(target) => {}
                Some(count) => self.set(target, call, Value::Int(count)),
                None => self.unset(target, call),
            }
        }
        match call.ttft {
            _ if call.is_right(target::TTFT) => {}
            Some(seconds) => self.set(target::TTFT, call, Value::Double(seconds)),
            None => self.unset(target::TTFT, call),
        }
        if let (false, Some(stream)) = (call.is_right(target::STREAM), call.stream) {
            self.set(target::STREAM, call, Value::Bool(stream));
        }
    }

    fn derived(&mut self, call: &Call<'_>, rules: &Rules<'_>) {
        let encoded = rules.encoded;
        self.patch.append_encoded(encoded.head(call.source, call.role));
        if let (Some(input), Some(output)) = (call.input, call.output) {
            self.patch.append_int(&encoded.total_tokens, input.saturating_add(output));
        }
        if let (Some(finish), true) = (call.finish, call.class == Class::Model || call.role != Role::None) {
            self.patch.append_encoded(encoded.finish(finish));
        }
        if let Some(class) = call.error {
            self.patch.append_encoded(encoded.error(class));
        }
        if call.loops >= LOOP {
            self.patch.append_encoded(&encoded.tool_loop);
            self.patch.append(names::TOOL_LOOP_COUNT, Value::Int(i64::from(call.loops)));
        }
        if call.role != Role::Owner {
            return;
        }
        self.double(&encoded.tokens_per_second, derive::tokens_per_second(call));
        self.double(&encoded.generation_rate, derive::generation_rate(call));
        self.double(&encoded.time_per_output_token, derive::time_per_output_token(call));
        self.double(&encoded.output_input_ratio, derive::output_input_ratio(call));
        self.double(&encoded.cache_hit_ratio, derive::cache_hit_ratio(call));
        if let Some(input) = call.input {
            self.patch.append_encoded(encoded.bucket(input));
        }
        if let Some(cause) = rules.slow_small.cause(call) {
            self.patch.append_encoded(encoded.slow_small(cause));
        }
    }

    fn copied(&mut self, target: Target, at: Option<Pos>, value: &Written<'_>) {
        let key = self.names.attribute(target);
        if key == names::COST {
            let Written::Double(amount) = value else { return };
            // A cost of nothing means that the source knew no price.
            if *amount <= 0.0 {
                return;
            }
            if at.is_none() {
                self.patch.append(names::COST_CURRENCY, Value::Str("USD"));
                self.patch.append(names::COST_SOURCE, Value::Str("reported"));
            }
        }
        match value {
            Written::Text(text) => self.put(key, at, Value::Str(text)),
            Written::Int(number) => self.put(key, at, Value::Int(*number)),
            Written::Double(number) => self.put(key, at, Value::Double(*number)),
            Written::Bool(flag) => self.put(key, at, Value::Bool(*flag)),
            Written::Encoded(value) => self.put(key, at, Value::Raw(value.raw())),
            Written::Strings(strings) => self.strings(key, at, strings),
        }
    }

    fn strings(&mut self, key: &str, at: Option<Pos>, strings: &Strings<'_>) {
        match strings {
            Strings::One(one) => self.put(key, at, Value::Strs(&[one])),
            Strings::Encoded(value) => self.put(key, at, Value::Raw(value.raw())),
            Strings::Many(many) => {
                let many: Vec<&str> = many.iter().map(String::as_str).collect();
                self.put(key, at, Value::Strs(&many));
            }
        }
    }

    fn double(&mut self, encoded: &[u8], value: Option<f64>) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.patch.append_double(encoded, value);
        }
    }

    fn set(&mut self, target: Target, call: &Call<'_>, value: Value<'_>) {
        self.put(self.names.attribute(target), call.place(target), value);
    }

    fn unset(&mut self, target: Target, call: &Call<'_>) {
        if let Some(at) = call.place(target) {
            self.patch.cut(at);
        }
    }

    fn put(&mut self, key: &str, at: Option<Pos>, value: Value<'_>) {
        match at {
            Some(at) => self.patch.replace(at, key, value),
            None => self.patch.append(key, value),
        }
    }
}
