# SPDX-License-Identifier: MIT
"""For all tests: the simulator, and that a skipped test is a failed one, as it would look like a pass."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent / "sim"))

from koodrive_sim import Simulator  # noqa: E402


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
