# SPDX-License-Identifier: MIT
"""Holds the tests to the documents: what a test quotes stands in a document, each promise of docs/semantics.md is quoted.

A quotation is a text of five words or more between double quotes, in a docstring of tests/mount/test_*.py or
tests/sim/test_*.py, or in a comment of tests/unit/*.c. It must stand word for word in one block (paragraph, item, row)
of docs/*.md or README.md. Line breaks, backticks and emphasis don't count; a document's double quotes are quoted as
single ones. A promise is one item of a list in docs/semantics.md. A test must quote at least five words of it, or all of it
when it is shorter."""

import ast
import pathlib
import re
import sys

WORDS = 5
PROMISES = "docs/semantics.md"
ITEM = re.compile(r"\s*(?:-|\d+\.)\s+")
C_TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def plain(text):
    """TEXT without what Markdown makes of it and with one blank between words."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return " ".join(re.sub(r"[*`]", "", text).replace('"', "'").split())


def blocks(text):
    """(line, is an item, words) of each paragraph, item of a list, row of a table and heading of a document."""
    found, is_open = [], False
    for number, line in enumerate(text.splitlines(), 1):
        item = ITEM.match(line)
        alone = line.startswith(("#", "|"))
        if item or alone or (line.strip() and not is_open):
            found.append([number, bool(item), line[item.end():] if item else line])
            is_open = not alone
        elif line.strip():
            found[-1][2] += "\n" + line
        else:
            is_open = False
    return [(number, item, plain(words)) for number, item, words in found]


def docstrings(path):
    """(line, docstring) of the module, the classes and the functions of a file in Python."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            yield node.body[0].lineno, ast.get_docstring(node)


def comments(path):
    """(line, comment) of a file in C. The * that begins a line of a comment is not part of it."""
    text = path.read_text(encoding="utf-8")
    for token in C_TOKEN.finditer(text):
        if token[0].startswith("/"):
            yield text.count("\n", 0, token.start()) + 1, re.sub(r"^\s*\*\s", " ", token[0], flags=re.MULTILINE)


def quoted(root):
    """(place, words) of everything between double quotes where quotations are."""
    sources = [(path, docstrings) for ring in ("mount", "sim") for path in sorted(root.glob(f"tests/{ring}/test_*.py"))]
    sources += [(path, comments) for path in sorted(root.glob("tests/unit/*.c"))]
    for path, texts in sources:
        for line, text in texts(path):
            for words in re.findall(r'"([^"]*)"', text):
                yield f"{path.relative_to(root)}:{line}", plain(words)


def stands_in(quotation, words):
    """Whether WORDS have the quotation, beginning and ending with whole words."""
    return re.search(rf"(?<!\w){re.escape(quotation)}(?!\w)", words) is not None


def main():
    root = pathlib.Path(sys.argv[1])
    documents = {str(path.relative_to(root)): blocks(path.read_text(encoding="utf-8"))
                 for path in [*sorted(root.glob("docs/*.md")), root / "README.md"]}
    everything = [words for document in documents.values() for _, _, words in document]
    promises = [(number, words) for number, item, words in documents[PROMISES] if item]
    texts = list(quoted(root))
    quotations = [(place, text) for place, text in texts if len(text.split()) >= WORDS]
    found = [f'{place}: stands in no document: "{text}"' for place, text in quotations
             if not any(stands_in(text, words) for words in everything)]
    for number, promise in promises:
        short = len(promise.split()) < WORDS
        if not any(text == promise if short else stands_in(text, promise) for _, text in (texts if short else quotations)):
            found.append(f"{PROMISES}:{number}: no test quotes: {promise}")
    if not promises or not quotations:
        found.append(f"{len(promises)} promises, {len(quotations)} quotations: has their form changed?")
    print("\n".join(found) or f"{len(quotations)} quotations, {len(promises)} promises: all as they should be")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
