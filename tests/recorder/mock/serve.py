#!/usr/bin/env python3
"""Serve the mock LLM provider: serve.py [PORT]    (needs aiohttp; default port 18080)

Point an SDK's base URL at http://127.0.0.1:PORT (Anthropic: as it is; OpenAI: with /v1). A scenario is chosen by
POST /_ctl/case {"case": "slow_small"}  (names in scenarios.py; {"steps": [...]} gives one of your own).
GET /_ctl/truth returns what was really served so far: model, tokens, finish reason, timing of every call.
"""
import sys
from aiohttp import web
import mock
import realtime


async def start_case(request):
    mock.S.start(await request.json())
    return web.json_response({})


async def truth(request):
    return web.json_response([{key: value for key, value in case.items() if key not in ("i", "steps")} for case in mock.S.cases])


def application():
    app = web.Application(middlewares=[mock.stamp], client_max_size=64 * 2**20)
    app.router.add_post("/_ctl/case", start_case)
    app.router.add_get("/_ctl/truth", truth)
    mock.add_llm_routes(app)
    app.router.add_get("/v1/realtime", realtime.session)
    app.router.add_route("*", "/{tail:.*}", mock.catchall)
    return app


if __name__ == "__main__":
    web.run_app(application(), host="127.0.0.1", port=int(sys.argv[1]) if len(sys.argv) > 1 else 18080, print=None)
