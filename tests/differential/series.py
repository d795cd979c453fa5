"""What metrics say, whoever wrote them down: series by resource, scope, name, unit, description, kind and attributes.

Of delta metrics the sum of all points, of cumulative ones the last point, of gauges all values; exemplars as a set; times as they are, unless they are of now.
"""
import collections, json, re, time, urllib.request


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


def read(path):
    """Series by their heads."""
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


def plain(found, times=True):
    """As JSON has it, in an order of its own; without times when these are of no interest."""
    out = []
    for head, told in found.items():
        if head == "problems":
            out.append([head, told])
            continue
        folded, seen, start, end, flags = told
        out.append([head, folded, sorted(seen if times else {e[:3] for e in seen}, key=repr)] + ([start, end] if times else []) + [flags])
    return json.loads(json.dumps(sorted(out, key=repr)))


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


def page(port, accept=None):
    """The lines that a Prometheus exporter shows, sorted."""
    headers = {"accept": accept} if accept else {}
    with urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:%d/metrics" % port, headers=headers), timeout=10) as answer:
        kind, content = re.sub(r"; escaping=.*", "", answer.headers.get("content-type")), answer.read()
    lines = [kind] + (delimited(content) if "protobuf" in kind else content.decode().splitlines())
    # Who counted is a random id, and labels of exemplars come in any order.
    lines = [re.sub(r'(instance_id=)"[0-9a-f]{8}-[0-9a-f-]{27}"', r'\1"some"', line) for line in lines]
    return sorted(re.sub(r" # \{(.*?)\}", lambda found: " # {%s}" % ",".join(sorted(found[1].split(","))), line) for line in lines)
