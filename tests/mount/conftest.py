# SPDX-License-Identifier: MIT
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sim"))

from koodrive_sim import Simulator  # noqa: E402
from kootaskfs_mount import Mount  # noqa: E402

WATCHDOG = 150  # seconds a single test may take; only a bug ever gets there


@pytest.fixture
def start():
    """Starts simulators; at the end all of them are ended and must have exited with 0, also when the test failed."""
    running = []

    def start_one(*options):
        running.append(Simulator(*options))
        return running[-1]

    yield start_one
    failures = []
    for simulator in running:
        try:
            simulator.close()
        except AssertionError as failure:
            failures.append(failure)
    assert not failures, failures


@pytest.fixture
def sim(start):
    """A simulator whose generated tasks have all ended."""
    return start("--duration=0")


@pytest.fixture
def mount(start, tmp_path):
    """Makes mounts; at the end each is unmounted, must exit with 0 and have logged nothing suspicious. Depends on
    `start` so that mounts end before the simulators they ask."""
    mounts = []

    def make(sim=None, **settings):
        directory = tmp_path / f"mount{len(mounts)}"
        directory.mkdir()
        mounts.append(Mount(directory, sim, **settings))
        return mounts[-1].start() if mounts[-1].auto else mounts[-1]

    def rescue():
        for mounted in mounts:
            mounted.kill()

    watchdog = threading.Timer(WATCHDOG, rescue)  # who waits in the kernel for a dead daemon gets ENOTCONN
    watchdog.daemon = True
    watchdog.start()
    yield make
    failures = []
    for mounted in mounts:
        try:
            mounted.finish()
        except AssertionError as failure:
            failures.append(str(failure))
    fired = not watchdog.is_alive()
    watchdog.cancel()
    assert not failures, "\n".join(failures)
    assert not fired, f"the test took more than {WATCHDOG} s"
