"""Runs a program as if in a container: its folder is /srv, its host is `chat-api`, its environment holds nothing of ours."""
import os
import pathlib
import subprocess

from .places import INSIDE

HOST = "chat-api"
ENTER = 'hostname "$1" && mount --bind "$2" "$3" && cd "$3/app" && shift 3 && exec "$@"'
PATH = f"{INSIDE}/venv/bin:/usr/local/bin:/usr/bin:/bin"


def command(folder, arguments):
    """The command that runs `arguments` with `folder` as /srv, in namespaces of its own (no privileges needed)."""
    return ["unshare", "--map-root-user", "--mount", "--uts", "sh", "-c", ENTER, "sh", HOST, str(folder), str(INSIDE), *arguments]


def install(folder, arguments, environment=()):
    """Runs a package client: it keeps the environment, which says how registries are reached."""
    subprocess.run(command(folder, arguments), check=True, env={**os.environ, **dict(environment)})


def run(folder, arguments, environment, log: pathlib.Path, timeout):
    """Runs a driver; returns its exit code, or None where it did not end in time."""
    clean = {"PATH": PATH, "LANG": "C.UTF-8", "TZ": "UTC", "HOME": f"{INSIDE}/home", "PYTHONDONTWRITEBYTECODE": "1", **environment}
    with open(log, "wb") as out:
        process = subprocess.Popen(command(folder, arguments), env=clean, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                   start_new_session=True)
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
            return None
