from driver import anthropic_calls, case, telemetry
from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor

telemetry.start()
AnthropicInstrumentor().instrument()
case.run(anthropic_calls.ask)
