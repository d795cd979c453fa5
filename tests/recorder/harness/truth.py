"""What the mock served, in the manifest's words."""

COUNTS = ("cached_input_tokens", "cache_creation_input_tokens", "reasoning_tokens")
# The provider's address is the mock's own matter; the place in the list says the order.
LEFT_OUT = ("seq", "host", "path")


def calls(case):
    return [call(one) for one in case["calls"]]


def call(one):
    said = {key: value for key, value in one.items() if key not in LEFT_OUT and value not in (None, [], {})}
    for name in COUNTS:
        if not said.get(name):
            said.pop(name, None)
    for name in ("wire_usage", "request"):
        if name in said:
            said[name] = without_nothing(said[name])
    return said


def without_nothing(value):
    if isinstance(value, dict):
        kept = {key: without_nothing(inner) for key, inner in value.items()}
        return {key: inner for key, inner in kept.items() if inner not in (None, [], {}) and inner is not False and inner != 0}
    return value


def ended_well(one):
    return one["status"] == 200 and one["usage_on_wire"] is True and not one.get("error") and not one.get("client_aborted")


def expect(case, exception):
    served = case["calls"]
    well = [one for one in served if ended_well(one)]
    return {
        "llm_requests_served": len(served),
        "ok": len(well),
        "errors": sum(1 for one in served if one.get("error")),
        "sum_input_tokens": sum(one["input_tokens"] or 0 for one in well),
        "sum_output_tokens": sum(one["output_tokens"] or 0 for one in well),
        "tool_calls": [name for one in served for name in one["tool_calls"]],
        "client_exception": exception,
    }
