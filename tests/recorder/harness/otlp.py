"""OTLP requests: counting what is in them, and the protobuf form of one that was sent as JSON."""
import base64
import collections
import json

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

IDS = ("traceId", "spanId", "parentSpanId")


def from_json(body):
    """OTLP/JSON writes ids as hex digits where protobuf's own JSON has base64; some exporters write the latter all the same."""
    return json_format.ParseDict(ids_as_base64(json.loads(body)), ExportTraceServiceRequest(), ignore_unknown_fields=True).SerializeToString()


def ids_as_base64(value):
    if isinstance(value, list):
        return [ids_as_base64(inner) for inner in value]
    if isinstance(value, dict):
        return {key: id_as_base64(inner) if key in IDS and isinstance(inner, str) else ids_as_base64(inner) for key, inner in value.items()}
    return value


def id_as_base64(text):
    try:
        return base64.b64encode(bytes.fromhex(text)).decode()
    except ValueError:
        return text


def scopes(body):
    """How many spans each scope has, `name@version` for name."""
    found = collections.Counter()
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope in resource.scope_spans:
            name = f"{scope.scope.name}@{scope.scope.version}" if scope.scope.version else scope.scope.name
            found[name] += len(scope.spans)
    return found
