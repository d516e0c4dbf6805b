# SPDX-License-Identifier: MIT
"""Readahead of tasks, by counts."""

import random

import pytest

from koodrive_sim import wait_until
from kootaskfs_mount import run, shell

TASKS = 300


@pytest.fixture
def many(mount, start, tmp_path):
    """A mount of 300 ended tasks without packages, at 20 ms a call."""
    sim = start("--duration=0", f"--tasks={TASKS}", "--imports=0", "--jobs=0", "--latency=20", "--shape=url-absent",
                f"--watch-list={tmp_path}/all")
    watch = [line for line in (tmp_path / "all").read_text().splitlines() if line.startswith("share")]
    return mount(sim, watch=watch, concurrency=32)


def prefetches(m):
    return m.metric("kootaskfs_prefetches_total")


@pytest.mark.parametrize("script", [
    "cat tasks/*/status",
    'for t in tasks/*; do read -r s < "$t/status"; echo "$s"; done',
    'for t in $(ls -r tasks); do read -r s < "tasks/$t/status"; echo "$s"; done',
    "grep -h . tasks/*/status",
    "find tasks -mindepth 2 -maxdepth 2 -name status -exec cat {} +",
])
def test_scans_fetch_ahead(many, script):
    """"A process that asks for one task after another, in the order of the listing or against it, has the next ones fetched
    ahead from the third on, at most `concurrency` of them." "So `cat tasks/*/status` takes as long as 64 requests at a time
    (`concurrency`)": here 32. "Never is there more than one request for a task.\""""
    words = run("bash", "-euc", script, cwd=many.path).stdout.split()
    assert len(words) == TASKS + 1 and set(words) <= {"completed", "canceled"}
    assert many.requests() == TASKS + 1
    assert 16 <= many.sim.counters()["maxInFlight"] <= 32
    assert run("bash", "-euc", script, cwd=many.path).stdout.split() == words
    assert many.requests() == TASKS + 1, "a scan of ended tasks in memory asks nothing"


def test_tar_of_all(many):
    """A cold tar of everything: one request a task, and no complaint that something changed while it was read."""
    done = shell('tar c -C "$1" tasks | tar t | grep -c "/status$"', many.path)
    assert done.stderr == "" and int(done.stdout) > TASKS
    assert many.requests() == TASKS + 1
    assert many.sim.counters()["maxInFlight"] > 1


def test_from_the_third_on(many):
    """"has the next ones fetched ahead from the third on": the third that is next to the one before it, and not sooner."""
    names = sorted(path.name for path in (many / "tasks").iterdir())
    for name in names[:2]:
        many.read("status", name)
    assert (many.requests(), prefetches(many)) == (2, 0)
    many.read("status", names[2])
    assert prefetches(many) > 0
    wait_until(lambda: many.requests() == 3 + prefetches(many), "the requests ahead")


def test_single_lookups_fetch_nothing_ahead(many):
    """"Nothing is fetched ahead of single lookups or of a random order.\""""
    names = sorted(path.name for path in (many / "tasks").iterdir())
    for name in (names[5], names[6], names[100], names[200], names[199]):
        run("cat", many.task(name) / "status", many.task(name) / "result")
    assert (many.requests(), prefetches(many)) == (5, 0)


@pytest.mark.parametrize("first", (0, 50))
def test_parallel_readers_fetch_nothing_ahead(many, first):
    """"Nothing is fetched ahead of many readers at once, each of a task of its own": a request each and no more. No response
    comes before all have asked, and none keeps back another."""
    names = sorted(path.name for path in (many / "tasks").iterdir())[first:first + 30]
    many.sim.fault(kind="delay", ms=3_600_000, times=-1)
    for asked, name in enumerate(names, 1):
        many.popen("cat", many.task(name) / "status")
        wait_until(lambda: many.sim.counters()["inFlight"] == asked, "the request")
    assert (many.requests(), prefetches(many)) == (len(names), 0)
    many.end_children()


def test_random_order_fetches_nothing_ahead(many):
    """"Nothing is fetched ahead of single lookups or of a random order.\""""
    names = sorted(path.name for path in (many / "tasks").iterdir())
    chosen = random.Random(7).sample(names, 60)
    for name in chosen:
        many.read("status", name)
    assert (many.requests(), prefetches(many)) == (60, 0)


def test_nothing_beyond_the_end(many):
    names = sorted(path.name for path in (many / "tasks").iterdir())
    for name in names[-4:]:
        many.read("status", name)
    assert many.requests() == 4


def test_listing_comes_with_attributes(many):
    """`find tasks -maxdepth 1 -type d` stats what it lists: neither a request nor an operation for each."""
    found = []
    cost = many.operations_of(lambda: found.extend(run("find", "tasks", "-maxdepth", "1", "-type", "d",
                                                       cwd=many.path).stdout.splitlines()))
    assert len(found) == TASKS + 2
    assert sum(cost.values()) < TASKS / 2, cost
    assert many.requests() == 0


def test_listing_everything_stats_nothing(many):
    """A listing comes with attributes that last, of files too: `find tasks -printf %s` is listings and little else."""
    cost = many.operations_of(lambda: run("find", "tasks", "-printf", "%s %T@", cwd=many.path))
    assert many.requests() == TASKS + 1
    assert cost.get("getattr", 0) <= 2 * TASKS + 20 and cost.get("lookup", 0) < TASKS, cost
    assert "read" not in cost, cost
