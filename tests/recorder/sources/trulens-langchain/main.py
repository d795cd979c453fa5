from driver import case, langchain_calls, telemetry
from langchain_core.runnables import RunnableLambda
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from trulens.apps.langchain import TruChain
from trulens.core.session import TruSession

session = TruSession(database_url="sqlite:///:memory:", span_exporter=OTLPSpanExporter())
app = RunnableLambda(lambda question: langchain_calls.ask() or "")
recorder = TruChain(app, app_name="chat-api", app_version="1.4.2")


def ask():
    with recorder:
        app.invoke(case.QUESTION)


case.run(ask)
telemetry.flush()
