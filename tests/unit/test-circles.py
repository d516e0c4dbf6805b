# SPDX-License-Identifier: MIT
"""No file of src/ calls in a circle, and none includes in one. The calls are read from the objects: who uses a symbol
depends on who defines it. What is handed over as a callback is used where it is handed over, not where it is called."""

import pathlib
import re
import subprocess
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def symbols(path):
    """What the object PATH defines, and what it takes from elsewhere."""
    defined, used = set(), set()
    lines = subprocess.run(["nm", "-P", "-g", path], capture_output=True, text=True, check=True).stdout.splitlines()
    for name, kind, *_ in (line.split() for line in lines):
        (used if kind in "Uvw" else defined).add(name)
    return defined, used


def calls(build):
    """File → {file that it calls: by which symbols}."""
    of_file = {path.name.split(".")[0].replace("_", "/", 1): symbols(path) for path in sorted(build.glob("src/libkt-*.a.p/*.o"))}
    owner = {name: file for file, (defined, _) in of_file.items() for name in defined}
    graph = {file: {} for file in of_file}
    for file, (_, used) in of_file.items():
        for name in used & owner.keys():
            if owner[name] != file:
                graph[file].setdefault(owner[name], []).append(name)
    return graph


def includes(src):
    """Header → {header that it includes: []}."""
    graph = {}
    for path in sorted(src.glob("*/*.h")):
        names = INCLUDE.findall(path.read_text(encoding="utf-8"))
        graph[path.relative_to(src).as_posix()] = {n if "/" in n else f"{path.parent.name}/{n}": [] for n in names}
    return graph


def circles(graph):
    """The sets of nodes that reach each other (Tarjan), those of one node left out."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            circle = stack[stack.index(node):]
            del stack[stack.index(node):]
            if len(circle) > 1:
                found.append(sorted(circle))

    for node in graph:
        if node not in index:
            visit(node)
    return found


def describe(what, graph, circle):
    yield f"a circle of {what}: {' '.join(circle)}"
    for node in circle:
        for other in circle:
            if other in graph[node]:
                yield f"  {node} -> {other}: {' '.join(sorted(graph[node][other]))}"


def main():
    root, build = map(pathlib.Path, sys.argv[1:])
    graphs = [("calls", calls(build)), ("includes", includes(root / "src"))]
    if not all(any(graph.values()) for _, graph in graphs):
        sys.exit("nothing was found to look at: is the build directory built?")
    found = [line for what, graph in graphs for circle in circles(graph) for line in describe(what, graph, circle)]
    print("\n".join(found) or f"no circles among {' and '.join(f'{len(graph)} files ({what})' for what, graph in graphs)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
