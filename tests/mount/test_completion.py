# SPDX-License-Identifier: MIT
"""Completion of kootask-wait in bash and zsh: ids become the directories of tasks; and links to these."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios

import pyte
import pytest

from koodrive_sim import DEADLINE, REPO, SHARE_TASK, wait_until
from kootaskfs_mount import detail, run, store

PROGRAM = os.environ.get("KOOTASK_WAIT", str(REPO / "build" / "kootask-wait" / "kootask-wait"))


class Terminal:
    """A command on a terminal, with the screen as a user sees it."""

    def __init__(self, *command, columns=80, rows=24):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.master, slave = pty.openpty()
        self.resize(columns, rows)
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), env={**os.environ, "TERM": "xterm"})
        os.close(slave)

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def read(self):
        """What has come; False when nothing more will."""
        while select.select([self.master], [], [], 0.01)[0]:
            try:
                piece = os.read(self.master, 65536)
            except OSError:
                return False
            self.raw += piece
            self.stream.feed(piece)
        return True

    def lines(self):
        self.read()
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def until(self, word):
        wait_until(lambda: any(word in line for line in self.lines()), f"{word} on the screen: {self.lines()}")
        return self.lines()

    def send(self, keys):
        os.write(self.master, keys)

    def close(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(DEADLINE)
        os.close(self.master)


@pytest.fixture
def terminal():
    terminals = []

    def make(*command, **options):
        terminals.append(Terminal(*command, **options))
        return terminals[-1]

    yield make
    for one in terminals:
        one.close()


def test_link(mount, sim):
    """A link in by-status/ that goes when the task has ended leads to it all the same."""
    m = mount(sim, ttl="1s")
    store(sim, detail(progress=42))
    assert m.read("status") == "running\n"
    child = m.popen(PROGRAM, m / "by-status" / "running" / SHARE_TASK)
    asked = m.requests()
    wait_until(lambda: m.requests() > asked + 1, "two polls")
    store(sim, detail(taskStatus=2, taskResultCode=1))
    assert child.communicate(timeout=DEADLINE) == (f"{SHARE_TASK} completed succeeded\n", "")


BASH = """
compopt() { :; }
source "$1"; COMP_WORDS=(kootask-wait "${@:2}"); COMP_CWORD=$(($# - 1)); _kootask_wait; printf '%s\\n' "${COMPREPLY[@]}"
"""


def bash(*words, **options):
    done = run("bash", "-c", BASH, "bash", REPO / "completions" / "kootask-wait.bash", *words, **options)
    return [line for line in done.stdout.splitlines() if line]


def test_completion_in_bash(mount, start, tmp_path):
    """Ids become the directories of tasks; that lists tasks/ and asks for no task."""
    sim = start("--duration=0", "--tasks=40", f"--watch-list={tmp_path / 'list'}")
    m = mount(sim, watch=(tmp_path / "list").read_text().splitlines())
    before = m.requests()
    assert str(m.task()) in bash("15218", cwd="/")
    assert str(m.task()) in bash("")
    assert m.requests() == before
    (tmp_path / "ordinary").mkdir()
    assert "ordinary" in bash("ord", cwd=tmp_path)
    assert bash("--a") == ["--any"] and bash("--timeout", "=", "") == []
    assert bash("no-such-task", cwd="/") == []


def test_completion_in_zsh(mount, sim, terminal):
    """The same, by the Tab key. Of an id that no other mount of this machine has, or both would be offered."""
    task = f"zsh-{os.getpid()}"
    m = mount(sim, watch=[f"share 1 {task}", f"share 1 {SHARE_TASK}"])
    shown = terminal("zsh", "-f", "-i", columns=250)
    shown.send(f"fpath=({REPO / 'completions'} $fpath); autoload -U compinit; compinit -u -D; PS1=re'ady> '\n".encode())
    shown.until("ready>")
    shown.send(f"kootask-wait {task[:-1]}\t".encode())
    shown.until(f"kootask-wait {m.task(task)}")
    shown.send(b"\x15kootask-wait --an\t")
    shown.until("kootask-wait --any")
    assert m.requests() == 0
