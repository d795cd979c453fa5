#!/usr/bin/env python3
"""Checks the recorded corpus: every file of the manifest is there, parses and has as many spans as said; no file is there that the
manifest does not name; nothing names the machine that recorded (host, user, home folder). Standard library only."""
import getpass
import json
import pathlib
import platform
import re
import socket
import struct
import sys
import uuid
from types import SimpleNamespace

CORPUS = pathlib.Path(__file__).resolve().parent.parent / "corpus"
# Attributes that tell of the machine rather than of the calls.
TELLTALE = ("host.id", "host.ip", "host.mac", "process.owner", "process.command_args", "process.command_line", "enduser.id")

# === protobuf, just enough of it ===


def fields(message):
    at = 0
    while at < len(message):
        tag, at = varint(message, at)
        if tag & 7 == 0:
            value, at = varint(message, at)
        elif tag & 7 == 1:
            value, at = message[at:at + 8], at + 8
        elif tag & 7 == 2:
            size, at = varint(message, at)
            value, at = message[at:at + size], at + size
        elif tag & 7 == 5:
            value, at = message[at:at + 4], at + 4
        else:
            raise ValueError(f"wire type {tag & 7}")
        if at > len(message):
            raise ValueError("cut short")
        yield tag >> 3, value


def varint(message, at):
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def some(message, number):
    return [value for found, value in fields(message) if found == number]


def text(message, number):
    return b"".join(some(message, number)).decode("utf-8", "replace")


def value_of(message):
    for number, value in fields(message):
        if number == 1:
            return value.decode("utf-8", "replace")
        if number == 2:
            return bool(value)
        if number == 3:
            return value - (1 << 64) if value >> 63 else value
        if number == 4:
            return struct.unpack("<d", value)[0]
        if number == 5:
            return [value_of(one) for one in some(value, 1)]
        if number == 6:
            return attributes_of(value, 1)
        return value
    return None


def attributes_of(message, number):
    return {text(pair, 1): value_of(b"".join(some(pair, 2))) for pair in some(message, number)}


def spans_of(request):
    found = []
    for resource_spans in some(request, 1):
        resource = attributes_of(b"".join(some(resource_spans, 1)), 1)
        for scope_spans in some(resource_spans, 2):
            scope = text(b"".join(some(scope_spans, 1)), 1)
            for span in some(scope_spans, 2):
                events = [(text(event, 2), attributes_of(event, 3)) for event in some(span, 11)]
                found.append(SimpleNamespace(resource=resource, scope=scope, name=text(span, 5), events=events,
                                             attributes=attributes_of(span, 9)))
    return found

# === the checks ===


def telltales():
    """The names of this machine, its kernel and its network card, which must not stand in a recording; not the short ones, which would
    be found by chance."""
    names = {socket.gethostname(), str(pathlib.Path.home()) + "/"}
    names |= {platform.release(), f"{uuid.getnode():012x}"}
    names |= {f"/home/{getpass.getuser()}", str(pathlib.Path.home()) + "/", str(pathlib.Path(__file__).resolve().parents[2]) + "/"}
    return [name for name in names if len(name) > 5 and name != "localhost"]


def problems(corpus):
    manifest = json.loads((corpus / "manifest.json").read_text())
    named = {"manifest.json", "score.py"}
    for source in manifest["sources"]:
        for case in source["cases"]:
            counts = 0
            for file in case["files"]:
                name = f"{source['source']}/{file['pb']}"
                named.add(name)
                if file["raw_is_json"]:
                    named.add(name[:-3] + ".json")
                try:
                    counts += yield from problems_of_file(corpus, name, file)
                except (OSError, ValueError, IndexError) as error:
                    yield f"{name}: {error}"
            if counts != case["spans"] or counts != sum(case["scopes"].values()):
                yield f"{source['source']}/{case['case']}: {counts} spans, said to be {case['spans']}"
            if not case["calls"]:
                yield f"{source['source']}/{case['case']}: no call"
    there = {str(file.relative_to(corpus)) for file in corpus.rglob("*") if file.is_file()}
    yield from (f"{name}: not in the manifest" for name in sorted(there - named))


def problems_of_file(corpus, name, file):
    """Yields what is wrong with the file; returns its number of spans."""
    body = (corpus / name).read_bytes()
    spans = spans_of(body)
    if len(body) != file["bytes"] or len(spans) != file["spans"]:
        yield f"{name}: {len(body)} bytes and {len(spans)} spans, said to be {file['bytes']} and {file['spans']}"
    for telltale in telltales():
        if re.search(rb"(?<!\w)" + re.escape(telltale.encode()) if telltale[0] != "/" else re.escape(telltale.encode()), body):
            yield f"{name}: names {telltale}"
    for key in TELLTALE:
        if any(key in span.resource or key in span.attributes for span in spans):
            yield f"{name}: has {key}"
    return len(spans)


def main():
    found = list(problems(CORPUS))
    print("\n".join(found) or "the corpus is in order")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
