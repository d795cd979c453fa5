//! Counts that run on from call to call: Spring AI adds what a tool loop used so far to the usage of each of its calls.

use crate::call::Call;
use crate::target;
use crate::vocabulary::Finish;

/// Takes from each call what the calls before it below the same span used.
pub(super) fn take_apart(calls: &mut [Call<'_>]) {
    let mut siblings: Vec<(u64, u64, u64, usize)> = calls
        .iter()
        .enumerate()
        .filter(|(_, call)| call.running && call.parent != 0)
        .map(|(at, call)| (call.trace, call.parent, call.start, at))
        .collect();
    siblings.sort_unstable();
    // From the last one on, so that each is compared with what the one before it said.
    for pair in siblings.windows(2).rev() {
        let [(trace, parent, _, before), (next_trace, next_parent, _, at)] = *pair else { continue };
        if (trace, parent) != (next_trace, next_parent) {
            continue;
        }
        // Only what ended in a call of a tool goes on.
        let before = calls.get(before).filter(|call| call.finish == Some(Finish::ToolCall));
        let Some(before) = before.map(|call| (call.input, call.output)) else { continue };
        let Some(call) = calls.get_mut(at) else { continue };
        // Counts that do not grow begin anew.
        let (Some(input), Some(output)) = (rest(call.input, before.0), rest(call.output, before.1)) else { continue };
        (call.input, call.output, call.total) = (Some(input), Some(output), None);
        call.changed(target::INPUT);
        call.changed(target::OUTPUT);
    }
}

fn rest(count: Option<i64>, before: Option<i64>) -> Option<i64> {
    Some(count? - before?).filter(|rest| *rest > 0)
}
