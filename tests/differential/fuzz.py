#!/usr/bin/env python3
"""Random cases through spanmill and the Go Collector, and what they answer differently: for what nobody thought of.

    fuzz.py --exec spanmill --oracle otelcol [--kind statements] [--count 400] [--seed 1] [--keep FILE]

Kinds: `statements` are run, not only parsed (that is what generate.py does); `processors` have options that are drawn; `environment` puts odd values
in odd places; `mutations` are published configurations in which one thing is changed; `http` are requests with odd headers, encodings and JSON.
`--keep` writes what differed as a file of cases. `--write FOLDER` asks nobody, and writes what is drawn as files of cases: without what is there twice,
and without what gives another answer each time. `cases/drawn-*.json` are of `--write cases --kind statements processors --count 600 --seed 20261128`.
"""
import argparse, copy, json, pathlib, random, re, sys

import generate, run

HERE = pathlib.Path(__file__).parent


def draw(r, depth=2):
    """Any value a configuration or an attribute may have."""
    makers = [lambda: r.choice(["", "a", "x y", "\u00fc\u4e16", "true", "0x1f", "1e3", "007", "null", "5s", "jane@example.com", "[a]"]), lambda: r.choice([0, 1, -1, 7, 2**31, 2**53 + 1, -2**63]),
              lambda: r.choice([0.5, -2.25, 1e300, 4.0, 1e-9]), lambda: r.random() < 0.5, lambda: None]
    if depth: makers += [lambda: [draw(r, depth - 1) for _ in range(r.randrange(3))], lambda: {r.choice(["a", "b.c", "n"]): draw(r, depth - 1) for _ in range(r.randrange(3))}]
    return r.choice(makers)()


class Evaluated(generate.Maker):
    """Statements over attributes that the spans have."""
    def __init__(self, seed, keys):
        super().__init__(seed)
        self.keys = keys

    def path(self, depth, indexable=False):
        if self.some(0.35) and not indexable: return "span." + self.pick(["name", "kind", "status.code", "status.message", "start_time", "end_time_unix_nano", "trace_state", "trace_id", "trace_id.string", "span_id", "parent_span_id.string", "attributes", "kind.string", "dropped_attributes_count", 'trace_state["vendor"]'])
        root = self.pick(["span"] * 8 + ["resource"] * 2 + ["scope"])
        out = '%s.attributes["%s"]' % (root, self.pick(self.keys))
        while self.some(0.12): out += self.pick(["[0]", "[1]", '["a"]', '["c"]', '["k"]'])
        return out

    def statement(self):
        return self.call(2, generate.EDITORS) + (" where " + self.condition(1) if self.some(0.3) else "")


def statements(r, count):
    given = json.loads((HERE / "cases/ottl.json").read_text())["requests"]
    keys = sorted({a["key"] for request in given[0] for rs in request["resourceSpans"] for ss in rs["scopeSpans"] for span in ss["spans"] for a in span.get("attributes", [])} | {"service.name", "lib.n", "labels", "missing"})
    maker = Evaluated(r.random(), keys)
    cases = []
    for _ in range(count):
        text = maker.statement() if r.random() < 0.7 else 'set(span.attributes["result"], %s)' % maker.value(2)
        cases.append({"suite": "fuzz-statements", "processor": "transform", "config": {"error_mode": r.choice(["ignore", "ignore", "silent"]), "trace_statements": [text]}})
        if r.random() < 0.25: cases.append({"suite": "fuzz-statements", "processor": "filter", "config": {"error_mode": "ignore", "trace_conditions": [maker.condition(2)]}})
    return {"requests": given, "pipelines": cases}


def processors(r, count):
    given = json.loads((HERE / "cases/attributes.json").read_text())["requests"]
    spans = [span for request in given[0] for rs in request["resourceSpans"] for ss in rs["scopeSpans"] for span in ss["spans"]]
    keys = sorted({a["key"] for span in spans for a in span.get("attributes", [])} | {"service.name", "missing", "new"})
    names = sorted({span["name"] for span in spans if span.get("name")})
    def text(): return r.choice(keys + names + [".*", "^a", "[0-9]+", "(?P<one>\\w+)[ /](?P<two>.*)", "svc"])
    def maybe(out, key, make, chance=0.4):
        if r.random() < chance: out[key] = make()
        return out
    def properties():
        out = {"match_type": r.choice(["strict", "regexp", "regexp", "Strict"] if r.random() < 0.1 else ["strict", "regexp"])}
        for key in ("services", "span_names", "span_kinds"): maybe(out, key, lambda: [text() for _ in range(r.choice([1, 1, 2]))], 0.25)
        maybe(out, "libraries", lambda: [maybe({"name": text()}, "version", lambda: r.choice(["1.2", "", ".*"]))], 0.15)
        for key in ("attributes", "resources"): maybe(out, key, lambda: [maybe({"key": r.choice(keys)}, "value", lambda: r.choice([text(), draw(r, 0)]), 0.7)], 0.4)
        return out
    def action():
        out = {"action": r.choice(["insert", "update", "upsert", "delete", "hash", "extract", "convert"])}
        maybe(out, "key", lambda: r.choice(keys), 0.9)
        if out["action"] in ("insert", "update", "upsert"): out[r.choice(["value", "value", "from_attribute"])] = r.choice([draw(r), r.choice(keys)])
        if out["action"] in ("extract", "delete", "hash"): maybe(out, "pattern", text, 0.8 if out["action"] == "extract" else 0.3)
        if out["action"] == "convert": out["converted_type"] = r.choice(["int", "double", "string", "bool"])
        return out
    def attributes(): return maybe(maybe({"actions": [action() for _ in range(r.choice([1, 2, 3]))]}, "include", properties), "exclude", properties, 0.2)
    def resource(): return {"attributes": [action() for _ in range(r.choice([1, 2]))]}
    def span():
        out = {}
        name = maybe(maybe({}, "from_attributes", lambda: [r.choice(keys) for _ in range(r.choice([1, 2]))], 0.6), "separator", lambda: r.choice(["-", "", "::", "$$"]))
        maybe(name, "to_attributes", lambda: {"rules": [text() for _ in range(r.choice([1, 2]))], **maybe(maybe({}, "break_after_match", lambda: r.random() < 0.5), "keep_original_name", lambda: r.random() < 0.5)})
        out["name"] = name
        maybe(out, "status", lambda: maybe({"code": r.choice(["Ok", "Error", "Unset", "ok"])}, "description", lambda: "d"), 0.3)
        return maybe(maybe(out, "include", properties), "exclude", properties, 0.2)
    def redaction():
        out = {"allow_all_keys": r.random() < 0.6}
        maybe(out, "allowed_keys", lambda: r.sample(keys, min(4, len(keys))))
        for key in ("blocked_values", "blocked_key_patterns", "allowed_values"): maybe(out, key, lambda: [text() for _ in range(r.choice([1, 2]))])
        maybe(out, "ignored_keys", lambda: [r.choice(keys)], 0.3); maybe(out, "summary", lambda: r.choice(["debug", "info", "silent"]), 0.7); maybe(out, "hash_function", lambda: r.choice(["md5", "sha1", "sha3", "hmac-sha256"]), 0.3)
        return maybe(out, "redact_all_types", lambda: r.random() < 0.5)
    def group(): return {"keys": [r.choice(keys) for _ in range(r.randrange(3))]}
    kinds = {"attributes": attributes, "resource": resource, "span": span, "redaction": redaction, "groupbyattrs": group}
    cases = []
    for _ in range(count):
        kind = r.choice(sorted(kinds))
        cases.append({"suite": "fuzz-" + kind, "processor": kind, "config": kinds[kind]()})
    return {"requests": given, "pipelines": cases}


ODD_TEXTS = ["", " ", "abc", "0123", "1", "-1", "1.5", "1e3", "0x1F", "0o17", "0b11", "1_000", "true", "True", "yes", "no", "null", "~", "[a, b]", "{a: b}", "{a: {b: [1]}}", "5s", "1h30m", "a: b", "- a", "a#b", "a #b", "'q'", '"d"', "${env:DIFF_TEXT}", "$$x",
             "a,b", "12:30", "2026-01-02", ".inf", ".nan", "!!str 5", "&a x", "*a", "|", "> x", "@x", "`x", "%x", "1e400", "9223372036854775808", "18446744073709551616", "+1", "\u00fc", "a\nb", "a\n", "\ta", "0.10", "1.0", "01.5", "0x", "1__0", "-0", "''", "---", "a: [1, 2", "? x", "= "]
PLACES = ['attributes/a: {actions: [{key: r, action: upsert, value: %s}]}', 'resource/a: {attributes: [{key: r, action: upsert, value: %s}]}', 'attributes/a: {actions: [{key: r, action: upsert, value: {k: [%s, 1]}}]}', 'attributes/a: {actions: [{key: "%s", action: upsert, value: 1}]}',
          'transform/a: {trace_statements: ["set(span.attributes[\\"r\\"], \\"%s\\")"]}', 'span/a: {name: {from_attributes: [http.method, peer], separator: %s}}', 'batch/a: {timeout: %s}', 'batch/a: {send_batch_size: %s}', 'redaction/a: {allow_all_keys: %s}',
          'redaction/a: {allow_all_keys: true, blocked_values: %s}', 'filter/a: {error_mode: ignore, trace_conditions: %s}', 'groupbyattrs/a: {keys: [%s]}', 'probabilistic_sampler/a: {sampling_percentage: %s}', 'attributes/a: {actions: [{key: r, action: upsert, value: "%s"}]}', 'memory_limiter/a: {check_interval: 1s, limit_mib: %s}']
REFERENCES = ["${env:FUZZ}", "${FUZZ}", "x${env:FUZZ}", "${env:FUZZ}y", "${env:FUZZ:-d}", "${env:UNSET_FUZZ:-%s}", "${env:FUZZ}${env:FUZZ}", "'${env:FUZZ}'", "${yaml:%s}", "%s", "${env:FUZZ:-}", "$${env:FUZZ}", "${env: FUZZ}", "${file:FOLDER/0-1.yaml}"]


def environment(r, count):
    given = json.loads((HERE / "cases/environment.json").read_text())["requests"]
    cases = []
    for _ in range(count):
        text, place, reference = r.choice(ODD_TEXTS), r.choice(PLACES), r.choice(REFERENCES)
        reference = reference.replace("%s", text) if r.random() < 0.9 else reference.replace("%s", "")
        if '"%s"' in place or '\\"%s' in place: reference = reference.strip("'").replace('"', "")
        processor = place.replace("%s", reference)
        name = processor.split(":")[0]
        whole = "receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:PORT'}}}}\nprocessors:\n  %s\nexporters: {file: {path: OUT, flush_interval: 100ms}}\nservice: {telemetry: {metrics: {level: none}}, pipelines: {traces: {receivers: [otlp], processors: [%s], exporters: [file]}}}\n" % (processor, name)
        files, args = [whole], []
        if "0-1.yaml" in reference:
            files.append("FUZZ_FILE: " + text)
            continue
        if r.random() < 0.15: args = ["--set", "processors.%s=%s" % (r.choice(["attributes/a.actions", "batch/a.timeout", "redaction/a.allow_all_keys"]), text.replace("\n", " "))]
        cases.append({"suite": "fuzz-environment", "files": files, "args": args, "env": {"FUZZ": text.replace("\0", "")}})
    return {"requests": given, "wholes": cases}


def mutations(r, count):
    import yaml
    published = []
    for path in sorted((HERE / "configurations").glob("*.yaml")):
        text = run.PLACES.sub(lambda place: {"OUT": "/tmp/o.jsonl", "FOLDER": "/tmp"}.get(place[0], "4999"), path.read_text())
        published.append(yaml.safe_load(text))
    def places(tree, path=()):
        items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
        for key, value in items:
            yield path + (key,)
            yield from places(value, path + (key,))
    cases = []
    for _ in range(count):
        tree = copy.deepcopy(r.choice(published))
        chosen = r.choice([path for path in places(tree) if len(path) > 1])
        parent = tree
        for key in chosen[:-1]: parent = parent[key]
        key, how = chosen[-1], r.randrange(6)
        if how == 0: parent.pop(key)
        elif how == 1: parent[key] = draw(r)
        elif how == 2 and isinstance(parent, dict): parent[str(key) + r.choice(["s", "_x", "/b", " "])] = parent.pop(key)
        elif how == 3 and isinstance(parent, dict): parent[r.choice(["enabled", "extra", "timeout", "endpoint", "name"])] = draw(r)
        elif how == 4 and isinstance(parent[key], str) and parent[key]:
            at = r.randrange(len(parent[key]))
            parent[key] = parent[key][:at] + r.choice(["", "(", ")", '"', "x", " ", "[", "\u00fc", "=="]) + parent[key][at + 1:]
        elif isinstance(parent[key], (int, float)) and not isinstance(parent[key], bool): parent[key] = r.choice([-parent[key], str(parent[key]), parent[key] + 0.5, 0, [parent[key]]])
        else: parent[key] = None
        cases.append(["fuzz-mutations", yaml.safe_dump(tree, allow_unicode=True, sort_keys=False)])
    return {"verdicts": cases}


def http(r, count):
    cases = []
    span = {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "n", "kind": 1, "startTimeUnixNano": "1", "endTimeUnixNano": 2}
    for _ in range(count):
        body = {"resourceSpans": [{"resource": {"attributes": [{"key": "a", "value": {"stringValue": "b"}}]}, "scopeSpans": [{"spans": [copy.deepcopy(span)]}]}]}
        target = body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
        for _ in range(r.randrange(3)):
            target[r.choice(["traceId", "spanId", "parentSpanId", "name", "kind", "startTimeUnixNano", "endTimeUnixNano", "attributes", "status", "events", "links", "flags", "traceState", "droppedAttributesCount", "unknown", "trace_id"])] = r.choice([
                None, "", "x", 5, -1, 1.5, True, [], {}, "12", "0x1", "SPAN_KIND_CLIENT", {"code": "STATUS_CODE_ERROR"}, {"code": 9}, [{}], [{"key": "k"}], [{"key": "k", "value": {"intValue": 5}}], [{"key": "k", "value": {"intValue": "x"}}],
                [{"key": "k", "value": {"doubleValue": "NaN"}}], [{"key": "k", "value": {"doubleValue": "1e5"}}], [{"key": "k", "value": {"boolValue": "true"}}], [{"key": "k", "value": {"bytesValue": "a-_"}}], [{"key": "k", "value": {"stringValue": 5}}], [{"key": "k", "value": {"arrayValue": None}}],
                [{"key": "k", "value": {"arrayValue": {"values": [{}]}}}], [{"key": "k", "value": {"kvlistValue": {"values": [{"key": "z"}]}}}], "5b8efff798038103d269b633813fc60c", "5b8efff798038103", "ABCDEF0123456789", 1e19, "18446744073709551615", "18446744073709551616", 4294967296])
        text = json.dumps(body)
        if r.random() < 0.15:
            at = r.randrange(len(text))
            text = text[:at] + r.choice(["", "\\", "\"", ",", "{", "\u00fc", " ", "/**/"]) + text[at + 1:]
        case = {"suite": "fuzz-http", "body": text, "headers": {"content-type": "application/json"}}
        if r.random() < 0.25: case["headers"]["content-type"] = r.choice(["application/json; charset=utf-8", "Application/JSON", "application/x-protobuf", "text/plain", "", "application/json;", "application/grpc", " application/json", "application/json, x", "application/x-protobuf;a=b", "application/json; charset"])
        if r.random() < 0.15: case["headers"]["content-encoding"] = r.choice(["gzip", "identity", "", "zstd", "br", "GZIP", "deflate", "snappy", "lz4", "none", "gzip, gzip", "x-snappy-framed", "zlib"])
        if r.random() < 0.1: case["compress"] = r.choice(["gzip", "zlib"])
        if r.random() < 0.15: case["path"] = r.choice(["/v1/traces/", "/v1/trace", "/", "/v1/metrics", "/v1/logs", "/V1/traces", "/v1/traces?x=1", "//v1/traces", "/v1/../v1/traces", "/v1/traces#x", "/v1%2Ftraces", "/v1development/profiles"])
        if r.random() < 0.1: case["method"] = r.choice(["GET", "PUT", "OPTIONS", "HEAD", "DELETE", "PATCH", "post"])
        cases.append(case)
    return {"http": cases}


KINDS = {"statements": statements, "processors": processors, "environment": environment, "mutations": mutations, "http": http}


def write(folder, kind, given):
    drawn = dict.fromkeys(json.dumps({**case, "suite": "drawn-" + kind}, ensure_ascii=False) for case in given["pipelines"])
    drawn = [case for case in drawn if not re.search(r"\b(Now|UUID|UUIDv7)\(", case)]
    requests = [json.dumps(wave, ensure_ascii=False) for wave in given["requests"]]
    lists = [' "%s": [\n  %s\n ]' % (name, ",\n  ".join(lines)) for name, lines in (("requests", requests), ("pipelines", drawn))]
    (folder / ("drawn-%s.json" % kind)).write_text("{\n" + ",\n".join(lists) + "\n}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exec"); parser.add_argument("--oracle"); parser.add_argument("--write", type=pathlib.Path, metavar="FOLDER"); parser.add_argument("--kind", choices=sorted(KINDS), nargs="*", default=sorted(KINDS))
    parser.add_argument("--count", type=int, default=400); parser.add_argument("--seed", type=int, default=1); parser.add_argument("--keep", type=pathlib.Path); parser.add_argument("--verbose", type=int, default=0, metavar="BYTES")
    args = parser.parse_args()
    if not args.write and not (args.exec and args.oracle): parser.error("two to be asked are needed, --exec and --oracle, or --write")
    different, kept = 0, {}
    for kind in args.kind:
        given = KINDS[kind](random.Random(args.seed), args.count)
        if args.write:
            write(args.write, kind, given)
            continue
        truth, ours = (run.ask(binary.split(), given, "") for binary in (args.oracle, args.exec))
        wrong = [at for at, answer in truth.items() if answer != "crashed" and answer != ours[at]]
        for what, i in wrong:
            run.show(given[what][i], truth[what, i], ours[what, i], None)
            if args.verbose: print(json.dumps(given[what][i], ensure_ascii=False)[-args.verbose:])
            kept.setdefault(kind, []).append(given[what][i])
        different += len(wrong)
        print("%-12s %d of %d the same" % (kind, len(truth) - len(wrong), len(truth)), flush=True)
    if args.keep: args.keep.write_text(json.dumps(kept, ensure_ascii=False, indent=1))
    sys.exit(different > 0)


if __name__ == "__main__":
    main()
