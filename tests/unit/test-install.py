# SPDX-License-Identifier: MIT
"""What `meson install` installs: the program with its documents, whose references hold there.
test-install.py SOURCE BUILD"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

PROGRAMS = ("kootaskfs", "kootask-wait")
PAGE = re.compile(r"\b(koo[a-z-]+)\\?\((\d)\)")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)[^)]*\)")


def installed(build, destination):
    """Installs BUILD below DESTINATION; the files there, by the path they will have."""
    subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", destination], check=True)
    files = [path for path in destination.rglob("*") if path.is_file()]
    return {pathlib.Path("/") / path.relative_to(destination): path for path in files}


def planned(source, build, *options):
    """The names of what a build with these options would install."""
    subprocess.run(["meson", "setup", build, source, "-Dtests=false", *options], check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run(["meson", "introspect", "--installed", build], check=True, stdout=subprocess.PIPE)
    return {pathlib.Path(path).name for path in json.loads(done.stdout).values()}


def without_roff(text):
    """TEXT of a page without fonts and escapes."""
    return re.sub(r"\\(.)", r"\1", re.sub(r"\\f[BIRP]", "", text).replace("\\&", ""))


def problems_of(files):
    """What does not hold among the installed files."""
    names = {path.name for path in files}
    found = [f"{name} is missing" for name in {*PROGRAMS, *(f"{name}.1" for name in PROGRAMS), "_kootask-wait", "README.md", "semantics.md"} - names]
    found += [f"{path} is not for users" for path in files if path.suffix in (".scd", ".build")]
    for path, place in files.items():
        if path.suffix == ".1":
            text = without_roff(place.read_text(encoding="utf-8"))
            pages = {f"{name}.{section}" for name, section in PAGE.findall(text)}
            found += [f"{path} refers to the page {page}" for page in pages - names]
            paths = {pathlib.Path(word) for word in re.findall(r"/[\w./-]+/doc/[\w./-]*\w", text)}
            found += [f"{path} refers to {other}" for other in paths if other not in files and not
                      any(other in file.parents for file in files)]
            found += [f"{path} refers to no document"] if path.stem == "kootaskfs" and not paths else []
        elif path.suffix == ".md":
            links = LINK.findall(place.read_text(encoding="utf-8"))
            found += [f"{path} links to {link}" for link in links
                      if pathlib.Path(os.path.normpath(path.parent / link)) not in files]
    return found


def main():
    source, build = map(pathlib.Path, sys.argv[1:])
    with tempfile.TemporaryDirectory() as work:
        found = problems_of(installed(build, pathlib.Path(work) / "root"))
        sim = {"koodrive-sim", "koodrive-sim.1"}
        found += [f"{name} is not asked for" for name in sim & planned(source, pathlib.Path(work) / "without")]
        with_sim = planned(source, pathlib.Path(work) / "with", "-Dinstall_sim=true")
        found += [f"{name} is not installed though asked for" for name in sim - with_sim]
    print("\n".join(found) or "all installed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
