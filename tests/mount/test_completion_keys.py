# SPDX-License-Identifier: MIT
"""What the Tab key makes of a command line of kootask-wait in bash and zsh: the words that the command gets in the end."""
import os
import pty
import select
import time
from pathlib import Path

import pytest

from koodrive_sim import DEADLINE, REPO, wait_until

FILES = REPO / "completions"
PROMPT = b"READY> "
TASK = f"task-{os.getpid()}-1"  # of which no other mount of this machine knows
TYPED = TASK[:-2]
WATCH = (f"share S {TASK}",)
# kootask-wait is played by a function: each word that the shell made of the line is a line of ./words
PLAYED = 'kootask-wait () { printf "%s\\n" "$@" >words.new; mv words.new words; }\n'
SHELLS = {
    "bash": (["bash", "--noprofile", "--rcfile", "rc", "-i"], "rc",
             f"bind 'set enable-bracketed-paste off'\nbind 'set completion-query-items -1'\nbind 'set page-completions off'\n"
             f". '{FILES}/kootask-wait.bash'\nPS1='{PROMPT.decode()}'\n{PLAYED}"),
    "zsh": (["zsh", "--no-globalrcs", "-i"], ".zshrc",
            f"fpath=('{FILES}' $fpath)\nautoload -Uz compinit && compinit -u -D\nsetopt no_beep\n"
            f"LISTMAX=10000\nunset zle_bracketed_paste\nPS1='{PROMPT.decode()}'\n{PLAYED}"),
}


class Typist:
    """A shell on a terminal, in a directory of its own."""

    def __init__(self, shell, directory):
        command, name, text = SHELLS[shell]
        directory.mkdir()
        (directory / name).write_text(text)
        self.directory, self.screen = directory, b""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(directory)
            os.execvpe(command[0], command, {**os.environ, "TERM": "vt100", "HOME": str(directory),
                                             "ZDOTDIR": str(directory), "INPUTRC": "/dev/null"})
        self.wait_for(PROMPT)

    def wait_for(self, text):
        deadline = time.monotonic() + DEADLINE
        while text not in self.screen:
            ready, _, _ = select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"no {text} in {self.screen}"
            self.screen += os.read(self.terminal, 4096)

    def words(self, line):
        """The words that the command gets when LINE is typed."""
        result = self.directory / "words"
        result.unlink(missing_ok=True)
        self.screen = b""
        os.write(self.terminal, b"kootask-wait " + line.encode() + b"\r")
        self.wait_for(PROMPT)  # the next one, or this one again below a list
        wait_until(result.exists, f"the command; the screen has {self.screen}")
        return [word.rstrip("/") for word in result.read_text().splitlines()]  # zsh takes away that of a directory

    def close(self):
        os.close(self.terminal)  # which is SIGHUP to it
        os.waitpid(self.pid, 0)


@pytest.fixture
def typist(tmp_path):
    typists = []

    def make(shell):
        typists.append(Typist(shell, tmp_path / f"home{len(typists)}"))
        return typists[-1]

    yield make
    for one in typists:
        one.close()


@pytest.fixture(params=SHELLS)
def shell(request, typist):
    return typist(request.param)


def test_options(shell):
    assert shell.words("--a\t") == ["--any"]
    assert shell.words("--tim\t5m --q\t") == ["--timeout=5m", "--quiet"]
    assert shell.words("-t 5\t --vers\t") == ["-t", "5", "--version"]


def test_directories(shell):
    (shell.directory / "some where" / "tasks" / "77").mkdir(parents=True)
    (shell.directory / "some file").touch()
    assert shell.words("some\ttas\t\t") == ["some where/tasks/77"]
    assert shell.words("--any ./so\t") == ["--any", "./some where"]


def test_an_id_becomes_the_path_in_the_mount(shell, mount, sim):
    """"In bash and zsh the Tab key completes the id of a task to its directory in the mount"."""
    m = mount(sim, watch=WATCH)
    assert shell.words(f"{TYPED}\t") == [str(m.task(TASK))]
    assert shell.words(f"-q -- {TYPED}\t") == ["-q", "--", str(m.task(TASK))]


def test_a_mount_point_with_blanks(shell, mount, sim):
    m = mount(sim, watch=WATCH, auto=False)
    m.path = m.path.rename(m.path.with_name("a b\\c'"))
    escaped = str(m.path).replace("\\", "\\134").replace(" ", "\\040")
    m._is_ready = lambda: escaped in Path("/proc/self/mountinfo").read_text()
    m.start()
    try:
        assert shell.words(f"{TYPED}\t") == [str(m.task(TASK))]
    finally:
        m.unmount()


def test_what_two_mounts_have_replaces_nothing(shell, mount, sim):
    """"An id that two mounts have, or that a directory here begins with too, stays as it was typed"."""
    mount(sim, watch=WATCH)
    mount(sim, watch=WATCH)
    assert shell.words(f"{TYPED}\t\t") == [TYPED]
    assert TASK.encode() in shell.screen


def test_an_id_beside_a_directory_replaces_nothing(shell, mount, sim):
    mount(sim, watch=WATCH)
    (shell.directory / f"{TYPED}-here").mkdir()
    assert shell.words(f"{TYPED}\t\t") == [TYPED]
    assert TASK.encode() in shell.screen


def test_only_tasks_is_listed(shell, mount, sim):
    """"that lists `tasks/` and asks for no task"."""
    m = mount(sim, watch=WATCH, families="share,basic,job")
    assert shell.words(f"{TYPED}\t") == [str(m.task(TASK))]
    assert {request["call"] for request in sim.log()} == {"task/list", "jobs"}
