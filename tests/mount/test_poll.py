# SPDX-License-Identifier: MIT
"""docs/semantics.md, "Polling": poll(2), epoll and select, on a mount whose tasks the test changes."""

import os
import re
import select
import signal
import time

import pytest

from koodrive_sim import SHARE, SHARE_TASK, wait_until
from kootaskfs_mount import detail, run, store

AT_ONCE = 20_000  # milliseconds
CHANGED = select.POLLPRI | select.POLLERR
ALWAYS = select.POLLIN | select.POLLOUT
TTL = 0.2
FILE = {"fileId": "f", "newFileId": "n", "srcContainerId": "c"}


def running(sim, progress=50, task=SHARE_TASK, **more):
    store(sim, detail(task, taskStatus=1, progress=progress, **more), task)


def end(sim, task=SHARE_TASK):
    store(sim, detail(task, taskStatus=2, progress=100, endTime="20240930092000"), task)


@pytest.fixture
def m(mount, sim):
    running(sim)
    return mount(sim, ttl="200ms", negative_ttl="100ms", max_stale="100ms")


@pytest.fixture
def opened():
    """open() of files that are closed at the end."""
    fds = []

    def open_file(path, flags=os.O_RDONLY):
        fds.append(os.open(path, flags))
        return fds[-1]

    yield open_file
    for fd in fds:
        os.close(fd)


def ready(fd, events=select.POLLPRI, timeout=AT_ONCE):
    """What poll(2) says of one file, 0 for nothing."""
    poll = select.poll()
    poll.register(fd, events)
    found = poll.poll(timeout)
    return found[0][1] if found else 0


def test_poll(m, sim, opened):
    """"Every value file that is open reports POLLPRI and POLLERR once its name leads to another version". Then "Who is woken and opens the
    file again gets the new version. The open file itself keeps its version, and goes on reporting the change.\""""
    fd = opened(m.task() / "progress")
    assert ready(fd, timeout=600) == 0
    running(sim, 51)
    assert ready(fd) == CHANGED
    assert m.read("progress") == "51\n"
    assert os.read(fd, 9) == b"50\n"
    assert ready(fd, timeout=0) == CHANGED


def test_default(m, opened):
    """"POLLIN and POLLOUT are always reported, as of every file". "Files of `.kootaskfs/`, `package.zip` and `ctl` never report a
    change", though each `metrics` differs from the last."""
    for name in f"tasks/{SHARE_TASK}/job.json", ".kootaskfs/version", ".kootaskfs/metrics":
        assert ready(opened(m / name), ALWAYS | CHANGED) == ALWAYS


def test_not_asked_for(m, sim, opened):
    """"Who does not ask for POLLPRI is told of no change, and has nothing polled." `less +F` takes POLLERR for an error."""
    fd, log = opened(m.task() / "progress"), opened(m.task() / "events")
    assert ready(log, select.POLLIN) == ready(fd, select.POLLIN) == select.POLLIN
    assert asked_since(sim, lambda: time.sleep(4 * TTL)) == 0
    running(sim, 51)
    os.utime(m.task() / "kind")
    assert ready(log, select.POLLIN) == ready(fd, select.POLLIN) == select.POLLIN
    assert ready(fd, select.POLLPRI) == CHANGED


def test_back_again(m, sim, opened):
    """"A value that is what it was again, before anybody looked, has not changed.\""""
    fd = opened(m.task() / "progress")
    assert ready(fd, timeout=0) == 0
    running(sim, 51)
    os.utime(m.task() / "kind")
    running(sim, 50)
    os.utime(m.task() / "kind")
    assert ready(fd, timeout=0) == 0


def test_others(m, sim, opened):
    """Of the files of a task, those report a change that have changed."""
    names = ["status", "progress", "user", "summary", "task.json", "job.json", "response.json", "kind"]
    fds = {opened(m.task() / name): name for name in names}
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLPRI)
    running(sim, 52)
    changed = {"progress", "summary", "task.json", "job.json", "response.json"}
    seen = set()
    while seen != changed:
        found = poll.poll(AT_ONCE)
        assert found
        seen |= {fds[fd] for fd, _ in found}
        assert seen <= changed


def test_of_a_file(m, sim, opened):
    """The files of a file of a task are value files, too."""
    store(sim, detail(taskStatus=1, files=[{**FILE, "status": "0"}]))
    os.utime(m.task())
    fd = opened(m.task() / "files" / "f" / "status")
    assert os.pread(fd, 20, 0) == b"pending\n"
    store(sim, detail(taskStatus=1, files=[{**FILE, "status": "1"}]))
    assert ready(fd) == CHANGED
    assert m.read("files/f/status") == "succeeded\n"


def test_failure(m, sim, opened):
    """... "or to a failure"; and that one is over, likewise."""
    fd = opened(m.task() / "status")
    assert ready(fd, timeout=0) == 0
    sim.fault(kind="status", status=403, times=-1)
    assert ready(fd) == CHANGED
    failed = opened(m.task() / "status")
    with pytest.raises(PermissionError):
        os.read(failed, 9)
    assert ready(failed, timeout=500) == 0
    sim.admin("DELETE", "faults")
    assert ready(failed) == CHANGED
    assert m.read("status") == "running\n"


def test_gone(m, sim, opened):
    """A task that is known no more has changed."""
    fd = opened(m.task() / "status")
    assert ready(fd, timeout=0) == 0
    m.write_list()
    assert ready(fd) == CHANGED


def test_select(m, sim, opened):
    """"In select, what has changed is among the exceptional ones.\""""
    fd = opened(m.task() / "progress")
    assert select.select([], [], [fd], 0) == ([], [], [])
    running(sim, 60)
    assert select.select([], [], [fd], AT_ONCE / 1000) == ([], [], [fd])


@pytest.mark.parametrize("more", [0, select.EPOLLET, select.EPOLLONESHOT, select.EPOLLET | select.EPOLLONESHOT])
def test_epoll(m, sim, opened, more):
    """In an epoll set, level- or edge-triggered."""
    with select.epoll() as epoll:
        fd = opened(m.task() / "progress")
        epoll.register(fd, select.EPOLLPRI | more)
        assert epoll.poll(0.7) == []
        running(sim, 61)
        assert epoll.poll(AT_ONCE / 1000) == [(fd, CHANGED)]
        assert m.read("progress") == "61\n"
        again = epoll.poll(0.7)
        assert again == ([] if more else [(fd, CHANGED)])


def test_follow(m, sim, opened):
    """Ten changes, one after another, each seen once by who opens again."""
    seen = []
    with select.epoll() as epoll:
        for progress in range(50, 60):
            fd = opened(m.task() / "progress")
            seen.append(int(os.read(fd, 9)))
            epoll.register(fd, select.EPOLLPRI)
            running(sim, progress + 1)
            assert epoll.poll(AT_ONCE / 1000) == [(fd, CHANGED)]
            epoll.unregister(fd)
    assert seen == list(range(50, 60))


@pytest.mark.parametrize("way", ["poll", "epoll"])
def test_hundreds_of_tasks(mount, start, opened, way):
    """Hundreds of tasks in one set: each change is reported, of the task that has changed."""
    sim = start("--duration=0")
    n = 300
    ids = [str(10**18 + i) for i in range(n)]
    for task in ids:
        running(sim, 1, task)
    m = mount(sim, ttl="500ms", watch=[f"share {SHARE} {task}" for task in ids])
    fds = {opened(m.task(task) / "progress"): task for task in ids}
    poll = select.poll() if way == "poll" else select.epoll()
    for fd in fds:
        poll.register(fd, select.POLLPRI)
    changed = set(ids[::3])
    for task in changed:
        running(sim, 2, task)
    seen = set()
    while seen != changed:
        found = poll.poll(AT_ONCE if way == "poll" else AT_ONCE / 1000)
        assert found
        seen |= {fds[fd] for fd, _ in found}
        assert seen <= changed
    assert all(m.read("progress", task) == "2\n" for task in changed)


def test_events(m, sim, opened):
    """"`events` reports POLLPRI and POLLERR to each open file at first, and then each time that it has grown. It may do so twice.\""""
    fd = opened(m.task() / "events")
    log = b""

    def read_until(line):
        nonlocal log
        while line not in log:
            assert ready(fd) == CHANGED
            log += os.read(fd, 9999)

    assert ready(fd) == CHANGED
    read_until(b"seen - -> running\n")
    for progress in range(51, 55):
        running(sim, progress)
        read_until(f"progress {progress - 1} -> {progress}\n".encode())
    ready(fd, timeout=0)
    assert ready(fd, timeout=700) == 0
    assert ready(opened(m.task() / "events"), timeout=0) == CHANGED


def test_events_edge_triggered(m, sim, opened):
    """An edge at first, at least one for each growth and at most two."""
    m.read("progress")
    fd = opened(m.task() / "events")
    with select.epoll() as epoll:
        epoll.register(fd, select.EPOLLPRI | select.EPOLLET)
        assert epoll.poll(AT_ONCE / 1000) == [(fd, CHANGED)]
        for progress in range(51, 54):
            epoll.poll(1.5)
            assert epoll.poll(1.5) == []
            running(sim, progress)
            assert epoll.poll(AT_ONCE / 1000) == [(fd, CHANGED)]


def test_events_of_the_mount(m, sim, opened):
    """"for `events` of the mount, all tasks are" polled."""
    fd = opened(m / "events")
    assert ready(fd) == CHANGED
    os.read(fd, 9999)
    while True:  # the first response about the other task
        if not ready(fd, timeout=1000):
            break
        os.read(fd, 9999)
    running(sim, 77)
    assert ready(fd) == CHANGED
    assert b"-> 77\n" in os.read(fd, 9999)


def test_wait(m, sim, opened):
    """"poll(2) and epoll report `wait` as readable once a read does not block, and not before.\""""
    fd = opened(m.task() / "wait", os.O_RDONLY | os.O_NONBLOCK)
    assert ready(fd, select.POLLIN, timeout=500) == 0
    end(sim)
    assert ready(fd, select.POLLIN) == select.POLLIN
    assert os.read(fd, 99) == b"completed\n"


POLLER = """
import os, select, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
poll = select.poll() if sys.argv[2] == "poll" else select.epoll()
poll.register(fd, select.POLLPRI)
print("polls", flush=True)
print(poll.poll(), flush=True)
"""


def asked_since(sim, action):
    before = len(sim.log())
    action()
    return len(sim.log()) - before


@pytest.mark.parametrize("way", ["poll", "epoll"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_poller_that_dies(m, sim, way, number):
    """"Who polls need not say when that is over": the requests end. As long as it lives they go on, through several probes."""
    process = m.python(POLLER, m.task() / "progress", way)
    assert process.stdout.readline() == "polls\n"
    before = len(sim.log())
    wait_until(lambda: len(sim.log()) >= before + 15, "polls, for more than six ttl")
    process.send_signal(number)
    process.wait(AT_ONCE)
    before = [len(sim.log())]

    def rests():
        before.append(len(sim.log()))
        time.sleep(3 * TTL)
        return len(sim.log()) == before[-1]

    wait_until(rests, "the polls to end")
    assert before[-1] - before[0] <= 2 * 8, "of six ttl"


def test_poller_that_is_stopped(m, sim):
    """Who is stopped for longer than the probes take goes on where it was."""
    process = m.python(POLLER, m.task() / "progress", "epoll")
    assert process.stdout.readline() == "polls\n"
    wait_until(lambda: len(sim.log()) >= 4, "polls")
    process.send_signal(signal.SIGSTOP)

    def rests():
        before = len(sim.log())
        time.sleep(4 * TTL)
        return len(sim.log()) == before

    wait_until(rests, "the polls to end")
    running(sim, 70)
    process.send_signal(signal.SIGCONT)
    assert re.fullmatch(rf"\[\(\d+, {CHANGED}\)\]\n", process.communicate(timeout=AT_ONCE)[0])


def test_busy_epoll_user(m, sim, opened):
    """A process that has its set but does not wait for a while misses nothing."""
    fd = opened(m.task() / "progress")
    with select.epoll() as epoll:
        epoll.register(fd, select.EPOLLPRI)
        assert epoll.poll(0) == []
        wait_until(lambda: asked_since(sim, lambda: time.sleep(5 * TTL)) == 0, "it to be forgotten")
        assert epoll.poll(0) == []
        running(sim, 71)
        assert epoll.poll(AT_ONCE / 1000) == [(fd, CHANGED)]


def test_ended_is_not_polled(m, sim, opened):
    """"its task is polled every `ttl`, until it has ended"."""
    fd = opened(m.task() / "status")
    assert ready(fd, timeout=0) == 0
    end(sim)
    assert ready(fd) == CHANGED
    fd = opened(m.task() / "status")
    assert os.read(fd, 20) == b"completed\n"
    assert asked_since(sim, lambda: ready(fd, timeout=1500)) == 0


def test_one_poll_for_all(m, sim, opened):
    """A hundred pollers: as many requests as one makes."""
    fds = [opened(m.task() / "progress") for _ in range(100)]
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLPRI)
    assert poll.poll(0) == []
    began = time.monotonic()
    asked = asked_since(sim, lambda: poll.poll(2000))
    assert 2 <= asked <= (time.monotonic() - began) / TTL + 2


def test_unmount(m):
    """"When kootaskfs ends, all who poll are woken with POLLERR.\""""
    processes = [m.python(POLLER, m.task() / "progress", way) for way in ("poll", "epoll")]
    for process in processes:
        assert process.stdout.readline() == "polls\n"
    time.sleep(0.3)
    m.signal(signal.SIGTERM)
    assert m.wait_ended() == 0
    for process in processes:
        assert f", {select.POLLERR})]" in process.communicate(timeout=AT_ONCE)[0]


def test_lazy_unmount(m, sim):
    """A mount that is detached serves who polls to the end."""
    process = m.python(POLLER, m.task() / "progress", "epoll")
    assert process.stdout.readline() == "polls\n"
    time.sleep(0.3)
    run("fusermount3", "-uz", m.path)
    running(sim, 73)
    assert str(CHANGED) in process.communicate(timeout=AT_ONCE)[0]
    assert m.wait_ended() == 0
