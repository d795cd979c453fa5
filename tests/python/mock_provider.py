#!/usr/bin/env python3
"""A stand-in for a model provider: the Messages API, plain and streaming, answering by script.

    mock_provider.py PORT

A request chooses its script with the header `x-scenario` (names in SCENARIOS), so that calls can run at the same time.
GET /_ctl/truth tells what was really served: scenario, ids, tokens, finish, status and timing of every call, in order of arrival.
"""
import asyncio
import itertools
import json
import sys
import time

from aiohttp import web

TEXT = "Lisbon is the capital of Portugal. It lies where the Tagus meets the Atlantic, and it is older than Rome."

# `in` and `out` are totals, cached tokens included. Times are seconds after the request's arrival: `first` when a stream begins
# to speak, `total` when the answer is complete. Token counts differ, so that a span can be told by them alone.
SCENARIOS = {
    "chat": {"in": 41, "out": 133, "total": 0.12},
    "fast_small": {"in": 29, "out": 7, "total": 0.03},
    "slow_small": {"in": 803, "out": 149, "total": 5.3},
    "slow_large": {"in": 48_107, "out": 661, "total": 5.3},
    "slow_but_cut_off": {"in": 517, "out": 64, "total": 5.3, "finish": "max_tokens"},
    "cached": {"in": 5_303, "out": 73, "cached": 5_120, "total": 0.1},
    "tool": {"in": 359, "out": 67, "total": 0.15, "tool": ("get_weather", {"city": "Lisbon"})},
    "stream": {"in": 421, "out": 89, "first": 0.2, "total": 0.5},
    "stream_slow_start": {"in": 619, "out": 101, "first": 4.9, "total": 5.4},
    "stream_breaks": {"in": 431, "out": 83, "first": 0.1, "total": 0.4, "breaks_after": 4},
    "rate_limited": {"error": (429, "rate_limit_error", "too many requests per minute"), "total": 0.05},
    "overloaded": {"error": (529, "overloaded_error", "overloaded"), "total": 0.05},
}

served = []
numbers = itertools.count(1)


def new_id(prefix):
    return f"{prefix}_{next(numbers):06d}{time.time_ns():x}"


class Call:
    """One served request: its script, and the record of what came of it."""

    def __init__(self, request, body):
        self.began = time.monotonic()
        name = request.headers.get("x-scenario", "chat")
        self.script = SCENARIOS[name]
        failing = "error" in self.script
        self.record = {
            "scenario": name, "stream": bool(body.get("stream")), "request_model": body.get("model"),
            "response_id": None if failing else new_id("msg"), "status": self.script["error"][0] if failing else 200,
            "input_tokens": self.script.get("in"), "output_tokens": self.script.get("out"),
            "cached_input_tokens": self.script.get("cached", 0), "finish": None if failing else self.finish(),
            "ttft_ms": None, "server_ms": None, "complete": False,
        }
        served.append(self.record)

    def finish(self):
        return "tool_use" if "tool" in self.script else self.script.get("finish", "end_turn")

    def blocks(self):
        if "tool" in self.script:
            name, arguments = self.script["tool"]
            return [{"type": "tool_use", "id": new_id("toolu"), "name": name, "input": arguments}]
        return [{"type": "text", "text": TEXT}]

    def usage(self, output=None):
        cached = self.script.get("cached", 0)
        return {
            "input_tokens": self.script["in"] - cached, "cache_read_input_tokens": cached, "cache_creation_input_tokens": 0,
            "output_tokens": self.script["out"] if output is None else output, "service_tier": "standard",
        }

    def message(self, **fields):
        return {"id": self.record["response_id"], "type": "message", "role": "assistant",
                "model": self.record["request_model"], "stop_sequence": None, **fields}

    async def until(self, seconds):
        await asyncio.sleep(max(0, seconds - (time.monotonic() - self.began)))

    def elapsed_ms(self):
        return round((time.monotonic() - self.began) * 1000)

    def done(self, complete=True):
        self.record.update(server_ms=self.elapsed_ms(), complete=complete)


async def messages(request):
    body = await request.json()
    call = Call(request, body)
    if "error" in call.script:
        status, kind, text = call.script["error"]
        await call.until(call.script["total"])
        call.done()
        return web.json_response({"type": "error", "error": {"type": kind, "message": text}}, status=status)
    if body.get("stream"):
        return await stream(request, call)
    await call.until(call.script["total"])
    call.done()
    return web.json_response(call.message(content=call.blocks(), stop_reason=call.finish(), usage=call.usage()),
                             headers={"request-id": new_id("req")})


async def stream(request, call):
    response = web.StreamResponse(headers={"content-type": "text/event-stream", "request-id": new_id("req")})
    await response.prepare(request)

    async def send(kind, **fields):
        await response.write(f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode())

    await send("message_start", message=call.message(content=[], stop_reason=None, usage=call.usage(output=1)))
    first, total = call.script.get("first", 0), call.script["total"]
    words = TEXT.split(" ")
    await call.until(first)
    call.record["ttft_ms"] = call.elapsed_ms()
    await send("content_block_start", index=0, content_block={"type": "text", "text": ""})
    for number, word in enumerate(words):
        await call.until(first + (total - first) * number / len(words))
        await send("content_block_delta", index=0, delta={"type": "text_delta", "text": word + " "})
        if number == call.script.get("breaks_after"):
            await send("error", error={"type": "overloaded_error", "message": "overloaded"})
            call.done(complete=False)
            return response
    await send("content_block_stop", index=0)
    await call.until(total)
    await send("message_delta", delta={"stop_reason": call.finish(), "stop_sequence": None}, usage=call.usage())
    await send("message_stop")
    await response.write_eof()
    call.done()
    return response


async def truth(_request):
    return web.json_response(served)


def main():
    app = web.Application(client_max_size=64 * 2**20)
    app.router.add_post("/v1/messages", messages)
    app.router.add_get("/_ctl/truth", truth)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()
