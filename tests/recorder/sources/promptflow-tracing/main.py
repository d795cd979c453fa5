from driver import case, openai_calls, telemetry
from promptflow.tracing import start_trace, trace

telemetry.start()
start_trace()
case.run(trace(openai_calls.ask))
