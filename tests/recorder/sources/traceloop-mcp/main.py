from driver import case, mcp_calls, telemetry
from opentelemetry.instrumentation.mcp import McpInstrumentor
from opentelemetry.instrumentation.openai import OpenAIInstrumentor

telemetry.start()
McpInstrumentor().instrument()
OpenAIInstrumentor().instrument()
case.run(mcp_calls.ask)
