# SPDX-License-Identifier: MIT
"""docs/semantics.md, "inotify": what the service changes reaches those who watch the mount, whatever they watch it with."""

import json
import os
import re
import subprocess
import threading
import time

import pytest

from koodrive_sim import SHARE, wait_until
from kootaskfs_mount import SHARE_TASK, detail, environment, errno_of, run, store
from test_security import NOBODY
from test_words import device, user_files  # noqa: F401: a fixture

OTHER_TASK = "1521827471237047553"
WRITTEN = ["MODIFY", "OPEN", "CLOSE_WRITE,CLOSE"]


class Watcher:
    """A process that prints a line for each event; it has begun when it is made."""

    def __init__(self, m, *command, begun="Watches established", **options):
        self.lines = []
        self.process = m.popen(*command, stderr=subprocess.STDOUT, **options)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if begun:
            wait_until(lambda: any(begun in line for line in self.lines), f"{command[0]} to begin")

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def has(self, *patterns):
        """Whether lines match the patterns, in this order."""
        at = 0
        for line in list(self.lines):
            if at < len(patterns) and re.search(patterns[at], line):
                at += 1
        return at == len(patterns)

    def end(self):
        self.process.terminate()
        self.process.wait(60)


def inotifywait(m, path, *options):
    return Watcher(m, "stdbuf", "-oL", "inotifywait", "-m", *options, "--format", "%e %f", path)


def found(m, number=1):
    """The daemon has found so many watches."""
    wait_until(lambda: m.metric("kootaskfs_inotify_watches") == number, f"{number} watches to be found")


@pytest.fixture
def watched(mount, sim):
    """A mount with a task that runs, whose files have been read."""
    store(sim, detail(progress=10, files=["f"]))
    m = mount(sim, ttl="200ms")
    assert m.read("progress") == "10\n"
    return m


def test_directory_and_file(watched, sim):
    """"Who watches the directory of a task gets IN_MODIFY, IN_OPEN and IN_CLOSE_WRITE with the name of each file whose
    content has changed."

    "Who watches a file gets the same events each time that its content changes, also when it is another file under the same
    name by then."

    "Who reads a file after such an event reads what is new.\""""
    m = watched
    directory, file = inotifywait(m, m.task(), "-e", "modify,close_write"), inotifywait(m, m.task() / "progress")
    found(m, 2)
    for progress in (20, 30, 40):
        before = len(directory.lines)
        store(sim, detail(progress=progress, files=["f"]))
        wait_until(lambda: "MODIFY progress" in directory.lines[before:], "the event")
        assert m.read("progress") == f"{progress}\n"
        wait_until(lambda: "CLOSE_WRITE,CLOSE progress" in directory.lines[before:], "the end of the write")
    wait_until(lambda: [line for line in file.lines if "MODIFY" in line or "CLOSE_WRITE" in line] ==
               ["MODIFY ", "CLOSE_WRITE,CLOSE "] * 3, "three events of the file")
    names = {line.split()[-1] for line in directory.lines if line.startswith(("MODIFY", "CLOSE_WRITE"))}
    assert names == {"progress", "summary", "task.json", "job.json", "response.json", "events"}
    assert directory.lines.count("MODIFY progress") == directory.lines.count("MODIFY task.json") == 3


def test_nothing_is_changed(watched, sim):
    """"An event makes no request, and changes neither content nor times; what the kernel holds stays valid.\""""
    m = watched
    m.write_list(f"share {SHARE} {SHARE_TASK}")
    directory = inotifywait(m, m.task(), "-e", "close_write")
    found(m)
    store(sim, detail(progress=20, taskStatus=2, endTime="20240930092000"))
    wait_until(lambda: directory.has("CLOSE_WRITE.* progress") and directory.has("CLOSE_WRITE.* ended"), "the events")
    requests, files = m.requests(), ["progress", "ended", "status", "job.json"]
    content = [m.read(name) for name in files]
    times = [os.stat(m.task() / name).st_mtime for name in files]
    assert m.operations_of(lambda: run("cat", *(m.task() / name for name in files))) == {}, "the kernel has it all"
    assert m.operations_of(lambda: [os.stat(m.task() / name) for name in files]) == {}
    assert [m.read(name) for name in files] == content and content[0] == "20\n"
    assert [os.stat(m.task() / name).st_mtime for name in files] == times
    assert m.requests() == requests, "it has ended: nobody asks"
    assert errno_of(os.stat, m / ".inodes") == "ENOENT" and ".inodes" not in os.listdir(m.path)


def test_polled_while_watched(mount, sim):
    """"A task that somebody watches with inotify, or that has a file that somebody watches, is polled as under Watching".

    "After the watch has ended, its tasks are asked for until the next look.\""""
    store(sim, detail(progress=10))
    m = mount(sim, ttl="500ms")
    m.read("progress")
    watcher = inotifywait(m, m.task() / "progress")
    found(m)
    before, start = m.requests(SHARE_TASK), time.monotonic()
    wait_until(lambda: m.requests(SHARE_TASK) >= before + 4, "polls")
    assert m.requests(SHARE_TASK) - before <= (time.monotonic() - start) / 0.48 + 2, "once a ttl"
    watcher.end()
    found(m, 0)
    before = m.requests(SHARE_TASK)
    time.sleep(1.5)  # nothing is to happen
    assert m.requests(SHARE_TASK) - before <= 1


def test_failures(mount, sim):
    """"A file that can no longer be read has changed, and so has one that can be read again.\""""
    store(sim, detail(progress=10))
    m = mount(sim, ttl="200ms", max_stale="0s", negative_ttl="200ms", deadline="1s")
    m.read("progress")
    watcher = inotifywait(m, m.task(), "-e", "modify")
    found(m)
    store(sim, '{"code": 13000309, "msg": "gone"}')
    wait_until(lambda: watcher.has("MODIFY status"), "the failure")
    assert errno_of((m.task() / "status").read_bytes) == "ENOENT"
    before = watcher.lines.count("MODIFY status")
    store(sim, detail(progress=10))
    wait_until(lambda: watcher.lines.count("MODIFY status") > before, "the recovery")
    assert m.read("status") == "running\n"


def test_directories(mount, sim):
    """"Who watches `tasks/` gets IN_ATTRIB with the name of each task in which something has changed, and without a name
    when a task came or went: there is no IN_CREATE and no IN_DELETE."

    "Who watches `files/`, or a directory of `by-status/`, gets IN_ATTRIB when something that it shows has changed.\""""
    store(sim, detail(progress=10, files=["f"]))
    m = mount(sim, ttl="200ms")
    m.read("progress")
    os.listdir(m / "by-status" / "running")
    os.listdir(m.task() / "files")
    tasks = inotifywait(m, m / "tasks", "-e", "attrib")
    running = inotifywait(m, m / "by-status" / "running", "-e", "attrib")
    files = inotifywait(m, m.task() / "files", "-e", "attrib")
    found(m, 3)
    store(sim, detail(progress=20, files=["f", "g"]))
    wait_until(lambda: f"ATTRIB,ISDIR {SHARE_TASK}" in tasks.lines, "the task's change")
    wait_until(lambda: files.has("^ATTRIB,ISDIR"), "the change of files/")
    store(sim, detail(progress=20, taskStatus=2, files=["f", "g"]))
    wait_until(lambda: running.has("^ATTRIB,ISDIR"), "the change of by-status/running/")
    store(sim, detail(OTHER_TASK), OTHER_TASK)
    m.write_list(f"share {SHARE} {SHARE_TASK}", f"share {SHARE} {OTHER_TASK}")
    wait_until(lambda: tasks.has("^ATTRIB,ISDIR $"), "the new task")


NODE = """
const fs = require("fs");
for (const path of process.argv.slice(1))
  fs.watch(path, (event, name) => console.log(event, name));
fs.watchFile(process.argv[2], {interval: 100}, now => console.log("stat", now.size));
console.log("begun");
"""

WATCHDOG = """
import sys, time
from watchdog.events import FileSystemEventHandler
from watchdog.observers import Observer
class Handler(FileSystemEventHandler):
    def on_any_event(self, event):
        print(type(event).__name__, event.src_path.rpartition("/")[2], flush=True)
observer = Observer()
observer.schedule(Handler(), sys.argv[1], recursive=True)
observer.start()
print("begun", flush=True)
time.sleep(3600)
"""


def test_node(watched, sim):
    """`fs.watch` of Node, of a directory and of a file, and fs.watchFile, which polls."""
    m = watched
    watcher = Watcher(m, "node", "-e", NODE, m.task(), m.task() / "progress", begun="begun")
    found(m, 2)
    for progress in (2, 30):
        before = len(watcher.lines)
        store(sim, detail(progress=progress, files=["f"]))
        wait_until(lambda: {"change progress", "change job.json"} <= set(watcher.lines[before:]), "the events")
        assert m.read("progress") == f"{progress}\n"
        wait_until(lambda: f"stat {len(str(progress)) + 1}" in watcher.lines[before:], "watchFile to see the size")


def test_watchdog(watched, sim):
    """Python's watchdog sees it, recursively."""
    m = watched
    watcher = Watcher(m, "/usr/bin/python3", "-c", WATCHDOG, m.task(), begun="begun")
    wait_until(lambda: m.metric("kootaskfs_inotify_watches") >= 2, "watches")
    store(sim, detail(progress=20, files=["f"]))
    wait_until(lambda: watcher.has("FileModifiedEvent progress"), "the event")


def test_entr(watched, sim):
    """`entr` runs its command at each change, with what is new."""
    m = watched
    names = m.directory / "names"
    names.write_text(f"{m.task() / 'progress'}\n")
    with open(names) as stdin:
        entr = Watcher(m, "entr", "-n", "cat", "/_", stdin=stdin, begun="10")
    found(m)
    for progress in (20, 30):
        store(sim, detail(progress=progress, files=["f"]))
        wait_until(lambda: str(progress) in entr.lines, f"entr to run for {progress}")


def test_option(mount, sim):
    """"With `inotify = no` nothing is looked for, and there are no events."

    It can be set while the mount serves."""
    store(sim, detail(progress=10))
    m = mount(sim, ttl="200ms", inotify="no")
    m.read("progress")
    watcher = inotifywait(m, m.task(), "-e", "modify")
    before = m.requests(SHARE_TASK)
    store(sim, detail(progress=20))
    time.sleep(2.5)  # nothing is to happen
    assert m.requests(SHARE_TASK) == before and not watcher.has("MODIFY")
    m.configure(inotify="yes")
    m.signal(1)
    found(m)
    wait_until(lambda: watcher.has("MODIFY progress"), "the event")
    assert m.read("progress") == "20\n"


def hammer(m, sim, seconds, ended):
    """Lookups, watches, listings and changes at the same time."""
    def change():
        progress = 0
        while not ended.is_set():
            progress = progress % 99 + 1
            store(sim, detail(progress=progress, files=["f"]))
            ended.wait(0.02)

    def look():
        while not ended.is_set():
            try:
                for name in os.listdir(m.task()):
                    if name != "package.zip":
                        os.stat(m.task() / name)
                (m.task() / "progress").read_bytes()
                errno_of(os.stat, m / "tasks" / f"no-{time.monotonic_ns()}")
                os.utime(m.task() / "status")
            except OSError:
                pass  # unmounted
    threads = [threading.Thread(target=f) for f in (change, look, look, look)]
    for thread in threads:
        thread.start()
    return threads


@pytest.mark.parametrize("rounds", [int(os.environ.get("KT_HAMMER_ROUNDS", "4"))])
def test_hammering(mount, sim, rounds):
    """"Files can be unmounted while they are watched and change: kootaskfs never keeps the mount busy.\" Who looks up names at
    the moment does, so they stop first, and the changes go on; nothing deadlocks."""
    store(sim, detail(progress=10, files=["f"]))
    for _ in range(rounds):
        m = mount(sim, ttl="100ms", families="share, basic, job")
        m.read("progress")
        watchers = [inotifywait(m, m.task(), "-e", "modify"), inotifywait(m, m.task() / "progress", "-e", "modify"),
                    inotifywait(m, m / "tasks", "-e", "attrib")]
        found(m, 3)
        looking, changing = threading.Event(), threading.Event()
        threads = hammer(m, sim, 3, looking)
        changes = threading.Thread(target=lambda: [store(sim, detail(progress=i % 99, files=["f"])) or time.sleep(0.02)
                                                   for i in iter(lambda: 0 if changing.is_set() else time.monotonic_ns(), 0)])
        before = len(watchers[0].lines)
        wait_until(lambda: len(watchers[0].lines) > before + 50, "events")
        looking.set()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive(), "deadlocked"
        changes.start()
        before = len(watchers[0].lines)
        wait_until(lambda: len(watchers[0].lines) > before + 5, "events without who looks")
        run("fusermount3", "-u", m.path)  # at the first try
        assert m.wait_ended() == 0, m.log()
        changing.set()
        changes.join(60)
        wait_until(lambda: all(not w.process.poll() for w in watchers), "the watchers")


USER = """mount --make-rprivate /; %s
    echo user_allow_other >"$1/dev/fuse.conf"; mount --bind "$1/dev/fuse.conf" /etc/fuse.conf
    %s "$1/kootaskfs" -o "config=$1/conf,ttl=200ms$3" "$1/m"
    %s cat "$1/m/tasks/$2/progress"
    %s timeout 60 inotifywait -q -m -e modify,close_write,attrib --format "%%e %%f" "$1/m/tasks/$2" |
        grep -q --line-buffered "^$4 progress" && echo seen
    for i in 1 2 3 4 5; do sleep 0.2; done
    %s fusermount3 -u "$1/m"; ls "$1/m" """


@pytest.mark.parametrize("options, event", [("", "CLOSE_WRITE,CLOSE"), (",allow_other", "ATTRIB")])
def test_ordinary_user(user_files, sim, options, event):  # noqa: F811
    """"With `allow_other` an ordinary user's kootaskfs cannot open its files for writing: IN_ATTRIB comes in place of IN_OPEN and
    IN_CLOSE_WRITE.\""""
    ended = threading.Event()

    def change():
        progress = 0
        while not ended.is_set():
            progress = progress % 99 + 1
            store(sim, detail(progress=progress))
            ended.wait(0.3)
    changes = threading.Thread(target=change)
    store(sim, detail(progress=1))
    (user_files / "tasks").write_text(f"share {SHARE} {SHARE_TASK}\n")
    with open(user_files / "conf", "a") as conf:
        conf.write(f"families = share\n[watch]\nfile = {user_files}/tasks\n")
    changes.start()
    try:
        user = " ".join(NOBODY)
        done = run("unshare", "-m", "sh", "-euc", USER % (device(), user, user, user, user), "sh", user_files, SHARE_TASK, options,
                   event, env=environment())
    finally:
        ended.set()
        changes.join()
    assert "seen" in done.stdout and done.stderr == ""
