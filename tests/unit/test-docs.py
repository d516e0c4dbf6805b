# SPDX-License-Identifier: MIT
"""Holds the documents to the tables: every file name is in docs/semantics.md, every key in docs/configuration.md."""

import pathlib
import re
import sys

ROW = re.compile(r'^\s*(?:DIR|LISTED|TIMED|FILE|OF_FILE|LIVE|PACKAGE|CTL) \((\w+), "([^"]+)"', re.MULTILINE)
KEY = re.compile(r'^\s*\{ "([\w-]+)", "([\w-]+)", &kt_type_', re.MULTILINE)


def documented(text):
    """The words that TEXT shows as code: in blocks, fenced or indented, and between backticks."""
    blocks = re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL)
    blocks += re.findall(r"^(?: {4}|\t).*$", text, re.MULTILINE)
    spans = re.findall(r"`([^`\n]+)`", text)
    return set(re.split(r"[\s/=,\[\]()]+", "\n".join(blocks + spans)))


def missing(root, source, pattern, document):
    rows = pattern.findall((root / source).read_text(encoding="utf-8"))
    if not rows:
        return [f"no rows found in {source}: has the form of its table changed?"]
    path = root / document
    if not path.exists():
        return [f"{document} does not exist"]
    words = documented(path.read_text(encoding="utf-8"))
    return [f"{document} does not tell of {name} ({place})" for place, name in rows if name not in words]


def main():
    root = pathlib.Path(sys.argv[1])
    found = missing(root, "src/tree/kt-files.c", ROW, "docs/semantics.md")
    found += missing(root, "src/app/kt-config.c", KEY, "docs/configuration.md")
    print("\n".join(found) or "all documented")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
