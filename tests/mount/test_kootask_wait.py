# SPDX-License-Identifier: MIT
"""kootask-wait on a mount, and on copies of task directories, which tell of no change."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

from koodrive_sim import IMPORT_TASK, REPO, SHARE, SHARE_TASK, wait_until
from kootaskfs_mount import detail, imported, run, store

PROGRAM = os.environ.get("KOOTASK_WAIT", str(REPO / "build" / "kootask-wait" / "kootask-wait"))
TASKS = [f"74{i:017d}" for i in range(40)]
ENDS = {  # what the service says, what is written, the exit code
    "succeeded": (detail(taskStatus=2, taskResultCode="1"), "completed succeeded", 0),
    "no result": (detail(taskStatus=2), "completed", 0),
    "partly": (detail(taskStatus=2, taskResultCode="2"), "completed partly-failed", 1),
    "failed result": (detail(taskStatus=2, taskResultCode="3"), "completed failed", 1),
    "canceled": (detail(taskStatus=3), "canceled", 2),
}


def wait(*arguments, **options):
    return run(PROGRAM, *arguments, check=False, **options)


def copy_of(directory, name, status, result=None, progress=""):
    """A task's directory as a copy has it: plain files."""
    task = directory / name
    task.mkdir()
    for file, value in (("status", status), ("result", result), ("progress", progress)):
        if value is not None:
            (task / file).write_text(value + "\n")
    return task


@pytest.fixture
def mounted(mount, sim):
    for task in TASKS:
        store(sim, detail(task), task)
    return mount(sim, watch=[f"share {SHARE} {task}" for task in (*TASKS, SHARE_TASK)] + [f"basic {IMPORT_TASK}"], ttl="1s")


@pytest.mark.parametrize("end", ENDS)
def test_ends(mounted, sim, end):
    """"It writes a line for each task that ends: its id, its status, and its result when it has one. With `-q` it does not." """
    answer, line, code = ENDS[end]
    store(sim, answer)
    done = wait(mounted.task())
    assert (done.returncode, done.stdout, done.stderr) == (code, f"{SHARE_TASK} {line}\n", "")
    quiet = wait("-q", f"{mounted.task()}/")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (code, "", "")


def test_failed_import(mounted, sim):
    store(sim, imported(("ann", "no licence")).replace('"status": 2', '"status": 3'), IMPORT_TASK)
    done = wait(mounted.task(IMPORT_TASK))
    assert done.returncode == 1 and done.stdout.split()[0] == IMPORT_TASK


def test_waits(mounted, sim):
    """"It opens a task's files again when poll(2) tells of a change, and twice a minute": many tasks, one process of one
    thread; the line comes when the task has ended, and the requests are those of one watcher.

    "`kootask-wait TASKDIR...` waits until all tasks have ended, and with `--any` until one has. It exits with 0 when they
    succeeded, 1 when one failed or did so in part, 2 when one was canceled." """
    child = mounted.popen(PROGRAM, *(mounted.task(task) for task in TASKS))
    wait_until(lambda: all(len(sim.log(f"?taskId={task}")) > 1 for task in TASKS), "two polls of all")
    assert child.poll() is None
    assert len(os.listdir(f"/proc/{child.pid}/task")) == 1
    begun = time.monotonic()
    for task in TASKS[1:]:
        store(sim, detail(task, taskStatus=2), task)
    lines = sorted(child.stdout.readline() for _ in TASKS[1:])
    assert lines == [f"{task} completed\n" for task in sorted(TASKS[1:])]
    assert time.monotonic() - begun < 25, "poll(2) told nothing: it took the look of every half a minute"
    assert child.poll() is None
    store(sim, detail(TASKS[0], taskStatus=3), TASKS[0])
    assert child.communicate(timeout=60) == (f"{TASKS[0]} canceled\n", "")
    assert child.returncode == 2


def test_any(mounted, sim):
    """"With `--any` the first one that has ended decides." """
    child = mounted.popen(PROGRAM, "--any", *(mounted.task(task) for task in TASKS[:3]))
    wait_until(lambda: all(sim.log(f"?taskId={task}") for task in TASKS[:3]), "the polls")
    store(sim, detail(TASKS[1], taskStatus=3), TASKS[1])
    assert child.communicate(timeout=60) == (f"{TASKS[1]} canceled\n", "")
    assert child.returncode == 2


def test_codes(tmp_path, mounted):
    """"It exits with 75 when a task cannot be read, 124 when `--timeout` is over, 64 when it is called in a wrong way." """
    missing = mounted / "tasks" / "no-such-task"
    running = mounted.task(TASKS[0])
    ended = copy_of(tmp_path, "ended", "completed", "succeeded")
    assert wait("--timeout=1", running).returncode == 124
    assert wait("-t", "0.5s", "-q", running, ended).returncode == 124
    for arguments in ((), ("--timeout=soon", running), ("--timeout=-1", running), ("--no-such-option", running)):
        done = wait(*arguments)
        assert (done.returncode, done.stdout) == (64, "") and done.stderr.startswith("kootask-wait: ")
    done = wait(missing, ended)
    assert (done.returncode, done.stdout) == (75, "ended completed succeeded\n")
    assert done.stderr == "kootask-wait: no-such-task: No such file or directory\n"
    assert wait("--any", missing, ended).returncode == 0
    assert wait("--help").returncode == 0 and wait("--version").stdout.startswith("kootask-wait ")


def test_trouble(mount, sim):
    """"A task that cannot be read for a reason that may pass is trouble after 30 s; one that is not there is trouble at once":
    requests that fail for a while end nothing."""
    store(sim, detail())
    sim.admin("POST", "faults", '{"kind":"status","status":502,"times":8}')
    mounted = mount(sim, ttl="1s", negative_ttl="1s")
    child = mounted.popen(PROGRAM, mounted.task())
    wait_until(lambda: mounted.requests() > 9, "requests after those that fail")
    assert child.poll() is None
    store(sim, detail(taskStatus=2))
    assert child.communicate(timeout=60) == (f"{SHARE_TASK} completed\n", "")
    gone = mounted.popen(PROGRAM, mounted / "tasks" / "gone")
    assert gone.communicate(timeout=60)[1] == "kootask-wait: gone: No such file or directory\n"
    assert gone.returncode == 75


def test_unmounted(mounted):
    """A mount that goes while it is waited for is trouble, not a wait for ever."""
    child = mounted.popen(PROGRAM, mounted.task(TASKS[0]))
    wait_until(lambda: mounted.requests(TASKS[0]) > 1, "polls")
    mounted.kill()
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (75, "") and err.startswith(f"kootask-wait: {TASKS[0]}: ")
    mounted.wait_ended()
    run("umount", "-l", mounted.path)


def test_copy(tmp_path):
    """"Where poll(2) tells nothing, as of a copy of a task's directory, it opens them every second." """
    task = copy_of(tmp_path, "7", "running", progress="4")
    child = subprocess.Popen([PROGRAM, task], stdout=subprocess.PIPE, text=True)
    try:
        for progress in range(5, 10):
            assert child.poll() is None
            (task / "progress").write_text(f"{progress}\n")
        (task / "result").write_text("partly-failed\n")
        (task / "status.new").write_text("completed\n")
        os.rename(task / "status.new", task / "status")
        assert child.communicate(timeout=60) == ("7 completed partly-failed\n", None)
        assert child.returncode == 1
    finally:
        child.kill()
        child.wait()


class Terminal:
    """The program with stderr on a terminal of some size."""

    def __init__(self, *arguments, columns=60, rows=10):
        self.master, slave = pty.openpty()
        self.resize(columns, rows)
        self.process = subprocess.Popen([PROGRAM, *map(str, arguments)], stdin=slave, stdout=slave, stderr=slave,
                                        env={**os.environ, "TERM": "xterm"}, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.text = ""

    def resize(self, columns, rows=10):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read_until(self, pattern):
        deadline = time.monotonic() + 60
        while not re.search(pattern, self.text):
            assert time.monotonic() < deadline, f"no {pattern!r} in {self.text!r}"
            self.read()
        return self.text

    def read(self):
        if select.select([self.master], [], [], 1)[0]:
            with contextlib.suppress(OSError):
                self.text += os.read(self.master, 65536).decode()

    def rest(self):
        code = self.process.wait(60)
        while select.select([self.master], [], [], 0.1)[0]:
            try:
                piece = os.read(self.master, 65536)
            except OSError:
                break
            self.text += piece.decode()
        return code

    def screen(self):
        """What is left on the screen: lines are taken away by going up and erasing from there on."""
        lines = [""]
        for up, text in re.findall(r"\x1b\[(\d+)A\r\x1b\[J|([^\x1b]+)", self.text):
            if up:
                del lines[len(lines) - 1 - int(up):]
                lines.append("")
            else:
                pieces = text.replace("\r", "").split("\n")
                lines[-1] += pieces[0]
                lines += pieces[1:]
        return [line for line in lines if line]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.master)


def test_bars(tmp_path, sim, mounted):
    """"On a terminal, stderr shows a bar for each task that runs, as wide as the terminal; nothing of it is left at the end. What
    is no terminal gets none of it." """
    store(sim, detail(progress=40))
    with Terminal(mounted.task(), columns=60) as terminal:
        terminal.read_until(r"40%")
        assert len(terminal.screen()[0]) == 59
        store(sim, detail(progress=70))
        terminal.read_until(r"70%")
        terminal.resize(50)
        terminal.read_until(r"J[^\n\x1b]{46}70%\r")
        store(sim, detail(taskStatus=2))
        assert terminal.rest() == 0
        assert terminal.screen() == [f"{SHARE_TASK} completed"]


def test_many_bars(tmp_path):
    tasks = [copy_of(tmp_path, str(i), "running", progress="3") for i in range(20)]
    with Terminal(*tasks, rows=10) as terminal:
        terminal.read_until("and 12 more")
        assert len(terminal.screen()) == 9


def opens_epoll(pid):
    with contextlib.suppress(FileNotFoundError):  # a file that it has just closed
        return any("eventpoll" in os.readlink(entry.path) for entry in os.scandir(f"/proc/{pid}/fd"))
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("bars", [True, False])
def test_signals(tmp_path, number, bars):
    """"SIGINT and SIGTERM end it as they end any program, with the bars taken away." """
    task = copy_of(tmp_path, "7", "running", progress="3")
    with Terminal(*([] if bars else ["-q"]), task) as terminal:
        if bars:
            terminal.read_until("3%")
        else:
            wait_until(lambda: opens_epoll(terminal.process.pid), "the wait")
        terminal.process.send_signal(number)
        assert terminal.rest() == -number
        assert terminal.screen() == []


def test_untrusted(tmp_path):
    """"Ids and words are shown without control characters." """
    task = copy_of(tmp_path, "a\x1b[31mb", "running\x1b]0;x\x07", progress="3")
    with Terminal(task) as terminal:
        terminal.read_until(r"b running")
        (task / "result").write_text("fail\x1b[2Jed\n")
        (task / "status").write_text("completed\n")
        assert terminal.rest() == 1
        assert "\x1b[31m" not in terminal.text and "\x1b]" not in terminal.text and "\x1b[2J" not in terminal.text
