# SPDX-License-Identifier: MIT
"""Many watchers of every kind while many tasks change: no event lost or doubled, no torn value, no request too many.

KT_WATCHING="SECONDS WATCHERS" in the environment makes it longer and more of them than the suite needs."""

import collections
import json
import os
import re
import sys
import threading
import time

from koodrive_sim import SHARE, wait_until
from kootaskfs_mount import detail, run, store

SECONDS, WATCHERS = (int(word) for word in os.environ.get("KT_WATCHING", "12 3").split())
TASKS = [f"73{i:017d}" for i in range(50)]
TTL = 1
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ([\w-]+) ([a-z-]+) (\S+) -> (\S+)")

READER = r"""
import json, os, sys, time
values = set()
while True:
    for task in sys.argv[2:]:
        said = json.load(open(f"{sys.argv[1]}/tasks/{task}/task.json"))
        assert said["user"] == f"u{said['progress']}", said
        progress = open(f"{sys.argv[1]}/tasks/{task}/progress").read()
        assert progress == "" or progress.endswith("\n"), progress
        if said["status"] == "completed":
            sys.exit()
    time.sleep(0.2)
"""

POLLER = r"""
import os, select, sys
epoll, files = select.epoll(), {}
def add(path):
    file = os.open(path, os.O_RDONLY)
    files[file] = path
    epoll.register(file, select.EPOLLPRI | select.EPOLLERR)
    return os.pread(file, 100, 0).decode().strip()
left = {f"{sys.argv[1]}/tasks/{task}/status" for task in sys.argv[2:]}
for path in left.copy():
    if add(path) == "completed":
        left.discard(path)
while left:
    for file, _ in epoll.poll():
        path = files.pop(file)
        epoll.unregister(file)
        os.close(file)
        if add(path) == "completed":
            left.discard(path)
"""


def answer(round_, last):
    return {"progress": round_, "userId": f"u{round_}", "taskStatus": 2 if round_ == last else 1}


def events_of(text):
    """task → [(what, old, new)]; every line must be whole."""
    events = collections.defaultdict(list)
    for line in text.splitlines():
        found = LINE.fullmatch(line)
        assert found, f"no event: {line!r}"
        events[found[1]].append(found.groups()[1:])
    return events


def assert_chains(events):
    """Each value that a task leaves is the one that it came to before, and progress only grows: nothing is lost or doubled."""
    assert set(events) == set(TASKS)
    for task, changes in events.items():
        assert changes[0][0] == "seen" and sum(what == "seen" for what, _, _ in changes) == 1
        assert [new for what, _, new in changes if what == "status"] == ["completed"]
        progress = [(old, new) for what, old, new in changes if what == "progress"]
        assert all(before[1] == after[0] for before, after in zip(progress, progress[1:])), progress
        assert [int(new) for _, new in progress] == sorted({int(new) for _, new in progress})
        assert not any(what == "error" for what, _, _ in changes), changes


def test_everybody_watches(mount, sim):
    """"A task that somebody watches is asked for every `ttl` until it has ended, once for all who watch it"."""
    for task in TASKS:
        store(sim, detail(task, **answer(1, 0)), task)
    mounted = mount(sim, watch=[f"share {SHARE} {task}" for task in TASKS], ttl=f"{TTL}s")
    outputs, waits = [], []
    for i in range(WATCHERS):
        one = TASKS[i % len(TASKS)]
        for path in (mounted / "events", mounted.task(one) / "events"):
            outputs.append((path, open(mounted.directory / f"out{len(outputs)}", "w+")))
            mounted.popen("tail", "-n", "+1", "-f", path, stdout=outputs[-1][1])
        waits += [mounted.popen("cat", mounted.task(one) / "wait")]
        waits += [mounted.python(READER, mounted.path, *TASKS[i::WATCHERS])]
        waits += [mounted.python(POLLER, mounted.path, *TASKS)]
        mounted.popen("inotifywait", "-q", "-m", mounted.task(one), stdout=open(os.devnull, "w"))
        mounted.popen("sh", "-c", 'while sleep 0.5; do cat "$0/overview"; ls "$0/by-status/running"; done', mounted.path,
                      stdout=open(os.devnull, "w"))
    wait_until(lambda: all(sim.log(f"?taskId={task}") for task in TASKS), "the first polls")
    begun = time.monotonic()
    for round_ in range(2, SECONDS + 1):
        for task in TASKS:
            store(sim, detail(task, **answer(round_, SECONDS)), task)
        time.sleep(max(0, begun + round_ - 1 - time.monotonic()))
    for child in waits:
        out, err = child.communicate(timeout=60)
        assert (child.returncode, err) == (0, "")
        assert out in ("", "completed\n")
    taken = time.monotonic() - begun
    whole = (mounted / "events").read_text
    wait_until(lambda: whole().count(" status running -> completed") == len(TASKS), "the last event")
    assert_chains(events_of(whole()))
    for path, output in outputs:
        wait_until(lambda: os.fstat(output.fileno()).st_size >= path.stat().st_size, f"all of {path}")
        output.seek(0)
        assert output.read() == path.read_text()
    for task in TASKS:
        assert events_of((mounted.task(task) / "events").read_text())[task] == events_of(whole())[task]
        asked = len(sim.log(f"?taskId={task}"))
        assert asked <= (taken + 5) / (TTL / 2), f"{asked} requests in {taken:.1f} s"


def test_polls_leave_room(mount, start):
    """"Polls take half of `concurrency` at the most": fifty tasks are waited for over two of four connections."""
    sim = start("--latency=50")
    for task in TASKS:
        store(sim, detail(task), task)
    mounted = mount(sim, watch=[f"share {SHARE} {task}" for task in TASKS], ttl="1s", concurrency="4")
    for task in TASKS:
        mounted.popen("cat", mounted.task(task) / "wait")
    wait_until(lambda: all(len(sim.log(f"?taskId={task}")) > 1 for task in TASKS), "two polls of each task")
    assert sim.counters()["maxInFlight"] == 2


def test_tail_of_a_value(mount, sim):
    """"`tail -F` of a value file writes a line a change", none twice, though nothing else reads the task. "tail looks for one every
    fifth second only, with `--max-unchanged-stats=1` every second." """
    store(sim, detail(progress=1))
    mounted = mount(sim, ttl="500ms")
    child = mounted.popen("tail", "-F", "--max-unchanged-stats=1", mounted.task() / "progress")
    assert child.stdout.readline() == "1\n"
    for progress in (7, 42, 100):
        store(sim, detail(progress=progress))
        assert child.stdout.readline() == f"{progress}\n"
