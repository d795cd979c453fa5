"""The MCP server with the two tools."""
from opentelemetry.instrumentation.mcp import McpInstrumentor as MCPInstrumentor
from driver import telemetry, weather

provider = telemetry.start()
MCPInstrumentor().instrument()

from mcp.server.fastmcp import FastMCP  # noqa: E402

server = FastMCP("weather-server", log_level="ERROR")
for function in weather.FUNCTIONS.values():
    server.tool()(function)
server.run()
provider.shutdown()
