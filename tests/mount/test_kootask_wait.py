# SPDX-License-Identifier: MIT
"""kootask-wait on directories like those of tasks, on a mount and on a terminal, and its completion in bash and zsh."""

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

from koodrive_sim import DEADLINE, REPO, wait_until
from kootaskfs_mount import BINARY, IMPORT_TASK, LIMIT, SHARE_TASK, detail, run, store

WAIT = os.environ.get("KOOTASK_WAIT", os.path.join(os.path.dirname(BINARY), "..", "kootask-wait", "kootask-wait"))


@pytest.fixture
def fake(tmp_path):
    """Makes, or changes, a directory as that of a task. Each value is replaced as a whole."""

    def make(task, **values):
        directory = tmp_path / "tasks" / task
        directory.mkdir(parents=True, exist_ok=True)
        for name, value in ({"result": "", "progress": ""} | values).items():
            (directory / "new").write_text(value + "\n" if value else "")
            (directory / "new").rename(directory / name)
        return directory

    return make


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

    def end(self):
        """Waits for the end of the command; its exit code and what is on the screen."""
        wait_until(lambda: not self.read() or self.process.poll() is not None, "the end")
        code = self.process.wait(DEADLINE)
        return code, self.lines()

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


@pytest.mark.parametrize("status, result, code", [
    ("completed", "succeeded", 0), ("completed", "", 0), ("completed", "partly-failed", 1), ("completed", "failed", 1),
    ("completed", "unknown-7", 1), ("failed", "failed", 1), ("canceled", "", 2)])
def test_exit_codes(fake, status, result, code):
    """"It exits with 0 when they succeeded, 1 when one failed or did so in part, 2 when one was canceled", and "It writes a
    line for each task that ends: its id, its status, and its result when it has one"."""
    done = run(WAIT, fake("7", status=status, result=result), check=False)
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout.split() == ["7", status] + ([result] if status == "completed" and result else [])
    assert run(WAIT, "-q", fake("7", status=status, result=result), check=False).stdout == ""


def test_the_worst_decides(fake, tmp_path):
    """"Of several tasks the worst decides: trouble, then failed, then canceled"; "one that is not there is trouble at once"."""
    good = fake("1", status="completed", result="succeeded")
    canceled, failed, absent = fake("2", status="canceled"), fake("3", status="failed"), tmp_path / "absent"
    assert run(WAIT, good, canceled, check=False).returncode == 2
    assert run(WAIT, failed, canceled, good, check=False).returncode == 1
    done = run(WAIT, failed, absent, good, check=False)
    assert done.returncode == 75 and "absent: No such file or directory" in done.stderr
    assert len(done.stdout.splitlines()) == 2


def test_timeout_and_usage(fake):
    """"It exits with 75 when a task cannot be read, 124 when --timeout is over, 64 when it is called in a wrong way"."""
    task = fake("1", status="running", progress="5")
    assert run(WAIT, "--timeout=0.05", task, check=False).returncode == 124
    for words in ([], ["--timeout=soon", task], ["--timeout=-1", task], ["--no-such", task]):
        done = run(WAIT, *words, check=False)
        assert done.returncode == 64 and done.stderr.startswith("kootask-wait: ") and done.stdout == ""
    assert "TASKDIR" in run(WAIT, "--help").stdout and run(WAIT, "-V").stdout.startswith("kootask-wait ")


def test_without_poll(fake):
    """"Where poll(2) tells nothing, as of a copy of a task's directory, it opens them every second"."""
    first, second = fake("1", status="running"), fake("2", status="pending")
    with subprocess.Popen([WAIT, first, second], stdout=subprocess.PIPE, text=True) as waiting:
        fake("2", status="completed", result="succeeded")
        assert waiting.stdout.readline() == "2 completed succeeded\n"
        fake("1", status="canceled")
        assert waiting.stdout.readline() == "1 canceled\n" and waiting.wait(LIMIT) == 2


def test_any(fake):
    """"With --any the first one that has ended decides"."""
    tasks = fake("1", status="running"), fake("2", status="failed")
    done = run(WAIT, "--any", *tasks, check=False)
    assert (done.returncode, done.stdout) == (1, "2 failed\n")


def test_bars(fake, terminal):
    """"On a terminal, stderr shows a bar for each task that runs, as wide as the terminal; nothing of it is left at the
    end"."""
    tasks = [fake(str(100 + i), status="running", progress=str(10 * i)) for i in range(8)]
    shown = terminal(WAIT, *tasks, columns=60, rows=24)
    lines = shown.until("70%")
    assert len(lines) == 8 and all(len(line) == 59 for line in lines), "but for the last column"
    shown.resize(40, 5)
    lines = shown.until("and 5 more")
    assert len(lines) == 4 and all(len(line) <= 39 for line in lines)
    for i in range(8):
        fake(str(100 + i), status="completed", result="succeeded")
    code, lines = shown.end()
    assert code == 0 and not any("%" in line or "more" in line for line in lines)


def test_control_characters(fake, terminal):
    """"Ids and words are shown without control characters"."""
    shown = terminal(WAIT, fake("a\x1b]0;t\a\x9b", status="\x1b[31mred\x9b", progress="4"))
    shown.until("red")
    os.killpg(shown.process.pid, signal.SIGKILL)
    assert b"\x1b]" not in shown.raw and b"\x1b[31m" not in shown.raw and b"\xc2\x9b" not in shown.raw


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals(fake, terminal, number):
    """"SIGINT and SIGTERM end it as they end any program, with the bars taken away"."""
    shown = terminal(WAIT, fake("1", status="running", progress="50"))
    shown.until("50%")
    shown.send(b"\x03") if number == signal.SIGINT else shown.process.send_signal(number)
    code, lines = shown.end()
    assert code == -number and not any("50%" in line for line in lines)


def test_on_a_mount(mount, sim, terminal):
    """"kootask-wait TASKDIR... waits until all tasks have ended", and "What is no terminal gets none of it"."""
    m = mount(sim, ttl="1s")
    store(sim, detail(progress=42))
    link = m / "by-status" / "running" / SHARE_TASK
    assert m.read("status") == "running\n"
    waiting = m.popen(WAIT, link, m.task(IMPORT_TASK))
    shown = terminal(WAIT, m.task())
    shown.until("42%")
    assert waiting.stdout.readline().startswith(f"{IMPORT_TASK} completed")
    store(sim, detail(taskStatus=2, taskResultCode=1, progress=100))
    assert waiting.stdout.readline() == f"{SHARE_TASK} completed succeeded\n", "by-status/running/ no longer has it"
    waiting.wait(LIMIT)
    assert waiting.stderr.read() == ""
    assert shown.end() == (0, [f"{SHARE_TASK} completed succeeded"])


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
