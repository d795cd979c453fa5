#!/usr/bin/env python3
"""Prints the spans of recordings: show.py FILE.pb ...    (names, attributes and events; to see what an instrumentation writes)"""
import sys

from check import spans_of


def main():
    for file in sys.argv[1:]:
        for span in spans_of(open(file, "rb").read()):
            print(f"{span.scope}: {span.name}  {sorted(span.resource)}")
            for key, value in sorted(span.attributes.items()):
                print(f"    {key} = {value!r:.300}")
            for name, attributes in span.events:
                print(f"    event {name}: {attributes!r:.500}")


if __name__ == "__main__":
    main()
