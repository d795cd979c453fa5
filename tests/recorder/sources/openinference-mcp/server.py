"""The MCP server with the two tools."""
from openinference.instrumentation.mcp import MCPInstrumentor
from driver import telemetry, weather

provider = telemetry.start()
MCPInstrumentor().instrument()

from mcp.server.mcpserver import MCPServer  # noqa: E402

server = MCPServer("weather-server", log_level="ERROR")
for function in weather.FUNCTIONS.values():
    server.tool()(function)
server.run()
provider.shutdown()
