from driver import case, mcp_calls, telemetry
from openinference.instrumentation.mcp import MCPInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor

telemetry.start()
MCPInstrumentor().instrument()
OpenAIInstrumentor().instrument()
case.run(mcp_calls.ask)
