from driver import bedrock_calls, case, telemetry
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor

telemetry.start()
BotocoreInstrumentor().instrument()
case.run(bedrock_calls.ask)
