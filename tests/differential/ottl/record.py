#!/usr/bin/env python3
"""Ask the Go Collector what OTTL's converters give, and write its answers to crates/ottl/tests/oracle/functions.json.

  record.py OTELCOL

The expressions are those of functions.py. Each becomes a statement of one transform processor that sets an attribute; what the
Collector refuses at start is recorded as null, and where evaluation fails the span has no such answer.
"""
import base64, json, os, pathlib, signal, socket, subprocess, sys, tempfile, time, urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ORACLE = HERE.parents[2] / "crates/ottl/tests/oracle"
sys.path.insert(0, str(ORACLE))
sys.path.insert(0, str(HERE))
import functions, otlp


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def document(chunks, port, folder):
    statements = lambda chunk: ['set(attributes["result.%d"], %s)' % (i, text) for i, text in chunk]
    return json.dumps({
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": "127.0.0.1:%d" % port}}}},
        "processors": {"transform/%d" % n: {"error_mode": "ignore", "trace_statements": [{"context": "span", "statements": statements(chunk)}]} for n, chunk in enumerate(chunks)},
        "exporters": {"file/%d" % n: {"path": "%s/%d.jsonl" % (folder, n), "flush_interval": "100ms"} for n in range(len(chunks))},
        "service": {"telemetry": {"metrics": {"level": "none"}, "logs": {"level": "fatal"}}, "pipelines": {
            "traces/%d" % n: {"receivers": ["otlp"], "processors": ["transform/%d" % n], "exporters": ["file/%d" % n]} for n in range(len(chunks))}},
    }, ensure_ascii=False).replace("$", "$$")


def environment():
    return dict(os.environ, TZ="UTC")


def accepted(binary, rows):
    """The rows that the binary accepts, found by halving."""
    if not rows:
        return []
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False) as f:
        f.write(document([rows], 4318, "/tmp"))
    try:
        if subprocess.run([binary, "validate", "--config", f.name], capture_output=True, timeout=60, env=environment()).returncode == 0:
            return rows
    finally:
        os.unlink(f.name)
    if len(rows) == 1:
        return []
    half = len(rows) // 2
    return accepted(binary, rows[:half]) + accepted(binary, rows[half:])


def answers(binary, rows, request):
    """{span number: {attribute: value}} of all rows; those that the Collector does not survive are left out."""
    found = {}
    chunks = [rows[at:at + 64] for at in range(0, len(rows), 64)]
    for at in range(0, len(chunks), 16):
        merge(found, survive(binary, chunks[at:at + 16], request))
    return found


def merge(into, found):
    for number, values in found.items():
        into.setdefault(number, {}).update(values)


def survive(binary, chunks, request):
    try:
        return run(binary, chunks, request)
    except OSError:
        pass
    if len(chunks) == 1 and len(chunks[0]) == 1:
        print("the Collector does not survive", chunks[0][0][1])
        return {}
    if len(chunks) == 1:
        half = len(chunks[0]) // 2
        halves = [[chunks[0][:half]], [chunks[0][half:]]]
    else:
        half = len(chunks) // 2
        halves = [chunks[:half], chunks[half:]]
    found = {}
    for half in halves:
        merge(found, survive(binary, half, request))
    return found


def wait_for(process, port):
    """Until the receiver listens."""
    while process.poll() is None:
        try:
            return socket.create_connection(("127.0.0.1", port), 0.1).close()
        except OSError:
            time.sleep(0.05)
    raise OSError("the Collector ended")


def run(binary, chunks, request):
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        config = pathlib.Path(folder) / "config.yaml"
        config.write_text(document(chunks, port, folder))
        with open(pathlib.Path(folder) / "log", "w") as log:
            process = subprocess.Popen([binary, "--config", str(config)], stdout=log, stderr=log, env=environment())
        try:
            wait_for(process, port)
            urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:%d/v1/traces" % port, request, {"content-type": "application/x-protobuf"}), timeout=30).read()
            time.sleep(0.5)
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        finally:
            process.kill()
        for n in range(len(chunks)):
            for line in (pathlib.Path(folder) / ("%d.jsonl" % n)).read_text(errors="replace").splitlines():
                for resource in json.loads(line)["resourceSpans"]:
                    for scope in resource["scopeSpans"]:
                        for span in scope["spans"]:
                            values = found.setdefault(int(span["spanId"], 16), {})
                            values.update({a["key"]: a.get("value", {}) for a in span.get("attributes", []) if a["key"].startswith("result.")})
    return found


def main():
    binary = sys.argv[1]
    version = subprocess.run([binary, "--version"], capture_output=True, text=True).stdout.split()[-1]
    texts = list(dict.fromkeys(functions.expressions()))
    request = functions.request(otlp)
    rows = list(enumerate(texts))
    valid = []
    for at in range(0, len(rows), 64):
        valid += accepted(binary, rows[at:at + 64])
    refused = {i for i, _ in rows} - {i for i, _ in valid}
    found = answers(binary, valid, request)
    of = lambda i: {str(n): values["result.%d" % i] for n, values in sorted(found.items()) if "result.%d" % i in values}
    table = [[text, None if i in refused else of(i)] for i, text in rows]
    lines = ",\n".join(json.dumps(row, ensure_ascii=True) for row in table)
    encoded = base64.b64encode(request).decode()
    (ORACLE / "functions.json").write_text('{\n"version": "%s",\n"request": "%s",\n"expressions": [\n%s\n]\n}\n' % (version, encoded, lines))
    failing = sum(1 for _, got in table if got == {})
    print("%s: %d expressions, %d refused, %d fail for every span" % (version, len(table), len(refused), failing))


if __name__ == "__main__":
    main()
