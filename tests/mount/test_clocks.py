# SPDX-License-Identifier: MIT
"""docs/semantics.md, Freshness: "Ages count the time that the machine sleeps, those of tokens too." In a time namespace
CLOCK_BOOTTIME is a day ahead of CLOCK_MONOTONIC, as after a day asleep: who mixes the two is a day late, or never waits."""

import os
from pathlib import Path

import pytest

from koodrive_sim import SHARE_TASK, wait_until
from kootaskfs_mount import BINARY, LIMIT, detail, environment, read_error, run, store
from test_frozen import frozen

ASLEEP = 86400
AFTER_SLEEP = ["unshare", "--time", "--boottime", str(ASLEEP), "--fork"]


@pytest.fixture
def slept(mount, sim):
    """A mount on a machine that has slept for a day."""
    def make(**settings):
        m = mount(sim, auto=False, background=True, **settings)
        words = m.command()
        m.command = lambda: AFTER_SLEEP + words
        m.start()
        offsets = Path(f"/proc/{m.pid()}/timens_offsets").read_text().split()
        assert offsets[offsets.index("boottime") + 1] == str(ASLEEP)
        return m
    return make


def test_life_of_answers(slept, sim):
    """Answers grow old as ever."""
    store(sim, detail(progress=10))
    m = slept(ttl="300ms")
    assert m.read("progress") == "10\n"
    store(sim, detail(progress=20))
    wait_until(lambda: m.read("progress") == "20\n", "the next answer")
    assert 0 <= int(os.getxattr(m.task(), "user.kootaskfs.age")) < LIMIT


def test_deadline(slept, sim):
    """Deadlines pass, and not before their time."""
    m = slept(deadline="500ms", negative_ttl="0", max_stale="0")
    assert m.read("status") == "completed\n"
    with frozen(sim):
        assert read_error(m / "shares" / "1" / "2" / "status") == "ETIMEDOUT"
    assert read_error(m.task(SHARE_TASK) / "job.json") is None


def test_first_question(slept):
    """What is asked after mounting is given its time."""
    m = slept(verify="yes")
    assert m.log() == "" and m.requests() == 1


def test_check(mount, sim):
    """--check waits for answers."""
    m = mount(sim, auto=False)
    done = run(*AFTER_SLEEP, BINARY, "--check", "-o", f"config={m.conf}", env=environment(), check=False)
    assert done.returncode == 0, done.stdout
