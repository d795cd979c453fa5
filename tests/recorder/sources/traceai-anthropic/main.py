from driver import anthropic_calls, case, telemetry
from traceai_anthropic import AnthropicInstrumentor

AnthropicInstrumentor().instrument(tracer_provider=telemetry.start())
case.run(anthropic_calls.ask)
