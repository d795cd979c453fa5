#!/usr/bin/env python3
"""Records the corpus: record.py [SOURCE ...]    (a source, or a folder of sources/ for all its settings; none: everything)

  --case CASE   only this case, to try it: prints the driver's log, leaves the manifest as it is
  --pin         installs the newest of what source.json gives no version (or a bound: <2), and writes the versions there
  --list        names the sources
"""
import argparse
import pathlib
import shutil
import sys
import tempfile

from harness import tools


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="*")
    parser.add_argument("--case")
    parser.add_argument("--pin", action="store_true")
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    tools.enter()
    from harness import source as source_files
    sources = [s for s in source_files.every() if not args.sources or s.name in args.sources or s.folder in args.sources]
    if args.list:
        print("\n".join(source.name for source in sources))
        return
    if not sources:
        sys.exit("no such source")
    record(sources, args)


def record(sources, args):
    from harness import install, source as source_files
    from harness.world import World
    with tempfile.TemporaryDirectory() as folder:
        world = World(pathlib.Path(folder))
        for source in sources:
            install.install(source)
            if args.pin:
                source_files.pin(source.folder, install.versions(source))
            shutil.copy(world.names.file, source.installed / "ca.pem")
            record_source(world, source, args.case)


def record_source(world, source, only):
    from harness import install, manifest
    from harness.case import NotRecorded, record as record_case
    from harness.places import CORPUS
    entries, transports = [], set()
    if not only:
        shutil.rmtree(CORPUS / source.name, ignore_errors=True)
    for case, scenario in source.cases:
        if only and case != only:
            continue
        try:
            entry, used = record_case(world, source, case, scenario)
            entries.append(entry)
            transports |= used
            said = entry["expect"]
            print(f"{source.name}/{case}: {said['llm_requests_served']} calls, {entry['spans']} spans, {said['client_exception'] or 'ok'}")
        except NotRecorded as reason:
            print(f"{source.name}/{case}: NOT RECORDED, {reason} ({source.installed / (case + '.log')})")
    if only:
        log = source.installed / f"{only}.log"
        print(log.read_text() if log.exists() else f"{source.name} has no case {only}")
    elif entries:
        manifest.replace(manifest.entry(source, install.versions(source), transports, entries))


if __name__ == "__main__":
    main()
