"""tests/corpus/manifest.json: sorted, so that recording one source again changes only its part."""
import collections
import fcntl
import json

from .places import CACHE, CORPUS

FILE = CORPUS / "manifest.json"


def read():
    return json.loads(FILE.read_text())["sources"] if FILE.exists() else []


def replace(entry):
    """Puts the source's entry in the place of the one it had."""
    with open(CACHE / "manifest.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)    # sources may be recorded side by side
        others = [source for source in read() if source["source"] != entry["source"]]
        write(others + [entry])


def write(sources):
    CORPUS.mkdir(exist_ok=True)
    ordered = sorted(sources, key=lambda source: source["source"])
    FILE.write_text(json.dumps({"version": 1, "sources": ordered}, indent=1, ensure_ascii=False) + "\n")


def entry(source, versions, transports, cases):
    scopes = collections.Counter()
    for case in cases:
        scopes.update(case["scopes"])
    return {
        "source": source.name, "packages": versions, "env": source.env, "variant": source.variant,
        "transport": sorted(transports), "scopes": dict(sorted(scopes.items())), "cases": cases,
    }
