"""Everything a driver meets while it is recorded: the mock provider, its names, and the sink."""
import asyncio
import sys
import threading
import time

from aiohttp import web

from .places import RECORDER
from .proxy import Names, Proxy
from .sink import Sink

sys.path.insert(0, str(RECORDER / "mock"))
import mock  # noqa: E402
import serve  # noqa: E402


# What the SDKs want to be told before they call; the mock does not look.
KEYS = {
    "OPENAI_API_KEY": "sk-test", "ANTHROPIC_API_KEY": "sk-ant-test", "GEMINI_API_KEY": "test", "GROQ_API_KEY": "test",
    "MISTRAL_API_KEY": "test", "COHERE_API_KEY": "test", "CO_API_KEY": "test",
    "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class World:
    def __init__(self, folder):
        self.sink = Sink()
        self.names = Names(folder)
        self.ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self.live()), daemon=True).start()
        if not self.ready.wait(20):
            sys.exit("the mock provider does not start")

    async def live(self):
        provider = serve.application()
        runner = web.AppRunner(provider, access_log=None)
        await runner.setup()
        self.mock_port = await listen(runner)
        self.proxy_port = await Proxy(await listen(runner, self.names.context)).serve()
        runner = web.AppRunner(self.sink.app(), access_log=None)
        await runner.setup()
        self.sink_port = await listen(runner)
        self.ready.set()
        await asyncio.Event().wait()

    def start(self, case, scenario):
        self.sink.requests = []
        mock.S.start({"case": case, "scenario": scenario})

    def truth(self):
        """What the mock served, once its answers have ended: one that a client left goes on for a moment."""
        for _ in range(60):
            if all(call["server_ms"] is not None for call in mock.S.case["calls"]):
                break
            time.sleep(0.1)
        return mock.S.case

    def environment(self):
        proxy, authority = f"http://127.0.0.1:{self.proxy_port}", "/srv/ca.pem"
        return {
            "MOCK_URL": f"http://127.0.0.1:{self.mock_port}",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.sink_port}",
            "HTTPS_PROXY": proxy, "https_proxy": proxy, "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost",
            "SSL_CERT_FILE": authority, "REQUESTS_CA_BUNDLE": authority, "NODE_EXTRA_CA_CERTS": authority, "AWS_CA_BUNDLE": authority,
            # Node's SDK would describe the machine: its id, its owner, its command line.
            "OTEL_NODE_RESOURCE_DETECTORS": "env", **KEYS,
        }


async def listen(runner, context=None):
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    return site._server.sockets[0].getsockname()[1]
