from driver import case, telemetry

telemetry.start()

from agents import set_trace_processors  # noqa: E402
from driver import openai_agents_calls  # noqa: E402
from openai_agents_opentelemetry import OpenTelemetryTracingProcessor  # noqa: E402

set_trace_processors([OpenTelemetryTracingProcessor()])
case.run(openai_agents_calls.ask)
