"""OpenAI's Realtime API over a WebSocket, as its beta speaks it: text in, text out, and calls of functions. Its answers name no model."""
import json
import time

from aiohttp import WSMsgType, web

from mock import Call, new_id, pace, step_for_chat, words


async def session(req):
    """One connection: every `response.create` is a call."""
    socket = web.WebSocketResponse()
    await socket.prepare(req)
    model = req.query["model"]
    about = {"id": new_id("sess_"), "object": "realtime.session", "model": model, "modalities": ["text"], "instructions": "", "tools": [], "temperature": 0.8}
    await send(socket, "session.created", session=about)
    async for message in socket:
        if message.type != WSMsgType.TEXT:
            continue
        event = json.loads(message.data)
        if event["type"] == "session.update":
            about |= event["session"]
            await send(socket, "session.updated", session=about)
        elif event["type"] == "conversation.item.create":
            item = {"id": new_id("item_"), "object": "realtime.item", "status": "completed", **event["item"]}
            await send(socket, "conversation.item.created", previous_item_id=None, item=item)
        elif event["type"] == "response.create":
            req["_t0"] = (time.perf_counter(), time.time())
            await respond(req, socket, model, about)
    return socket


async def send(socket, kind, **members):
    await socket.send_json({"type": kind, "event_id": new_id("event_"), **members})


async def respond(req, socket, model, about):
    step = step_for_chat()
    call = Call(req, "openai.realtime", "openai", model, step, True,
                request=dict(temperature=about["temperature"], tools_offered=[tool["name"] for tool in about["tools"]]))
    if step.get("error"):
        failed = {"type": "invalid_request_error", "code": "invalid_value", "message": "The value is invalid.", "param": None, "event_id": None}
        call.d.update(error=dict(status=step["error"], type=failed["type"], message=failed["message"]), status=step["error"], finish=None, usage_on_wire=False)
        await send(socket, "error", error=failed)
        return call.done()
    answer = {"id": new_id("resp_"), "object": "realtime.response", "status": "in_progress", "status_details": None, "output": [], "usage": None}
    used = usage(step)
    call.d.update(response_id=answer["id"], finish_wire="completed", wire_usage=used)
    await send(socket, "response.created", response=answer)
    for item in items(step):
        answer["output"].append(item)
        await speak(socket, call, step, answer["id"], len(answer["output"]) - 1, item)
    await send(socket, "response.done", response={**answer, "status": "completed", "usage": used})
    call.done()


def usage(step):
    cached = step.get("cached", 0)
    return {
        "total_tokens": step["in"] + step["out"], "input_tokens": step["in"], "output_tokens": step["out"],
        "input_token_details": {"cached_tokens": cached, "text_tokens": step["in"], "audio_tokens": 0, "cached_tokens_details": {"text_tokens": cached, "audio_tokens": 0}},
        "output_token_details": {"text_tokens": step["out"], "audio_tokens": 0},
    }


def items(step):
    about = {"object": "realtime.item", "status": "completed"}
    if step.get("text"):
        yield {"id": new_id("item_"), "type": "message", "role": "assistant", "content": [{"type": "text", "text": step["text"]}], **about}
    for name, arguments in step.get("tools", []):
        yield {"id": new_id("item_"), "type": "function_call", "name": name, "call_id": new_id("call_"), "arguments": json.dumps(arguments), **about}


async def speak(socket, call, step, response_id, index, item):
    where = {"response_id": response_id, "item_id": item["id"], "output_index": index}
    await send(socket, "response.output_item.added", response_id=response_id, output_index=index, item={**item, "status": "in_progress"})
    is_text = item["type"] == "message"
    kind, whole = ("response.text", item["content"][0]["text"]) if is_text else ("response.function_call_arguments", item["arguments"])
    more = {"content_index": 0} if is_text else {"call_id": item["call_id"]}
    pieces = words(whole, 12 if is_text else 4)
    for number, piece in enumerate(pieces):
        await pace(step, call.t0[0], number, len(pieces))
        call.first()
        await send(socket, f"{kind}.delta", **where, **more, delta=piece)
    done = {"text": whole} if is_text else {"arguments": whole, "name": item["name"]}
    await send(socket, f"{kind}.done", **where, **more, **done)
    await send(socket, "response.output_item.done", response_id=response_id, output_index=index, item=item)
