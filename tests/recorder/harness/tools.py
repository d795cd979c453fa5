"""The recorder's own packages, in an environment of their own which it makes at its first start."""
import os
import subprocess
import sys

from .places import TOOLS

PACKAGES = ["uv==0.13.9", "aiohttp==3.14.5", "trustme==1.2.1", "opentelemetry-proto==1.45.2"]
UV = TOOLS / "bin" / "uv"


def enter():
    """Goes on in that environment: the program starts again there."""
    if sys.prefix == str(TOOLS):
        return
    stamp = TOOLS / "packages"
    wanted = "\n".join(PACKAGES)
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", TOOLS], check=True)
        subprocess.run([TOOLS / "bin/pip", "install", "-q", *PACKAGES], check=True)
        stamp.write_text(wanted)
    os.execv(TOOLS / "bin/python", [TOOLS / "bin/python", *sys.argv])
