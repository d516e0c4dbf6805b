# SPDX-License-Identifier: MIT
"""Holds the documents to the tables, each row in its own place: the tree in docs/semantics.md has the files of the table of
files, no others, and the table in docs/configuration.md the keys with their groups and initial values. The table in
docs/monitoring.md has the metrics of the sources, and examples/ name no others."""

import pathlib
import re
import sys

ROW = re.compile(r'^\s*([A-Z_]+) \((\w+), (?:"([^"]*)"|\w+), (\w+)(?:, (\w+))?', re.MULTILINE)
DIRECTORIES = {"DIR", "NAMES"}  # the macros whose fourth word is the place below, or NONE: a link
KEY = re.compile(r'^\s*\{ "([\w-]+)", "([\w-]+)", &kt_type_\w+, AT \([^)]*\), (?:"([^"]*)"|NULL),', re.MULTILINE)
MADE = {("service", "families")}  # whose initial value is made of another table
SHARE_KEY = ("share SHAREID", "kdstoken-file")  # in a group for each share, so in no row

TREE = re.compile(r"^    MOUNT/\n((?:    +\S.*\n)+)", re.MULTILINE)
TREE_LINE = re.compile(r"^( +)(\S+(?: \S+)*)(?:  +(.*))?$")
ID = re.compile(r"\b[A-Z]{4,}\b")  # TASKID: a name that is data
KEY_LINE = re.compile(r"^\|([^|`]*)\| `([\w-]+)` \|([^|]*)\|", re.MULTILINE)
VALUE = re.compile(r"`([^`]*)`")
METRIC = r"(?:kootaskfs|process)_[a-z_]+"
METRIC_LINE = re.compile(rf"^\| `({METRIC})` \|", re.MULTILINE)
OF_HISTOGRAM = re.compile(r"_(?:bucket|sum|count)$")


def files_of(rows):
    """The paths that the rows make; a name that is an id is *, a place that no directory leads to is its word."""
    rows = [(place, name or "*", below if macro in DIRECTORIES and below != "NONE" else "")
            for macro, place, name, _, below in rows if place != "NONE"]
    above = {below: (place, name) for place, name, below in rows if below}

    def path_of(place):
        if place == "ROOT":
            return ""
        return path_of(above[place][0]) + above[place][1] + "/" if place in above else f"({place})/"

    return {path_of(place) + name + ("/" if below else "") for place, name, below in rows}


def files_in(tree):
    """The paths in the tree that a document shows. What stands below a directory is indented, or are the first words about
    it, with commas between them, if nothing is."""
    paths, stack = set(), []  # stack: indentation and path of the directories above
    for line in tree.splitlines():
        indent, names, about = TREE_LINE.match(line).groups()
        while stack and stack[-1][0] >= len(indent):
            stack.pop()
        above = stack[-1][1] if stack else ""
        for name in names.split(" "):
            path = above + ID.sub("*", name)
            paths |= {path[:i + 1] for i, letter in enumerate(path) if letter == "/"} | {path}
            if not path.endswith("/"):
                continue
            stack.append((len(indent), path))
            words = re.match(r"[\w.-]+(?:, [\w.-]+)+", about or "")
            paths |= {path + word for word in re.findall(r"[\w.-]+", words[0])} if words else set()
    return paths


def wrong_files(source, document):
    found = TREE.search(document)
    rows = ROW.findall(source)
    if not found or not any(row[0] in DIRECTORIES for row in rows):
        return ["no tree, or no rows: has the form of docs/semantics.md or of src/tree/kt-files.c changed?"]
    wanted, shown = files_of(rows), files_in(found[1])
    return ([f"docs/semantics.md does not show {path}" for path in sorted(wanted - shown)] +
            [f"docs/semantics.md shows {path}, which is in no row" for path in sorted(shown - wanted)])


def keys_in(document):
    """Group and key → what its line says of the value it has by itself. A line without a group is of the one above."""
    keys, group = {}, ""
    for name, key, value in KEY_LINE.findall(document):
        group = name.strip() or group
        keys[group, key] = value
    return keys


def wrong_keys(source, document):
    keys, shown = KEY.findall(source), keys_in(document)
    if not keys or not shown:
        return ["no keys: has the form of docs/configuration.md or of src/app/kt-config.c changed?"]
    wanted = {(group, key): initial for group, key, initial in keys}
    wrong = [f"docs/configuration.md has no line for [{group}] {key}"
             for group, key in sorted((wanted.keys() | {SHARE_KEY}) - shown.keys())]
    wrong += [f"docs/configuration.md has [{group}] {key}, which is no key"
              for group, key in sorted(shown.keys() - wanted.keys() - {SHARE_KEY})]
    for name in sorted((wanted.keys() & shown.keys()) - MADE):
        values = VALUE.findall(shown[name])
        if values != ([wanted[name]] if wanted[name] else []):
            wrong.append(f"docs/configuration.md: [{name[0]}] {name[1]} is {wanted[name] or 'nothing'} by itself")
    return wrong


def wrong_metrics(sources, document, examples):
    """SOURCES and EXAMPLES: texts by name."""
    made = {name for text in sources.values() for name in re.findall(rf'"({METRIC})"', text)}
    shown = METRIC_LINE.findall(document)
    if not made or not shown:
        return ["no metrics: has the form of docs/monitoring.md or of the sources changed?"]
    wrong = [f"docs/monitoring.md has no line for {name}" for name in sorted(made - set(shown))]
    wrong += [f"docs/monitoring.md has {name}, which is no metric" for name in sorted(set(shown) - made)]
    wrong += [f"docs/monitoring.md has {name} twice" for name in sorted(set(shown)) if shown.count(name) > 1]
    for example, text in examples.items():
        # a job of Prometheus' and the like are no metrics: these are followed by a selector or by what ends an expression
        used = {OF_HISTOGRAM.sub("", name) for name in re.findall(rf"\b({METRIC})(?=[{{\s)])", text)}
        wrong += [f"{example} uses {name}, which is no metric" for name in sorted(used - made)]
        wrong += [] if used else [f"{example} uses no metric: has its form changed?"]
    return wrong


def main():
    root = pathlib.Path(sys.argv[1])
    texts = [(root / name).read_text(encoding="utf-8") for name in
             ("src/tree/kt-files.c", "docs/semantics.md", "src/app/kt-config.c", "docs/configuration.md")]
    found = wrong_files(*texts[:2]) + wrong_keys(*texts[2:])
    sources = {path.name: path.read_text(encoding="utf-8") for path in root.glob("src/*/*.c")}
    examples = {path.name: path.read_text(encoding="utf-8")
                for pattern in ("*.yml", "*.json") for path in root.glob("examples/" + pattern)}
    found += wrong_metrics(sources, (root / "docs/monitoring.md").read_text(encoding="utf-8"), examples)
    print("\n".join(found) or "all documented")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
