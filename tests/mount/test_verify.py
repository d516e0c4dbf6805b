# SPDX-License-Identifier: MIT
"""docs/semantics.md, "At the start": a mount whose service refuses it says so, and is a mount all the same."""

import os
import re
import signal

import pytest

from koodrive_sim import IMPORT_TASK, SHARE, SHARE_TASK, TOKEN, wait_until
from kootaskfs_mount import BINARY, environment, mounts_at, run
from test_lifecycle import one_line
from test_words import documented

ALL = "share, basic, job"
FOREVER = 600_000  # milliseconds: longer than anybody waits


def mount_it(m):
    """What a background mount says, having exited with 0 and being there."""
    done = run(*m.command(), env=environment(**m.env))
    assert mounts_at(m.path) and done.stdout == "" and TOKEN not in done.stderr
    return done.stderr


@pytest.fixture
def make(start, mount):
    def make_one(*options, **settings):
        sim = start("--duration=0", "--tasks=2", "--imports=2", "--jobs=7", *options)
        settings = {"families": ALL, "verify": None, "background": True, **settings}
        return sim, mount(sim, auto=False, **settings)
    return make_one


def test_all_is_well(make):
    """"the command returns when the mount is ready and the question is answered", which is cheap; and nothing is said."""
    sim, m = make()
    assert mount_it(m) == ""
    assert [request["call"] for request in sim.log()] == ["task/list"]
    assert "service: ok" in m.control("health")


@pytest.mark.parametrize("options, settings", [(["noverify"], {}), (["verify=no"], {}), ([], {"verify": "no"}),
                                               (["noverify"], {"verify": "yes"})])
def test_not_wanted(make, options, settings):
    """"With `verify = no` or `-o noverify`, nothing is asked", and nothing is waited for."""
    sim, m = make(options=options, **settings)
    sim.fault(kind="delay", ms=FOREVER, times=-1)
    assert mount_it(m) == ""
    assert sim.counters()["total"] == 0
    assert "service: not asked yet" in m.control("health")


FAULTS = [
    ({"kind": "status", "status": 401}, "HTTP 401"), ({"kind": "status", "status": 403, "code": 13000410}, "HTTP 403"),
    ({"kind": "status", "status": 404}, "HTTP 404"), ({"kind": "status", "status": 501}, "HTTP 501"),
    ({"kind": "garbage"}, ""), ({"kind": "empty"}, "without a body"),
]


@pytest.mark.parametrize("fault, words", FAULTS, ids=[" ".join(map(str, fault.values())) for fault, _ in FAULTS])
def test_refused(make, fault, words):
    """"The line says what `kootaskfs --check` says about this failure."

    "The exit code is 0 all the same, and the mount stays.\""""
    sim, m = make()
    sim.fault(times=-1, **fault)
    line = one_line(mount_it(m))
    assert "mounted, but asking the service failed: list basic: " in line and words in line and documented(line)
    check = run(BINARY, "--check", "-o", f"config={m.conf}", check=False, env=environment()).stdout
    advice = re.search(r"^FAIL +list basic .*\n +(.*)$", check, re.M).group(1)
    assert line.endswith(f"; {advice}\n")
    assert "service: failing" in m.control("health") or fault.get("status") == 404


PASSING = [{"kind": "status", "status": 429}, {"kind": "status", "status": 500}, {"kind": "reset"}]


@pytest.mark.parametrize("fault", PASSING, ids=["429", "500", "reset"])
def test_tried_again(make, fault):
    """What may get better is tried again meanwhile; on a machine that is busy the time may be up before the last try."""
    sim, m = make()
    sim.fault(times=-1, **fault)
    assert "mounted, but " in one_line(mount_it(m))


def test_gets_better(make):
    """Then there is nothing to say."""
    sim, m = make()
    sim.fault(times=1, kind="status", status=503)
    assert mount_it(m) == ""


def test_token_refused_in_the_foreground(make):
    """"kootaskfs writes one line: to stderr, or with `-f` to the log.\""""
    _, m = make(background=False, token="another-token")
    m.start()
    wait_until(lambda: m.log_lines("mounted, but asking the service failed: list basic: HTTP 401"), "the warning")


@pytest.mark.parametrize("endpoint, words", [
    ("http://127.0.0.1:9", "connection: "), ("https://no-such-host.invalid", "connection: "),
])
def test_nobody_there(make, endpoint, words):
    """Resolving a name can take its time."""
    _, m = make(endpoint=endpoint)
    line = one_line(mount_it(m))
    assert "has not answered" in line or (words in line and "is [service] endpoint right" in line)


def test_no_tls_there(make):
    """An endpoint that speaks no TLS: whoever reads it is not sent to look for certificates alone."""
    sim, m = make()
    m.configure(endpoint=sim.url.replace("http:", "https:"))
    line = one_line(mount_it(m))
    assert "mounted, but asking the service failed: TLS: " in line and "must be one where TLS is spoken" in line


def test_connection_that_ends(make):
    """The advice is of the connection: the service has not said anything."""
    sim, m = make(options=["deadline=1s"])
    sim.fault(times=-1, kind="reset")
    line = one_line(mount_it(m))
    assert "ends connections" in line or "has not answered" in line


@pytest.mark.parametrize("settings, words", [({}, "within 2s"), ({"deadline": "300ms"}, "within 300ms")])
def test_silent_service(make, settings, words):
    """"It waits for the response 2 s at most, or `deadline` when that is shorter": then it is said that there was none."""
    sim, m = make(**settings)
    sim.fault(kind="delay", ms=FOREVER, times=-1)
    line = one_line(mount_it(m))
    assert f"mounted, but the service has not answered {words}; kootaskfs --check waits longer" in line
    assert documented(line)
    assert sim.counters()["total"] == 1


def test_serves_meanwhile(make):
    """"The mount serves files while the question is open": a read ends before it does, unless the machine is too busy for
    that."""
    for _ in range(5):
        sim, m = make(background=False)
        sim.fault(kind="delay", ms=FOREVER, times=1, call="task/list")
        m.start()
        assert m.read("status") == "completed\n"
        meanwhile = not m.log_lines("mounted, but")
        wait_until(lambda: m.log_lines("has not answered within 2s"), "the warning")
        assert m.read("result") == "succeeded\n"
        if meanwhile:
            return
    raise AssertionError("it waited five times for the end of the question")


@pytest.mark.parametrize("families, watch, calls", [
    ("share", [f"share {SHARE} {SHARE_TASK}"], ["share/taskDetail"]), ("share", [], []),
    ("job, share", [f"share {SHARE} {SHARE_TASK}"], ["jobs"]), ("share", None, []),
    ("share", [f"basic {IMPORT_TASK}"], ["task", "task/result"]), ("job, basic", [], ["task/list"]),
])
def test_which_question(make, families, watch, calls):
    """"The question is for one task of a list: of the list of basic tasks, or of the list of jobs when `families` leaves out
    `basic`."

    "When `families` has neither `basic` nor `job`, the question is for the first task of the watch list."

    "When there is no such list and no watched task, nothing is asked.\""""
    sim, m = make(families=families, watch=watch)
    assert mount_it(m) == ""
    assert sorted(request["call"] for request in sim.log()) == calls


def test_watched_task_unknown(make):
    """As --check says it."""
    _, m = make(families="share", watch=[f"share {SHARE} 404"])
    assert "share 404: HTTP 400, code 13000309" in mount_it(m)


def test_page_of_one(make):
    """"The question is for one task of a list: of the list of basic tasks", however long the list is."""
    sim, m = make("--imports=250")
    assert mount_it(m) == ""
    request, = sim.log()
    assert "pageSize=1" in request.get("query", request.get("target", "")), request


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "SIGHUP", "unmount"])
@pytest.mark.parametrize("background", [False, True])
def test_meanwhile(make, how, background):
    """The end does not wait for the answer; nor is a reload kept."""
    sim, m = make(background=background)
    sim.fault(kind="delay", ms=FOREVER, times=-1)
    command = m.popen(*m.command(), env=environment())
    wait_until(lambda: sim.counters()["total"] == 1, "the question")
    pid = command.pid
    if background:
        pid = int(run("pgrep", "-P", command.pid).stdout)
    if how == "unmount":
        run("fusermount3", "-u", m.path)
    else:
        os.kill(pid, getattr(signal, how))
    if how == "SIGHUP":
        if background:
            _, told = command.communicate(timeout=60)
            assert command.returncode == 0 and "has not answered" in one_line(told)
        else:
            assert "configuration read again" in command.stderr.readline()
            assert "has not answered" in "".join(command.stderr.readline() for _ in range(2))
        m.unmount()
    else:
        _, told = command.communicate(timeout=60)
        assert not mounts_at(m.path)
        expected = (1, "kootaskfs: ended before the mount was ready\n") if background else (0, "")
        assert (command.returncode, told) == expected
    wait_until(lambda: not os.path.exists(f"/proc/{pid}") or command.poll() is not None, "the end")
