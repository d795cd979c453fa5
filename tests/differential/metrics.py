#!/usr/bin/env python3
"""Run connectors that make metrics, and the Prometheus exporter, in two collectors with the same YAML and input, and compare what comes out.

    metrics.py --exec spanmill                            against what the Go Collector answered when `expected/` was recorded
    metrics.py --exec spanmill --oracle otelcol           against the Go Collector itself
    metrics.py --oracle otelcol --record                  records its answers anew

A case is a connector between pipelines of the signals it is fed with and a metrics pipeline with a file exporter. All cases of one wave
share a process. `series.py` says what is compared. Verdict cases only compare whether a configuration is accepted. Scrape cases send
metrics to a Prometheus exporter and compare its page.
"""
import argparse, collections, gzip, json, pathlib, subprocess, sys, tempfile, time, urllib.request

import series
from run import free_port, listens, stop, validates, version

HERE = pathlib.Path(__file__).parent
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
    """For each case its series, or "refused"."""
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
                result[i] = series.plain(series.read(folder / ("%d.jsonl" % i)))
    return result


def page(binary, case, requests):
    """The lines of a page, sorted; or "refused"."""
    with tempfile.TemporaryDirectory() as name:
        folder, port, scrape = pathlib.Path(name), free_port(), free_port()
        config = dict(case["config"], endpoint="127.0.0.1:%d" % scrape)
        text = "\n".join(["receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:%d'}}}}" % port, "exporters: {prometheus: %s}" % json.dumps(config), "service:", TELEMETRY,
                          "  pipelines: {metrics: {receivers: [otlp], exporters: [prometheus]}}"])
        if not validates(binary, text): return "refused"
        process = running(binary, text, folder, port)
        for request in requests[case.get("wave", 0)]: post(port, request)
        time.sleep(0.3)
        lines = series.page(scrape, case.get("accept"))
        stop(process)
        return lines


KINDS = ("cases", "scrapes", "verdicts")


def suite(case): return case["suite"] if isinstance(case, dict) else case[0]


def ask(binary, given, wanted):
    """Answers by kind and number."""
    chosen = {kind: [(i, case) for i, case in enumerate(given[kind]) if wanted in suite(case)] for kind in KINDS}
    out = {("cases", i): answer for i, answer in drive(binary, chosen["cases"], given["requests"]).items()}
    for i, case in chosen["scrapes"]: out["scrapes", i] = page(binary, case, given["metrics"])
    for i, (_, text) in chosen["verdicts"]: out["verdicts", i] = validates(binary, text)
    return out


def record(expected, oracle, given, answers, kinds):
    """Keeps the answers of the oracle, by kind and number of the case."""
    kept = {kind: [answers[kind, i] for i in range(len(given[kind]))] for kind in kinds}
    expected.write_bytes(gzip.compress(json.dumps({"oracle": version(oracle), **kept}, ensure_ascii=False).encode(), mtime=0))
    print("%s: %s" % (expected.name, ", ".join("%d %s" % (len(given[kind]), kind) for kind in kinds)))


def recorded(expected, kinds):
    """What was kept."""
    kept = json.loads(gzip.decompress(expected.read_bytes()))
    return {(kind, i): answer for kind in kinds for i, answer in enumerate(kept[kind])}


def report(right, total, least):
    """Says how many cases of each suite agree, and ends: badly where fewer of all do, in percent, than they should."""
    for name in sorted(total):
        print("%-24s %5.1f %%  %d of %d" % (name, 100 * right[name] / total[name], right[name], total[name]))
    share = 100 * sum(right.values()) / max(1, sum(total.values()))
    print("TOTAL %.2f %%  %d of %d" % (share, sum(right.values()), sum(total.values())))
    sys.exit(share < least)


def show(kind, case, truth, ours):
    print("DIFF", suite(case), case[1][:400] if kind == "verdicts" else json.dumps(case["config"])[:300])
    if not (isinstance(truth, list) and isinstance(ours, list)):
        print("   oracle", "a list" if isinstance(truth, list) else truth, "ours", "a list" if isinstance(ours, list) else ours)
        return
    print("   ", sum(x not in ours for x in truth), "of", len(truth), "are not there,", sum(x not in truth for x in ours), "should not be")
    for name, these, others in (("oracle", truth, ours), ("ours  ", ours, truth)):
        for x in [x for x in these if x not in others][:3]: print("     ", name, str(x)[:900])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exec", help="spanmill, with arguments that come before others"); parser.add_argument("--oracle", help="the Go Collector")
    parser.add_argument("--record", action="store_true"); parser.add_argument("--cases", type=pathlib.Path, default=HERE / "metrics.json")
    parser.add_argument("--suite", default="", help="only suites whose name has this in it"); parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--log", action="store_true"); parser.add_argument("--min", type=float, default=0, help="least agreement in percent")
    args = parser.parse_args()
    given, expected = json.loads(args.cases.read_text()), args.cases.parent / "expected" / (args.cases.name + ".gz")
    if args.record: return record(expected, args.oracle.split(), given, ask(args.oracle.split(), given, ""), KINDS)
    truth = ask(args.oracle.split(), given, args.suite) if args.oracle else recorded(expected, KINDS)
    right, total = collections.Counter(), collections.Counter()
    for (kind, i), answer in ask(args.exec.split(), given, args.suite).items():
        case = given[kind][i]
        same = json.dumps(truth[kind, i]) == json.dumps(answer)  # NaN is not itself
        total[suite(case)] += 1
        right[suite(case)] += same
        if not same and "known" in case: print("KNOWN", suite(case), case["known"])
        elif args.verbose and not same: show(kind, case, truth[kind, i], answer)
        if args.verbose and same and answer == []: print("EMPTY", suite(case), json.dumps(case["config"])[:200])
    report(right, total, args.min)


if __name__ == "__main__":
    main()
