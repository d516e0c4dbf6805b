# SPDX-License-Identifier: MIT
"""docs/semantics.md, "Waiting": which signals end an operation that waits, and which do not. The service keeps its
answer back; the deadline is an hour, so who ends early was let go."""

import os
import signal
import time

import pytest

from koodrive_sim import wait_until
from kootaskfs_mount import SHARE_TASK, run

AT_ONCE = 20  # seconds
HOUR = 3_600_000

# open(2) by way of ctypes: Python's own would begin again after EINTR. Arguments: path, signals to handle (with commas),
# signals to block. Prints "waiting", then how it ended.
READER = """
import ctypes, errno, os, signal, sys
seen = []
for number in sys.argv[2].split(","):
    signal.signal(getattr(signal, number), lambda n, f: seen.append(signal.Signals(n).name))
signal.pthread_sigmask(signal.SIG_BLOCK, [getattr(signal, n) for n in sys.argv[3:]])
libc = ctypes.CDLL(None, use_errno=True)
print("waiting", flush=True)
fd = libc.open(os.fsencode(sys.argv[1]), os.O_RDONLY)
error = errno.errorcode[ctypes.get_errno()] if fd < 0 else None
signal.pthread_sigmask(signal.SIG_SETMASK, [])
print(error or os.read(fd, 99).decode().strip(), *sorted(set(seen)), flush=True)
"""


def parked(m):
    return m.metric("kootaskfs_parked_operations")


def reader(m, signals, *blocked):
    process = m.python(READER, m.task() / "status", signals, *blocked)
    assert process.stdout.readline() == "waiting\n"
    wait_until(lambda: parked(m) == 1, "the reader to wait")
    return process


@pytest.fixture
def slow(mount, sim):
    """A mount on a service that keeps all its answers back, but for its list."""
    m = mount(sim, deadline="1h", families="share, basic", list_ttl="1h", negative_ttl="1h")
    os.listdir(m / "tasks")
    sim.fault(kind="delay", ms=HOUR, times=-1)
    return m


def test_ctrl_c(slow):
    """timeout -s INT 1 cat: ends at once, well before the deadline."""
    done = run("timeout", "-s", "INT", "0.3", "cat", slow.task() / "status", check=False, timeout=AT_ONCE)
    assert done.returncode == 124 and done.stdout == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGHUP, signal.SIGALRM])
def test_default_signals(slow, number):
    """A signal that ends the reader ends it at once: "Ctrl-C and `kill -9` do." Only its own waiting goes. "The request of an
    operation that was interrupted goes on\""""
    process = slow.popen("cat", slow.task() / "status")
    wait_until(lambda: parked(slow) == 1, "the reader to wait")
    process.send_signal(number)
    assert process.wait(AT_ONCE) == -number
    wait_until(lambda: parked(slow) == 0, "its request to go")
    wait_until(lambda: slow.requests(SHARE_TASK) == 1, "the request, which goes on")


@pytest.mark.parametrize("name", ["SIGINT", "SIGUSR1", "SIGALRM", "SIGTERM"])
def test_handled_signals_interrupt(slow, name):
    """With a handler: "A signal that the waiting process does not block ends the operation with EINTR\""""
    process = reader(slow, name)
    process.send_signal(getattr(signal, name))
    assert process.communicate(timeout=AT_ONCE)[0] == f"EINTR {name}\n"


def test_harmless_signals_do_not_interrupt(mount, start):
    """With handlers, too: the reader gets the answer (Go programs send SIGURG all day). "The signals URG, CHLD, WINCH, CONT,
    PROF and VTALRM do not end a waiting operation.\""""
    sim = start("--duration=0", "--latency=2000")
    m = mount(sim, deadline="1h")
    names = ["SIGURG", "SIGCHLD", "SIGWINCH", "SIGCONT", "SIGPROF", "SIGVTALRM"]
    process = reader(m, ",".join(names))
    while process.poll() is None:
        for name in names:
            process.send_signal(getattr(signal, name))
        time.sleep(0.05)
    assert process.communicate(timeout=AT_ONCE)[0] == " ".join(["completed", *sorted(names)]) + "\n"


@pytest.mark.parametrize("second, ended", [("SIGKILL", -9), ("SIGTERM", -15)])
def test_signal_that_matters_after_one_that_does_not(slow, second, ended):
    """The kernel tells of the first signal only: a SIGKILL that comes after an ignored SIGURG still ends it at once."""
    process = reader(slow, "SIGURG,SIGWINCH")
    process.send_signal(signal.SIGURG)
    time.sleep(0.3)  # it must be looked at and found harmless first, which nobody can see from outside
    assert process.poll() is None and parked(slow) == 1
    process.send_signal(getattr(signal, second))
    assert process.wait(AT_ONCE) == ended
    wait_until(lambda: parked(slow) == 0, "its request to go")


def test_blocked_signals_do_not_interrupt(mount, start):
    """A signal that the reader blocks does not end its wait, also when one that is harmless makes us look."""
    sim = start("--duration=0", "--latency=1000")
    m = mount(sim, deadline="1h")
    process = reader(m, "SIGUSR1,SIGURG", "SIGUSR1")
    process.send_signal(signal.SIGUSR1)
    process.send_signal(signal.SIGURG)
    assert process.communicate(timeout=AT_ONCE)[0] == "completed SIGURG SIGUSR1\n"


def test_stop_and_continue(mount, start):
    """Ctrl-Z and fg: the answer is there after it."""
    sim = start("--duration=0", "--latency=500")
    m = mount(sim, deadline="1h")
    process = m.popen("sh", "-c", 'cat "$1" || cat "$1"', "sh", m.task() / "status")
    wait_until(lambda: parked(m) == 1, "the reader to wait")
    process.send_signal(signal.SIGSTOP)
    time.sleep(0.1)
    process.send_signal(signal.SIGCONT)
    assert process.communicate(timeout=AT_ONCE)[0] == "completed\n"


@pytest.mark.parametrize("command", ["ls {}/files", "touch {}", "touch {}/files", "stat {}/../unlisted",
                                     "ls {}/../../shares/1/2"])
def test_other_operations(slow, command):
    """Listing, touch and lookups of unlisted ids let their process go at once too."""
    words = command.format(slow.task()).split()
    process = slow.popen(*words)
    wait_until(lambda: parked(slow) == 1, "the process to wait")
    process.kill()
    assert process.wait(AT_ONCE) == -signal.SIGKILL
    wait_until(lambda: parked(slow) == 0, "its request to go")


def test_thread_of_a_process(slow):
    """The thread that waits is asked about, not its process: a signal to another thread does not matter, and
    the other threads go on."""
    script = """
import os, signal, sys, threading
signal.signal(signal.SIGUSR1, lambda n, f: print("handled", flush=True))
thread = threading.Thread(target=lambda: os.stat(sys.argv[1]), daemon=True)
thread.start()
print("waiting", flush=True)
for line in sys.stdin:
    signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
    print(os.listdir(sys.argv[2])[0] != "", thread.is_alive(), flush=True)
os._exit(0)
"""
    process = slow.python(script, slow.task() / "status", slow / "tasks", stdin=-1)
    assert process.stdout.readline() == "waiting\n"
    wait_until(lambda: parked(slow) == 1, "the thread to wait")
    out, _ = process.communicate("go\n", timeout=AT_ONCE)
    assert sorted(out.split("\n")) == ["", "True True", "handled"]


def state_of(process):
    """Its letter: D is where no signal reaches it."""
    with open(f"/proc/{process.pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0]


def test_same_name(slow):
    """"When several processes wait for the very same name, the kernel keeps all signals from all but the first of them. They
    end when the first one ends\""""
    first = slow.popen("cat", slow.task() / "status")
    wait_until(lambda: parked(slow) == 1, "the first to wait")
    second = slow.popen("cat", slow.task() / "status")
    wait_until(lambda: state_of(second) == "D", "the second to wait")
    second.kill()
    time.sleep(0.3)
    assert second.poll() is None and first.poll() is None
    first.kill()
    assert (first.wait(AT_ONCE), second.wait(AT_ONCE)) == (-signal.SIGKILL, -signal.SIGKILL)
    wait_until(lambda: parked(slow) == 0, "all requests to go")


def test_interrupts_in_numbers(slow):
    """A hundred waiting readers killed at the same time: nothing is left of them."""
    readers = [slow.popen("cat", slow.task() / "status") for _ in range(100)]
    wait_until(lambda: parked(slow) >= 1, "the first to wait")
    for process in readers:
        process.kill()
    for process in readers:
        process.wait(AT_ONCE)
    wait_until(lambda: parked(slow) == 0, "all requests to go")
    assert slow.requests(SHARE_TASK) <= 1
