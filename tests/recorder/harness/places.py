"""Where things lie: sources and recordings in the clone, installed packages in a cache outside it."""
import os
import pathlib

RECORDER = pathlib.Path(__file__).resolve().parent.parent
SOURCES = RECORDER / "sources"
LIBRARY = SOURCES / "lib"
CORPUS = RECORDER.parent / "corpus"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "spanmill" / "recorder"
TOOLS = CACHE / "tools"

# Where the programs believe to live: each runs in a mount namespace in which its folder of the cache is this one, so that no
# stack trace or code attribute names a folder of the machine that recorded.
INSIDE = pathlib.Path("/srv")
