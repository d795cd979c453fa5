"""An OTLP/HTTP endpoint that keeps the trace requests as they came (decompressed)."""
from aiohttp import web


class Sink:
    def __init__(self):
        self.requests = []      # (transport, body, is_json)

    def app(self):
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/{path:.*}", self.take)
        return app

    async def take(self, request):
        body = await request.read()
        kind = request.content_type
        if request.path.endswith("/traces"):
            packed = request.headers.get("Content-Encoding")
            words = ["http", kind, packed, request.path] if packed else ["http", kind, request.path]
            self.requests.append((" ".join(words), body, "json" in kind))
        return web.Response(body=b"{}" if "json" in kind else b"", content_type=kind)
