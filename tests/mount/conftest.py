# SPDX-License-Identifier: MIT
import threading

import pytest

from kootaskfs_mount import Mount

WATCHDOG = 150  # seconds a single test may take; only a bug ever gets there


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
