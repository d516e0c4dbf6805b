# SPDX-License-Identifier: MIT
"""Signing in: docs/semantics.md and docs/configuration.md, "Signing in"."""

import os
import threading
import time
from pathlib import Path

import pytest

from koodrive_script import JOB, Service
from koodrive_sim import wait_until
from kootaskfs_mount import SHARE_TASK, read_error
from test_config import refused

SESSION = "[service]\nsession-id = SESSION-ONE\n"
WATCH = [f"job {JOB}"]


@pytest.fixture
def service():
    """Makes scripted services, which end after the mounts."""
    services = []

    def make(**options):
        services.append(Service(**options))
        return services[-1]

    yield make
    for made in services:
        made.close()


@pytest.fixture
def join(service, mount):
    """Makes a service, and a mount of it with the token TOKEN-ONE."""

    def make(service_options=None, **settings):
        script = service(**(service_options or {}))
        return script, mount(endpoint=script.url, **{"watch": WATCH, "token": "TOKEN-ONE", **settings})

    return make


def status_of(m, task=JOB):
    return m.read("status", task)


def touch(m):
    os.utime(m.task(JOB))


def touch_fails(m):
    try:
        touch(m)
    except PermissionError:
        return True
    return False


def private(path, text):
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


def everything(m):
    """What is to be seen of the daemon."""
    process = Path(f"/proc/{m.pid()}")
    texts = [path.read_bytes() for path in (m / ".kootaskfs").iterdir()]
    texts += [m.log_file.read_bytes(), (process / "cmdline").read_bytes(), (process / "environ").read_bytes()]
    return b"\n".join(texts)


# ---- the date


@pytest.mark.parametrize("offset", [-3600, -30, 3600])
@pytest.mark.parametrize("code", [None, 13000102])
def test_clock_is_off(join, offset, code):
    """"A refused request that was dated later than its response, or more than 15 minutes before it, is dated anew and sent
    again."

    "After the first response, requests are dated by the clock of the service"

    "`.kootaskfs/health` has `clock-skew` in seconds. It is positive when the clock of this machine is ahead.\""""
    script, m = join({"offset": offset, "date_code": code})
    assert status_of(m) == "completed\n"
    assert script.statuses() == [400, 200]
    touch(m)
    assert script.statuses() == [400, 200, 200]
    warnings = m.log_lines("clock")
    assert len(warnings) == 1 and ("ahead of" if offset < 0 else "behind") in warnings[0]
    skew = int(m.control("health").split("clock-skew: ")[1].split()[0])
    assert abs(skew + offset) <= 60 and (skew > 0) == (offset < 0)
    assert "service: ok, " in m.control("health") and m.control("last-error") == ""


def test_clock_is_right(join):
    """Requests are dated "as its responses show it, and never later than that", and there is no word about it."""
    script, m = join()
    for _ in range(5):
        touch(m)
    assert script.statuses() == [200] * 5
    assert m.log_lines("clock") == []


def test_clock_moves(join):
    """The service's clock is set back: what was known of it is learned anew."""
    script, m = join()
    assert status_of(m) == "completed\n"
    script.offset = -600
    touch(m)
    touch(m)
    assert script.statuses() == [200, 400, 200, 200]


# ---- tokens


def test_new_token_in_file(join):
    """"A secret file is watched, and read again when it is written": the next request has the new token."""
    script, m = join({"tokens": {"Bearer TOKEN-ONE"}})
    assert status_of(m) == "completed\n"
    script.tokens = {"Bearer TOKEN-TWO"}
    private(m.directory / "new", "TOKEN-TWO").rename(m.token_file)
    wait_until(lambda: not touch_fails(m), "the new token")
    assert script.calls[-1].headers["Authorization"] == "Bearer TOKEN-TWO"


def test_broken_token_file(join):
    """"A broken one leaves the old secret in use and shows in .kootaskfs/last-error.\""""
    script, m = join({"tokens": {"Bearer TOKEN-ONE"}})
    m.token_file.chmod(0o644)
    wait_until(lambda: "token not re-read" in m.control("last-error"), "the error")
    assert "(mode 0644)" in m.control("last-error")
    assert status_of(m) == "completed\n"
    m.token_file.write_text("")
    wait_until(lambda: "mode" in m.control("last-error"), "the error")
    m.token_file.chmod(0o600)
    wait_until(lambda: "the first line is empty" in m.control("last-error"), "the error")
    touch(m)
    assert set(script.statuses()) == {200}


def refuse_all(script, m, tokens):
    """From now on these tokens are good; twenty readers are refused at a time."""
    tasks = [str(7000 + n) for n in range(20)]
    script.tokens, script.barrier = tokens, threading.Barrier(len(tasks))
    readers = [m.popen("cat", m.task(t) / "status") for t in tasks]
    for reader in readers:  # signed in, but the service does not know these tasks
        assert "No such file" in reader.communicate(timeout=60)[1]
    assert sorted(script.statuses()) == [200] + [401] * 20 + [404] * 20
    script.barrier = None


MANY = [*WATCH, *(f"job {7000 + n}" for n in range(20))]


def test_token_command_again(join, tmp_path):
    """"When this brings another token than the refused one, the requests are sent again."

    The command runs once for all of them: "the source is read at most once in 3 s\""""
    secret, runs = private(tmp_path / "secret", "TOKEN-ONE"), tmp_path / "runs"
    script, m = join({"tokens": {"Bearer TOKEN-ONE"}}, token=None, negative_ttl="0", watch=MANY,
                     token_command=f"date +%s%N >>{runs}; cat {secret}")
    assert status_of(m) == "completed\n"
    first = int(runs.read_text())
    wait_until(lambda: time.time_ns() > first + 3 * 10**9, "the command may run again")
    private(secret, "TOKEN-TWO")
    refuse_all(script, m, {"Bearer TOKEN-TWO"})
    assert len(runs.read_text().split()) == 2
    script.tokens = set()
    wait_until(lambda: touch_fails(m) and len(runs.read_text().split()) == 3, "the command's third run")
    stamps = [int(stamp) for stamp in runs.read_text().split()]
    assert all(b - a > 2.9e9 for a, b in zip(stamps, stamps[1:]))


def test_same_token_again(join):
    """The source has no other token. "Otherwise a refused request fails at once", after one request."""
    script, m = join({"tokens": set()}, token="TOKEN-ONE")
    assert read_error(m.task(JOB) / "status") == "EACCES"
    assert script.statuses() == [401]
    assert len(m.log_lines("EACCES")) == 1



@pytest.fixture
def session(join):
    """The same with a session."""

    def make(service_options, **settings):
        script, m = join(service_options, auto=False, extra=SESSION, **settings)
        m.conf.chmod(0o600)
        return script, m.start()

    return make


def test_session_refresh(session):
    """"The token is renewed once for all requests that were refused. They wait for it."

    "With a `session-id` the token is renewed by `session/refresh`\""""
    script, m = session({"tokens": {"Bearer TOKEN-ONE"}, "sessions": {"SESSION-ONE": "AT TOKEN-TWO"}}, watch=MANY)
    assert status_of(m) == "completed\n"
    refuse_all(script, m, set())
    refreshes = [call for call in script.calls if call.name == "/session/refresh"]
    assert len(refreshes) == 1 and refreshes[0].method == "POST" and refreshes[0].body == b""
    assert refreshes[0].headers["Authorization"] == "Bearer TOKEN-ONE"
    assert {call.headers["Authorization"] for call in script.calls if call.status == 404} == {"AT TOKEN-TWO"}


def test_session_lost(session):
    """The session is lost, and its source has no other token either: the refusal stands."""
    script, m = session({"tokens": set()})
    assert read_error(m.task(JOB) / "status") == "EACCES"
    assert script.statuses() == [401] and script.statuses("/session/refresh") == [401]
    assert "session/refresh: EACCES" in m.log()


def test_secrets_are_nowhere(session):
    """Old token, new token and session are nowhere to be seen, also when the service says them."""
    script, m = session({"tokens": set(), "sessions": {"SESSION-ONE": "AT TOKEN-TWO"}}, arguments=["-d"])
    assert status_of(m) == "completed\n"
    assert "session-id = ***\n" in m.control("config")
    script.tokens, script.echo = set(), "SESSION-ONE TOKEN-ONE AT TOKEN-TWO TOKEN-TWO"
    assert touch_fails(m)
    assert "refused *** *** AT *** ***" in m.control("last-error")
    for secret in (b"SESSION-ONE", b"TOKEN-ONE", b"TOKEN-TWO"):
        assert secret not in everything(m)


def test_session_configuration(mount):
    """session-id is a secret: "in the file only, which must then have mode 600\""""
    m = mount(auto=False, extra=SESSION)
    assert "[service] session-id: others than its owner may use this file: expected chmod 600" in refused(m)
    m = mount(auto=False, options=["session-id=SESSION-ONE"])
    error = refused(m)
    assert "-o: [service] session-id: a secret" in error and "SESSION-ONE" not in error


# ---- apps


def test_app(service, mount, tmp_path):
    """Every request is signed; the signature is right by another reckoning, for both calls."""
    script = service()
    script.secret = "SECRET-ONE"
    secret = private(tmp_path / "secret", "SECRET-ONE")
    m = mount(endpoint=script.url, token=None, app_id="APP", app_secret_file=str(secret), watch=[*WATCH, f"share 5 {SHARE_TASK}"],
              arguments=["-d"])
    assert status_of(m) == "completed\n"
    assert read_error(m.task() / "status") == "ENOENT"
    assert script.statuses() == [200] and script.statuses("/share/taskDetail") == [404]
    assert all(call.headers["Host"] == script.url.removeprefix("http://") for call in script.calls)
    script.secret = "SECRET-TWO"
    private(secret, "SECRET-TWO")
    wait_until(lambda: not touch_fails(m), "the new secret")
    assert b"SECRET-" not in everything(m)


@pytest.mark.parametrize("settings, words", [
    ({"app_id": "APP"}, "no app secret: expected app-secret-file in [service], or the credential koodrive.app-secret"),
    ({"app_secret_file": "/x"}, "[service] app-secret-file: expected app-id beside it"),
    ({"app_id": "APP", "app_secret_file": "/x", "token_file": "/y"}, "[service] app-id: stands beside token-file"),
    ({"app_id": "APP", "app_secret_file": "/x", "token_command": "y"}, "[service] app-id: stands beside token-command"),
    ({"app_id": "APP", "app_secret_file": "/x", "keep_alive": "yes"}, "[service] keep-alive: an app's secret does not die"),
    ({"keep_alive": "maybe"}, "[service] keep-alive: 'maybe' is neither: expected yes or no"),
])
def test_app_configuration(mount, settings, words):
    """What does not go together is told."""
    assert words in refused(mount(auto=False, token=None, **settings))


# ---- credentials


def test_credentials(service, mount, tmp_path):
    """"The systemd credential koodrive.token", mode 0440 as systemd may make it; one that others can read is refused."""
    script = service(tokens={"Bearer TOKEN-ONE"})
    credential = private(tmp_path / "koodrive.token", "TOKEN-ONE")
    credential.chmod(0o440)
    settings = {"endpoint": script.url, "token": None, "watch": WATCH, "env": {"CREDENTIALS_DIRECTORY": str(tmp_path)}}
    assert status_of(mount(**settings)) == "completed\n"
    credential.chmod(0o444)
    assert "(mode 0444)" in refused(mount(auto=False, **settings))


def test_app_credentials(service, mount, tmp_path):
    """The same for the app's secret."""
    script = service()
    script.secret = "SECRET-ONE"
    private(tmp_path / "koodrive.app-secret", "SECRET-ONE")
    m = mount(endpoint=script.url, token=None, app_id="APP", watch=WATCH, env={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert status_of(m) == "completed\n"


# ---- commands that hang


def children(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_command_hangs(mount, tmp_path):
    """It "is killed with all it started, as at the end of the mount": also when that comes before the mount."""
    started = tmp_path / "started"
    m = mount(auto=False, token=None, token_command=f"sleep 1000 & echo $! >{started}; wait")
    with open(m.log_file, "ab") as log:
        process = m.popen(*m.command(), stdout=log, stderr=log)
    wait_until(lambda: started.exists() and started.read_text().endswith("\n"), "the command")
    process.terminate()
    assert process.wait(60) == 1
    assert "ended by a signal before it was mounted" in m.log()
    child = Path(f"/proc/{started.read_text().strip()}/stat")
    wait_until(lambda: not child.exists() or ") Z " in child.read_text(), "the end of what the command started")


def test_command_hangs_at_the_end(join, tmp_path):
    """The command that was to renew a token is killed when the mount ends; who waits for it is answered."""
    started, once = tmp_path / "started", tmp_path / "once"
    command = f"test -e {once} || {{ touch {once}; echo TOKEN-ONE; exit; }}; sleep 1000 & echo $! >{started}; wait"
    script, m = join({"tokens": set()}, token=None, token_command=command, negative_ttl="0", deadline="1min")
    began = time.monotonic()
    wait_until(lambda: time.monotonic() > began + 3, "the command may run again")
    reader = m.popen("cat", m.task(JOB) / "status")
    wait_until(lambda: started.exists() and started.read_text().endswith("\n"), "the command")
    assert len(children(m.pid())) == 1
    m.signal(15)
    assert m.wait_ended() == 0
    assert "cat: " in reader.communicate(timeout=60)[1]
    child = Path(f"/proc/{started.read_text().strip()}/stat")
    wait_until(lambda: not child.exists() or ") Z " in child.read_text(), "the end of what the command started")
    assert script.statuses() == [401]


def test_command_hangs_in_reload(join, tmp_path):
    """The same of a command that SIGHUP has started: the mount goes on with the old token, and ends at once."""
    started, once = tmp_path / "started", tmp_path / "once"
    command = f"test -e {once} || {{ touch {once}; echo TOKEN-ONE; exit; }}; echo >{started}; sleep 1000"
    script, m = join({"tokens": {"Bearer TOKEN-ONE"}}, token=None, token_command=command)
    m.signal(1)
    wait_until(started.exists, "the command")
    m.signal(1)  # one reload at a time
    assert status_of(m) == "completed\n"
    m.unmount()
    assert "re-read" not in m.log()
