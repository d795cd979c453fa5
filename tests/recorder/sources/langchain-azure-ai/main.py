from driver import case, langchain_calls, telemetry
from langchain_azure_ai.callbacks.tracers import AzureAIOpenTelemetryTracer

telemetry.start()
tracer = AzureAIOpenTelemetryTracer(enable_content_recording=True, auto_configure_azure_monitor=False, name="weather_agent", agent_id="agent-1")
case.run(lambda: langchain_calls.ask({"callbacks": [tracer], "configurable": {"thread_id": "sess-7"}}))
