# SPDX-License-Identifier: MIT
"""For all tests: the state they begin in, the simulator, and that a skipped test is a failed one, as it would look like a
pass."""
import os
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent / "sim"))

from koodrive_sim import Simulator  # noqa: E402

KEPT = {"PATH", "TMPDIR", "TERM", "KOOTASKFS", "KOODRIVE_SIM", "KOOTASK_WAIT", "KT_WATCHING", "ASAN_OPTIONS", "UBSAN_OPTIONS"}


def begin_in_a_known_state():
    """Whatever started the tests (cron, nohup, an IDE, a login in any language): environment, umask, signals and home are
    the same. A home without files, as whoever runs the tests may use kootaskfs."""
    for name in set(os.environ) - KEPT:
        del os.environ[name]
    os.environ.update(HOME="/nonexistent", LC_ALL="C.UTF-8")
    os.environ["PATH"] = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    os.umask(0o022)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in signal.valid_signals():
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)  # still does nothing here, but has its default in what is started


begin_in_a_known_state()


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


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.write_line(f"{len(skipped)} tests were skipped, which counts as failed", red=True)


def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and reporter.stats.get("skipped") and exitstatus == 0:
        session.exitstatus = 1
