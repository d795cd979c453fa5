"""A source: an instrumentation in one setting, as its folder's source.json describes it."""
import dataclasses
import json

from .places import CACHE, SOURCES


@dataclasses.dataclass(frozen=True)
class Source:
    folder: str           # below sources/, e.g. pydantic-ai
    setting: str          # e.g. v1; the source is called pydantic-ai.v1
    language: str
    packages: dict        # name -> version; the newest where it is empty, or the newest below: <2
    env: dict             # told to the driver, and written to the manifest
    variant: object       # what else makes this setting, in words, or None
    program: list         # command line of the driver
    cases: list           # (case, scenario)

    @property
    def name(self):
        return f"{self.folder}.{self.setting}"

    @property
    def installed(self):
        return CACHE / "sources" / self.folder


PROGRAMS = {
    "python": ["/srv/venv/bin/python", "main.py"],
    "node": ["node", "--import", "./proxy.mjs", "main.mjs"],
    "rust": ["/srv/app/driver"],
    "go": ["/srv/app/driver"],
    "java": ["java", "-cp", "target/classes:target/dependency/*", "driver.Main"],
}


def read(folder):
    """The sources of a folder, one a setting."""
    text = json.loads((SOURCES / folder / "source.json").read_text())
    return [one(folder, text, setting, said) for setting, said in text["settings"].items()]


def one(folder, text, setting, said):
    language = text["language"]
    cases = [tuple(case.split("=")) if "=" in case else (case, case) for case in said.get("cases", text.get("cases"))]
    return Source(folder, setting, language, text["packages"], said.get("env", {}), said.get("variant"),
                  text.get("program", PROGRAMS[language]), cases)


def every():
    return [source for file in sorted(SOURCES.glob("*/source.json")) for source in read(file.parent.name)]


def pin(folder, versions):
    """Writes the installed versions into source.json."""
    file = SOURCES / folder / "source.json"
    text = json.loads(file.read_text())
    text["packages"] = {name: versions.get(name, version) for name, version in text["packages"].items()}
    written = file.with_suffix(".new")
    written.write_text(json.dumps(text, indent=2) + "\n")
    written.replace(file)    # others may read it meanwhile
