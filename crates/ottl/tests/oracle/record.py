#!/usr/bin/env python3
"""Ask the Go Collector what expressions and conditions give, and write its answers to recorded.json.

  record.py OTELCOL

Expressions go through the transform processor, conditions through the filter processor, each in a pipeline of its own
behind one OTLP receiver. What is refused at start is recorded as null.
"""
import base64, concurrent.futures, json, os, pathlib, signal, socket, subprocess, sys, tempfile, time, urllib.request
import otlp

HERE = pathlib.Path(__file__).parent
LEFT = ['attributes["%s"]' % key for key in (
    "n", "f", "s", "empty", "stream", "bytes", "no_bytes", "tags", "ints", "nested", "nothing", "missing", "big", "nan", "inf", "mzero", "max", "min", "zero", "seven", "bool", "numstr")] + [
    "name", "kind", "status.code", "trace_id", "span_id", "start_time", "end_time - start_time", "start_time_unix_nano", 'resource.attributes["pods"]', 'Split(attributes["csv"], ",")']
RIGHT = ["nil", "7", "7.0", "-3", "0", "2.5", "true", "false", '"Hello World"', '""', '"7"', "0x0001fe", '["x", "y", "z", "x"]', "[]", "{}", 'attributes["n"]', 'attributes["s"]', 'attributes["nothing"]',
    'Duration("1500ns")', "start_time", "Unix(1795000000)", 'SpanID(0x0000000000000002)']
OPERATORS = ["==", "!=", "<", "<=", ">", ">="]


def lines(name):
    return [line for line in (HERE / name).read_text().split("\n") if line.strip() and not line.startswith("# ")]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def document(processors, port, folder):
    pipelines = {"traces/c%d" % i: {"receivers": ["otlp"], "processors": ["%s/c%d" % (kind, i)], "exporters": ["file/c%d" % i]} for i, (kind, _) in enumerate(processors)}
    return json.dumps({
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": "127.0.0.1:%d" % port}}}},
        "processors": {"%s/c%d" % (kind, i): config for i, (kind, config) in enumerate(processors)},
        "exporters": {"file/c%d" % i: {"path": "%s/%d.jsonl" % (folder, i), "flush_interval": "100ms"} for i in range(len(processors))},
        "service": {"telemetry": {"metrics": {"level": "none"}, "logs": {"level": "fatal"}}, "pipelines": pipelines},
    }).replace("$", "$$")


def validates(binary, processor):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False) as f:
        f.write(document([processor], 4318, "/tmp"))
    try:
        return subprocess.run([binary, "validate", "--config", f.name], capture_output=True, timeout=30).returncode == 0
    finally:
        os.unlink(f.name)


def run(binary, processors, request):
    """What each pipeline lets through: {span number: span} a pipeline."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        config = pathlib.Path(folder) / "config.yaml"
        config.write_text(document(processors, port, folder))
        with open(pathlib.Path(folder) / "log", "w") as log:
            process = subprocess.Popen([binary, "--config", str(config)], stdout=log, stderr=log)
        for _ in range(400):
            try:
                socket.create_connection(("127.0.0.1", port), 0.1).close()
                break
            except OSError:
                time.sleep(0.05)
        urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:%d/v1/traces" % port, request, {"content-type": "application/x-protobuf"}), timeout=60).read()
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        return [spans(pathlib.Path(folder) / ("%d.jsonl" % i)) for i in range(len(processors))]


def spans(path):
    found = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        for resource in json.loads(line).get("resourceSpans", []):
            for scope in resource.get("scopeSpans", []):
                for span in scope.get("spans", []):
                    found[int(span["spanId"], 16)] = span
    return found


def attribute(span, key):
    return next((a.get("value", {}) for a in span.get("attributes", []) if a["key"] == key), None)


def main():
    binary = sys.argv[1]
    version = subprocess.run([binary, "--version"], capture_output=True, text=True).stdout.split()[-1]
    request = otlp.request()
    everything = [n for scope in range(3) for n in range(1, 9) if scope == 0]
    expressions, conditions = lines("expressions.txt"), lines("conditions.txt")
    statement = lambda text: ("transform", {"error_mode": "ignore", "trace_statements": [{"context": "span", "statements": ['set(attributes["result"], %s)' % text]}]})
    filters = lambda text: ("filter", {"error_mode": "ignore", "traces": {"span": [text]}})
    inferred = lambda text: ("filter", {"error_mode": "ignore", "trace_conditions": [text]})
    explicit = lambda text, context: ("filter", {"error_mode": "ignore", "trace_conditions": [{"context": context, "conditions": [text]}]})
    jobs = [statement(text) for text in expressions] + [filters(text) for text in conditions]
    contexts = [json.loads(line) for line in lines("contexts.jsonl")]
    jobs += [explicit(text, context) if context else inferred(text) for context, text in contexts]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        valid = list(pool.map(lambda job: validates(binary, job), jobs))
    accepted = [job for job, ok in zip(jobs, valid) if ok]
    pairs = ["%s %s %s" % (left, op, right) for left in LEFT for right in RIGHT for op in OPERATORS if not (left.startswith("Split") and right.startswith("Split"))]
    chunks = [pairs[at:at + 400] for at in range(0, len(pairs), 400)]
    pair_jobs = [("transform", {"error_mode": "ignore", "trace_statements": [{"context": "span", "statements": ['set(attributes["p%d"], true) where %s' % (i, text) for i, text in enumerate(chunk)]}]}) for chunk in chunks]
    results = run(binary, accepted + pair_jobs, request)
    answers = iter(results)
    each = [next(answers) if ok else None for ok in valid]
    recorded = {"version": version, "request": base64.b64encode(request).decode()}
    part = each[:len(expressions)]
    recorded["expressions"] = [[text, None if got is None else {n: attribute(span, "result") for n, span in sorted(got.items()) if attribute(span, "result") is not None}] for text, got in zip(expressions, part)]
    part = each[len(expressions):len(expressions) + len(conditions)]
    recorded["conditions"] = [[text, None if got is None else sorted(set(everything) - set(got))] for text, got in zip(conditions, part)]
    part = each[len(expressions) + len(conditions):]
    recorded["contexts"] = [[context, text, None if got is None else {n: [e.get("name", "") for e in span.get("events", [])] for n, span in sorted(got.items())}] for (context, text), got in zip(contexts, part)]
    matches = []
    for chunk, got in zip(chunks, [next(answers) for _ in chunks]):
        for i, text in enumerate(chunk):
            matches.append([text, [n for n, span in sorted(got.items()) if attribute(span, "p%d" % i)]])
    recorded["pairs"] = matches
    dump = lambda rows: "[\n" + ",\n".join(json.dumps(row, ensure_ascii=True) for row in rows) + "\n]"
    out = ",\n".join('"%s": %s' % (key, dump(rows) if isinstance(rows, list) else json.dumps(rows)) for key, rows in recorded.items())
    (HERE / "recorded.json").write_text("{\n%s\n}\n" % out)
    print("%s: %d texts, %d refused, %d comparisons" % (version, len(jobs), valid.count(False), len(pairs)))


main()
