# SPDX-License-Identifier: MIT
"""docs/semantics.md, "Signing in", against the simulator, which checks signatures, dates, tokens and sessions itself."""

import json
import os

import pytest

from koodrive_sim import SHARE, SHARE_TASK, TOKEN, wait_until
from kootaskfs_mount import errno_of, read_error

APP, SECRET, SESSION = "the-app", "s3cret of the app", "the-session"
WATCH = [f"share {SHARE} {SHARE_TASK}"]
ALL = {"watch": WATCH, "families": "share, basic, job", "negative_ttl": "0"}

ways_to_refuse = pytest.mark.parametrize(
    "refusal", [(), ("--auth-status=400",), ("--shape=error-code",), ("--shape=error-200",)],
    ids=["401", "400", "error-code", "200"])
offsets = pytest.mark.parametrize("offset", [-3600, 0, 3600])


def private(path, text):
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def app(start, mount, tmp_path):
    """A simulator that knows an app, and a mount that signs as this app with the secret in the file."""

    def make(*options, secret=SECRET):
        private(tmp_path / "right", SECRET)
        file = private(tmp_path / "secret", secret)
        sim = start("--duration=0", f"--app-id={APP}", f"--app-secret-file={tmp_path}/right", *options)
        return sim, mount(sim, token=None, app_id=APP, app_secret_file=str(file), **ALL), file

    return make


@pytest.fixture
def session(start, mount, tmp_path):
    """A simulator and a mount that share a token and a session."""

    def make(*options):
        sim = start("--duration=0", f"--session-id-file={private(tmp_path / 'session', SESSION)}", *options)
        m = mount(sim, auto=False, extra=f"[service]\nsession-id = {SESSION}\n", **ALL)
        m.conf.chmod(0o600)
        return sim, m.start()

    return make


def touch(m, task=SHARE_TASK):
    return errno_of(os.utime, m.task(task) / "status")


def refused(sim):
    return {name: n for name, n in sim.counters()["refused"].items() if n}


def authorizations(sim):
    return {request["headers"].get("Authorization", "").split()[0] for request in sim.log() if request["call"] != "package"}


# ---- apps


@offsets
def test_app(app, offset):
    """Every call is signed as the service reckons it, by the service's clock; a package's host gets no signature."""
    sim, m, _ = app(f"--clock-offset={offset}")
    assert m.read("status") == "completed\n"
    tasks = [task for task in sim.admin("GET", "tasks")["tasks"] if task["kind"] != "share"]
    assert sorted(os.listdir(m / "tasks")) == sorted([SHARE_TASK, *(task["taskId"] for task in tasks)])
    for task in tasks:
        assert m.read("status", task["taskId"]) == task.get("status", "completed") + "\n"
        assert read_error(m.task(task["taskId"]) / "summary") is None
    package = sim.generated("job", taskType=6)[0]["taskId"]
    link = json.loads(m.read("job.json", package))["downloadUrl"]
    assert (m.task(package) / "package.zip").read_bytes() == sim.download(link).body
    assert refused(sim) == ({"date": 1} if offset else {}), "only the first request of all"
    skew = int(m.control("health").split("clock-skew: ")[1].split()[0])
    assert abs(skew + offset) <= 60
    assert sim.counters()["leaks"] == 0
    assert SECRET not in m.log()


def test_app_signs_every_call(app):
    sim, m, _ = app()
    tasks = os.listdir(m / "tasks")
    assert len(tasks) > 1
    assert {read_error(m.task(task) / "response.json") for task in tasks} == {None}
    assert authorizations(sim) == {"HMAC-SHA256"}
    assert refused(sim) == {}


@ways_to_refuse
def test_another_secret(app, refusal):
    sim, m, file = app(*refusal, secret="another secret")
    assert touch(m) == "EACCES"
    assert "EACCES: " in m.control("last-error") and set(refused(sim)) == {"authorization"}
    private(file, SECRET)
    wait_until(lambda: touch(m) is None, "the new secret")
    assert m.read("status") == "completed\n"
    assert SECRET not in m.log() and "another secret" not in m.log()


# ---- the date


@pytest.mark.parametrize("shape", ["error-code", "error-200"])
@offsets
def test_date(start, mount, shape, offset):
    """However the service words its refusal: "A refused request is sent once more, within its deadline, when its date
    was wrong or another credential can be had.\""""
    sim = start("--duration=0", f"--clock-offset={offset}", f"--shape={shape}")
    m = mount(sim, **ALL)
    assert m.read("status") == "completed\n"
    assert refused(sim) == ({"date": 1} if offset else {})
    assert m.control("last-error") == ""


# ---- sessions and tokens


@ways_to_refuse
def test_session(session, refusal):
    """Renewed when it is refused, each time anew."""
    sim, m = session(*refusal)
    tasks = os.listdir(m / "tasks")
    assert {touch(m, task) for task in tasks} == {None}
    for renewals in (1, 2):
        sim.admin("POST", "expire")
        wait_until(lambda: touch(m, tasks[0]) is None, "the session to be asked, every 3 s at most")
        readers = [m.popen("touch", m.task(task) / "status") for task in tasks]
        assert {reader.wait(60) for reader in readers} == {0}
        assert sim.counters()["calls"]["session/refresh"] == renewals
    assert sim.counters()["leaks"] == 0
    assert SESSION not in m.log() and SESSION not in m.control("config")


def test_many_refused_at_once(session):
    sim, m = session()
    tasks = os.listdir(m / "tasks")
    sim.admin("POST", "expire")
    readers = [m.popen("touch", m.task(task) / "status") for task in tasks]
    assert {reader.wait(60) for reader in readers} == {0}
    assert sim.counters()["calls"]["session/refresh"] == 1


def test_idle_token(session):
    """A token that has died of idleness costs one refused request and one renewal."""
    sim, m = session("--token-idle=2")
    assert touch(m) is None
    wait_until(lambda: not sim.admin("GET", "token")["valid"], "the token to die")
    assert touch(m) is None
    assert refused(sim) == {"authorization": 1} and sim.counters()["calls"]["session/refresh"] == 1


@ways_to_refuse
def test_token(start, mount, refusal):
    """Without a session: refused until there is another token, which is used at once."""
    sim = start("--duration=0", *refusal)
    m = mount(sim, **ALL)
    assert touch(m) is None
    sim.admin("PUT", "token", b"second")
    assert touch(m) == "EACCES"
    private(m.token_file, "second")
    wait_until(lambda: touch(m) is None, "the new token")
    assert set(refused(sim)) == {"authorization"}
    assert TOKEN not in m.control("last-error")


@ways_to_refuse
def test_token_command(start, mount, tmp_path, refusal):
    """A command is asked again, since nobody tells when it has another token."""
    sim = start("--duration=0", *refusal)
    file = private(tmp_path / "token", TOKEN)
    m = mount(sim, token=None, token_command=f"cat {file}", **ALL)
    assert touch(m) is None
    sim.admin("PUT", "token", b"second")
    private(file, "second")
    wait_until(lambda: touch(m) is None, "the command to be asked again, every 3 s at most")
