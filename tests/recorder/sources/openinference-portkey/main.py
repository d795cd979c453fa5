from driver import case, openai_calls, telemetry
from openinference.instrumentation.portkey import PortkeyInstrumentor
from portkey_ai import Portkey

PortkeyInstrumentor().instrument(tracer_provider=telemetry.start())
# Its client is used as OpenAI's is, with the gateway's key and its name for the provider.
openai_calls.client = lambda **options: Portkey(api_key="test", provider="openai", Authorization="sk-test")
case.run(openai_calls.ask)
