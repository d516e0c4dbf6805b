# SPDX-License-Identifier: MIT
"""Holds the #include lines of src/ to the order of the layers: each may include only what stands left of it. And times to
one clock: that of the main loop is for those who hand a time to the loop."""

import pathlib
import re
import sys

LAYERS = ["base", "model", "http", "service", "store", "tree", "fuse", "app"]

# Headers of libraries, and who alone may include them.
RESERVED = [
    (re.compile(r"curl/"), re.compile(r"http/")),
    (re.compile(r"cjson/|cJSON\.h"), re.compile(r"service/kt-answer\.h$")),
    (re.compile(r"fuse|linux/fuse\.h"), re.compile(r"fuse/")),
]

LOOP_CLOCK = "g_get_monotonic_time"
LOOP_CLOCK_USERS = {"base/kt-clock.c", "base/kt-clock.h", "http/kt-transport-curl.c"}

INCLUDE = re.compile(r'^\s*#\s*include\s+(<([^>]+)>|"([^"]+)")', re.MULTILINE)


def faults(name, text):
    """What is wrong with the file NAME (relative to src/)."""
    layer = name.split("/")[0]
    allowed = LAYERS[: LAYERS.index(layer) + 1]
    if LOOP_CLOCK in text and name not in LOOP_CLOCK_USERS:
        yield f"{name}: must not use {LOOP_CLOCK}, which stands still while the machine sleeps: see kt-clock.h"
    for match in INCLUDE.finditer(text):
        system, own = match.group(2), match.group(3)
        if own is not None:
            if ".." in own:
                yield f"{name}: includes {own} by a relative path"
            if "/" in own and own.split("/")[0] not in allowed:
                yield f"{name}: {layer} must not include {own}"
            if own.split("/")[0] in LAYERS:
                continue
        for header, who in RESERVED:
            if header.match(system or own) and not who.match(name):
                yield f"{name}: must not include {match.group(1)}"


def main():
    src = pathlib.Path(sys.argv[1]) / "src"
    files = sorted(src.rglob("*.[ch]"))
    found = []
    if {path.parent.relative_to(src).as_posix() for path in files} != set(LAYERS):
        found.append(f"src/ does not hold exactly the layers {LAYERS}")
    for path in files:
        if path.parent.name in LAYERS:
            found += faults(path.relative_to(src).as_posix(), path.read_text(encoding="utf-8"))
    print("\n".join(found) or f"{len(files)} files keep the order")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
