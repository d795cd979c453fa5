from driver import bedrock_calls, case, telemetry
from opentelemetry.instrumentation.genai.bedrock import BedrockInstrumentor

telemetry.start()
BedrockInstrumentor().instrument()
case.run(bedrock_calls.ask)
