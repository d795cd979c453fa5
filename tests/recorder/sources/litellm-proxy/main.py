"""The LiteLLM proxy as a process of its own, and an OpenAI client in front of it."""
import os
import socket
import subprocess
import sys
import time
import urllib.request

from driver import case, openai_calls
from driver.case import CASE

TELEMETRY = {"OTEL_EXPORTER": "otlp_http", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_SERVICE_NAME": "litellm-proxy",
             "OTEL_ENDPOINT": os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]}
# Its transport looks at HTTPS_PROXY only where it is told to; its prices come with the package.
TRANSPORT = {"AIOHTTP_TRUST_ENV": "True", "DISABLE_AIOHTTP_TRANSPORT": "True", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def await_start(address):
    for _ in range(300):
        try:
            return urllib.request.urlopen(f"{address}/health/liveliness", timeout=5).read()
        except OSError:
            time.sleep(0.2)
    raise TimeoutError("the proxy does not start")


port = free_port()
proxy = subprocess.Popen([sys.executable, "-m", "litellm.proxy.proxy_cli", "--config", "config.yaml", "--host", "127.0.0.1", "--port", str(port)],
                         env={**os.environ, **TELEMETRY, **TRANSPORT})
await_start(f"http://127.0.0.1:{port}")
if CASE.startswith("anthropic"):
    openai_calls.MODEL = "claude"
case.run(lambda: openai_calls.ask(base_url=f"http://127.0.0.1:{port}/v1"))
time.sleep(6)    # its spans leave in batches, every five seconds
proxy.terminate()
proxy.wait(20)
