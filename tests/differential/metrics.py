#!/usr/bin/env python3
"""Run connectors that make metrics in two collectors, with the same YAML and input, and compare the metrics that come out.

  metrics.py --exec target/release/spanmill --oracle .peers/otelcol [--cases FILE] [--suite TEXT] [--verbose] [--min PERCENT]

A case is a connector between pipelines of the signals it is fed with and a metrics pipeline with a file exporter. All cases of one wave
share a process. What is compared, for each series by resource, scope, name, unit, description, kind and attributes: of delta metrics
the sum of all points, of cumulative ones the last point, of gauges all values; exemplars as a set; times as they are, unless they
are of now. Verdict cases only compare whether a configuration is accepted. Scrape cases send metrics to a prometheus exporter and
compare its page.
"""
import argparse, collections, json, pathlib, re, subprocess, sys, tempfile, time, urllib.request

from run import free_port, listens, stop, validates

SIGNALS = {"resourceSpans": "traces", "resourceLogs": "logs", "resourceMetrics": "metrics"}
TELEMETRY = "  telemetry: {metrics: {level: none}, logs: {level: error}}"


def document(cases, port, folder):
    lines = ["receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:%d'}}}}" % port, "connectors:"]
    for i, case in cases:
        lines.append("  %s/c%d: %s" % (case["connector"], i, json.dumps(case["config"])))
    lines.append("exporters:")
    for i, _ in cases:
        lines.append("  file/c%d: {path: %s, flush_interval: 100ms}" % (i, json.dumps(str(folder / ("%d.jsonl" % i)))))
    lines += ["service:", TELEMETRY, "  pipelines:"]
    for i, case in cases:
        for kind in case.get("signals", ["traces"]):
            lines.append("    %s/i%d: {receivers: [otlp], exporters: [%s/c%d]}" % (kind, i, case["connector"], i))
        lines.append("    metrics/c%d: {receivers: [%s/c%d], exporters: [file/c%d]}" % (i, case["connector"], i, i))
    return "\n".join(lines) + "\n"


def value(v):
    if not v: return None
    kind, inner = next(iter(v.items()))
    if kind == "intValue": return ("int", int(inner))
    if kind == "doubleValue": return ("double", repr(float(inner)))
    if kind == "arrayValue": return ("list", tuple(value(x) for x in inner.get("values", [])))
    if kind == "kvlistValue": return ("map", tuple(sorted((x["key"], value(x.get("value"))) for x in inner.get("values", []))))
    return (kind, inner)


def attributes(item):
    # Who counted is a random id.
    known = lambda x: "some" if x["key"] in ("collector.instance.id", "signal_to_metrics.service.instance.id") and x.get("value", {}).get("stringValue") else value(x.get("value"))
    return tuple(sorted(((x["key"], known(x)) for x in item.get("attributes", [])), key=repr))


def moment(nanos):
    nanos = int(nanos or 0)
    return "now" if abs(nanos / 1e9 - time.time()) < 86400 else nanos


def number(point):
    return ("int", int(point["asInt"])) if "asInt" in point else ("double", float(point.get("asDouble", 0)))


def exemplars(point):
    return {(e.get("traceId", ""), e.get("spanId", ""), number(e)[1], moment(e.get("timeUnixNano"))) for e in point.get("exemplars", [])}


def buckets(b):
    return (int(b.get("offset", 0)), tuple(int(x) for x in b.get("bucketCounts", []))) if b and any(int(x) for x in b.get("bucketCounts", [])) else None


def body(kind, point):
    if kind in ("sum", "gauge"): return number(point)
    if kind == "histogram":
        return (int(point.get("count", 0)), round(float(point.get("sum", 0)), 9), tuple(int(x) for x in point.get("bucketCounts", [])), tuple(float(x) for x in point.get("explicitBounds", [])))
    if kind == "exponentialHistogram":
        return (int(point.get("count", 0)), round(float(point.get("sum", 0)), 9), int(point.get("zeroCount", 0)), point.get("min"), point.get("max"),
                int(point.get("scale", 0)), buckets(point.get("positive")), buckets(point.get("negative")))
    return json.dumps(point, sort_keys=True)


def folded(kind, delta, points):
    bodies = [body(kind, p) for p in points]
    if kind == "gauge": return tuple(bodies)
    if not delta: return (bodies[0][1] if kind == "sum" else None, bodies[-1])
    if kind == "sum": return (bodies[0][0], sum(b[1] for b in bodies))
    if len(bodies) == 1: return bodies[0]
    if kind == "histogram": return (sum(b[0] for b in bodies), round(sum(b[1] for b in bodies), 9), tuple(map(sum, zip(*(b[2] for b in bodies)))), bodies[0][3])
    return (sum(b[0] for b in bodies), round(sum(b[1] for b in bodies), 9), sum(b[2] for b in bodies), min(b[3] for b in bodies), max(b[4] for b in bodies))


def series(path):
    if not path.exists(): return {}
    found, problems = collections.OrderedDict(), []
    for line in path.read_text().splitlines():
        for resource in json.loads(line).get("resourceMetrics", []):
            for scope in resource.get("scopeMetrics", []):
                for metric in scope.get("metrics", []):
                    kind = next((k for k in ("sum", "gauge", "histogram", "exponentialHistogram", "summary") if k in metric), "none")
                    data = metric.get(kind, {})
                    head = (attributes(resource.get("resource", {})), scope.get("scope", {}).get("name", ""), metric.get("name"), metric.get("unit", ""),
                            metric.get("description", ""), kind, data.get("aggregationTemporality"), data.get("isMonotonic", False))
                    for point in data.get("dataPoints", []):
                        found.setdefault(head + (attributes(point),), []).append(point)
                        start, end = int(point.get("startTimeUnixNano", 0)), int(point.get("timeUnixNano", 0))
                        if start > end: problems.append(("starts after its end", head[2]))
    out = {}
    for head, points in found.items():
        kind, delta = head[5], head[6] in (1, "AGGREGATION_TEMPORALITY_DELTA")
        points.sort(key=lambda p: int(p.get("timeUnixNano", 0))) if not delta else None
        out[head] = (folded(kind, delta, points), frozenset().union(*(exemplars(p) for p in points)),
                     moment(min(int(p.get("startTimeUnixNano", 0)) for p in points)), moment(max(int(p.get("timeUnixNano", 0)) for p in points)), points[0].get("flags", 0))
    if problems: out["problems"] = problems
    return out


def post(port, request):
    kind = SIGNALS[next(iter(request))]
    try:
        urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:%d/v1/%s" % (port, kind), json.dumps(request).encode(), {"content-type": "application/json"}), timeout=20).read()
    except Exception as error:  # one case that refuses what it is fed with refuses for all: compared by its output alone
        if "--verbose" in sys.argv: print("   refused:", error)


def running(binary, text, folder, port):
    (folder / "c.yaml").write_text(text)
    log = open(folder / "log", "w")
    process = subprocess.Popen(binary + ["--config", str(folder / "c.yaml")], stdout=log, stderr=log)
    listens(process, port)
    return process


def drive(binary, cases, requests):
    """Returns {case number: series, or 'refused'}"""
    result, accepted = {}, []
    for i, case in cases:
        ok = validates(binary, document([(i, case)], 4318, pathlib.Path(tempfile.gettempdir())))
        (accepted.append((i, case)) if ok else result.__setitem__(i, "refused"))
    for wave in sorted({c.get("wave", 0) for _, c in accepted}):
        part = [(i, c) for i, c in accepted if c.get("wave", 0) == wave]
        with tempfile.TemporaryDirectory() as name:
            folder, port = pathlib.Path(name), free_port()
            process = running(binary, document(part, port, folder), folder, port)
            for request in requests[wave]:
                # A pause in the request list lets an interval pass.
                time.sleep(request["pause"]) if "pause" in request else post(port, request)
            time.sleep(3.3)
            stop(process)
            if "--log" in sys.argv: print((folder / "log").read_text())
            for i, _ in part:
                result[i] = series(folder / ("%d.jsonl" % i))
    return result


def delimited(content):
    """Messages that stand each after its length."""
    out, at = [], 0
    while at < len(content):
        length = shift = 0
        while True:
            byte = content[at]; at += 1
            length |= (byte & 127) << shift; shift += 7
            if byte < 128: break
        out.append(repr(content[at:at + length])); at += length
    return out


def page(binary, case, requests):
    """The lines of a page, sorted; or 'refused'."""
    with tempfile.TemporaryDirectory() as name:
        folder, port, scrape = pathlib.Path(name), free_port(), free_port()
        config = dict(case["config"], endpoint="127.0.0.1:%d" % scrape)
        text = "\n".join(["receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:%d'}}}}" % port, "exporters: {prometheus: %s}" % json.dumps(config), "service:", TELEMETRY,
                          "  pipelines: {metrics: {receivers: [otlp], exporters: [prometheus]}}"])
        if not validates(binary, text): return "refused"
        process = running(binary, text, folder, port)
        for request in requests[case.get("wave", 0)]: post(port, request)
        time.sleep(0.3)
        headers = {"accept": case["accept"]} if "accept" in case else {}
        with urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:%d/metrics" % scrape, headers=headers), timeout=10) as answer:
            kind, content = re.sub(r"; escaping=.*", "", answer.headers.get("content-type")), answer.read()
            lines = [kind] + (delimited(content) if "protobuf" in kind else content.decode().splitlines())
        stop(process)
        # Labels of exemplars come in any order.
        return sorted(re.sub(r" # \{(.*?)\}", lambda found: " # {%s}" % ",".join(sorted(found[1].split(","))), line) for line in lines)


def show(kind, a, b):
    differing = [key for key in sorted(set(a) | set(b), key=repr) if a.get(key) != b.get(key)]
    print("   ", len(differing), "series of", len(a))
    for key in differing[:3]:
            print("    ", str(key)[:700]); print("       oracle", str(a.get(key))[:400]); print("       ours  ", str(b.get(key))[:400])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exec", required=True); parser.add_argument("--oracle", required=True)
    parser.add_argument("--cases", default=pathlib.Path(__file__).with_name("metrics.json")); parser.add_argument("--suite", default="")
    parser.add_argument("--verbose", action="store_true"); parser.add_argument("--log", action="store_true"); parser.add_argument("--min", type=float, default=0)
    args = parser.parse_args()
    given = json.loads(pathlib.Path(args.cases).read_text())
    cases = [(i, c) for i, c in enumerate(given["cases"]) if args.suite in c["suite"]]
    truth, ours = drive(args.oracle.split(), cases, given["requests"]), drive(args.exec.split(), cases, given["requests"])
    right, total = collections.Counter(), collections.Counter()
    for i, case in cases:
        total[case["suite"]] += 1
        if truth[i] == ours[i]:
            right[case["suite"]] += 1
            if args.verbose and not truth[i]: print("EMPTY", case["suite"], json.dumps(case["config"])[:200])
        elif args.verbose:
            print("DIFF", case["suite"], json.dumps(case["config"])[:300])
            if "refused" in (truth[i], ours[i]):
                print("   oracle", "refused" if truth[i] == "refused" else "accepted", "ours", "refused" if ours[i] == "refused" else "accepted")
            else: show(case, truth[i], ours[i])
    for case in given.get("scrapes", []):
        if args.suite not in case["suite"]: continue
        total[case["suite"]] += 1
        a, b = page(args.oracle.split(), case, given["metrics"]), page(args.exec.split(), case, given["metrics"])
        if a == b: right[case["suite"]] += 1
        elif args.verbose:
            print("DIFF", case["suite"], json.dumps(case["config"])[:300])
            if "refused" in (a, b): print("   oracle", a if a == "refused" else "accepted", "ours", b if b == "refused" else "accepted")
            else:
                for line in sorted(set(a) - set(b)): print("   oracle", line[:300])
                for line in sorted(set(b) - set(a)): print("   ours  ", line[:300])
    for suite, text in given["verdicts"]:
        if args.suite not in suite: continue
        total[suite] += 1
        a, b = validates(args.oracle.split(), text), validates(args.exec.split(), text)
        if a == b: right[suite] += 1
        elif args.verbose: print("DIFF", suite, "oracle", "accepts" if a else "refuses", text[:400])
    for suite in sorted(total):
        print("%-24s %5.1f %%  %d of %d" % (suite, 100 * right[suite] / total[suite], right[suite], total[suite]))
    share = 100 * sum(right.values()) / max(1, sum(total.values()))
    print("TOTAL %.2f %%  %d of %d" % (share, sum(right.values()), sum(total.values())))
    sys.exit(share < args.min)


main()
