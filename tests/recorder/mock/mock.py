"""Mock LLM provider.  Speaks Anthropic Messages, OpenAI Chat Completions / Responses / Embeddings
(also Azure, Groq, OpenRouter, Mistral by Host header), Gemini generateContent, Bedrock converse /
converse-stream / invoke, Cohere v2 (+v1), Ollama.  Scripted by scenarios.py through /_ctl/case."""
import asyncio, base64, json, struct, time, zlib, copy, re, itertools
from aiohttp import web
import scenarios

EMPTY = object()


class State:
    def __init__(self):
        self.case = None
        self.cases = []

    def start(self, d):
        steps = d.get("steps") or scenarios.SCENARIOS[d.get("scenario") or d["case"]]
        self.case = dict(case=d["case"], scenario=d.get("scenario") or (None if d.get("steps") else d["case"]), steps=steps,
                         i=0, calls=[], extra=d.get("truth") or {}, started=time.time(), note=d.get("note"))
        self.cases.append(self.case)


S = State()


def step_for_chat():
    c = S.case
    if c is None:
        return dict(text="OK", **{"in": 3, "out": 1}, dur=0.02)
    st = c["steps"][min(c["i"], len(c["steps"]) - 1)]
    c["i"] += 1
    return st


_ids = itertools.count(1)


def new_id(prefix):
    return "%s%s" % (prefix, "%08x%016x" % (next(_ids) + 0x5a000000, int(time.time() * 1e6)))


FIN = {
    "anthropic": dict(stop="end_turn", tool="tool_use", length="max_tokens", filter="refusal", stopseq="stop_sequence"),
    "openai": dict(stop="stop", tool="tool_calls", length="length", filter="content_filter", stopseq="stop"),
    "gemini": dict(stop="STOP", tool="STOP", length="MAX_TOKENS", filter="SAFETY", stopseq="STOP"),
    "bedrock": dict(stop="end_turn", tool="tool_use", length="max_tokens", filter="content_filtered", stopseq="stop_sequence"),
    "cohere": dict(stop="COMPLETE", tool="TOOL_CALL", length="MAX_TOKENS", filter="ERROR", stopseq="STOP_SEQUENCE"),
    "ollama": dict(stop="stop", tool="stop", length="length", filter="stop", stopseq="stop"),
}
RESP_MODEL = {
    "gpt-4o": "gpt-4o-2024-08-06", "gpt-4o-mini": "gpt-4o-mini-2024-07-18", "gpt-4.1": "gpt-4.1-2025-04-14", "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
    "gpt-5": "gpt-5-2025-08-07", "gpt-5-mini": "gpt-5-mini-2025-08-07", "o4-mini": "o4-mini-2025-04-16",
    "claude-sonnet-4-5": "claude-sonnet-4-5-20250929", "claude-haiku-4-5": "claude-haiku-4-5-20251001", "claude-3-5-sonnet-latest": "claude-3-5-sonnet-20241022",
    "mistral-large-latest": "mistral-large-2411", "mistral-small-latest": "mistral-small-2506",
}


def norm_finish(f):
    return dict(stop="stop", tool="tool_calls", length="length", filter="content_filter", stopseq="stop")[f]


class Call:
    """truth record of one served request"""

    def __init__(self, req, api, provider, model, st, stream=False, **kw):
        self.req = req
        self.t0 = req["_t0"]
        self.st = st
        fin = st.get("finish", "stop")
        tcs = [dict(name=n) for n, _ in st.get("tools", [])]
        self.d = dict(seq=None, api=api, provider=provider, host=req.host, path=req.path, request_model=model,
                      response_model=None, response_id=None, stream=stream, usage_on_wire=True,
                      input_tokens=st.get("in"), output_tokens=st.get("out"), cached_input_tokens=st.get("cached", 0),
                      cache_creation_input_tokens=st.get("cache_write", 0), reasoning_tokens=st.get("reasoning", 0),
                      wire_usage=None, finish=norm_finish(fin), finish_wire=None, tool_calls=[t["name"] for t in tcs],
                      ttft_ms=None, server_ms=None, status=200, error=None, started_unix_ms=int(self.t0[1] * 1000))
        if provider not in ("anthropic", "aws.bedrock"):
            self.d["cache_creation_input_tokens"] = 0    # the others do not tell what they wrote to their cache
        self.d.update(kw)
        if S.case is not None:
            self.d["seq"] = len(S.case["calls"])
            S.case["calls"].append(self.d)

    def first(self):
        if self.d["ttft_ms"] is None:
            self.d["ttft_ms"] = round((time.perf_counter() - self.t0[0]) * 1000)

    def done(self):
        self.d["server_ms"] = round((time.perf_counter() - self.t0[0]) * 1000)
        gone = self.req.transport is None or self.req.transport.is_closing()
        if not self.d["stream"] and gone and not self.d["error"]:
            self.left()

    def left(self):
        """The client went away before the answer was complete, so it has not seen the usage."""
        self.d.update(client_aborted=True, usage_on_wire=False, finish=None, finish_wire=None)


def words(text, n=12):
    w = re.findall(r"\S+\s*", text)
    k = max(1, -(-len(w) // n))
    return ["".join(w[i:i + k]) for i in range(0, len(w), k)]


async def pace(st, t0, i, n):
    """sleep so that chunk i of n leaves at ttft..dur"""
    ttft = st.get("ttft", min(st.get("dur", 0.1), 0.08))
    dur = max(st.get("dur", 0.1), ttft)
    at = ttft if n <= 1 else ttft + (dur - ttft) * i / (n - 1)
    d = at - (time.perf_counter() - t0)
    if d > 0:
        await asyncio.sleep(d)


async def whole(st, t0):
    d = st.get("dur", 0.1) - (time.perf_counter() - t0)
    if d > 0:
        await asyncio.sleep(d)


async def sse(req):
    r = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "x-request-id": new_id("req_"), "request-id": new_id("req_")})
    await r.prepare(req)
    return r


def ev(data, event=None):
    s = ("event: %s\n" % event if event else "") + "data: " + (data if isinstance(data, str) else json.dumps(data)) + "\n\n"
    return s.encode()


# ---------------------------------------------------------------- errors
def err_body(kind, status):
    m = {429: ("rate_limit_error", "This request would exceed your organization's rate limit of 50 requests per minute."),
         529: ("overloaded_error", "Overloaded"), 500: ("api_error", "Internal server error"),
         400: ("invalid_request_error", "messages: at least one message is required"),
         401: ("authentication_error", "invalid x-api-key"), 404: ("not_found_error", "model: no-such-model"),
         503: ("overloaded_error", "Service unavailable")}
    t, msg = m[status]
    if kind == "anthropic":
        return t, {"type": "error", "error": {"type": t, "message": msg}, "request_id": new_id("req_")}, msg
    if kind == "openai":
        typ = {429: "rate_limit_exceeded", 500: "server_error", 400: "invalid_request_error", 401: "invalid_request_error", 404: "invalid_request_error", 529: "server_error", 503: "server_error"}[status]
        msg = {429: "Rate limit reached for requests. Please try again in 20s.", 500: "The server had an error while processing your request.",
               400: "Invalid value for 'temperature': expected at most 2.", 401: "Incorrect API key provided: sk-test.", 404: "The model `no-such-model` does not exist or you do not have access to it.",
               529: "Overloaded", 503: "The engine is currently overloaded."}[status]
        code = {429: "rate_limit_exceeded", 401: "invalid_api_key", 404: "model_not_found"}.get(status)
        return typ, {"error": {"message": msg, "type": typ, "param": None, "code": code}}, msg
    if kind == "gemini":
        typ = {429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 404: "NOT_FOUND", 529: "UNAVAILABLE", 503: "UNAVAILABLE"}[status]
        return typ, {"error": {"code": status, "message": msg, "status": typ}}, msg
    if kind == "bedrock":
        typ = {429: "ThrottlingException", 500: "InternalServerException", 400: "ValidationException", 401: "AccessDeniedException", 404: "ResourceNotFoundException", 529: "ServiceUnavailableException", 503: "ServiceUnavailableException"}[status]
        return typ, {"message": msg}, msg
    return t, {"message": msg}, msg


async def maybe_error(req, c, kind):
    st = c.st
    if not st.get("error"):
        return None
    await whole(st, c.t0[0])
    status = st["error"]
    typ, body, msg = err_body(kind, status)
    c.d.update(status=status, error=dict(status=status, type=typ, message=msg), input_tokens=None, output_tokens=None,
               finish=None, usage_on_wire=False, tool_calls=[])
    c.done()
    if kind == "bedrock" and status == 529:
        status = 503
    h = {"x-request-id": new_id("req_"), "request-id": new_id("req_")}
    if status == 429:
        h["retry-after"] = "0"
    if kind == "bedrock":
        h["x-amzn-ErrorType"] = typ
    return web.json_response(body, status=status, headers=h)


def resp_model(m):
    return RESP_MODEL.get(m, m)


# ---------------------------------------------------------------- Anthropic
def a_usage(st, out=None):
    c, w = st.get("cached", 0), st.get("cache_write", 0)
    return {"input_tokens": st["in"] - c - w, "cache_creation_input_tokens": w, "cache_read_input_tokens": c,
            "cache_creation": {"ephemeral_5m_input_tokens": w, "ephemeral_1h_input_tokens": 0},
            "output_tokens": st["out"] if out is None else out, "service_tier": "standard"}


async def anthropic_messages(req):
    b = await req.json()
    st = step_for_chat()
    stream = bool(b.get("stream"))
    c = Call(req, "anthropic.messages", "anthropic", b.get("model"), st, stream, request=dict(max_tokens=b.get("max_tokens"), temperature=b.get("temperature"), top_p=b.get("top_p"), n_messages=len(b.get("messages", [])), tools_offered=[t.get("name") for t in b.get("tools", [])]))
    e = await maybe_error(req, c, "anthropic")
    if e is not None:
        return e
    rid, rm = new_id("msg_01"), resp_model(b["model"])
    fin = FIN["anthropic"][st.get("finish", "stop")]
    c.d.update(response_id=rid, response_model=rm, finish_wire=fin, wire_usage=a_usage(st))
    blocks = []
    if st.get("reasoning"):
        blocks.append({"type": "thinking", "thinking": "Let me think about it step by step.", "signature": "c2lnbmF0dXJl"})
    if st.get("text") is not None:
        blocks.append({"type": "text", "text": st["text"]})
    for n, a in st.get("tools", []):
        blocks.append({"type": "tool_use", "id": new_id("toolu_01"), "name": n, "input": a})
    stop_seq = "four" if fin == "stop_sequence" else None
    if not stream:
        await whole(st, c.t0[0])
        c.done()
        return web.json_response({"id": rid, "type": "message", "role": "assistant", "model": rm, "content": blocks, "stop_reason": fin, "stop_sequence": stop_seq, "usage": a_usage(st)}, headers={"request-id": new_id("req_")})
    r = await sse(req)
    try:
        await r.write(ev({"type": "message_start", "message": {"id": rid, "type": "message", "role": "assistant", "model": rm, "content": [], "stop_reason": None, "stop_sequence": None, "usage": a_usage(st, 1)}}, "message_start"))
        await r.write(ev({"type": "ping"}, "ping"))
        total = sum(len(words(x.get("text", "") or x.get("thinking", "") or json.dumps(x.get("input", {})))) for x in blocks)
        k = 0
        for bi, bl in enumerate(blocks):
            if bl["type"] == "text":
                start, parts, mk = {"type": "text", "text": ""}, words(bl["text"]), lambda p: {"type": "text_delta", "text": p}
            elif bl["type"] == "thinking":
                start, parts, mk = {"type": "thinking", "thinking": "", "signature": ""}, words(bl["thinking"]), lambda p: {"type": "thinking_delta", "thinking": p}
            else:
                start, parts, mk = {"type": "tool_use", "id": bl["id"], "name": bl["name"], "input": {}}, words(json.dumps(bl["input"])), lambda p: {"type": "input_json_delta", "partial_json": p}
            await pace(st, c.t0[0], k, total)
            await r.write(ev({"type": "content_block_start", "index": bi, "content_block": start}, "content_block_start"))
            for p in parts:
                await pace(st, c.t0[0], k, total)
                k += 1
                c.first()
                await r.write(ev({"type": "content_block_delta", "index": bi, "delta": mk(p)}, "content_block_delta"))
                if st.get("stream_error_after") and k >= st["stream_error_after"]:
                    c.d["error"] = dict(status=200, type="overloaded_error", message="Overloaded", mid_stream=True)
                    c.d.update(finish=None, finish_wire=None, usage_on_wire="partial")
                    await r.write(ev({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "error"))
                    c.done()
                    return r
            if bl["type"] == "thinking":
                await r.write(ev({"type": "content_block_delta", "index": bi, "delta": {"type": "signature_delta", "signature": "c2lnbmF0dXJl"}}, "content_block_delta"))
            await r.write(ev({"type": "content_block_stop", "index": bi}, "content_block_stop"))
        u = a_usage(st)
        await r.write(ev({"type": "message_delta", "delta": {"stop_reason": fin, "stop_sequence": stop_seq}, "usage": {k2: u[k2] for k2 in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")}}, "message_delta"))
        await r.write(ev({"type": "message_stop"}, "message_stop"))
        await r.write_eof()
    except (ConnectionResetError, ConnectionError):
        c.left()
    c.done()
    return r


async def anthropic_count(req):
    return web.json_response({"input_tokens": 38})


# ---------------------------------------------------------------- OpenAI chat completions (and dialects)
def oai_usage(st):
    return {"prompt_tokens": st["in"], "completion_tokens": st["out"], "total_tokens": st["in"] + st["out"],
            "prompt_tokens_details": {"cached_tokens": st.get("cached", 0), "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": st.get("reasoning", 0), "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}}


def provider_of(req):
    h = req.host
    if req.path.startswith("/models/"):
        return "azure.ai.inference"
    for k, v in (("mistral", "mistral_ai"), ("groq", "groq"), ("azure", "azure.ai.openai"), ("openrouter", "openrouter"), ("deepseek", "deepseek"), ("generativelanguage", "gcp.gemini")):
        if k in h:
            return v
    return "openai"


async def openai_chat(req):
    b = await req.json()
    st = step_for_chat()
    stream = bool(b.get("stream"))
    prov = provider_of(req)
    model = b.get("model") or req.match_info.get("dep")
    c = Call(req, "openai.chat", prov, model, st, stream, request=dict(max_tokens=b.get("max_tokens") or b.get("max_completion_tokens"), temperature=b.get("temperature"), top_p=b.get("top_p"), seed=b.get("seed"), n=b.get("n"), n_messages=len(b.get("messages", [])), tools_offered=[(t.get("function") or t.get("custom") or {}).get("name") for t in b.get("tools", []) or []], include_usage=bool((b.get("stream_options") or {}).get("include_usage"))))
    e = await maybe_error(req, c, "openai")
    if e is not None:
        return e
    rid, rm = new_id("chatcmpl-"), resp_model(model)
    fin = FIN["openai"][st.get("finish", "stop")]
    created = int(time.time())
    base = {"id": rid, "created": created, "model": rm, "service_tier": "default", "system_fingerprint": "fp_44709d6fcb"}
    u = oai_usage(st)
    if prov == "groq":
        u = {"queue_time": 0.01, "prompt_time": 0.02, "completion_time": 0.1, "total_time": 0.12, **u}
    if prov == "mistral_ai":
        u = {k: u[k] for k in ("prompt_tokens", "completion_tokens", "total_tokens")}
        base.pop("service_tier"), base.pop("system_fingerprint")
    c.d.update(response_id=rid, response_model=rm, finish_wire=fin, wire_usage=u)
    n = b.get("n") or 1
    tcs = [{"id": new_id("call_"), "type": "function", "function": {"name": nm, "arguments": json.dumps(a)}} for nm, a in st.get("tools", [])]
    if not stream:
        await whole(st, c.t0[0])
        c.done()
        ch = []
        for i in range(n):
            msg = {"role": "assistant", "content": st.get("text"), "refusal": None, "annotations": []}
            if tcs:
                msg["tool_calls"] = tcs
            ch.append({"index": i, "message": msg, "logprobs": None, "finish_reason": fin})
        return web.json_response({**base, "object": "chat.completion", "choices": ch, "usage": u}, headers={"x-request-id": new_id("req_"), "openai-processing-ms": str(int(st.get("dur", 0.1) * 1000))})
    inc = bool((b.get("stream_options") or {}).get("include_usage"))
    usage_in_last = prov == "mistral_ai"
    c.d["usage_on_wire"] = inc or usage_in_last or prov == "groq"
    r = await sse(req)

    def chunk(delta, f=None, i=0, usage=EMPTY):
        d = {**base, "object": "chat.completion.chunk", "choices": [{"index": i, "delta": delta, "logprobs": None, "finish_reason": f}]}
        if inc:
            d["usage"] = None
        if usage is not EMPTY:
            d["usage"] = usage
        return ev(d)
    try:
        parts = words(st["text"]) if st.get("text") is not None else []
        tparts = [(i, t, words(t["function"]["arguments"], 4)) for i, t in enumerate(tcs)]
        total = len(parts) + sum(len(p) for _, _, p in tparts)
        k = 0
        await pace(st, c.t0[0], 0, total)
        for i in range(n):
            await r.write(chunk({"role": "assistant", "content": "" if parts else None, "refusal": None}, i=i))
        for p in parts:
            await pace(st, c.t0[0], k, total)
            k += 1
            c.first()
            for i in range(n):
                await r.write(chunk({"content": p}, i=i))
            if st.get("stream_error_after") and k >= st["stream_error_after"]:
                c.d["error"] = dict(status=200, type="server_error", message="The server had an error while processing your request.", mid_stream=True)
                c.d.update(finish=None, finish_wire=None, usage_on_wire=False)
                await r.write(ev({"error": {"message": "The server had an error while processing your request.", "type": "server_error", "param": None, "code": None}}))
                c.done()
                return r
        for ti, t, ps in tparts:
            await pace(st, c.t0[0], k, total)
            c.first()
            await r.write(chunk({"tool_calls": [{"index": ti, "id": t["id"], "type": "function", "function": {"name": t["function"]["name"], "arguments": ""}}]}))
            for p in ps:
                await pace(st, c.t0[0], k, total)
                k += 1
                await r.write(chunk({"tool_calls": [{"index": ti, "function": {"arguments": p}}]}))
        for i in range(n):
            await r.write(chunk({}, fin, i, usage=u if (usage_in_last and i == n - 1) else EMPTY))
        if inc and not usage_in_last:
            await r.write(ev({**base, "object": "chat.completion.chunk", "choices": [], "usage": u}))
        if prov == "groq" and not inc:
            await r.write(ev({**base, "object": "chat.completion.chunk", "choices": [], "x_groq": {"id": rid, "usage": u}}))
        await r.write(ev("[DONE]"))
        await r.write_eof()
    except (ConnectionResetError, ConnectionError):
        c.left()
    c.done()
    return r


async def openai_completions(req):
    b = await req.json()
    st = step_for_chat()
    c = Call(req, "openai.completions", provider_of(req), b.get("model"), st, False)
    e = await maybe_error(req, c, "openai")
    if e is not None:
        return e
    await whole(st, c.t0[0])
    rid = new_id("cmpl-")
    c.d.update(response_id=rid, response_model=resp_model(b["model"]), finish_wire="stop", wire_usage=oai_usage(st))
    c.done()
    return web.json_response({"id": rid, "object": "text_completion", "created": int(time.time()), "model": resp_model(b["model"]), "choices": [{"index": 0, "text": st["text"], "finish_reason": "stop", "logprobs": None}], "usage": {k: v for k, v in oai_usage(st).items() if "details" not in k}})


async def openai_embeddings(req):
    b = await req.json()
    st = S.case["steps"][0] if S.case else scenarios.EMBED_STEP
    if not st.get("error") and st.get("out") != 0:
        st = scenarios.EMBED_STEP
    c = Call(req, "openai.embeddings", provider_of(req), b.get("model"), st, False, request=dict(encoding_format=b.get("encoding_format"), dimensions=b.get("dimensions"), n_inputs=len(b["input"]) if isinstance(b["input"], list) else 1))
    e = await maybe_error(req, c, "openai")
    if e is not None:
        return e
    await whole(st, c.t0[0])
    inp = b["input"] if isinstance(b["input"], list) and not (b["input"] and isinstance(b["input"][0], int)) else [b["input"]]
    vec = [0.1 * i for i in range(8)]
    enc = base64.b64encode(struct.pack("<8f", *vec)).decode() if b.get("encoding_format") == "base64" else vec
    c.d.update(response_model=b["model"], finish=None, output_tokens=None, wire_usage={"prompt_tokens": st["in"], "total_tokens": st["in"]})
    c.done()
    return web.json_response({"id": new_id("emb-"), "object": "list", "data": [{"object": "embedding", "index": i, "embedding": enc} for i in range(len(inp))], "model": b["model"], "usage": {"prompt_tokens": st["in"], "total_tokens": st["in"], "completion_tokens": 0}})


# ---------------------------------------------------------------- OpenAI responses
def resp_usage(st):
    return {"input_tokens": st["in"], "input_tokens_details": {"cached_tokens": st.get("cached", 0)}, "output_tokens": st["out"],
            "output_tokens_details": {"reasoning_tokens": st.get("reasoning", 0)}, "total_tokens": st["in"] + st["out"]}


async def openai_responses(req):
    b = await req.json()
    st = step_for_chat()
    stream = bool(b.get("stream"))
    prov = provider_of(req)
    c = Call(req, "openai.responses", prov, b.get("model"), st, stream, request=dict(max_tokens=b.get("max_output_tokens"), temperature=b.get("temperature"), top_p=b.get("top_p"), tools_offered=[t.get("name") for t in b.get("tools", []) or []]))
    e = await maybe_error(req, c, "openai")
    if e is not None:
        return e
    rid, rm = new_id("resp_"), resp_model(b["model"])
    fin = st.get("finish", "stop")
    status = "incomplete" if fin in ("length", "filter") else "completed"
    u = resp_usage(st)
    c.d.update(response_id=rid, response_model=rm, finish_wire=status, wire_usage=u)
    out = []
    if st.get("reasoning"):
        wants_summary = (b.get("reasoning") or {}).get("summary")
        summary = [{"type": "summary_text", "text": "**Working it out** Six by nine."}] if wants_summary else []
        out.append({"id": new_id("rs_"), "type": "reasoning", "summary": summary, "status": "completed"})
    if st.get("text") is not None:
        out.append({"id": new_id("msg_"), "type": "message", "status": "completed", "role": "assistant", "content": [{"type": "output_text", "text": st["text"], "annotations": [], "logprobs": []}]})
    for n, a in st.get("tools", []):
        out.append({"id": new_id("fc_"), "type": "function_call", "status": "completed", "call_id": new_id("call_"), "name": n, "arguments": json.dumps(a)})

    def body(stt, output, usage):
        return {"id": rid, "object": "response", "created_at": int(time.time()), "status": stt, "background": False, "error": None,
                "incomplete_details": {"reason": {"length": "max_output_tokens", "filter": "content_filter"}[fin]} if stt == "incomplete" else None,
                "instructions": b.get("instructions"), "max_output_tokens": b.get("max_output_tokens"), "model": rm, "output": output, "parallel_tool_calls": True,
                "previous_response_id": b.get("previous_response_id"), "reasoning": {"effort": (b.get("reasoning") or {}).get("effort"), "summary": None}, "service_tier": "default", "store": True,
                "temperature": b.get("temperature", 1.0), "text": {"format": (b.get("text") or {}).get("format") or {"type": "text"}}, "tool_choice": b.get("tool_choice", "auto"), "tools": b.get("tools", []), "top_p": b.get("top_p", 1.0), "truncation": "disabled", "usage": usage, "user": None, "metadata": {}}
    if not stream:
        await whole(st, c.t0[0])
        c.done()
        return web.json_response(body(status, out, u), headers={"x-request-id": new_id("req_")})
    r = await sse(req)
    seq = itertools.count()

    def e2(t, **kw):
        return ev({"type": t, "sequence_number": next(seq), **kw}, t)
    try:
        await r.write(e2("response.created", response=body("in_progress", [], None)))
        await r.write(e2("response.in_progress", response=body("in_progress", [], None)))
        allparts = []
        for o in out:
            if o["type"] == "message":
                allparts.append(words(o["content"][0]["text"]))
            elif o["type"] == "function_call":
                allparts.append(words(o["arguments"], 4))
            else:
                allparts.append([])
        total, k = sum(map(len, allparts)), 0
        for oi, (o, ps) in enumerate(zip(out, allparts)):
            if o["type"] == "message":
                await pace(st, c.t0[0], k, total)
                await r.write(e2("response.output_item.added", output_index=oi, item={**o, "status": "in_progress", "content": []}))
                await r.write(e2("response.content_part.added", item_id=o["id"], output_index=oi, content_index=0, part={"type": "output_text", "text": "", "annotations": [], "logprobs": []}))
                for p in ps:
                    await pace(st, c.t0[0], k, total)
                    k += 1
                    c.first()
                    await r.write(e2("response.output_text.delta", item_id=o["id"], output_index=oi, content_index=0, delta=p, logprobs=[]))
                    if st.get("stream_error_after") and k >= st["stream_error_after"]:
                        c.d["error"] = dict(status=200, type="server_error", message="The server had an error while processing your request.", mid_stream=True)
                        c.d.update(finish=None, finish_wire="failed", usage_on_wire=False)
                        fb = body("failed", [], None)
                        fb["error"] = {"code": "server_error", "message": "The server had an error while processing your request."}
                        await r.write(e2("response.failed", response=fb))
                        c.done()
                        return r
                await r.write(e2("response.output_text.done", item_id=o["id"], output_index=oi, content_index=0, text=o["content"][0]["text"], logprobs=[]))
                await r.write(e2("response.content_part.done", item_id=o["id"], output_index=oi, content_index=0, part=o["content"][0]))
            elif o["type"] == "function_call":
                await pace(st, c.t0[0], k, total)
                await r.write(e2("response.output_item.added", output_index=oi, item={**o, "status": "in_progress", "arguments": ""}))
                c.first()
                for p in ps:
                    await pace(st, c.t0[0], k, total)
                    k += 1
                    await r.write(e2("response.function_call_arguments.delta", item_id=o["id"], output_index=oi, delta=p))
                await r.write(e2("response.function_call_arguments.done", item_id=o["id"], output_index=oi, name=o["name"], arguments=o["arguments"]))
            else:
                await r.write(e2("response.output_item.added", output_index=oi, item={**o, "status": "in_progress", "summary": []}))
                for si, part in enumerate(o["summary"]):
                    where = dict(item_id=o["id"], output_index=oi, summary_index=si)
                    await r.write(e2("response.reasoning_summary_part.added", **where, part={"type": "summary_text", "text": ""}))
                    for p in words(part["text"]):
                        await r.write(e2("response.reasoning_summary_text.delta", **where, delta=p))
                    await r.write(e2("response.reasoning_summary_text.done", **where, text=part["text"]))
                    await r.write(e2("response.reasoning_summary_part.done", **where, part=part))
            await r.write(e2("response.output_item.done", output_index=oi, item=o))
        await r.write(e2("response.completed" if status == "completed" else "response.incomplete", response=body(status, out, u)))
        await r.write_eof()
    except (ConnectionResetError, ConnectionError):
        c.left()
    c.done()
    return r


# ---------------------------------------------------------------- Gemini
async def gemini(req):
    model, verb = req.match_info["model"], req.match_info["verb"]
    b = await req.json()
    prov = "gcp.gemini" if "generativelanguage" in req.host else "gcp.vertex_ai"
    if verb in ("batchEmbedContents", "embedContent"):
        st = scenarios.EMBED_STEP
        c = Call(req, "gemini.embed", prov, model, st, False)
        await whole(st, c.t0[0])
        c.d.update(finish=None, output_tokens=None, usage_on_wire=False)
        c.done()
        n = len(b.get("requests", [1]))
        v = {"values": [0.1] * 8}
        return web.json_response({"embeddings": [v] * n} if verb == "batchEmbedContents" else {"embedding": v})
    if verb == "countTokens":
        return web.json_response({"totalTokens": 38})
    st = step_for_chat()
    stream = verb == "streamGenerateContent"
    gc = b.get("generationConfig") or {}
    c = Call(req, "gemini.generateContent", prov, model, st, stream, request=dict(max_tokens=gc.get("maxOutputTokens"), temperature=gc.get("temperature"), top_p=gc.get("topP"), tools_offered=[f.get("name") for t in b.get("tools", []) for f in t.get("functionDeclarations", [])]))
    e = await maybe_error(req, c, "gemini")
    if e is not None:
        return e
    rid = new_id("gem")
    fin = FIN["gemini"][st.get("finish", "stop")]
    th = st.get("reasoning", 0)
    u = {"promptTokenCount": st["in"], "candidatesTokenCount": st["out"] - th, "totalTokenCount": st["in"] + st["out"], "promptTokensDetails": [{"modality": "TEXT", "tokenCount": st["in"]}]}
    if th:
        u["thoughtsTokenCount"] = th
    if st.get("cached"):
        u["cachedContentTokenCount"] = st["cached"]
    c.d.update(response_id=rid, response_model=model, finish_wire=fin, wire_usage=u)
    thoughts = [{"text": "Let me think about it step by step.", "thought": True}] if th and (gc.get("thinkingConfig") or {}).get("includeThoughts") else []
    parts = thoughts + ([{"text": st["text"]}] if st.get("text") is not None else []) + [{"functionCall": {"name": n, "args": a}} for n, a in st.get("tools", [])]

    def body(ps, f=None, usage=None):
        cand = {"content": {"parts": ps, "role": "model"}, "index": 0}
        if f:
            cand["finishReason"] = f
        d = {"candidates": [cand], "modelVersion": model, "responseId": rid}
        if usage:
            d["usageMetadata"] = usage
        return d
    if not stream:
        await whole(st, c.t0[0])
        c.done()
        return web.json_response(body(parts, fin, u))
    r = await sse(req)
    try:
        ps = []
        for p in parts:
            ps += [{**p, "text": w} for w in words(p["text"])] if "text" in p else [p]
        for i, p in enumerate(ps):
            await pace(st, c.t0[0], i, len(ps))
            c.first()
            last = i == len(ps) - 1
            if st.get("stream_error_after") and i >= st["stream_error_after"]:
                c.d["error"] = dict(status=200, type="UNAVAILABLE", message="overloaded", mid_stream=True)
                c.d.update(finish=None, finish_wire=None, usage_on_wire="partial")
                await r.write(ev({"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}))
                break
            await r.write(ev(body([p], fin if last else None, u if last else {"promptTokenCount": st["in"], "totalTokenCount": st["in"]})))
        await r.write_eof()
    except (ConnectionResetError, ConnectionError):
        c.left()
    c.done()
    return r


# ---------------------------------------------------------------- Bedrock
def aws_event(event_type, payload, ctype="application/json", exception=False):
    def h(k, v):
        k, v = k.encode(), v.encode()
        return bytes([len(k)]) + k + b"\x07" + struct.pack(">H", len(v)) + v
    hs = h(":exception-type" if exception else ":event-type", event_type) + h(":content-type", ctype) + h(":message-type", "exception" if exception else "event")
    p = json.dumps(payload).encode()
    pre = struct.pack(">II", 16 + len(hs) + len(p), len(hs))
    pre += struct.pack(">I", zlib.crc32(pre))
    m = pre + hs + p
    return m + struct.pack(">I", zlib.crc32(m))


def bedrock_own_name(model):
    """The name in the body of Anthropic's answer: anthropic.claude-3-5-sonnet-20241022-v2:0 -> claude-3-5-sonnet-20241022"""
    return re.sub(r"-v\d+(:\d+)?$", "", model.split(".")[-1])


async def bedrock(req):
    model, verb = req.match_info["model"], req.match_info["verb"]
    b = await req.json()
    stream = verb in ("converse-stream", "invoke-with-response-stream")
    if "embed" in model:
        st = scenarios.EMBED_STEP
        c = Call(req, "bedrock.invoke.embed", "aws.bedrock", model, st, False)
        await whole(st, c.t0[0])
        c.d.update(finish=None, output_tokens=None, response_model=None, wire_usage={"inputTextTokenCount": st["in"]})
        c.done()
        return web.json_response({"embedding": [0.1] * 8, "inputTextTokenCount": st["in"]}, headers={"X-Amzn-Bedrock-Input-Token-Count": str(st["in"])})
    st = step_for_chat()
    inf = b.get("inferenceConfig") or {}
    c = Call(req, "bedrock." + verb, "aws.bedrock", model, st, stream, request=dict(max_tokens=inf.get("maxTokens") or b.get("max_tokens"), temperature=inf.get("temperature", b.get("temperature")), top_p=inf.get("topP"), tools_offered=[t.get("toolSpec", {}).get("name") for t in (b.get("toolConfig") or {}).get("tools", [])]))
    e = await maybe_error(req, c, "bedrock")
    if e is not None:
        return e
    fin = FIN["bedrock"][st.get("finish", "stop")]
    ca, w = st.get("cached", 0), st.get("cache_write", 0)
    u = {"inputTokens": st["in"] - ca - w, "outputTokens": st["out"], "totalTokens": st["in"] + st["out"]}
    if ca or w:
        u.update(cacheReadInputTokens=ca, cacheWriteInputTokens=w)
    c.d.update(finish_wire=fin, wire_usage=u, response_model=None)
    H = {"x-amzn-RequestId": new_id("req-")}
    if verb == "converse":
        await whole(st, c.t0[0])
        content = ([{"text": st["text"]}] if st.get("text") is not None else []) + [{"toolUse": {"toolUseId": new_id("tooluse_"), "name": n, "input": a}} for n, a in st.get("tools", [])]
        c.done()
        return web.json_response({"output": {"message": {"role": "assistant", "content": content}}, "stopReason": fin, "usage": u, "metrics": {"latencyMs": int(st.get("dur", .1) * 1000)}}, headers=H)
    if verb == "invoke":
        await whole(st, c.t0[0])
        rid = new_id("msg_bdrk_01")
        c.d.update(response_id=rid, response_model=bedrock_own_name(model), wire_usage=a_usage(st))
        content = ([{"type": "text", "text": st["text"]}] if st.get("text") is not None else []) + [{"type": "tool_use", "id": new_id("toolu_bdrk_"), "name": n, "input": a} for n, a in st.get("tools", [])]
        c.done()
        return web.json_response({"id": rid, "type": "message", "role": "assistant", "model": c.d["response_model"], "content": content, "stop_reason": fin, "stop_sequence": None, "usage": a_usage(st)}, headers={**H, "X-Amzn-Bedrock-Input-Token-Count": str(st["in"]), "X-Amzn-Bedrock-Output-Token-Count": str(st["out"])})
    r = web.StreamResponse(headers={"Content-Type": "application/vnd.amazon.eventstream", "X-Amzn-Bedrock-Content-Type": "application/json", **H})
    await r.prepare(req)
    try:
        if verb == "converse-stream":
            await r.write(aws_event("messageStart", {"role": "assistant"}))
            ps = words(st["text"]) if st.get("text") is not None else []
            total = len(ps) + len(st.get("tools", []))
            k = bi = 0
            for p in ps:
                await pace(st, c.t0[0], k, total)
                k += 1
                c.first()
                await r.write(aws_event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": p}}))
                if st.get("stream_error_after") and k >= st["stream_error_after"]:
                    c.d["error"] = dict(status=200, type="modelStreamErrorException", message="overloaded", mid_stream=True)
                    c.d.update(finish=None, finish_wire=None, usage_on_wire=False)
                    await r.write(aws_event("modelStreamErrorException", {"message": "overloaded", "originalStatusCode": 529, "originalMessage": "Overloaded"}, exception=True))
                    c.done()
                    return r
            if ps:
                await r.write(aws_event("contentBlockStop", {"contentBlockIndex": 0}))
                bi = 1
            for n, a in st.get("tools", []):
                await pace(st, c.t0[0], k, total)
                k += 1
                c.first()
                await r.write(aws_event("contentBlockStart", {"contentBlockIndex": bi, "start": {"toolUse": {"toolUseId": new_id("tooluse_"), "name": n}}}))
                await r.write(aws_event("contentBlockDelta", {"contentBlockIndex": bi, "delta": {"toolUse": {"input": json.dumps(a)}}}))
                await r.write(aws_event("contentBlockStop", {"contentBlockIndex": bi}))
                bi += 1
            await r.write(aws_event("messageStop", {"stopReason": fin}))
            await r.write(aws_event("metadata", {"usage": u, "metrics": {"latencyMs": int(st.get("dur", .1) * 1000)}}))
        else:
            rid = new_id("msg_bdrk_01")
            c.d.update(response_id=rid, response_model=bedrock_own_name(model), wire_usage=a_usage(st))

            async def w2(o):
                await r.write(aws_event("chunk", {"bytes": base64.b64encode(json.dumps(o).encode()).decode()}))
            await w2({"type": "message_start", "message": {"id": rid, "type": "message", "role": "assistant", "model": c.d["response_model"], "content": [], "stop_reason": None, "stop_sequence": None, "usage": a_usage(st, 1)}})
            await w2({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
            ps = words(st.get("text") or "")
            for k, p in enumerate(ps):
                await pace(st, c.t0[0], k, len(ps))
                c.first()
                await w2({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": p}})
            await w2({"type": "content_block_stop", "index": 0})
            await w2({"type": "message_delta", "delta": {"stop_reason": fin, "stop_sequence": None}, "usage": {"output_tokens": st["out"]}})
            await w2({"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": st["in"], "outputTokenCount": st["out"], "invocationLatency": 100, "firstByteLatency": 50}})
        await r.write_eof()
    except (ConnectionResetError, ConnectionError):
        c.left()
    c.done()
    return r


# ---------------------------------------------------------------- Cohere
async def cohere_chat(req):
    b = await req.json()
    st = step_for_chat()
    stream = bool(b.get("stream"))
    c = Call(req, "cohere.v2.chat", "cohere", b.get("model"), st, stream, request=dict(max_tokens=b.get("max_tokens"), temperature=b.get("temperature")))
    e = await maybe_error(req, c, "cohere")
    if e is not None:
        return e
    rid, fin = new_id("co-"), FIN["cohere"][st.get("finish", "stop")]
    u = {"billed_units": {"input_tokens": st["in"] - 3, "output_tokens": st["out"]}, "tokens": {"input_tokens": st["in"], "output_tokens": st["out"]}, "cached_tokens": st.get("cached", 0)}
    c.d.update(response_id=rid, finish_wire=fin, wire_usage=u)
    msg = {"role": "assistant"}
    if st.get("text") is not None:
        msg["content"] = [{"type": "text", "text": st["text"]}]
    if st.get("tools"):
        msg["tool_plan"] = "I will use the tool."
        msg["tool_calls"] = [{"id": new_id("tc_"), "type": "function", "function": {"name": n, "arguments": json.dumps(a)}} for n, a in st["tools"]]
    if not stream:
        await whole(st, c.t0[0])
        c.done()
        return web.json_response({"id": rid, "finish_reason": fin, "message": msg, "usage": u})
    r = await sse(req)
    try:
        await r.write(ev({"id": rid, "type": "message-start", "delta": {"message": {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}}}, "message-start"))
        ps = words(st.get("text") or "")
        await pace(st, c.t0[0], 0, len(ps))
        await r.write(ev({"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}}, "content-start"))
        for i, p in enumerate(ps):
            await pace(st, c.t0[0], i, len(ps))
            c.first()
            await r.write(ev({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": p}}}}, "content-delta"))
        await r.write(ev({"type": "content-end", "index": 0}, "content-end"))
        await r.write(ev({"type": "message-end", "delta": {"finish_reason": fin, "usage": u}}, "message-end"))
        await r.write(ev("[DONE]"))
        await r.write_eof()
    except (ConnectionResetError, ConnectionError):
        c.left()
    c.done()
    return r


async def cohere_embed(req):
    b = await req.json()
    st = scenarios.EMBED_STEP
    c = Call(req, "cohere.embed", "cohere", b.get("model"), st, False)
    await whole(st, c.t0[0])
    rid = new_id("coe-")
    c.d.update(response_id=rid, finish=None, output_tokens=None, wire_usage={"billed_units": {"input_tokens": st["in"]}})
    c.done()
    t = b.get("texts") or ["x"]
    return web.json_response({"id": rid, "embeddings": {"float": [[0.1] * 8] * len(t)}, "texts": t, "response_type": "embeddings_by_type", "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": st["in"]}}})


async def cohere_rerank(req):
    b = await req.json()
    c = Call(req, "cohere.rerank", "cohere", b.get("model"), dict(scenarios.EMBED_STEP), False)
    await whole(dict(dur=.08), c.t0[0])
    rid = new_id("cor-")
    c.d.update(response_id=rid, input_tokens=None, output_tokens=None, finish=None, wire_usage={"billed_units": {"search_units": 1}})
    c.done()
    return web.json_response({"id": rid, "results": [{"index": i, "relevance_score": 0.9 - 0.1 * i} for i in range(min(2, len(b["documents"])))], "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}})


# ---------------------------------------------------------------- Ollama
async def ollama_chat(req):
    b = await req.json()
    st = step_for_chat()
    stream = b.get("stream", True)
    gen = req.path.endswith("generate")
    c = Call(req, "ollama." + ("generate" if gen else "chat"), "ollama", b.get("model"), st, bool(stream))
    if st.get("error"):
        await whole(st, c.t0[0])
        code = st["error"]
        msg = "model 'no-such-model' not found" if code == 404 else "internal error"
        c.d.update(status=code, error=dict(status=code, type=None, message=msg), input_tokens=None, output_tokens=None, finish=None, usage_on_wire=False, tool_calls=[])
        c.done()
        return web.json_response({"error": msg}, status=code)
    fin = FIN["ollama"][st.get("finish", "stop")]
    end = {"done": True, "done_reason": fin, "total_duration": int(st.get("dur", .1) * 1e9), "load_duration": 1000000, "prompt_eval_count": st["in"], "prompt_eval_duration": 5000000, "eval_count": st["out"], "eval_duration": 90000000}
    c.d.update(response_model=b["model"], finish_wire=fin, wire_usage={"prompt_eval_count": st["in"], "eval_count": st["out"]})

    def body(text, extra, tcs=None):
        d = {"model": b["model"], "created_at": time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())}
        if gen:
            d["response"] = text
        else:
            d["message"] = {"role": "assistant", "content": text}
            if tcs:
                d["message"]["tool_calls"] = tcs
        d.update(extra)
        return d
    tcs = [{"function": {"name": n, "arguments": a}} for n, a in st.get("tools", [])]
    if not stream:
        await whole(st, c.t0[0])
        c.done()
        return web.json_response(body(st.get("text") or "", end, tcs))
    r = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await r.prepare(req)
    try:
        ps = words(st.get("text") or "")
        for i, p in enumerate(ps):
            await pace(st, c.t0[0], i, len(ps))
            c.first()
            await r.write(json.dumps(body(p, {"done": False})).encode() + b"\n")
        if tcs:
            c.first()
            await r.write(json.dumps(body("", {"done": False}, tcs)).encode() + b"\n")
        await r.write(json.dumps(body("", end)).encode() + b"\n")
        await r.write_eof()
    except (ConnectionResetError, ConnectionError):
        c.left()
    c.done()
    return r


async def ollama_embed(req):
    b = await req.json()
    st = scenarios.EMBED_STEP
    c = Call(req, "ollama.embed", "ollama", b.get("model"), st, False)
    await whole(st, c.t0[0])
    c.d.update(response_model=b["model"], finish=None, output_tokens=None, wire_usage={"prompt_eval_count": st["in"]})
    c.done()
    if req.path.endswith("embeddings"):
        c.d["usage_on_wire"] = False
        return web.json_response({"embedding": [0.1] * 8})
    i = b["input"] if isinstance(b["input"], list) else [b["input"]]
    return web.json_response({"model": b["model"], "embeddings": [[0.1] * 8] * len(i), "total_duration": 80000000, "load_duration": 1000000, "prompt_eval_count": st["in"]})


# ---------------------------------------------------------------- app
@web.middleware
async def stamp(req, handler):
    req["_t0"] = (time.perf_counter(), time.time())
    return await handler(req)


async def models_list(req):
    return web.json_response({"object": "list", "data": [{"id": m, "object": "model", "created": 1, "owned_by": "system"} for m in RESP_MODEL], "has_more": False})


async def dispatch_chat(req):
    return await openai_chat(req)


async def catchall(req):
    S.case and S.case.setdefault("unhandled", []).append("%s %s%s" % (req.method, req.host, req.path_qs[:120]))
    return web.json_response({"error": {"message": "mock: no such route " + req.path, "type": "not_found"}}, status=404)


async def input_tokens(req):
    return web.json_response({"object": "response.input_tokens", "input_tokens": 38})


async def no_content(req):
    return web.Response(status=204)


def add_llm_routes(app):
    r = app.router
    r.add_post("/v1/responses/input_tokens", input_tokens)
    r.add_post("/v1/traces/ingest", no_content)
    r.add_post("/v1/messages", anthropic_messages)
    r.add_post("/v1/messages/count_tokens", anthropic_count)
    for pre in ("", "/v1", "/openai/v1", "/api/v1", "/beta", "/v1beta/openai", "/models"):
        r.add_post(pre + "/chat/completions", openai_chat)
        r.add_post(pre + "/completions", openai_completions)
        r.add_post(pre + "/embeddings", openai_embeddings)
        r.add_post(pre + "/responses", openai_responses)
        r.add_get(pre + "/models", models_list)
    r.add_post("/openai/deployments/{dep}/chat/completions", openai_chat)
    r.add_post("/openai/deployments/{dep}/embeddings", openai_embeddings)
    r.add_post("/{v:v1|v1beta|v1beta1|v1alpha}/models/{model:[^:]+}:{verb}", gemini)
    r.add_post("/{v:v1|v1beta|v1beta1}/projects/{p}/locations/{l}/publishers/google/models/{model:[^:]+}:{verb}", gemini)
    r.add_post("/model/{model}/{verb:converse|converse-stream|invoke|invoke-with-response-stream}", bedrock)
    r.add_post("/v2/chat", cohere_chat)
    r.add_post("/v1/chat", cohere_chat)
    r.add_post("/v2/embed", cohere_embed)
    r.add_post("/v2/rerank", cohere_rerank)
    r.add_post("/api/chat", ollama_chat)
    r.add_post("/api/generate", ollama_chat)
    r.add_post("/api/embed", ollama_embed)
    r.add_post("/api/embeddings", ollama_embed)
