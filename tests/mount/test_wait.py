# SPDX-License-Identifier: MIT
"""docs/semantics.md, "Waiting for the end of a task": tasks/ID/wait, by the programs that people wait with."""

import errno
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from koodrive_sim import SHARE_TASK, wait_until
from kootaskfs_mount import LIMIT, detail, errno_of, mounts_at, run, store

AT_ONCE = 20  # seconds
NEVER = dict(ttl="1h", deadline="1h")  # nothing is polled a second time


def parked(m):
    return m.metric("kootaskfs_parked_operations")


def running(sim, progress=50, task=SHARE_TASK):
    store(sim, detail(task, taskStatus=1, progress=progress), task)


def end(sim, status=2, task=SHARE_TASK):
    store(sim, detail(task, taskStatus=status, progress=100, endTime="20240930092000"), task)


def waiting(m, *command, n=1, **options):
    """A process that reads wait, and does so by now."""
    process = m.popen(*(command or ("cat", m.task() / "wait")), **options)
    wait_until(lambda: parked(m) == n, "the reader to wait")
    return process


@pytest.fixture
def m(mount, sim):
    """A task that runs; ttl 200 ms."""
    running(sim)
    return mount(sim, ttl="200ms", negative_ttl="100ms")


@pytest.mark.parametrize("status, word", [(2, "completed"), (3, "canceled")])
def test_cat(m, sim, status, word):
    """"Reading `wait` blocks until the task has ended, in whatever state, and then gives the word of `status`.\""""
    process = waiting(m)
    end(sim, status)
    assert process.communicate(timeout=AT_ONCE) == (word + "\n", "")
    assert process.returncode == 0


def test_failed(mount, sim):
    """A basic task may have failed, too."""
    store(sim, json.dumps({"code": 0, "taskType": 1, "status": 1, "data": {}}), "1215215")
    m = mount(sim, ttl="200ms", families="basic")
    process = waiting(m, "cat", m.task("1215215") / "wait")
    store(sim, json.dumps({"code": 0, "taskType": 1, "status": 3, "data": {"successCount": 0, "failCount": 0}}), "1215215")
    assert process.communicate(timeout=AT_ONCE)[0] == "failed\n"


def test_ended(mount, sim):
    """"`wait` of a task that has ended is read at once", with its true size."""
    end(sim)
    m = mount(sim, **NEVER)
    assert m.read("wait") == m.read("wait") == "completed\n"
    assert os.stat(m.task() / "wait").st_size == len("completed\n")
    assert m.requests(SHARE_TASK) == 1


def test_size(m, sim):
    """"Its size is 64 while the end is not known, then exact. A read always gives the whole word.\""""
    path = m.task() / "wait"
    fd = os.open(path, os.O_RDONLY)
    assert os.fstat(fd).st_size == 64
    end(sim)
    assert os.read(fd, 100) == b"completed\n" and os.read(fd, 100) == b""
    assert os.pread(fd, 100, 4) == b"leted\n"
    assert os.fstat(fd).st_size == 10
    os.close(fd)
    assert os.stat(path).st_size == 10
    assert os.stat(path).st_ino == os.stat(path).st_ino


def test_not_listed(m, sim):
    """"`wait` is not listed, so nothing that reads whole directories waits." The name is there all the same."""
    directory = m.task()
    assert "wait" not in os.listdir(directory)
    assert (directory / "wait").is_file()
    assert "running" in run("grep", "-r", "running", directory).stdout
    run("tar", "-cf", m.directory / "t.tar", "-C", m / "tasks", SHARE_TASK)
    assert "/wait" not in run("tar", "-tf", m.directory / "t.tar").stdout
    run("cp", "-a", directory, m.directory / "copy")
    run("rsync", "-a", f"{directory}/", m.directory / "copy2")
    assert not (m.directory / "copy" / "wait").exists()
    assert run("find", m / "tasks", "-name", "wait").stdout == ""
    assert parked(m) == 0


@pytest.mark.parametrize("script", [
    'dd if="$1" 2> /dev/null',
    'dd if="$1" bs=1 2> /dev/null',
    'dd if="$1" iflag=direct 2> /dev/null',
    'head -1 "$1"',
    'tail -1 "$1"',
    'read -r x < "$1"; echo "$x"',
    'x=$(cat "$1"); echo "$x"',
    'while read -r x; do echo "$x"; done < "$1"',
    'cp "$1" "$2/copy"; cat "$2/copy"',
    'grep . "$1"',
    'python3 -c "import sys; print(open(sys.argv[1]).read(), end=str())" "$1"',
    'node -e "require(\'fs\').readFile(process.argv[1], (e, d) => process.stdout.write(e ? String(e) : d))" "$1"',
    'bash -c \'x=$(< "$1"); echo "$x"\' bash "$1"',
    'perl -pe "" "$1"',
])
def test_programs(m, sim, script):
    """Each program gets the word, however it reads."""
    process = waiting(m, "sh", "-euc", script, "sh", m.task() / "wait", m.directory)
    end(sim)
    assert process.communicate(timeout=AT_ONCE) == ("completed\n", "")


def polls(sim, task=SHARE_TASK):
    return len(sim.log(f"?taskId={task}"))


def test_polled_while_somebody_waits(m, sim):
    """"When nobody waits any more, the polls end.\""""
    process = waiting(m)
    before = polls(sim)
    wait_until(lambda: polls(sim) >= before + 3, "polls")
    process.kill()
    process.wait()
    wait_until(lambda: parked(m) == 0, "the wait to end")
    time.sleep(0.3)  # one that is under way
    before = polls(sim)
    time.sleep(1.2)
    assert polls(sim) == before


def test_pace(mount, sim):
    """The polls come "as often as the task's progress suggests": seldom when nothing moves for sixteen ttl."""
    running(sim, 10)
    m = mount(sim, ttl="400ms")
    waiting(m)
    started = time.monotonic()
    wait_until(lambda: time.monotonic() > started + 6.4, "16 ttl")
    stalled = polls(sim)
    assert stalled <= 11, "nothing moved for 16 ttl: a quarter of that time each, at most four ttl"
    end(sim)


def test_many_readers(mount, sim):
    """"one request for all who wait": a thousand of them, no thread, and under 2 KB each."""
    running(sim)
    m = mount(sim, ttl="300ms")
    n = 1000
    script = """
import os, sys, threading
threading.stack_size(65536)
words = []
def read():
    fd = os.open(sys.argv[1], os.O_RDONLY)
    words.append(os.read(fd, 99))
    os.close(fd)
threads = [threading.Thread(target=read) for _ in range(int(sys.argv[2]))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(words), set(words))
"""
    def status(field):
        return int(re.search(rf"^{field}:\s+(\d+)", open(f"/proc/{m.pid()}/status").read(), re.M)[1])

    m.read("status")
    first = waiting(m)
    memory, threads = status("VmRSS"), status("Threads")
    process = m.python(script, m.task() / "wait", n)
    wait_until(lambda: parked(m) == n + 1, "all readers to wait")
    assert status("Threads") <= threads + 2, "which come and go, and are not theirs"
    sanitized = "asan" in Path(f"/proc/{m.pid()}/maps").read_text()  # which pads each block
    assert status("VmRSS") - memory < (40 if sanitized else 2) * n
    before, began = polls(sim), time.monotonic()
    wait_until(lambda: polls(sim) >= before + 3, "polls")
    assert polls(sim) - before <= 2 * (time.monotonic() - began) / 0.3 + 2, "as of one"
    end(sim)
    assert process.communicate(timeout=LIMIT)[0] == f"{n} {{b'completed\\n'}}\n"
    assert first.communicate(timeout=AT_ONCE)[0] == "completed\n"
    assert parked(m) == 0


def test_failures_are_polls(m, sim):
    """"`deadline` does not end a wait. A request that fails is just another poll.\""""
    m.configure(deadline="300ms")
    m.signal(signal.SIGHUP)
    wait_until(lambda: m.log_lines("configuration read again"), "the reload")
    process = waiting(m)
    sim.fault(kind="status", status=502, times=8)
    wait_until(lambda: m.log_lines("502"), "a failure")
    end(sim)
    assert process.communicate(timeout=AT_ONCE)[0] == "completed\n"


def test_max_stale(mount, sim):
    """"the read fails with ETIMEDOUT", and not before."""
    running(sim)
    m = mount(sim, ttl="200ms", negative_ttl="100ms", max_stale="1s", deadline="500ms")
    assert m.read("status") == "running\n"
    began = time.monotonic()
    process = waiting(m)
    sim.fault(kind="status", status=502, times=-1)
    out, err = process.communicate(timeout=AT_ONCE)
    assert (out, process.returncode) == ("", 1) and os.strerror(errno.ETIMEDOUT) in err
    assert time.monotonic() - began >= 1
    assert m.requests(SHARE_TASK) >= 3


def test_gone(m, sim):
    """"When the service says that there is no such task, the read fails with ENOENT.\""""
    process = waiting(m)
    store(sim, json.dumps({"code": 13000309, "msg": "no such task"}))
    out, err = process.communicate(timeout=AT_ONCE)
    assert (out, process.returncode) == ("", 1) and os.strerror(errno.ENOENT) in err


def test_left_the_watch_list(m, sim):
    """A task that the watch list has no more is known no more."""
    process = waiting(m)
    m.write_list()
    wait_until(lambda: os.listdir(m / "tasks") == [], "it to vanish")
    out, err = process.communicate(timeout=AT_ONCE)
    assert (out, process.returncode) == ("", 1) and os.strerror(errno.ENOENT) in err


def test_found_by_name(mount, sim):
    """A task that nobody has named before is found, and waited for."""
    m = mount(sim, ttl="200ms", watch=None, families="basic")
    store(sim, json.dumps({"code": 0, "taskType": 1, "status": 1, "data": {}}), "1215215")
    process = waiting(m, "cat", m.task("1215215") / "wait")
    store(sim, json.dumps({"code": 0, "taskType": 1, "status": 2, "data": {"successCount": 0, "failCount": 0}}), "1215215")
    assert process.communicate(timeout=AT_ONCE)[0] == "completed\n"


def test_nonblock(m, sim):
    """"With O_NONBLOCK the read fails with EAGAIN while the task has not ended", also by dd."""
    fd = os.open(m.task() / "wait", os.O_RDONLY | os.O_NONBLOCK)
    assert errno_of(os.read, fd, 99) == "EAGAIN"
    assert parked(m) == 0
    done = run("dd", f"if={m.task()}/wait", "iflag=nonblock", check=False)
    assert done.returncode == 1 and os.strerror(errno.EAGAIN) in done.stderr
    end(sim)
    wait_until(lambda: errno_of(os.read, fd, 99) is None, "the end, by reading alone")
    assert os.pread(fd, 99, 0) == b"completed\n"
    os.close(fd)


def test_timeout(m):
    """timeout(1) ends it, as it ends any program."""
    done = run("timeout", "0.3", "cat", m.task() / "wait", check=False, timeout=AT_ONCE)
    assert (done.returncode, done.stdout) == (124, "")
    wait_until(lambda: parked(m) == 0, "its request to go")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGALRM])
def test_signals(m, number):
    """"any signal ends the wait of its process alone": the other one goes on."""
    other = waiting(m)
    process = waiting(m, n=2)
    process.send_signal(number)
    assert process.wait(AT_ONCE) == -number
    wait_until(lambda: parked(m) == 1, "its request to go")
    assert other.poll() is None


READER = r"""
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
static void on_alarm (int number) { write (2, "alarm\n", 6); }
int main (int argc, char **argv)
{
  struct sigaction action = { .sa_handler = on_alarm, .sa_flags = argc > 2 ? SA_RESTART : 0 };
  static char word[4096] __attribute__ ((aligned (4096)));
  int fd = open (argv[1], O_RDONLY | (argc > 2 && strcmp (argv[2], "direct") == 0 ? O_DIRECT : 0));
  sigaction (SIGALRM, &action, NULL);
  sigaction (SIGURG, &action, NULL);
  ssize_t got = read (fd, word, sizeof word);
  printf ("%s%s", got < 0 ? strerrorname_np (errno) : word, got < 0 ? "\n" : "");
  return 0;
}
"""


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """A program that reads a file once, with handlers of SIGALRM and SIGURG. One more argument: they restart; the word
    "direct": it reads past the page cache."""
    directory = tmp_path_factory.mktemp("reader")
    run("cc", "-D_GNU_SOURCE", "-x", "c", "-o", directory / "reader", "-", input=READER)
    return directory / "reader"


@pytest.mark.parametrize("more", [[], ["restart"]])
def test_handler(m, reader, more):
    """"FUSE cannot restart a system call, so EINTR comes with SA_RESTART too\""""
    process = waiting(m, reader, m.task() / "wait", *more)
    process.send_signal(signal.SIGALRM)
    assert process.communicate(timeout=AT_ONCE) == ("EINTR\n", "alarm\n")


def test_alarm_in_python(m, sim):
    """"shells, coreutils, Python and Go begin again by themselves": the handler runs, the wait goes on. One that raises ends
    it."""
    script = """
import signal, sys
def handle(number, frame):
    print("alarm", flush=True)
    if sys.argv[2:]:
        raise TimeoutError
signal.signal(signal.SIGALRM, handle)
print(open(sys.argv[1]).read(), end="")
"""
    process = m.python(script, m.task() / "wait")
    raising = m.python(script, m.task() / "wait", "raise")
    wait_until(lambda: parked(m) == 2, "both to wait")
    for each in process, raising:
        each.send_signal(signal.SIGALRM)
        assert each.stdout.readline() == "alarm\n"
    assert "TimeoutError" in raising.communicate(timeout=AT_ONCE)[1]
    wait_until(lambda: parked(m) == 1, "it to wait again")
    end(sim)
    assert process.communicate(timeout=AT_ONCE)[0] == "completed\n"


def test_sigurg_storm(m, sim, reader):
    """Go's runtime sends SIGURG all day: the wait goes on."""
    process = waiting(m, reader, m.task() / "wait")
    for _ in range(200):
        process.send_signal(signal.SIGURG)
        time.sleep(0.002)
    assert process.poll() is None
    end(sim)
    while process.poll() is None:
        process.send_signal(signal.SIGURG)
        time.sleep(0.01)
    assert process.communicate(timeout=AT_ONCE)[0] == "completed\n"


def test_stop_and_continue(m, sim):
    """Ctrl-Z, fg: the wait goes on."""
    process = waiting(m)
    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: run("ps", "-o", "stat=", "-p", process.pid).stdout[0] in "TD", "it to stop")
    process.send_signal(signal.SIGCONT)
    end(sim)
    assert process.communicate(timeout=AT_ONCE)[0] == "completed\n"


def test_nobody_else_waits(m, sim):
    """Nothing else stands still for a wait: not the other files of the task, nor `wait` itself."""
    process = waiting(m)
    assert m.read("status") == "running\n"
    assert os.listdir(m.task())
    os.utime(m.task() / "status")
    os.utime(m.task())
    os.utime(m.task() / "wait")
    os.stat(m.task() / "wait")
    assert process.poll() is None
    end(sim)
    assert process.communicate(timeout=AT_ONCE)[0] == "completed\n"


def assert_cut_off(process):
    """The process fails: the kernel asks again after the first error, and may get no further than its own."""
    error = process.communicate(timeout=AT_ONCE)[1]
    assert any(os.strerror(number) in error for number in (errno.ENOTCONN, errno.ECONNABORTED)), error


def test_unmount(m):
    """While somebody waits the mount is busy; SIGTERM ends both: "When kootaskfs ends, those who wait get ENOTCONN or ECONNABORTED.\""""
    process = waiting(m)
    done = run("fusermount3", "-u", m.path, check=False)
    assert done.returncode != 0 and "busy" in done.stderr
    assert process.poll() is None
    m.signal(signal.SIGTERM)
    assert m.wait_ended() == 0
    assert_cut_off(process)


def test_lazy_unmount(m, sim):
    """"`fusermount3 -uz` leaves those who wait alone: they get their word, and kootaskfs ends after them.\""""
    process = waiting(m)
    run("fusermount3", "-uz", m.path)
    assert not mounts_at(m.path)
    assert process.poll() is None and m.process.poll() is None
    end(sim)
    assert process.communicate(timeout=AT_ONCE)[0] == "completed\n"
    assert m.wait_ended() == 0


def test_lazy_unmount_and_sigterm(m):
    """SIGTERM after `fusermount3 -uz` ends the waits as well."""
    process = waiting(m)
    run("fusermount3", "-uz", m.path)
    m.signal(signal.SIGTERM)
    assert m.wait_ended() == 0
    assert_cut_off(process)


def test_limit_of_the_kernel(mount, sim, reader, tmp_path):
    """"Where the kernel limits FUSE requests", here to 15 s, an operation "ends with EINTR 5 s before it". Who begins again goes
    on waiting. The kernel is not told so, nor is any other mount: kootaskfs alone sees another file."""
    running(sim)
    m = mount(sim, auto=False, ttl="200ms")
    (tmp_path / "limit").write_text("15\n")
    command = ["unshare", "-m", "sh", "-euc", 'mount --bind "$1" /proc/sys/fs/fuse/max_request_timeout; shift; exec "$@"', "sh",
               tmp_path / "limit", *m.command()]
    with open(m.log_file, "ab") as log:
        m.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    path = Path(f"/proc/{m.process.pid}/root{m.task()}") / "wait"
    wait_until(path.exists, "the mount")
    patient = m.popen("cat", path)
    process = m.popen(reader, path, "direct")
    assert process.communicate(timeout=LIMIT)[0] == "EINTR\n"
    assert patient.poll() is None
    end(sim)
    assert patient.communicate(timeout=AT_ONCE)[0] == "completed\n"
    m.signal(signal.SIGTERM)
    assert m.wait_ended() == 0
