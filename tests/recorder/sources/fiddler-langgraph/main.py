import os

from driver import case, langchain_calls
from fiddler_langgraph import FiddlerClient, LangGraphInstrumentor, set_conversation_id
from langchain_core.runnables import RunnableLambda
from opentelemetry.sdk import resources

# It would describe the machine that records.
resources.OsResourceDetector = resources.OTELResourceDetector
client = FiddlerClient("550e8400-e29b-41d4-a716-446655440000", api_key="test", url=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"])
LangGraphInstrumentor(client).instrument()
set_conversation_id("sess-7")
# It traces what has a chain around.
case.run(lambda: RunnableLambda(lambda _: langchain_calls.ask() or "").invoke(case.QUESTION))
client.force_flush()
