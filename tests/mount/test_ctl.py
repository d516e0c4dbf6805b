# SPDX-License-Identifier: MIT
"""docs/semantics.md, "Cancelling": the one thing that can be changed, if the configuration allows it."""
import os
import signal

import pytest

from koodrive_sim import wait_until
from kootaskfs_mount import errno_of, run, shell


def write(path, text):
    """By one write, as the shell's echo does."""
    with open(path, "wb", buffering=0) as file:
        file.write(text)


@pytest.fixture
def jobs(start, mount):
    def make(*options, **settings):
        sim = start("--tasks=0", "--imports=1", "--jobs=7", *options)
        m = mount(sim, watch=None, families="share, basic, job", **settings)
        names = [t["taskId"] for t in sim.admin("GET", "tasks")["tasks"] if t["kind"] == "job"]
        return sim, m, names
    return make


def test_cancel(jobs):
    sim, m, names = jobs("--duration=1000", allow_cancel="yes", ttl="1h", ended_ttl="1h")
    job = next(name for name in names if m.read("status", name) in ("running\n", "pending\n"))
    assert m.read("progress", job) != ""
    shell('echo cancel > "$1"', m.task(job) / "ctl")
    assert m.read("status", job) == "canceled\n", "asked again after the cancel, though the ttl is an hour"
    assert sim.counters()["calls"]["cancel"] == 1
    assert (m.task(job) / "ctl").read_bytes() == b""
    assert (m.task(job) / "ctl").stat().st_size == 0, "what was written is no content"


def test_off_by_default(jobs):
    sim, m, names = jobs("--duration=1000")
    assert errno_of(write, m.task(names[0]) / "ctl", b"cancel\n") == "EPERM"
    assert "allow-cancel" in m.control("last-error")
    assert "service: ok" in m.control("health"), "says nothing of the service"
    assert sim.counters()["calls"]["cancel"] == 0


def test_switched_on_later(jobs):
    sim, m, names = jobs("--duration=1000")
    assert errno_of(write, m.task(names[0]) / "ctl", b"cancel\n") == "EPERM"
    m.configure(allow_cancel="yes")
    m.signal(signal.SIGHUP)
    wait_until(lambda: m.log_lines("configuration read again"), "the reload")
    write(m.task(names[0]) / "ctl", b"cancel")
    assert sim.counters()["calls"]["cancel"] == 1


@pytest.mark.parametrize("text", [b"stop\n", b"cancel it\n", b"\n", b"Cancel\n", b"cancel\0", b"x" * 5000], ids=range(6))
def test_other_words(jobs, text):
    sim, m, names = jobs("--duration=1000", allow_cancel="yes")
    assert errno_of(write, m.task(names[0]) / "ctl", text) == "EINVAL"
    assert "expected cancel" in m.control("last-error")
    assert sim.counters()["calls"]["cancel"] == 0


def test_too_late(jobs):
    """The service refuses to cancel what has ended."""
    sim, m, names = jobs("--duration=0", allow_cancel="yes")
    assert errno_of(write, m.task(names[0]) / "ctl", b"cancel\n") == "EIO"
    assert sim.counters()["calls"]["cancel"] == 1


def test_sent_once(jobs):
    """A cancel that may have arrived is not sent again."""
    sim, m, names = jobs("--duration=1000", allow_cancel="yes")
    sim.fault(kind="reset", call="cancel", times=-1)
    assert errno_of(write, m.task(names[0]) / "ctl", b"cancel\n") == "EIO"
    assert sim.counters()["calls"]["cancel"] == 1


def test_everything_else_stays_read_only(jobs):
    sim, m, names = jobs("--duration=0", allow_cancel="yes")
    for name in ("status", "job.json", "files.csv"):
        assert errno_of(write, m.task(names[0]) / name, b"cancel\n") == "EROFS"
    assert errno_of(os.truncate, m.task(names[0]) / "ctl", 5) == "EROFS"
    assert errno_of(os.unlink, m.task(names[0]) / "ctl") == "EROFS"


def test_jobs_only(jobs):
    _, m, _ = jobs("--duration=0")
    have = {task.name for task in (m / "tasks").iterdir() if (task / "ctl").exists()}
    kinds = {task.name for task in (m / "tasks").iterdir() if (task / "kind").read_text() == "job\n"}
    assert have == kinds


def test_copies(jobs, tmp_path):
    """Tools that copy a task take it for an empty file."""
    _, m, names = jobs("--duration=0")
    run("rsync", "-a", f"{m.task(names[0])}/", tmp_path / "copy")
    assert (tmp_path / "copy" / "ctl").read_bytes() == b""
    assert "cancel" not in shell('grep -r "" "$1"/ctl || true', m.task(names[0])).stdout
