"""Records one case: runs the driver once, judges whether it did what the scenario asks, keeps what was exported."""
import collections
import re

from . import otlp, sandbox, truth
from .places import CORPUS

# How a driver says that its client raised an exception.
EXCEPTION = re.compile(r"^client exception: (\S+)", re.M)
# Scenarios whose client may fail although the mock has no error to report: it gave up waiting, or the stream broke off.
MAY_FAIL = ("timeout", "stream_abort", "stream_error", "refusal", "max_tokens")


class NotRecorded(Exception):
    """Why a case is left out."""


def record(world, source, case, scenario, timeout=120):
    """Returns the manifest's entry of the case, and the transports that were used."""
    world.start(case, scenario)
    log = source.installed / f"{case}.log"
    environment = {**world.environment(), "CASE": case, "SCENARIO": scenario, "SETTING": source.setting, **source.env}
    code = sandbox.run(source.installed, source.program, environment, log, timeout)
    said = EXCEPTION.search(log.read_text(errors="replace"))
    exception = said.group(1) if said else None
    served = world.truth()
    judge(code, exception, served, scenario, world.sink.requests)
    files, scopes = keep(source, case, world.sink.requests)
    entry = {
        "case": case, "scenario": scenario, "files": files, "spans": sum(file["spans"] for file in files),
        "scopes": dict(sorted(scopes.items())), "expect": truth.expect(served, exception), "calls": truth.calls(served),
    }
    return entry, {transport for transport, _, _ in world.sink.requests}


def judge(code, exception, served, scenario, requests):
    if code != 0:
        raise NotRecorded("did not end in time" if code is None else f"ended with {code}")
    unknown = asked_in_vain(served)
    if not served["calls"]:
        raise NotRecorded(f"made no call, {unknown or 'and asked for nothing'}")
    if unknown:
        raise NotRecorded(f"asked the mock for what it does not know: {unknown}")
    failed = any(call.get("error") for call in served["calls"])
    if exception and not failed and scenario not in MAY_FAIL:
        raise NotRecorded(f"raised {exception}, for which the scenario gives no reason")
    if not requests:
        raise NotRecorded("exported nothing")


def asked_in_vain(served):
    """What was asked of a provider in vain. Other hosts (price lists, usage statistics) are not the mock's matter."""
    providers = {call["host"] for call in served["calls"]}
    asked = served.get("unhandled", [])
    return [one for one in asked if not providers or one.split()[1].split("/")[0] in providers][:3]


def keep(source, case, requests):
    folder = CORPUS / source.name
    folder.mkdir(parents=True, exist_ok=True)
    files, scopes = [], collections.Counter()
    for number, (_, body, is_json) in enumerate(requests, 1):
        name = case if number == 1 else f"{case}.{number}"
        if is_json:
            (folder / f"{name}.json").write_bytes(body)
            body = otlp.from_json(body)
        (folder / f"{name}.pb").write_bytes(body)
        found = otlp.scopes(body)
        scopes.update(found)
        files.append({"pb": f"{name}.pb", "bytes": len(body), "spans": sum(found.values()), "raw_is_json": is_json})
    return files, scopes
