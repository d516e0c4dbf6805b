#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compares kootaskfs with what one would use instead, side by side in one run. Prints tables of ratios and writes them as
markdown: bench.py [--quick] BUILD OUTPUT.md. Run it with scripts/bench."""

import argparse
import os
import pathlib
import platform
import tempfile
import time

import common
import scans
import sizes
import waiting
import warm

FULL = {"warm": 1000, "scans": ((1000, 50), (5000, 0)), "tls": 5000, "readers": 200, "listings": (100_000, 1_000_000),
        "memory": 10_000, "large": (10_000, 100_000), "idle": 10, "waiting": (20, 100, 60)}
QUICK = {"warm": 50, "scans": ((100, 50), (200, 0)), "tls": 200, "readers": 50, "listings": (1000,),
         "memory": 300, "large": (1000, 5000), "idle": 2, "waiting": (2, 4, 8)}


def cpu():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.machine()


def cell(value):
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def table(title, head, rows, note=None):
    lines = ["", f"## {title}", ""] + ([note, ""] if note else [])
    lines += ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return lines + ["| " + " | ".join(map(cell, row)) + " |" for row in rows]


def scan_table(work, tasks, latency):
    rows = scans.scan(work, tasks, latency)
    base = next(row[1] for row in rows if row[0].startswith("curl --parallel"))
    rows = [(f"`{name}`".replace("|", "\\|"), s, s / base, requests, cpu) for name, s, requests, cpu in rows]
    return table(f"Scan of {tasks:,} cold tasks, {latency} ms a call",
                 ("", "s", "× curl --parallel", "requests", "CPU s of the daemon"), rows)


def large_table(work, counts):
    rows = [(f"`{what}`" if "," not in what else what, *seconds, seconds[-1] / seconds[0], *worst)
            for what, seconds, worst in sizes.large(work, counts)]
    head = ("", *(f"{n:,} files, s" for n in counts), "ratio", *(f"{n:,}: worst lookup meanwhile, ms" for n in counts))
    return table("One task of many files", head, rows, "The lookup is of `.kootaskfs/version`, which always reaches the daemon.")


def memory_table(work, tasks):
    rows, each = sizes.memory(work, tasks)
    return table("Memory", ("", "MB resident", "MB of answers", "inodes"), rows,
                 f"{each:.2f} KB a task, read over listed.")


def listing_rows(work, counts):
    for tasks in counts:
        for what, ours, tmpfs in scans.listing(work, tasks):
            yield what, ours, tmpfs, ours / tmpfs if tmpfs else None


def report(work, size):
    out = ["# Performance", "", "One run of `scripts/bench`; ratios, not seconds, carry over to other machines.", "",
           f"Machine: {cpu()}, {os.cpu_count()} cores, Linux {platform.release()}; {time.strftime('%Y-%m-%d')}."]
    out += table(f"Warm, {size['warm']:,} small files", ("", "read µs", "× tmpfs", "stat µs", "× tmpfs"),
                 warm.warm(work, size["warm"]), "open+read+close and stat of one file, in memory.")
    for tasks, latency in size["scans"]:
        out += scan_table(work, tasks, latency)
    out += table(f"The same through a local nginx, {size['tls']:,} tasks: `cat tasks/*/status`",
                 ("", "s", "requests", "connections"), scans.tls(work, size["tls"]))
    out += table("Readers at once, cold, 50 ms a call", ("", "s", "requests", "most in flight"),
                 scans.readers(work, size["readers"]))
    out += table("Reading again what has run out and not changed, means", ("requests", "LOOKUP", "GETATTR", "READ"),
                 [scans.rereads(work)])
    out += large_table(work, size["large"])
    out += memory_table(work, size["memory"])
    out += table("Listing tasks nobody has asked for", ("", "kootaskfs", "tmpfs", "ratio"),
                 listing_rows(work, size["listings"]))
    tasks, scripts, seconds = size["waiting"]
    out += table(f"{scripts} scripts wait for {tasks} tasks, {seconds} s",
                 ("", "requests", "CPU s of all processes", "too late, median s", "longest s"),
                 waiting.waiting(work, tasks, scripts, seconds))
    out += table("Doing nothing", ("", "system calls"), [(f"{size['idle']} s", sizes.idle(work, size["idle"]))])
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="small sizes: to see that it works")
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    arguments = parser.parse_args()
    common.BUILD = arguments.build.resolve()
    with tempfile.TemporaryDirectory(prefix="kootaskfs-bench.") as work:
        text = report(pathlib.Path(work), QUICK if arguments.quick else FULL)
    arguments.output.write_text(text)
    print(text)


main()
