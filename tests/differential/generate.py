#!/usr/bin/env python3
"""Random OTTL statements through both parsers: does spanmill accept what the Go Collector accepts?

    generate.py --exec spanmill --oracle otelcol [--count 100000] [--seed 1]
    generate.py --emit FILE [--count 100000] [--seed 1]          one statement a line, as JSON, for `cargo run --example parse`

The generator knows the grammar, the functions with their parameters and the paths, and now and then breaks what it has made.
"""
import argparse, json, pathlib, random, re, subprocess, sys, tempfile, time

EDITORS = {
    "set": "PA", "append": "Pa", "clear": "P", "delete_index": "PI", "delete_key": "PS", "delete_matching_keys": "PR", "flatten": "P", "keep_keys": "PL",
    "keep_matching_keys": "PR", "limit": "PiT", "merge_maps": "PMm", "replace_all_matches": "PSS", "replace_all_patterns": "PkRS", "replace_match": "PSS",
    "replace_pattern": "PRS", "stringify_all": "P", "truncate_all": "Pi",
}
CONVERTERS = {
    "Base64Encode": "S", "Bool": "A", "Coalesce": "L", "Concat": "LS", "ContainsValue": "lA", "ConvertCase": "Sc", "Day": "t", "Double": "A", "Duration": "S", "ExtractPatterns": "SR",
    "FNV": "S", "Format": "SL", "HasPrefix": "SS", "HasSuffix": "SS", "Hex": "A", "Hour": "t", "Hours": "d", "Index": "AA", "Int": "A", "IsBool": "A", "IsDouble": "A", "IsInt": "A", "IsList": "A",
    "IsMap": "A", "IsMatch": "AR", "IsRootSpan": "", "IsString": "A", "Keys": "M", "Len": "A", "Log": "A", "MD5": "S", "Microseconds": "d", "Milliseconds": "d", "Minute": "t", "Minutes": "d",
    "Month": "t", "Nanosecond": "t", "Nanoseconds": "d", "Now": "", "ParseInt": "Si", "ParseJSON": "S", "SHA1": "S", "SHA256": "S", "SHA512": "S", "Second": "t", "Seconds": "d", "SliceToMap": "l",
    "Sort": "A", "SpanID": "b", "Split": "SS", "String": "A", "Substring": "Sii", "Time": "Sf", "FormatTime": "tf", "ToCamelCase": "S", "ToLowerCase": "S", "ToSnakeCase": "S", "ToUpperCase": "S", "TraceID": "b",
    "Trim": "S", "TrimPrefix": "SS", "TrimSuffix": "SS", "TruncateTime": "td", "UUID": "", "Unix": "I", "UnixMicro": "t", "UnixMilli": "t", "UnixNano": "t", "UnixSeconds": "t", "Values": "M", "Weekday": "t", "Year": "t",
    "URL": "S", "IsInCIDR": "SL", "ParseCSV": "SS", "ParseKeyValue": "S", "ToKeyValueString": "M", "XXH3": "S", "Murmur3Hash": "S", "Nope": "A", "isMatch": "SS", "Isint": "A",
}
PATHS = {
    "span": ["attributes", "name", "kind", "kind.string", "status", "status.code", "status.message", "trace_id", "trace_id.string", "span_id", "parent_span_id.string", "trace_state", "start_time", "end_time",
             "start_time_unix_nano", "end_time_unix_nano", "dropped_attributes_count", "events", "links", "flags", "cache", "nope", "kind.deprecated_string", "status.nope", "dropped_events_count"],
    "resource": ["attributes", "dropped_attributes_count", "schema_url", "name"], "scope": ["attributes", "name", "version", "schema_url", "kind"], "instrumentation_scope": ["name", "attributes"],
    "spanevent": ["attributes", "name", "time", "time_unix_nano", "event_index", "dropped_attributes_count", "cache", "kind"], "log": ["body"], "otelcol": ["client.addr", "client.metadata"],
}
TEXTS = ["", "a", "gen_ai.usage.input_tokens", "x y", "ünï", "\\\"", "%Y-%m-%d", "2006-01-02", "5s", "snake", "1.5", "a,b", "\\\\d+", "\n"]
PATTERNS = ["", "^a.*$", "(\\\\w+)", "[a-z]+", "(?P<n>x)", "(?i)a", "[", "(", "a{2,1}", "\\\\p{Greek}", "a**", "x{1001}", "(?=a)", "\\\\1", "[[:alpha:]]", "\\\\Qa.b\\\\E", "(?s).", "\\\\z", "^", "a|"]
ENUMS = ["SPAN_KIND_CLIENT", "STATUS_CODE_ERROR", "SPAN_KIND_NOPE", "STATUS_CODE_UNSET"]


class Maker:
    def __init__(self, seed): self.r = random.Random(seed)

    def pick(self, items): return self.r.choice(items)

    def some(self, chance): return self.r.random() < chance

    def text(self): return '"%s"' % self.pick(TEXTS)

    def number(self): return self.pick(["0", "1", "42", "-1", "9223372036854775807", "9223372036854775808", "007", "1e3"])

    def double(self): return self.pick(["0.5", "1.", ".5", "1.5e3", "-2.25", "1.5e-300", "1.e2"])

    def path(self, depth, indexable=False):
        root = self.pick(["span"] * 12 + ["resource"] * 3 + ["scope", "instrumentation_scope", "spanevent"] + (["log", "otelcol"] if self.some(0.05) else []))
        name = self.pick(["attributes"] * 3 + PATHS[root] if not indexable else ["attributes"])
        out = root + "." + name if not self.some(0.02) else name
        chance = 0.75 if name in ("attributes", "cache") else 0.04
        while self.some(chance) and depth > 0:
            out += "[%s]" % self.key(depth - 1)
            chance = 0.2
        return out

    def key(self, depth):
        return self.pick([self.text, self.text, self.text, lambda: self.pick(["0", "1", "-1"]), lambda: self.value(depth)])() if self.some(0.97) else ""

    def value(self, depth):
        makers = [self.text, self.number, self.double, lambda: self.pick(["true", "false", "nil"]), lambda: self.pick(ENUMS), lambda: self.pick(["0x0a", "0x", "0xABCD", "0x0"])]
        if depth > 0:
            makers += [lambda: self.path(depth - 1)] * 6 + [lambda: self.call(depth - 1)] * 4 + [lambda: self.math(depth - 1)] * 2 + [lambda: self.list(depth - 1), lambda: self.map(depth - 1), lambda: "(%s)" % self.value(depth - 1)]
        return self.pick(makers)()

    def math(self, depth):
        return (" %s " % self.pick(["+", "-", "*", "/"])).join(self.value(depth) for _ in range(self.pick([2, 2, 3])))

    def list(self, depth): return "[%s]" % ", ".join(self.value(depth) for _ in range(self.r.randrange(4)))

    def map(self, depth): return "{%s}" % ", ".join("%s: %s" % (self.text(), self.value(depth)) for _ in range(self.r.randrange(3)))

    def argument(self, kind, depth):
        if self.some(0.06): return self.value(depth)
        make = {
            "P": lambda: self.path(depth), "A": lambda: self.value(depth), "a": lambda: self.value(depth), "S": lambda: self.pick([self.text(), self.path(depth, True)]), "R": lambda: '"%s"' % self.pick(PATTERNS),
            "I": lambda: self.pick([self.number(), self.path(depth, True)]), "i": self.number, "L": lambda: self.list(depth), "l": lambda: self.pick([self.list(depth), self.path(depth, True)]),
            "T": lambda: "[%s]" % ", ".join(self.text() for _ in range(self.r.randrange(3))), "M": lambda: self.pick([self.map(depth), self.path(depth, True)]), "m": lambda: self.pick(['"insert"', '"update"', '"upsert"', '"x"']),
            "k": lambda: self.pick(['"key"', '"value"', '"x"']), "t": lambda: self.pick(["span.start_time", "Now()", self.path(depth)]), "d": lambda: self.pick(['Duration("5s")', "span.end_time - span.start_time", self.path(depth)]),
            "b": lambda: self.pick(["0x0102030405060708", "0x01020304050607080102030405060708", self.text()]), "c": lambda: self.pick(['"snake"', '"lower"', '"nope"']), "f": lambda: '"%s"' % self.pick(["%Y", "%Y-%m-%dT%H:%M:%S", "%q", "", "2006"]),
        }
        return make[kind]()

    def call(self, depth, table=None):
        table = table or CONVERTERS
        name = self.pick(sorted(table))
        args = [self.argument(kind, depth) for kind in table[name]]
        if args and self.some(0.04): args.pop()
        if self.some(0.03): args.append(self.value(depth))
        out = "%s(%s)" % (name, ", ".join(args))
        if table is CONVERTERS and self.some(0.06): out += "[%s]" % self.key(depth)
        return out

    def condition(self, depth):
        if depth > 0 and self.some(0.3): return (" %s " % self.pick(["and", "or"])).join(self.condition(depth - 1) for _ in range(2))
        if depth > 0 and self.some(0.1): return "(%s)" % self.condition(depth - 1)
        if self.some(0.1): return "not " + self.condition(depth - 1)
        return self.pick([lambda: "%s %s %s" % (self.value(depth), self.pick(["==", "!=", "<", "<=", ">", ">="]), self.value(depth)), lambda: self.call(depth), lambda: self.pick(["true", "false"])])()

    def statement(self):
        out = self.call(3, EDITORS)
        if self.some(0.35): out += " where " + self.condition(2)
        if self.some(0.08) and out:
            at = self.r.randrange(len(out))
            out = self.pick([out[:at] + out[at + 1:], out[:at] + self.pick(list("()[]{}\",.=<>+-*/ aZ0_\\")) + out[at:], out[:at]])
        return out


def configuration(statements):
    groups = [{"statements": [statement]} for statement in statements]
    return json.dumps({"receivers": {"nop": None}, "exporters": {"nop": None}, "processors": {"transform": {"trace_statements": groups}},
                       "service": {"pipelines": {"traces": {"receivers": ["otlp"], "processors": ["transform"], "exporters": ["nop"]}}}}).replace('"receivers": {"nop": null}', '"receivers": {"otlp": {"protocols": {"grpc": null}}}')


def validate(binary, statements):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
        f.write(configuration(statements).replace("$", "$$"))
        f.flush()
        start = time.monotonic()
        run = subprocess.run([binary, "validate", "--config", f.name], capture_output=True, text=True, timeout=600)
        return run, time.monotonic() - start


def refused_by_go(binary, statements):
    run, _ = validate(binary, statements)
    if run.returncode == 0: return set()
    refused = set()
    for quoted in re.findall(r'(?:unable to parse OTTL statement |from statements \[|and conditions \[)("(?:\\.|[^"\\])*")', run.stderr + run.stdout):
        refused.add(unquote(quoted))
    return refused


def unquote(quoted):
    """Go's quoted form back to text."""
    def one(match):
        escape = match.group(1)
        if escape[0] == "x": return chr(int(escape[1:], 16))
        if escape[0] in "uU": return chr(int(escape[1:], 16))
        return {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}.get(escape, escape)
    return re.sub(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|.)", one, quoted[1:-1], flags=re.S)


def refused_by_spanmill(binary, statements):
    run, took = validate(binary, statements)
    if run.returncode not in (0, 1): sys.exit("spanmill ended with %d: %s" % (run.returncode, run.stderr[-2000:]))
    return {statements[int(at)] for at in re.findall(r"trace_statements\[(\d+)\]", run.stderr + run.stdout)}, took


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exec"); parser.add_argument("--oracle"); parser.add_argument("--count", type=int, default=100000); parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--emit", type=pathlib.Path); parser.add_argument("--verbose", action="store_true"); parser.add_argument("--min", type=float, default=99.9)
    args = parser.parse_args()
    maker = Maker(args.seed)
    statements = [maker.statement() for _ in range(args.count)]
    if args.emit:
        args.emit.write_text("".join(json.dumps(statement, ensure_ascii=False) + "\n" for statement in statements))
        return
    different, accepted, slowest = [], 0, 0
    for at in range(0, len(statements), 1000):
        batch = statements[at:at + 1000]
        go = refused_by_go(args.oracle, batch)
        ours, took = refused_by_spanmill(args.exec, batch)
        slowest = max(slowest, took)
        for statement in batch:
            accepted += statement not in go
            if (statement in go) != (statement in ours):
                different.append(statement)
                if args.verbose: print("go", "refuses" if statement in go else "accepts", json.dumps(statement, ensure_ascii=False), flush=True)
    share = 100 - 100 * len(different) / len(statements)
    print("%d statements, %d accepted by the Go Collector, same verdict %.3f %%, a thousand in %.2f s at most" % (len(statements), accepted, share, slowest))
    sys.exit(share < args.min)


if __name__ == "__main__":
    main()
