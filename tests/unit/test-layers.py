# SPDX-License-Identifier: MIT
"""Holds the #include lines of src/ to the table in src/layers: each layer includes itself, what the table says it may use,
and the library that is its own. And times to one clock: that of the main loop is for those who hand a time to the loop."""

import pathlib
import re
import sys

# The headers of each library of the table.
HEADERS = {"curl": "curl/", "cjson": r"cjson/|cJSON\.h$", "fuse3": r"(?:linux/)?fuse", "gio": r"(?:gio/|glib-unix\.h$)"}

# What glib-unix.h has is not of gio alone.
SHARED = {"glib-unix.h": {"fuse"}}

LOOP_CLOCK = "g_get_monotonic_time"
LOOP_CLOCK_USERS = {"base/kt-clock.c", "base/kt-clock.h", "http/kt-curl-loop.c"}

INCLUDE = re.compile(r'^\s*#\s*include\s+(<([^>]+)>|"([^"]+)")', re.MULTILINE)


def read_table(path):
    """The layers from top to bottom: name → (what it may include, its library or "")."""
    table = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            layer, uses, library = (column.strip() for column in line.split("|"))
            table[layer] = (uses.split(), library)
    return table


def table_faults(table):
    """The table is in order: what a layer may use stands above it, so there is no circle."""
    seen = []
    for layer, (uses, library) in table.items():
        yield from (f"layers: {layer} uses {used}, which does not stand above it" for used in uses if used not in seen)
        if library and library not in HEADERS:
            yield f"layers: {layer} has the library {library}, whose headers are not known"
        seen.append(layer)


def file_faults(name, text, table):
    """What is wrong with the file NAME (relative to src/)."""
    layer = name.split("/")[0]
    uses, own_library = table[layer]
    if LOOP_CLOCK in text and name not in LOOP_CLOCK_USERS:
        yield f"{name}: must not use {LOOP_CLOCK}, which stands still while the machine sleeps: see kt-clock.h"
    for match in INCLUDE.finditer(text):
        system, own = match.group(2), match.group(3)
        if own is not None:
            if ".." in own:
                yield f"{name}: includes {own} by a relative path"
            if "/" in own and own.split("/")[0] not in uses + [layer]:
                yield f"{name}: {layer} must not include {own}"
            if own.split("/")[0] in table:
                continue
        header = system or own
        for library, headers in HEADERS.items():
            if library != own_library and re.match(headers, header) and layer not in SHARED.get(header, ()):
                yield f"{name}: must not include {match.group(1)}"


def main():
    src = pathlib.Path(sys.argv[1]) / "src"
    table = read_table(src / "layers")
    files = sorted(src.rglob("*.[ch]"))
    found = list(table_faults(table))
    if {path.parent.relative_to(src).as_posix() for path in files} != set(table):
        found.append(f"src/ does not hold exactly the layers {list(table)}")
    for path in files:
        if path.parent.name in table:
            found += file_faults(path.relative_to(src).as_posix(), path.read_text(encoding="utf-8"), table)
    print("\n".join(found) or f"{len(files)} files keep to the table of layers")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
