#!/usr/bin/env python3
"""Runs the same YAML and the same spans through spanmill and through the Go Collector, and compares what comes out by meaning.

    run.py --exec spanmill                            against what the Go Collector answered when `expected/` was recorded
    run.py --exec spanmill --oracle otelcol           against the Go Collector itself
    run.py --oracle otelcol --record                  records its answers anew

A file of `cases/` may have `requests` (lists of OTLP/JSON requests, one list a wave), `pipelines` (a processor and its configuration each; `wave`
says which requests it is fed, `wait` how many seconds pass before the end, `known` why spanmill differs), `verdicts` (a suite and a whole
configuration each, accepted or refused), `wholes` (configuration files and arguments, and what comes out) and `http` (a request each, and the
status and content type of the answer). Each binary is called as `BIN --config FILE` and `BIN validate --config FILE`.

In the files of a whole, PORT, OUT and FOLDER stand for what is filled in; PORT_NAME is a port more. It has `files`, the text of each, or `processes`,
for each process the files of `configurations/` that it is started with; the last is fed, and may send to those before it. There, files of spans
(`outputs`) and of metrics (`metrics`) in FOLDER, and pages of Prometheus exporters (`pages`, a port each) are compared.
"""
import argparse, base64, collections, gzip, http.client, json, os, pathlib, re, signal, socket, subprocess, sys, tempfile, time, urllib.error, urllib.request, zlib

import series

HERE = pathlib.Path(__file__).parent
CONFIGURATIONS = HERE / "configurations"
BATCH = 40
ENVIRONMENT = dict(os.environ, DIFF_TEXT="abc", DIFF_NUMBER="0123", DIFF_EMPTY="", DIFF_LIST="[a, b]")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def document(cases, port, folder):
    lines = ["receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:%d'}}}}" % port, "processors:"]
    lines += ["  %s/c%d: %s" % (case["processor"], i, json.dumps(case["config"])) for i, case in cases]
    lines.append("exporters:")
    lines += ["  file/c%d: {path: %s, flush_interval: 100ms}" % (i, json.dumps(str(folder / ("%d.jsonl" % i)))) for i, _ in cases]
    lines += ["service:", "  telemetry: {metrics: {level: none}, logs: {level: error}}", "  pipelines:"]
    lines += ["    traces/c%d: {receivers: [otlp], processors: [%s/c%d], exporters: [file/c%d]}" % (i, case["processor"], i, i) for i, case in cases]
    return "\n".join(lines) + "\n"


def validates(binary, text):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
        f.write(text)
        f.flush()
        try:
            run = subprocess.run(binary + ["validate", "--config", f.name], capture_output=True, timeout=30, env=ENVIRONMENT)
            return run.returncode == 0
        except subprocess.TimeoutExpired:
            return False


# What an answer is: spans as dictionaries, in an order that does not depend on who made them.

def value(v):
    kind, inner = next(iter((v or {}).items()), ("empty", None))
    if kind == "intValue": return {"int": str(inner)}
    if kind == "doubleValue": return {"double": repr(float(inner))}
    if kind == "arrayValue": return {"list": [value(x) for x in inner.get("values", [])]}
    if kind == "kvlistValue": return {"map": attributes(inner.get("values", []))}
    return {kind: inner}


def attributes(items):
    return sorted(([x.get("key", ""), value(x.get("value"))] for x in items), key=json.dumps)


def read_spans(requests):
    out = []
    for request in requests:
        for rs in request.get("resourceSpans", []):
            resource = rs.get("resource", {})
            for ss in rs.get("scopeSpans", []):
                scope = ss.get("scope", {})
                for span in ss.get("spans", []):
                    status = span.get("status", {})
                    out.append({
                        "trace": span.get("traceId", "").lower(), "id": span.get("spanId", "").lower(), "parent": span.get("parentSpanId", "").lower(),
                        "name": span.get("name", ""), "kind": span.get("kind", 0), "state": span.get("traceState", ""), "flags": span.get("flags", 0),
                        "start": str(span.get("startTimeUnixNano", 0)), "end": str(span.get("endTimeUnixNano", 0)),
                        "status": [status.get("code", 0), status.get("message", "")],
                        "dropped": [span.get("dropped%sCount" % what, 0) for what in ("Attributes", "Events", "Links")],
                        "attributes": attributes(span.get("attributes", [])),
                        "events": [[e.get("name", ""), str(e.get("timeUnixNano", 0)), e.get("droppedAttributesCount", 0), attributes(e.get("attributes", []))] for e in span.get("events", [])],
                        "links": [[l.get("traceId", "").lower(), l.get("spanId", "").lower(), l.get("traceState", ""), l.get("flags", 0), l.get("droppedAttributesCount", 0), attributes(l.get("attributes", []))] for l in span.get("links", [])],
                        "resource": attributes(resource.get("attributes", [])), "resource dropped": resource.get("droppedAttributesCount", 0), "resource url": rs.get("schemaUrl", ""),
                        "scope": [scope.get("name", ""), scope.get("version", ""), scope.get("droppedAttributesCount", 0)],
                        "scope attributes": attributes(scope.get("attributes", [])), "scope url": ss.get("schemaUrl", "")})
    return sorted(out, key=lambda span: (span["trace"], span["id"], json.dumps(span, sort_keys=True)))


# Recorded answers hold only what differs from the input.

MAPS = ("attributes", "resource", "scope attributes")


def deltas(spans, before):
    known = {(span["trace"], span["id"]): span for span in before}
    out = []
    for span in spans:
        base = known.get((span["trace"], span["id"]))
        if base is None:
            out.append(span)
            continue
        delta = {"trace": span["trace"], "id": span["id"]}
        for key in span:
            if span[key] == base[key]: continue
            if key in MAPS:
                delta["-" + key] = [x for x in base[key] if x not in span[key]]
                delta["+" + key] = [x for x in span[key] if x not in base[key]]
                rebuilt = sorted([x for x in base[key] if x not in delta["-" + key]] + delta["+" + key], key=json.dumps)
                if rebuilt != span[key]: delta["=" + key] = span[key]
            else:
                delta[key] = span[key]
        out.append(delta)
    return out


# Asking a binary.

def run_batch(binary, part, waves):
    """The spans of each case, or None where the process died."""
    result, died = {}, False
    with tempfile.TemporaryDirectory() as name:
        folder, port = pathlib.Path(name), free_port()
        (folder / "c.yaml").write_text(document(part, port, folder))
        with open(folder / "log", "w") as log:
            process = subprocess.Popen(binary + ["--config", str(folder / "c.yaml")], stdout=log, stderr=log, env=ENVIRONMENT)
        died |= not listens(process, port)
        if not died:
            for request in waves[part[0][1].get("wave", 0)]: died |= not send(port, request)
        time.sleep(max(case.get("wait", 0) for _, case in part))
        died |= not stop(process)
        for i, _ in part:
            path = folder / ("%d.jsonl" % i)
            lines = path.read_text().splitlines() if path.exists() else []
            result[i] = None if died else read_spans(map(json.loads, lines))
    return result


def answers(binary, cases, waves):
    """For each case its spans, "refused", or "crashed"."""
    result, running = {}, []
    folder = pathlib.Path(tempfile.gettempdir())
    for at in range(0, len(cases), BATCH):
        part = cases[at:at + BATCH]
        if len(part) > 1 and validates(binary, document(part, 4318, folder)):
            running += part
            continue
        for case in part:
            if validates(binary, document([case], 4318, folder)): running.append(case)
            else: result[case[0]] = "refused"
    groups = collections.defaultdict(list)
    for i, case in running: groups[(case.get("wave", 0), case.get("wait", 0), case.get("alone", False) and i)].append((i, case))
    for group in groups.values():
        for at in range(0, len(group), BATCH):
            result.update(run_apart(binary, group[at:at + BATCH], waves))
    return result


def run_apart(binary, part, waves):
    """Cases that make the process die are found by halving."""
    got = run_batch(binary, part, waves)
    if None not in got.values(): return got
    if len(part) == 1: return {part[0][0]: "crashed"}
    half = len(part) // 2
    return {**run_apart(binary, part[:half], waves), **run_apart(binary, part[half:], waves)}


PLACES = re.compile(r"\b(PORT(?:_[A-Z]+)?|OUT|FOLDER)\b")


def run_whole(binary, case, waves):
    """What comes out of whole configurations, or "refused"."""
    wave = waves[case.get("wave", 0)]
    with tempfile.TemporaryDirectory() as name:
        folder, ports, running = pathlib.Path(name), collections.defaultdict(free_port), []
        places = {"OUT": str(folder / "out.jsonl"), "FOLDER": name}
        fill = lambda text: PLACES.sub(lambda place: places.get(place[0]) or str(ports[place[0]]), text)
        texts = [[(CONFIGURATIONS / file).read_text() for file in files] for files in case.get("processes", [])] or [case.get("files", [])]
        for at, files in enumerate(texts):
            last, arguments = at == len(texts) - 1, []
            for number, text in enumerate(files):
                path = folder / ("%d-%d.yaml" % (at, number))
                path.write_text(fill(text))
                arguments += ["--config", str(path)]
            if last: arguments += [fill(argument) for argument in case.get("args", [])]
            with open(folder / ("log%d" % at), "w") as log:
                running.append(subprocess.Popen(binary + arguments, stdout=log, stderr=log, env=dict(ENVIRONMENT, **{name: fill(text) for name, text in case.get("env", {}).items()}), cwd=name))
            # A process that others send to is ready when all its ports are.
            awaited = {"PORT"} if last else {place for text in files for place in re.findall(r"\bPORT_[A-Z]+\b", text)}
            if not all(listens(running[-1], ports[place]) for place in awaited):
                for process in running: stop(process)
                return "refused"
        for request in wave: send(ports["PORT"], request)
        time.sleep(case.get("wait", 0))
        pages = {place: series.page(ports[place]) for place in case.get("pages", [])}
        for process in reversed(running): stop(process)
        came = {file: spans_of(folder / file) for file in case.get("outputs", [] if "processes" in case else ["out.jsonl"])}
        came = {file: deltas(spans, read_spans(wave)) for file, spans in came.items()}
        if "processes" not in case: return came["out.jsonl"]
        return {**came, **{file: series.plain(series.read(folder / file), times=False) for file in case.get("metrics", [])}, **pages}


def spans_of(path):
    return read_spans(map(json.loads, path.read_text().splitlines())) if path.exists() else []


def listens(process, port):
    for _ in range(1000):
        try:
            socket.create_connection(("127.0.0.1", port), 0.1).close()
            return True
        except OSError:
            if process.poll() is not None: return False
            time.sleep(0.02)
    stop(process)
    return False


def send(port, request):
    """Says whether the connection held. A request may bring headers of its own."""
    headers = {"content-type": "application/json", **request.get("headers", {})}
    body = json.dumps({key: value for key, value in request.items() if key != "headers"}).encode()
    try:
        urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:%d/v1/traces" % port, body, headers), timeout=60).read()
    except urllib.error.HTTPError:
        pass  # A pipeline that propagates an error refuses for all; what the others let through counts.
    except (OSError, http.client.HTTPException):
        return False  # A panic ends a connection, and what other pipelines would have been given.
    return True


def stop(process):
    """Says whether it ended well."""
    if process.poll() is not None: return process.returncode == 0
    process.send_signal(signal.SIGTERM)
    try: return process.wait(60) == 0
    except subprocess.TimeoutExpired:
        process.kill()
        return False


def run_http(binary, cases):
    """Status and content type of each answer."""
    with tempfile.TemporaryDirectory() as name:
        port = free_port()
        (pathlib.Path(name) / "c.yaml").write_text("receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:%d'}}}}\nexporters: {nop: }\nservice: {telemetry: {metrics: {level: none}}, pipelines: {traces: {receivers: [otlp], exporters: [nop]}}}\n" % port)
        process = subprocess.Popen(binary + ["--config", name + "/c.yaml"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        out = []
        if listens(process, port):
            for case in cases:
                body = case.get("body", "")
                body = json.dumps(body).encode() if not isinstance(body, str) else base64.b64decode(body[7:]) if body.startswith("base64:") else body.encode()
                if case.get("compress") == "gzip": body = gzip.compress(body)
                if case.get("compress") == "zlib": body = zlib.compress(body)
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                try:
                    connection.request(case.get("method", "POST"), case.get("path", "/v1/traces"), body, case.get("headers", {}))
                    answer = connection.getresponse()
                    told = answer.read()
                    out.append([answer.status, (answer.getheader("content-type") or "").split(";")[0], told.decode() if case.get("show") else ""])
                except (OSError, http.client.HTTPException) as error:
                    out.append([0, type(error).__name__, ""])
                connection.close()
        stop(process)
        return out


def ask(binary, given, suite):
    """Answers by kind and number."""
    def chosen(kind): return [(i, c) for i, c in enumerate(given.get(kind, [])) if suite in (c["suite"] if isinstance(c, dict) else c[0])]
    waves = given.get("requests", [])
    inputs = [read_spans(wave) for wave in waves]
    shown = lambda answer, case: answer if isinstance(answer, str) else deltas(answer, inputs[case.get("wave", 0)])
    out = {}
    pipelines = chosen("pipelines")
    for i, answer in answers(binary, pipelines, waves).items(): out["pipelines", i] = shown(answer, given["pipelines"][i])
    for i, (_, text, *_) in chosen("verdicts"): out["verdicts", i] = validates(binary, text)
    for i, case in chosen("wholes"): out["wholes", i] = run_whole(binary, case, waves)
    asked = chosen("http")
    if asked:
        for (i, _), answer in zip(asked, run_http(binary, [case for _, case in asked])): out["http", i] = answer
    return out


KINDS = ("pipelines", "verdicts", "wholes", "http")


def version(binary):
    return subprocess.run(binary + ["--version"], capture_output=True, text=True).stdout.strip()


def record(oracle, path, given, expected):
    got = ask(oracle, given, "")
    lines = ['{"oracle": %s' % json.dumps(version(oracle))]
    for kind in KINDS:
        if given.get(kind):
            lines.append(', "%s": [' % kind + "\n" + ",\n".join("  " + json.dumps(got[kind, i], ensure_ascii=False) for i in range(len(given[kind]))) + "\n ]")
    expected.parent.mkdir(exist_ok=True)
    expected.write_bytes(gzip.compress(("\n".join(lines) + "}\n").encode(), mtime=0))
    print("%s: %s" % (path.name, ", ".join("%d %s" % (len(given[kind]), kind) for kind in KINDS if given.get(kind))))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exec", help="spanmill, with arguments that come before others"); parser.add_argument("--oracle", help="the Go Collector")
    parser.add_argument("--record", action="store_true"); parser.add_argument("--cases", nargs="*", type=pathlib.Path, default=sorted((HERE / "cases").glob("*.json")))
    parser.add_argument("--suite", default="", help="only suites whose name has this in it"); parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--min", type=float, default=0, help="least agreement in percent")
    parser.add_argument("--explained", action="store_true", help="fail at a difference that its case does not explain")
    args = parser.parse_args()
    right, total, known = collections.Counter(), collections.Counter(), []
    for path in args.cases:
        given, expected = json.loads(path.read_text()), path.parent.parent / "expected" / (path.name + ".gz")
        if args.record:
            record(args.oracle.split(), path, given, expected)
            continue
        if args.oracle:
            truth = ask(args.oracle.split(), given, args.suite)
        else:
            recorded = json.loads(gzip.decompress(expected.read_bytes()))
            kept = {kind: [i for i, case in enumerate(given.get(kind, [])) if not (isinstance(case, dict) and case["suite"].endswith("-timed"))] for kind in KINDS}
            truth = {(kind, at): recorded[kind][i] for kind in KINDS for at, i in enumerate(kept[kind])}
            # What depends on when ticks fall is compared side by side only.
            for kind in KINDS: given[kind] = [given[kind][i] for i in kept[kind]]
        ours = ask(args.exec.split(), given, args.suite)
        for (kind, i), answer in ours.items():
            case = given[kind][i]
            suite, why = (case["suite"], case.get("known")) if isinstance(case, dict) else (case[0], case[2] if len(case) > 2 else None)
            # What makes the Go Collector die is no answer to agree with; ours must give one.
            same = truth[kind, i] == answer if truth[kind, i] != "crashed" else answer != "crashed"
            total[suite] += 1
            right[suite] += same
            if not same and why: known.append((suite, why, json.dumps(case, ensure_ascii=False)))
            if not same and args.verbose: show(case, truth[kind, i], answer, why)
    if args.record: return
    for suite in sorted(total):
        print("%-28s %5.1f %%  %d of %d" % (suite, 100 * right[suite] / total[suite], right[suite], total[suite]))
    for suite, why, text in known: print("KNOWN", suite, why, text[:160])
    share = 100 * sum(right.values()) / max(1, sum(total.values()))
    print("TOTAL %.2f %%  %d of %d, %d known differences" % (share, sum(right.values()), sum(total.values()), len(known)))
    unexplained = sum(total.values()) - sum(right.values()) - len(known)
    sys.exit(share < args.min or (args.explained and unexplained > 0))


def show(case, truth, ours, why):
    text = case[1] if isinstance(case, list) else json.dumps({k: v for k, v in case.items() if k not in ("suite", "known")}, ensure_ascii=False)
    print("DIFF", case[0] if isinstance(case, list) else case["suite"], text[:400], "KNOWN" if why else "")
    if not (isinstance(truth, dict) and isinstance(ours, dict)): return differ(truth, ours)
    for file in truth:
        if truth[file] != ours[file]:
            print("  ", file)
            differ(truth[file], ours[file])


def differ(truth, ours):
    if not (isinstance(truth, list) and isinstance(ours, list)):
        brief = lambda answer: "%d spans" % len(answer) if isinstance(answer, list) and answer and isinstance(answer[0], dict) else json.dumps(answer)[:300]
        print("    go", brief(truth), "spanmill", brief(ours))
        return
    if len(truth) != len(ours): print("    go", len(truth), "spanmill", len(ours))
    if not all(isinstance(x, dict) for x in truth + ours):
        for name, these, others in (("go", truth, ours), ("spanmill", ours, truth)):
            for x in [x for x in these if x not in others][:3]: print("    %s alone %s" % (name, str(x)[:900]))
        return
    for a, b in zip(truth, ours):
        if a != b:
            for key in sorted(set(a) | set(b)):
                if a.get(key) != b.get(key): print("    %s %s: go %s spanmill %s" % (b.get("id", "")[-4:], key, json.dumps(a.get(key), ensure_ascii=False)[:300], json.dumps(b.get(key), ensure_ascii=False)[:300]))
            break


if __name__ == "__main__":
    main()
