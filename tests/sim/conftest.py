# SPDX-License-Identifier: MIT
import pytest

from koodrive_sim import Simulator


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
