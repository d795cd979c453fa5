from driver import case, telemetry
from haystack import tracing
from haystack.tracing.opentelemetry import OpenTelemetryTracer
from opentelemetry import trace

telemetry.start()
tracing.tracer.is_content_tracing_enabled = True
tracing.enable_tracing(OpenTelemetryTracer(trace.get_tracer("haystack")))

from driver import haystack_calls  # noqa: E402

case.run(haystack_calls.ask)
