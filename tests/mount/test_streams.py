# SPDX-License-Identifier: MIT
"""docs/semantics.md, "The process": what becomes of stdin, stdout and stderr does not become of the mount."""

import itertools
import os
import pty
import signal
import subprocess
import sys

import pytest

from koodrive_sim import IMPORT_TASK, TOKEN, wait_until
from kootaskfs_mount import BINARY, LIMIT, environment, read_error, run, store

CLOSED = [streams for n in (1, 2, 3) for streams in itertools.combinations(range(3), n)]
NAMES = ["".join(map(str, streams)) for streams in CLOSED]


def without(streams, *command, **options):
    """The command, started with these descriptors closed."""
    redirections = " ".join(f"{fd}<&-" for fd in streams)
    return subprocess.Popen(["sh", "-c", f'exec "$0" "$@" {redirections}', *map(str, command)],
                            env=environment(), stdin=subprocess.DEVNULL, **options)


def streams_of(pid):
    return [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in range(3)]


@pytest.mark.parametrize("closed", CLOSED, ids=NAMES)
@pytest.mark.parametrize("background", [False, True])
def test_closed_streams(mount, sim, closed, background):
    """"kootaskfs may be started with any of stdin, stdout and stderr closed. These are `/dev/null` then, also for the
    commands that it starts.\""""
    log_of = "$(readlink /proc/$$/fd/0) $(readlink /proc/$$/fd/2)"
    m = mount(sim, auto=False, background=background, token=None,
              token_command=f'echo "{log_of}" > "$TMP_OUT"; echo {TOKEN}')
    m.configure(token_command=m.settings["token-command"].replace("$TMP_OUT", str(m.directory / "child")))
    with open(m.log_file, "ab") as log:
        m.process = without(closed, *m.command(), stdout=log, stderr=log)
    if background:
        assert m.process.wait(LIMIT) == 0
    else:
        wait_until(m._is_ready, "the mount")
    assert m.read("status") == "completed\n"
    expected = ["/dev/null" if fd in (closed if not background else range(3)) or fd == 0 else str(m.log_file)
                for fd in range(3)]
    assert streams_of(m.pid()) == expected
    child = (m.directory / "child").read_text().split()
    assert child == ["/dev/null", "/dev/null" if 2 in closed else str(m.log_file)]


@pytest.mark.parametrize("closed", CLOSED, ids=NAMES)
def test_closed_streams_of_commands(mount, sim, closed):
    """--check, -V and errors: the exit code is as ever."""
    m = mount(sim, auto=False)
    for code, words in ((0, ["--check", "-o", f"config={m.conf}"]), (0, ["-V"]), (2, ["--nonsense"]),
                        (78, ["-o", "ttl=soon", m.path]), (1, ["-o", f"config={m.conf}", m.directory / "none"])):
        assert without(closed, BINARY, *words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).wait(LIMIT) == code


def closed_pipe():
    """A descriptor that nobody reads the other end of."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def full_disk():
    return os.open("/dev/full", os.O_WRONLY)


def closed_terminal():
    master, slave = pty.openpty()
    os.close(master)
    return slave


@pytest.fixture(params=[closed_pipe, full_disk, closed_terminal], ids=lambda make: make.__name__)
def broken(request):
    """A descriptor that cannot be written to."""
    descriptor = request.param()
    yield descriptor
    os.close(descriptor)


def warn(m):
    """Has the daemon log a line."""
    store(m.sim, "nonsense", IMPORT_TASK)
    failures = m.control("metrics")
    assert read_error(m.task(IMPORT_TASK) / "status") is not None
    assert m.control("metrics") != failures


def test_log_that_cannot_be_written(mount, sim, broken):
    """"A log line that cannot be written is lost, and the mount goes on", before it is ready and after."""
    m = mount(sim, negative_ttl="0")
    m.kill()  # so that the next start has something to say before it is ready
    m.process.wait(LIMIT)
    m.process = subprocess.Popen(m.command(), stdin=subprocess.DEVNULL, stdout=broken, stderr=broken,
                                 env=environment())
    wait_until(lambda: m.process.poll() is not None or read_error(m / ".kootaskfs/version") is None, "the mount")
    for _ in range(3):
        warn(m)
    assert m.process.poll() is None
    assert m.read("status") == "completed\n"


def test_answer_of_the_parent_cannot_be_written(mount, sim, broken):
    """"Exit codes are the same when nothing can be written": of the command that goes into the background, and of --check."""
    m = mount(sim, auto=False, token="wrong-token")

    def code(*words):
        return subprocess.run([BINARY, *map(str, words)], stdin=subprocess.DEVNULL, stdout=broken, stderr=broken,
                              env=environment(), timeout=LIMIT).returncode

    assert code("-o", f"config={m.conf},nonsense", m.path) == 2
    assert code("-o", f"config={m.conf}", m.directory / "none") == 1
    assert code("-o", f"config={m.conf},ttl=soon", m.path) == 78
    assert code("--check", "-o", f"config={m.conf}") == 77
    assert code("--nonsense") == 2
    assert code("-V") == code("--help") == 0


def test_log_over_the_file_size_limit(mount, sim):
    """SIGXFSZ is of the same kind: `ulimit -f`."""
    m = mount(sim, auto=False, negative_ttl="0")
    with open(m.log_file, "ab") as log:
        m.process = subprocess.Popen(["sh", "-c", 'ulimit -f 0; exec "$0" "$@"', *m.command()],
                                     stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment())
    wait_until(m._is_ready, "the mount")
    warn(m)
    assert m.process.poll() is None and m.log() == ""
    assert m.read("status") == "completed\n"


# a session with a terminal that stops background processes that write to it (stty tostop), and one such process
BACKGROUND_OF_A_TERMINAL = """
import fcntl, os, subprocess, sys, termios
os.setsid()
fcntl.ioctl(2, termios.TIOCSCTTY, 0)
modes = termios.tcgetattr(2)
modes[3] |= termios.TOSTOP
termios.tcsetattr(2, termios.TCSANOW, modes)
sys.exit(subprocess.Popen(sys.argv[1:], preexec_fn=os.setpgrp).wait())
"""


def test_background_of_a_terminal(mount, sim):
    """`kootaskfs -f ... &` where `stty tostop` is set: a line of the log does not stop it."""
    m = mount(sim, auto=False, negative_ttl="0")
    master, slave = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", BACKGROUND_OF_A_TERMINAL, *m.command()],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=slave, env=environment())
    os.close(slave)
    try:
        m.background = True  # found by its mount point
        wait_until(lambda: read_error(m / ".kootaskfs/version") is None, "the mount")
        warn(m)
        assert m.read("status") == "completed\n"
        m.unmount()
        assert process.wait(LIMIT) == 0
    finally:
        if process.poll() is None:
            m.kill()
            process.wait(LIMIT)
        os.close(master)


def test_children_have_signals_as_usual(mount, sim):
    """What kootaskfs ignores its token command does not."""
    m = mount(sim, auto=False, token=None)
    m.configure(token_command=f"cat /proc/self/status > {m.directory}/child; echo {TOKEN}")
    m.start()
    ignored = [line.split()[1] for line in (m.directory / "child").read_text().splitlines() if "SigIgn" in line]
    assert [int(mask, 16) for mask in ignored] == [0]
    assert m.read("status") == "completed\n"


def test_hangup_of_the_parent(mount, sim):
    """Who waits for the mount may go: the daemon mounts all the same."""
    m = mount(sim, auto=False, background=True, token=None, token_command=f"sleep 1; echo {TOKEN}")
    parent = subprocess.Popen(m.command(), stdin=subprocess.DEVNULL, env=environment())
    m.process = parent
    wait_until(lambda: m.pid() not in (None, parent.pid), "the daemon")
    parent.send_signal(signal.SIGKILL)
    parent.wait(LIMIT)
    wait_until(lambda: read_error(m / ".kootaskfs/version") is None, "the mount")
    assert m.read("status") == "completed\n"
    assert run("sh", "-c", f"ls {m.path}").stdout
