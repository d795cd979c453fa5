"""A request with values of every type, encoded as OTLP protobuf without any library."""
import struct


def varint(n):
    n &= (1 << 64) - 1
    out = b""
    while n >= 0x80:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def number(field, n): return varint(field << 3) + varint(n)
def fixed64(field, n): return varint(field << 3 | 1) + struct.pack("<Q", n)
def fixed32(field, n): return varint(field << 3 | 5) + struct.pack("<I", n)


def body(field, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def value(v):
    if v is None: return b""
    if isinstance(v, bool): return number(2, int(v))
    if isinstance(v, int): return number(3, v)
    if isinstance(v, float): return varint(4 << 3 | 1) + struct.pack("<d", v)
    if isinstance(v, str): return body(1, v)
    if isinstance(v, bytes): return body(7, v)
    if isinstance(v, list): return body(5, b"".join(body(1, value(x)) for x in v))
    if isinstance(v, dict): return body(6, attributes(1, v))
    raise TypeError(v)


def attributes(field, items):
    items = items.items() if isinstance(items, dict) else items
    return b"".join(body(field, body(1, k) + body(2, value(v))) for k, v in items)


def span(n, name="", kind=0, start=0, end=0, attrs=(), status=None, events=(), links=(), state="", parent=0, flags=0, dropped=(0, 0, 0), trace=1):
    out = body(1, bytes(15) + bytes([trace])) + body(2, bytes(7) + bytes([n]))
    if state: out += body(3, state)
    if parent: out += body(4, bytes(7) + bytes([parent]))
    if name: out += body(5, name)
    if kind: out += number(6, kind)
    out += fixed64(7, start) + fixed64(8, end) + attributes(9, attrs)
    if dropped[0]: out += number(10, dropped[0])
    for time, event_name, event_attrs in events:
        out += body(11, fixed64(1, time) + body(2, event_name) + attributes(3, event_attrs))
    if dropped[1]: out += number(12, dropped[1])
    for link in links: out += body(13, body(1, bytes([link]) * 16) + body(2, bytes([link]) * 8))
    if dropped[2]: out += number(14, dropped[2])
    if status: out += body(15, (body(2, status[1]) if status[1] else b"") + number(3, status[0]))
    if flags: out += fixed32(16, flags)
    return out


T = 1795000000_000000000

SPANS = [
    [  # resource 0, scope 0
        span(1, "chat gpt-5", 3, T, T + 6_250_000_000, {
            "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5-mini", "gen_ai.usage.input_tokens": 1234,
            "gen_ai.usage.output_tokens": 56, "gen_ai.response.finish_reasons": ["stop"], "temperature": 0.7, "stream": True}),
        span(2, "execute_tool search", 1, T + 1, T + 250_000_000, {
            "json": '{"q":"rust","n":3,"deep":{"a":[1,2,{"b":null}],"t":true},"f":2.5}', "json_list": '[1,"two",null,{"x":[]}]', "json_bad": "{oops",
            "json_scalar": "42", "n": 7, "neg": -3, "f": 2.5, "big": 9007199254740993, "s": "Hello World", "empty": ""}, parent=1),
        span(3, "chat claude", 3, T + 5, T + 2_400_000_000, {
            "gen_ai.usage.input_tokens": "812", "tags": ["x", "y", "z", "x"], "ints": [3, 1, 2], "mixed": [1, 2.5, "three", True, None],
            "nested": {"a": {"b": {"c": 1}}, "list": [1, {"k": "v"}], "s": "v", "html": "<a&b>"}, "numstr": "42", "fstr": "3.14", "boolstr": "true",
            "bytes": b"\x00\x01\xfe", "no_bytes": b"", "no_list": [], "no_map": {}, "nothing": None, "key": "tags", "index": 2}, status=(2, "rate limited: 429")),
    ],
    [  # resource 0, scope 1
        span(4, "GET /api/v1/users/123", 2, T + 9, T + 1_504_000_000, {
            "http.request.method": "GET", "url.full": "https://user:pw@api.example.com:8443/v1/users/123?key=abc&x=1#frag", "http.response.status_code": 503,
            "card": "4111 1111 1111 1111", "ip": "192.168.10.25", "pattern": "^GET .*", "bad_pattern": "(", "braces": "a{b}", "[odd]": "odd key"},
            status=(1, ""), state="vendor=abc,other=1", trace=2, flags=257, dropped=(2, 3, 4)),
        span(5, "\u00dcn\u00efc\u00f6d\u00e9 \u6f22\u5b57 \U0001F680", 5, T, T + 1500, {
            "text": "\u00dcn\u00efc\u00f6d\u00e9 \u6f22\u5b57 \U0001F680", "camelCaseKey": "someValueHTTP2Here", "snake_case": "some_value_here", "spaces": "  padded\t\n",
            "lines": "one\ntwo\nthree", "dur": "1m30s", "dur_ms": "250.5ms", "dur_bad": "5 parsecs", "hex": "0xff", "csv": "a,b;c,,d", "upper": "SHOUT \u00df \u0130",
            "id16": "0123456789abcdef0123456789ABCDEF", "id8": "0123456789abcdef"},
            events=[(T, "exception", {"exception.type": "RateLimitError", "exception.message": "429 Too Many Requests"}), (T + 1, "gen_ai.choice", {"index": 0, "finish_reason": "stop"}), (T + 2, "log", {})],
            links=[7, 8], parent=4, trace=2),
    ],
    [  # resource 1, scope 2
        span(6, trace=3),
        span(7, "odd numbers", 4, T, T - 5, [
            ("nan", float("nan")), ("inf", float("inf")), ("minf", float("-inf")), ("mzero", -0.0), ("huge", 1e300), ("tiny", 1e-7), ("max", 2**63 - 1), ("min", -2**63),
            ("zero", 0), ("fzero", 0.0), ("seven", 7.0), ("t", "T"), ("spaced", " 5"), ("plus", "+5"), ("exp", "1e3"), ("oct", "017"), ("toobig", "9223372036854775808"), ("bool", False),
            ("twice", "first"), ("twice", "second")], state="=broken", trace=3),
        span(8, "chat", 3, T + 86_399_999_999_999, T + 90_000_000_000_000, {"n": 7.0, "s": 7, "tags": "x", "nested": ["a"], "bytes": "\x00\x01", "stream": "true", "long." + "k" * 200: "v" * 300}, parent=7, trace=3),
    ],
]


def request():
    def scope(name, version, attrs, spans, url): return body(2, body(1, body(1, name) + body(2, version) + attributes(3, attrs) + number(4, 1)) + b"".join(body(2, s) for s in spans) + body(3, url))
    first = body(1, attributes(1, {"service.name": "chat-api", "service.version": "1.2.3", "deployment.environment.name": "prod", "pods": ["a", "b"], "replicas": 3}))
    second = body(1, attributes(1, {"service.name": "worker", "host.name": "h-01"}) + number(2, 9))
    return (body(1, first + scope("instrumentation.openai", "0.9", {"scope.key": "sv"}, SPANS[0], "https://example.com/scope/1") + scope("http", "", {}, SPANS[1], "") + body(3, "https://example.com/resource/1"))
            + body(1, second + scope("odd", "1.0", {"n": 1}, SPANS[2], "")))
