//! Token counts by one rule: input includes cached tokens, output includes reasoning, and absent is not zero.

use std::collections::BTreeMap;

use crate::call::Call;
use crate::catalogue::Source;
use crate::source::Inclusion;
use crate::target;
use crate::vocabulary::Class;

/// Brings the counts of a call to that rule.
pub(crate) fn account(call: &mut Call<'_>, source: Option<&Source>, embeddings: bool) {
    call.running = source.is_some_and(|source| source.running_totals) && call.class == Class::Model;
    absent_is_not_zero(call, embeddings);
    include_cache(call, source);
    include_reasoning(call, source);
}

fn absent_is_not_zero(call: &mut Call<'_>, embeddings: bool) {
    let nothing_in = call.input.unwrap_or(0) == 0;
    let nothing_out = call.output.unwrap_or(0) == 0;
    let cached = call.cache_read.unwrap_or(0) + call.cache_write.unwrap_or(0) > 0;
    if nothing_in && nothing_out && !cached {
        for (count, target) in [
            (&mut call.input, target::INPUT),
            (&mut call.output, target::OUTPUT),
            (&mut call.cache_read, target::CACHE_READ),
            (&mut call.cache_write, target::CACHE_WRITE),
            (&mut call.reasoning, target::REASONING),
        ] {
            if count.take().is_some() {
                call.right &= !(1 << target);
            }
        }
    }
    if embeddings && call.output == Some(0) {
        call.output = None;
        call.changed(target::OUTPUT);
    }
}

fn include_cache(call: &mut Call<'_>, source: Option<&Source>) {
    let Some(input) = call.input else { return };
    let cached = call.cache_read.unwrap_or(0).saturating_add(call.cache_write.unwrap_or(0));
    if cached <= 0 {
        return;
    }
    let output = call.output.unwrap_or(0);
    let sum = input.saturating_add(output);
    let proven = cached > input || call.total == Some(sum.saturating_add(cached));
    let stated = source.map_or(Inclusion::Unknown, |source| {
        by_provider(source.input, &source.input_by_provider, call.provider.as_deref())
    });
    let trusts_total = source.is_none_or(|source| !source.total_proves_nothing);
    let exclusive = proven
        || match stated {
            Inclusion::Inclusive | Inclusion::Twice => false,
            // A total without the cache hints at counts that include it.
            _ if trusts_total && call.total == Some(sum) => false,
            Inclusion::Exclusive => true,
            // These providers count the cache apart, and keys of the old style copy what the provider says. What is cached is
            // mostly nearly all of the input: a count that is little more most likely includes it.
            Inclusion::Unknown => {
                matches!(call.provider.as_deref(), Some("anthropic" | "aws.bedrock"))
                    && !has_standard_cache_key(call)
                    && cached <= input / 2
            }
        };
    if exclusive {
        call.input = Some(input.saturating_add(cached));
        call.changed(target::INPUT);
    }
}

fn has_standard_cache_key(call: &Call<'_>) -> bool {
    [target::CACHE_READ, target::CACHE_WRITE].into_iter().any(|target| call.place(target).is_some())
}

fn include_reasoning(call: &mut Call<'_>, source: Option<&Source>) {
    let (Some(output), Some(reasoning)) = (call.output, call.reasoning) else { return };
    if reasoning <= 0 {
        return;
    }
    let sum = call.input.unwrap_or(0).saturating_add(output);
    let proven = reasoning > output || call.total == Some(sum.saturating_add(reasoning));
    let stated = source.map_or(Inclusion::Unknown, |source| {
        by_provider(source.output, &source.output_by_provider, call.provider.as_deref())
    });
    if stated == Inclusion::Twice && call.place(target::REASONING).is_some() && reasoning <= output {
        call.output = Some(output - reasoning);
        call.changed(target::OUTPUT);
    } else if proven || stated == Inclusion::Exclusive {
        call.output = Some(output.saturating_add(reasoning));
        call.changed(target::OUTPUT);
    }
}

fn by_provider(all: Inclusion, table: &BTreeMap<String, Inclusion>, provider: Option<&str>) -> Inclusion {
    provider.and_then(|provider| table.get(provider)).or_else(|| table.get("default")).copied().unwrap_or(all)
}

/// Whether a call may carry usage of its own.
pub(crate) fn counts(call: &Call<'_>) -> bool {
    call.has_usage() && call.class != Class::Tool
}
