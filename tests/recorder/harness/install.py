"""Installs a source's packages and program into its folder of the cache."""
import json
import os
import shutil
import subprocess

from . import sandbox
from .places import LIBRARY, SOURCES
from .tools import UV

PYTHON = os.environ.get("RECORDER_PYTHON", "/usr/bin/python3")


def install(source):
    """Brings the folder up to date; packages only where source.json asks for others than before."""
    app = source.installed / "app"
    for folder in (app, source.installed / "home"):
        folder.mkdir(parents=True, exist_ok=True)
    copy(LIBRARY / source.language, app)
    copy(SOURCES / source.folder, app)
    stamp = source.installed / "packages.json"
    wanted = json.dumps(source.packages)
    if source.language in BUILDERS or not stamp.exists() or stamp.read_text() != wanted:
        (PACKAGERS | BUILDERS)[source.language](source)
        stamp.write_text(wanted)


def copy(folder, target):
    if folder.is_dir():
        shutil.copytree(folder, target, dirs_exist_ok=True)


def python(source):
    wanted = [name + (version if version[:1] in ("", "<") else f"=={version}") for name, version in source.packages.items()]
    if not (source.installed / "venv").exists():
        sandbox.install(source.installed, [PYTHON, "-m", "venv", "--without-pip", "/srv/venv"])
    sandbox.install(source.installed, [str(UV), "pip", "install", "-q", "--python", "/srv/venv/bin/python", *wanted],
                    {"UV_LINK_MODE": "copy", "UV_SYSTEM_CERTS": "1"}.items())


def node(source):
    package = {"private": True, "type": "module", "dependencies": {n: v or "latest" for n, v in source.packages.items()}}
    (source.installed / "app/package.json").write_text(json.dumps(package))
    sandbox.install(source.installed, ["npm", "install", "--no-audit", "--no-fund", "--silent", "--legacy-peer-deps"])


def rust(source):
    sandbox.install(source.installed, ["cargo", "build", "--quiet", "--target-dir", "/srv/target"], {"CARGO_PROFILE_DEV_DEBUG": "0"}.items())
    shutil.copy(source.installed / "target/debug/driver", source.installed / "app/driver")


def go(source):
    sandbox.install(source.installed, ["go", "build", "-trimpath", "-o", "driver", "."])


def java(source):
    sandbox.install(source.installed, ["mvn", "-q", "-B", "compile", "dependency:copy-dependencies"])


PACKAGERS = {"python": python, "node": node}
BUILDERS = {"rust": rust, "go": go, "java": java}


def versions(source):
    """The versions that are installed, of the packages that source.json names."""
    if source.language == "python":
        names = [name.split("[")[0] for name in source.packages]
        program = "import importlib.metadata as m, json, sys; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
        out = subprocess.run(sandbox.command(source.installed, ["/srv/venv/bin/python", "-c", program, *names]),
                             check=True, capture_output=True, text=True).stdout
        found = json.loads(out)
        return {name: found[name.split("[")[0]] for name in source.packages}
    if source.language == "node":
        modules = source.installed / "app/node_modules"
        return {name: json.loads((modules / name / "package.json").read_text())["version"] for name in source.packages}
    return dict(source.packages)
