# SPDX-License-Identifier: MIT
"""docs/semantics.md, "Waiting": a service that does not answer harms nobody who does not need its answer, however many
readers wait. The simulator is stopped with SIGSTOP."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from koodrive_sim import SHARE, wait_until
from kootaskfs_mount import IMPORT_TASK, SHARE_TASK, detail, errno_of, read_error, run, shell, store

AT_ONCE = 20  # seconds; with the deadline of an hour, whoever waits for the service takes longer


@contextlib.contextmanager
def frozen(sim):
    sim.process.send_signal(signal.SIGSTOP)
    try:
        wait_until(lambda: states_of(sim.process.pid) == {"T"}, "the stop of all its threads")
        yield
    finally:
        sim.process.send_signal(signal.SIGCONT)


def states_of(pid):
    """Of all threads of the process."""
    states = set()
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            states.add(stat.read_text().rpartition(")")[2].split()[0])
    return states


def parked(m):
    return m.metric("kootaskfs_parked_operations")


def test_everything_else_at_once(mount, sim):
    """ls, df and listings answer at once, with forty readers waiting. "Nothing else waits for such an operation: what is
    cached is served meanwhile.\""""
    others = sim.generated("share")
    m = mount(sim, deadline="1h", watch=[f"share {SHARE} {SHARE_TASK}", f"basic {IMPORT_TASK}",
                                         *(f"share {t['shareId']} {t['taskId']}" for t in others)],
              families="share, basic", list_ttl="1h", negative_ttl="1h")
    os.listdir(m / "tasks")
    assert m.read("status") == "completed\n"
    with frozen(sim):
        readers = [m.popen("cat", m.task(t["taskId"]) / name) for t in others
                   for name in ("status", "job.json", "files.csv", "kind", "user")]
        lookups = [m.popen("ls", m.task(f"unlisted-{i}")) for i in range(3)]
        wait_until(lambda: parked(m) >= len(others) + 1, "the readers to wait")
        for command in (["ls", m.path], ["df", m.path], ["ls", "-l", m / "tasks"], ["stat", m.path],
                        ["cat", m.task() / "status", m.task() / "job.json"], ["ls", "-l", m.task()],
                        ["ls", "-lR", m / "shares"], ["cat", m / ".kootaskfs/health"], ["find", m.task()],
                        ["stat", m.task(others[0]["taskId"])], ["grep", "-r", "completed", m.task()]):
            run(*command, timeout=AT_ONCE)
        assert run("getfattr", "-d", m.task(others[0]["taskId"]), timeout=AT_ONCE).stdout == ""
        assert errno_of(os.stat, m / ".git") == "ENOENT" and errno_of(os.stat, m / "tasks/.git") == "ENOENT"
        assert all(reader.poll() is None for reader in readers + lookups)
    for reader in readers:
        assert reader.communicate(timeout=60)[0] and reader.returncode == 0
    for lookup in lookups:
        assert "No such file" in lookup.communicate(timeout=60)[1]


def test_deadline_of_a_cold_read(mount, sim):
    """"A file operation that needs a request waits for it at most `deadline`": then ETIMEDOUT, listings and touch too."""
    m = mount(sim, deadline="500ms", negative_ttl="0", families="share, basic")
    with frozen(sim):
        assert read_error(m.task() / "status") == "ETIMEDOUT"
        assert errno_of(os.listdir, m.task() / "files") == "ETIMEDOUT"
        assert errno_of(os.utime, m.task()) == "ETIMEDOUT"
        assert errno_of(os.utime, m.task() / "files") == "ETIMEDOUT"
        assert errno_of(os.stat, m.task("unlisted")) == "ETIMEDOUT"
        assert errno_of(os.stat, m / "shares" / "1" / "2") == "ETIMEDOUT"
    wait_until(lambda: read_error(m.task() / "status") is None, "the recovery")
    assert parked(m) == 0


def test_joining_does_not_prolong(mount, sim):
    """Who joins a request under way ends with it, at its deadline."""
    m = mount(sim, deadline="2s", negative_ttl="1h")
    with frozen(sim):
        readers = [m.popen("cat", m.task() / "status") for _ in range(5)]
        for reader in readers:
            assert "timed out" in reader.communicate(timeout=AT_ONCE)[1]
    assert m.metric("kootaskfs_request_failures_total") == 1


def test_stale_answer_after_the_deadline(mount, sim):
    """When the deadline has passed: "`user.kootaskfs.stale` is 1 while the snapshot is stale"."""
    m = mount(sim, ttl="100ms", deadline="300ms", negative_ttl="1h")
    store(sim, detail())
    assert m.read("status") == "running\n"
    with frozen(sim):
        wait_until(lambda: m.read("status") == "running\n"
                   and os.getxattr(m.task(), "user.kootaskfs.stale") == b"1", "the answer to go stale")


def test_cold_tasks_in_parallel(mount, start):
    """Two cold tasks are asked for at the same time although the service is slow."""
    sim = start("--duration=0", "--latency=1000")
    tasks = sim.generated("share")
    m = mount(sim, watch=[f"share {t['shareId']} {t['taskId']}" for t in tasks])
    readers = [m.popen("cat", m.task(t["taskId"]) / "status") for t in tasks]
    assert all(reader.communicate(timeout=60)[0] for reader in readers)
    assert sim.counters()["maxInFlight"] >= 2


def test_unlisted_lookups_in_parallel(mount, start):
    """Lookups of several unlisted ids in tasks/, one directory, are asked for at the same time."""
    sim = start("--duration=0", "--latency=1000")
    m = mount(sim, families="share, basic")
    lookups = [m.popen("ls", m.task(f"unlisted-{i}")) for i in range(6)]
    assert all("No such file" in lookup.communicate(timeout=60)[1] for lookup in lookups)
    assert sim.counters()["maxInFlight"] >= 4


def test_fresh_task_beside_a_slow_lookup(mount, sim):
    """A parked lookup of an unlisted id in tasks/ does not hold up the known tasks of the same directory."""
    m = mount(sim, deadline="1h", ttl="0", families="share, basic", list_ttl="1h", negative_ttl="1h")
    os.listdir(m / "tasks")
    with frozen(sim):
        lookup = m.popen("ls", m.task("unlisted"))
        wait_until(lambda: parked(m) == 1, "the lookup to wait")
        run("stat", m.task(), m.task(IMPORT_TASK), timeout=AT_ONCE)
        run("ls", "-l", m / "tasks", timeout=AT_ONCE)
        assert "No such file" in run("ls", m / "tasks" / ".git", timeout=AT_ONCE, check=False).stderr
        assert lookup.poll() is None, "it waited all the time"


def test_sigterm_with_readers(mount, sim):
    """SIGTERM with parked readers ends the daemon with 0 and the readers with an error."""
    m = mount(sim, deadline="1h", families="share, basic")
    run("stat", m.task(), m.task(IMPORT_TASK))  # touch would create what the kernel does not know: it locks tasks/ for that
    with frozen(sim):
        readers = [m.popen("cat", m.task() / "status") for _ in range(5)]
        readers.append(m.popen("touch", m.task(IMPORT_TASK)))
        readers.append(m.popen("ls", m.task("unlisted")))
        wait_until(lambda: parked(m) >= 3, "the readers to wait")
        m.signal(signal.SIGTERM)
        assert m.wait_ended() == 0
        for reader in readers:
            _, error = reader.communicate(timeout=AT_ONCE)
            assert reader.returncode != 0
            assert "Transport endpoint is not connected" in error or "Software caused connection abort" in error


def test_umount_with_readers(mount, sim):
    """fusermount3 -u -z with parked readers: they end with the request, then the daemon does."""
    m = mount(sim, deadline="1h")
    with frozen(sim):
        reader = m.popen("cat", m.task() / "status")
        wait_until(lambda: parked(m) == 1, "the reader to wait")
        assert run("fusermount3", "-u", m.path, check=False).returncode == 1, "it is busy"
        assert run("ls", m.path, timeout=AT_ONCE).stdout
        run("fusermount3", "-u", "-z", m.path)
    assert reader.communicate(timeout=60)[0] == "completed\n"
    assert m.wait_ended() == 0


def test_sigterm_in_the_thick(mount, start):
    """SIGTERM while touches, cold reads and refreshes are under way: always 0, never a hang."""
    sim = start("--duration=0", "--latency=5")
    store(sim, detail(userId="@N@", files=["f"]))
    script = """while :; do touch "$1" "$1/user"; cat "$1/user" "$2/x$RANDOM/status"; ls "$1/files"; done"""
    for _ in range(8):
        m = mount(sim, ttl="5ms", negative_ttl="0", deadline="1h")
        for _ in range(4):
            m.popen("bash", "-c", script, "bash", m.task(), m / "tasks", stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL)
        asked = m.requests()
        wait_until(lambda: m.requests() > asked + 40, "the workers to work")
        m.signal(signal.SIGTERM)
        assert m.wait_ended() == 0
        m.end_children()


def test_reader_that_was_killed_leaves_nothing(mount, sim):
    """"The request of an operation that was interrupted goes on, and the next reader gets its response.\""""
    m = mount(sim, deadline="1h")
    with frozen(sim):
        reader = m.popen("cat", m.task() / "status")
        wait_until(lambda: parked(m) == 1, "the reader to wait")
        reader.kill()
        assert reader.wait(AT_ONCE) == -signal.SIGKILL
        wait_until(lambda: parked(m) == 0, "its request to go")
    assert m.read("status") == "completed\n"
    assert m.requests() == 1
    assert shell('cat "$1"', m.task() / "result").stdout == "succeeded\n"
