import importlib
import os

import mlflow
from driver import case
from driver.case import CASE

# Traces alone: metrics would want another exporter.
os.environ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = os.environ.pop("OTEL_EXPORTER_OTLP_ENDPOINT") + "/v1/traces"
os.environ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] = "http/protobuf"
kind = CASE.split("_")[0]
getattr(mlflow, kind).autolog()
calls = {"gemini": "google_calls"}.get(kind, f"{kind}_calls")
case.run(importlib.import_module(f"driver.{calls}").ask)
mlflow.flush_trace_async_logging()
