#!/usr/bin/env python3
"""Runs pipelines of logs and of metrics in two collectors with the same YAML and input, and compares what comes out by meaning.

    signals.py --exec spanmill                            against what the Go Collector answered when `expected/` was recorded
    signals.py --exec spanmill --oracle otelcol           against the Go Collector itself
    signals.py --oracle otelcol --record                  records its answers anew

`signals.json` has `requests` and `records` (OTLP/JSON; the latter with every field and odd values), `cases` (a signal, the processors of its pipeline in order,
and the `input` where it is not `requests`; or they are refused) and `wholes` (a file of `configurations/` with pipelines of all signals; the files that it writes to FOLDER are compared). Of an answer only
what differs from the input is kept.
"""
import argparse, collections, json, pathlib, subprocess, tempfile, time

from metrics import post, record, recorded, report
from run import CONFIGURATIONS, ENVIRONMENT, PLACES, attributes, deltas, free_port, listens, read_spans, stop, validates, value

HERE = pathlib.Path(__file__).parent
KINDS = ("cases", "wholes")


def document(cases, port, folder):
    processors, exporters, pipelines = {}, {}, {}
    for i, case in cases:
        names = []
        for at, processor in enumerate(case["processors"]):
            (kind, config), = processor.items()
            names.append("%s/c%d-%d" % (kind, i, at))
            processors[names[-1]] = config
        exporters["file/c%d" % i] = {"path": str(folder / ("%d.jsonl" % i)), "flush_interval": "100ms"}
        pipelines["%s/c%d" % (case["signal"], i)] = {"receivers": ["otlp"], "processors": names, "exporters": ["file/c%d" % i]}
    receivers = {"otlp": {"protocols": {"http": {"endpoint": "127.0.0.1:%d" % port}}}}
    telemetry = {"metrics": {"level": "none"}, "logs": {"level": "error"}}
    return json.dumps({"receivers": receivers, "processors": processors, "exporters": exporters, "service": {"telemetry": telemetry, "pipelines": pipelines}})


# What an answer is: log records and metric points as lists, in an order that does not depend on who made them.

def plain(v):
    """JSON of OTLP without what only some write: fields that are nothing, integers as text, the order of maps."""
    if isinstance(v, dict) and set(v) == {"key", "value"}: return [v["key"], value(v["value"])]
    if isinstance(v, dict): return {key: said for key, said in ((key, plain(inner)) for key, inner in v.items()) if said not in (0, "", [], {}, None, False)}
    if isinstance(v, list): return sorted(map(plain, v), key=repr) if v and isinstance(v[0], dict) and "key" in v[0] else [plain(inner) for inner in v]
    if isinstance(v, str) and v.lstrip("-").isdigit(): return int(v)
    return round(v, 9) if isinstance(v, float) else v


def items(requests):
    out = []
    for request in requests:
        for group in request.get("resourceLogs", []) + request.get("resourceMetrics", []):
            above = group.get("resource", {})
            for inner in group.get("scopeLogs", []) + group.get("scopeMetrics", []):
                scope = inner.get("scope", {})
                head = [attributes(above.get("attributes", [])), above.get("droppedAttributesCount", 0), group.get("schemaUrl", ""), scope.get("name", ""), scope.get("version", ""),
                        attributes(scope.get("attributes", [])), scope.get("droppedAttributesCount", 0), inner.get("schemaUrl", "")]
                for record in inner.get("logRecords", []):
                    said = [record.get(key, "") for key in ("severityText", "traceId", "spanId", "eventName")] + [str(record.get(key, 0)) for key in ("timeUnixNano", "observedTimeUnixNano", "severityNumber", "flags", "droppedAttributesCount")]
                    out.append([attributes(record.get("attributes", [])), said, value(record.get("body"))] + head)
                for metric in inner.get("metrics", []):
                    kind = next((kind for kind in ("sum", "gauge", "histogram", "exponentialHistogram", "summary") if kind in metric), "none")
                    data = metric.get(kind, {})
                    said = [metric.get("name", ""), metric.get("unit", ""), metric.get("description", ""), kind, data.get("aggregationTemporality", 0), data.get("isMonotonic", False), attributes(metric.get("metadata", []))]
                    # A metric without points is one item too.
                    for point in data.get("dataPoints", []) or [{}]:
                        out.append([attributes(point.get("attributes", [])), said, plain({key: inner for key, inner in point.items() if key != "attributes"})] + head)
    return sorted(json.loads(json.dumps(out)), key=lambda item: json.dumps(item, sort_keys=True))


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def changed(answer, given):
    """What is not there any more, and what is new."""
    left, new = list(given), []
    for item in answer:
        left.remove(item) if item in left else new.append(item)
    return {"gone": left, "new": new}


def started(binary, text, folder, port):
    (folder / "c.yaml").write_text(text)
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(binary + ["--config", str(folder / "c.yaml")], stdout=log, stderr=log, env=ENVIRONMENT, cwd=folder)
    return process, listens(process, port)


def drive(binary, cases, requests):
    """For each case what it changes, or "refused"."""
    out, accepted = {}, []
    for i, case in cases:
        if validates(binary, document([(i, case)], 4318, pathlib.Path(tempfile.gettempdir()))): accepted.append((i, case))
        else: out[i] = "refused"
    given = {"logs": items([r for r in requests if "resourceLogs" in r]), "metrics": items([r for r in requests if "resourceMetrics" in r])}
    with tempfile.TemporaryDirectory() as name:
        folder, port = pathlib.Path(name), free_port()
        process, up = started(binary, document(accepted, port, folder), folder, port)
        if not up: return {i: "refused" for i, _ in cases}
        for request in requests: post(port, request)
        time.sleep(0.5)
        stop(process)
        for i, case in accepted: out[i] = changed(items(read(folder / ("%d.jsonl" % i))), given[case["signal"]])
    return out


def whole(binary, case, requests):
    """What each file of a complete configuration holds beside the input, or "refused"."""
    with tempfile.TemporaryDirectory() as name:
        folder, ports = pathlib.Path(name), collections.defaultdict(free_port)
        text = PLACES.sub(lambda place: name if place[0] == "FOLDER" else str(ports[place[0]]), (CONFIGURATIONS / case["file"]).read_text())
        process, up = started(binary, text, folder, ports["PORT"])
        if not up: return "refused"
        for request in requests: post(ports["PORT"], request)
        time.sleep(case.get("wait", 1))
        stop(process)
        out = {}
        for file in case["outputs"]:
            found = read(folder / file)
            key = next((key for key in ("resourceSpans", "resourceLogs", "resourceMetrics") if any(key in line for line in found)), "")
            same = [request for request in requests if key in request]
            out[file] = deltas(read_spans(found), read_spans(same)) if key == "resourceSpans" else changed(items(found), items(same))
        return out


def ask(binary, given, wanted):
    """Answers by kind and number."""
    chosen = {kind: [(i, case) for i, case in enumerate(given[kind]) if wanted in case["suite"]] for kind in KINDS}
    out = {}
    for name in ("requests", "records"):
        cases = [(i, case) for i, case in chosen["cases"] if case.get("input", "requests") == name]
        if cases: out.update({("cases", i): answer for i, answer in drive(binary, cases, given[name]).items()})
    for i, case in chosen["wholes"]: out["wholes", i] = whole(binary, case, given["requests"] + (given["records"] if case.get("input") == "records" else []))
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exec", help="spanmill, with arguments that come before others"); parser.add_argument("--oracle", help="the Go Collector")
    parser.add_argument("--record", action="store_true"); parser.add_argument("--suite", default="", help="only suites whose name has this in it")
    parser.add_argument("--verbose", action="store_true"); parser.add_argument("--min", type=float, default=0, help="least agreement in percent")
    args = parser.parse_args()
    given, expected = json.loads((HERE / "signals.json").read_text()), HERE / "expected" / "signals.json.gz"
    if args.record: return record(expected, args.oracle.split(), given, ask(args.oracle.split(), given, ""), KINDS)
    truth = ask(args.oracle.split(), given, args.suite) if args.oracle else recorded(expected, KINDS)
    right, total = collections.Counter(), collections.Counter()
    for (kind, i), answer in ask(args.exec.split(), given, args.suite).items():
        case = given[kind][i]
        same = truth[kind, i] == json.loads(json.dumps(answer))
        total[case["suite"]] += 1
        right[case["suite"]] += same
        if not same and "known" in case: print("KNOWN", case["suite"], case["known"])
        if not same and args.verbose: print("DIFF", case["suite"], json.dumps(case)[:400], "\n    go", json.dumps(truth[kind, i])[:1500], "\n    spanmill", json.dumps(answer)[:1500])
    report(right, total, args.min)


if __name__ == "__main__":
    main()
