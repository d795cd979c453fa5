import os

from driver import case
from driver.case import CASE
from lmnr import Laminar, observe

ENDPOINT = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]
Laminar.initialize(project_api_key="test", base_url=ENDPOINT.rsplit(":", 1)[0], http_port=int(ENDPOINT.rsplit(":", 1)[1]), force_http=True)


@observe()
def answer():
    if CASE.startswith("anthropic"):
        from driver import anthropic_calls
        return anthropic_calls.ask()
    from driver import openai_calls
    return openai_calls.ask()


case.run(answer)
Laminar.flush()
