import os

from driver import case, weather
from veadk import Agent, Runner
from veadk.tracing.telemetry.exporters.cozeloop_exporter import CozeloopExporter, CozeloopExporterConfig
from veadk.tracing.telemetry.opentelemetry_tracer import OpentelemetryTracer

ENDPOINT = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces"
exporter = CozeloopExporter(config=CozeloopExporterConfig(endpoint=ENDPOINT, space_id="space-1", token="test"))
tracer = OpentelemetryTracer(exporters=[exporter])


async def ask():
    agent = Agent(
        name="weather_agent", instruction="You are helpful", tools=list(weather.FUNCTIONS.values()) if case.TOOLS else [], tracers=[tracer],
        model_provider="openai", model_name="o4-mini" if case.SCENARIO == "reasoning" else "gpt-4o", model_api_base="https://api.openai.com/v1", model_api_key="test",
    )
    runner = Runner(agent=agent, app_name="chat")
    question = f"{case.DOCUMENT}\nWhen does it end?" if case.SCENARIO == "cache" else case.QUESTION
    for round in range(2 if case.SCENARIO == "cache" else 1):
        await runner.run(messages=question, session_id=f"session-{round}")


case.run(ask)
exporter.processor.force_flush()
