# SPDX-License-Identifier: MIT
"""docs/configuration.md, "Does it work?": --check says step by step what works, and ends with 0 or what failed."""
import time

import pytest

from koodrive_sim import IMPORT_TASK, SHARE, SHARE_TASK, TOKEN
from kootaskfs_mount import BINARY, NOWHERE, environment, run


def check(m, *options, **env):
    """(exit code, {step: (ok or FAIL, text)}) of the mount's configuration, whose mount is not needed."""
    done = run(BINARY, "--check", "-o", ",".join([f"config={m.conf}", *options]), check=False, env=environment(**env))
    assert TOKEN not in done.stdout + done.stderr
    assert done.stderr == "" or done.returncode == 78, done.stderr
    steps = {line[6:20].strip(): (line[:4].strip(), line[21:]) for line in done.stdout.splitlines() if line[0] != " "}
    return done.returncode, steps


@pytest.fixture
def account(start, mount):
    """A mount's configuration for an account with 5 basic tasks, 7 jobs and one watched share task."""
    def make(*options, **settings):
        sim = start("--duration=0", "--tasks=0", "--imports=4", "--jobs=7", *options)
        settings.setdefault("families", "share, basic, job")
        return sim, mount(sim, auto=False, watch=[f"share {SHARE} {SHARE_TASK}"], **settings)
    return make


def test_all_works(account):
    sim, m = account()
    code, steps = check(m)
    assert code == 0
    assert {state for state, _ in steps.values()} == {"ok"}
    assert list(steps) == ["configuration", "watch list", "name", "connection", "list basic", "list job", "task", "clock",
                           "sign-in"]
    assert steps["list basic"][1] == "5 tasks"
    assert steps["list job"][1] == "7 tasks"
    assert steps["task"][1] == f"share {SHARE_TASK}: completed"
    assert sim.counters()["total"] == 3, "each question is put once"


def test_without_a_watched_task(account):
    """Then one that the service lists is the example."""
    sim, m = account(families="basic")
    m.write_list()
    code, steps = check(m)
    assert (code, steps["task"][0]) == (0, "ok")
    assert steps["task"][1].startswith("basic ")
    assert sim.counters()["calls"]["jobs"] == 0


def test_token_refused(account):
    _, m = account()
    m.token_file.write_text("another\n")
    code, steps = check(m)
    assert code == 77
    assert steps["connection"][0] == "ok", "the service did answer"
    assert steps["list basic"][0] == steps["list job"][0] == steps["task"][0] == "FAIL"
    assert "sign-in" not in steps


def test_one_family_refused(account):
    """The others are all right, and it is said which is not."""
    sim, m = account()
    sim.fault(kind="status", status=403, code=13000410, call="jobs", times=-1)
    code, steps = check(m)
    assert code == 77
    assert [step for step, (state, _) in steps.items() if state == "FAIL"] == ["list job"]
    assert steps["sign-in"][0] == "ok"


@pytest.mark.parametrize("endpoint, code, step", [(NOWHERE, 69, "connection"),
                                                  ("https://no-such-host.invalid", 69, "name")], ids=["port", "name"])
def test_nobody_there(account, endpoint, code, step):
    _, m = account(endpoint=endpoint)
    result, steps = check(m)
    assert (result, list(steps)[-1], steps[step][0]) == (code, step, "FAIL"), "nothing is asked in vain"


def test_broken_configuration(account):
    _, m = account(ttl="soon")
    assert check(m) == (78, {})
    m.configure(ttl="5s")
    m.write_list("share 1")
    code, steps = check(m)
    assert (code, steps["watch list"][0]) == (78, "FAIL")
    m.token_file.chmod(0o644)
    m.write_list()
    code, steps = check(m)
    assert (code, steps["secrets"][0]) == (78, "FAIL")


def test_no_answer(account):
    sim, m = account(deadline="300ms")
    sim.fault(kind="delay", ms=30000, times=-1)
    code, steps = check(m)
    assert (code, steps["connection"][0]) == (75, "FAIL")
    assert sim.counters()["total"] == 1, "the rest is not asked in vain"


def test_unknown_task(account):
    _, m = account()
    m.write_list(f"share {SHARE} 404")
    code, steps = check(m)
    assert (code, steps["task"][0]) == (66, "FAIL")


@pytest.mark.parametrize("offset, word", [(-100, "ahead of"), (100, "behind")])
def test_clock(account, offset, word):
    """Ahead of the service's clock requests would be refused: they are dated by the service's own."""
    _, m = account(f"--clock-offset={offset}")
    code, steps = check(m)
    assert code == 0
    assert word in steps["clock"][1]
    seconds = int(steps["clock"][1].split()[0])
    assert 95 <= seconds <= 105


def test_none_is_the_configured_endpoint(account):
    """Options and ENDPOINT are as for a mount."""
    _, m = account()
    assert run(BINARY, "--check", "none", "-o", f"config={m.conf}", env=environment()).stdout.startswith("ok ")


def test_nothing_is_mounted(account):
    """And the endpoint may be given as for a mount; there is no mount point."""
    sim, m = account(endpoint=NOWHERE)
    done = run(BINARY, "--check", "-o", f"config={m.conf}", sim.url, check=False, env=environment())
    assert done.returncode == 0
    done = run(BINARY, "--check", "-o", f"config={m.conf}", sim.url, m.path, check=False, env=environment())
    assert done.returncode == 2
    assert "expected [ENDPOINT]" in done.stderr
