# SPDX-License-Identifier: MIT
"""docs/configuration.md: "An unknown group, key or option and a bad value are errors that say where and what was expected";
78 and one line. What is right is shown by .kootaskfs/config."""

import os

import pytest

from kootaskfs_mount import BINARY, IMPORT_TASK, SHARE, SHARE_TASK, environment, run, store


def refused(m):
    """The one line a bad configuration gets; the exit code is 78."""
    code, error = m.start_failing()
    assert code == 78, error
    assert error.startswith("kootaskfs: ") and error.count("\n") == 1, error
    return error


BAD = [
    ("ttl", "soon", "[cache] ttl: 'soon' is not a time: expected"), ("ttl", "5", "[cache] ttl:"),
    ("ttl", "-1s", "[cache] ttl:"), ("ttl", "1 s", "[cache] ttl:"), ("ttl", "", "[cache] ttl:"),
    ("ttl", "99999999999999999999s", "[cache] ttl:"), ("ended-ttl", "1y", "[cache] ended-ttl:"),
    ("memory", "much", "[cache] memory: 'much' is not a size: expected"), ("memory", "1T", "[cache] memory:"),
    ("deadline", "0", "[fetch] deadline:"), ("deadline", "forever", "[fetch] deadline:"),
    ("concurrency", "0", "[fetch] concurrency:"), ("concurrency", "x", "[fetch] concurrency:"),
    ("rate", "-1", "[fetch] rate:"), ("max-response", "lots", "[fetch] max-response:"),
    ("events-memory", "1K", "[watch] events-memory: '1K' is out of range: expected a size from 64K to 1G"),
    ("token-scheme", "Basic", "[service] token-scheme: 'Basic' is no token scheme: expected"),
    ("time-zone", "Mars/Olympus", "[service] time-zone: 'Mars/Olympus' is not a time zone: expected"),
    ("endpoint", "http://192.0.2.1", "[service] endpoint: 'http://192.0.2.1' would send the token in clear text"),
    ("endpoint", "http://example.com:80", "[service] endpoint:"), ("endpoint", "ftp://x", "[service] endpoint:"),
    ("endpoint", "https://x/path", "[service] endpoint:"), ("endpoint", "https://u:p@x", "[service] endpoint:"),
    ("endpoint", "nonsense", "[service] endpoint:"), ("endpoint", "https://", "[service] endpoint:"),
    ("user-id", "", "[service] user-id:"),
]


@pytest.mark.parametrize("key, value, words", BAD, ids=[f"{k}={v}" for k, v, _ in BAD])
def test_bad_values(mount, sim, key, value, words):
    """A bad value: file, group, key, what was expected."""
    m = mount(sim, auto=False, **{key.replace("-", "_"): value})
    error = refused(m)
    assert f"{m.conf}: {words}" in error and "expected" in error


@pytest.mark.parametrize("extra, words", [
    ("[cache]\ntll = 5s\n", "[cache] tll: unknown key"), ("[cach]\nttl = 5s\n", "[cach]: unknown group: expected"),
    ("[service]\ntoken = abc\n", "[service] token: unknown key"), ("[cache]\nuser-id = 5\n", "[cache] user-id: unknown key"),
    ("[share a b]\nkdstoken-file = x\n", "[share a b]: this is no share id: expected"),
    ("[share 5]\nkdstoken = x\n", "[share 5] kdstoken: unknown key: expected kdstoken-file"), ("nonsense\n", "nonsense"),
    ("[service]\nendpoint = \\q\n", "[service] endpoint: "),
])
def test_bad_files(mount, sim, extra, words):
    """An unknown key or group, a line that is none."""
    m = mount(sim, auto=False, extra=extra)
    error = refused(m)
    assert str(m.conf) in error and words in error


def test_missing_values(mount, sim):
    """What is needed and missing is told by name."""
    assert "[service] endpoint: missing: expected" in refused(mount(sim, auto=False, endpoint=None))
    assert "[service] user-id: missing: expected" in refused(mount(sim, auto=False, user_id=None))
    assert "no token: expected token-file" in refused(mount(sim, auto=False, token=None))
    assert "expected one of the two" in refused(mount(sim, auto=False, token_command="echo x"))
    m = mount(sim, auto=False)
    m.conf.unlink()
    assert str(m.conf) in refused(m)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o601])
def test_secret_others_can_read(mount, sim, mode):
    """A secret file that others can read is refused, in the background too: `token-file` has "mode 600"."""
    for background in (False, True):
        m = mount(sim, auto=False, token_mode=mode, background=background)
        error = refused(m)
        assert f"{m.token_file}: others than its owner may use this file (mode {mode:04o}): expected chmod 600" in error


@pytest.mark.parametrize("content, words", [("", "empty"), ("\n", "empty"), ("tok\x01en", "printable"), ("töken", "printable")])
def test_bad_secrets(mount, sim, content, words):
    """A token that cannot be one; the line does not show it."""
    m = mount(sim, auto=False)
    m.token_file.write_text(content)
    error = refused(m)
    assert words in error and "tok" not in error.replace(str(m.token_file), "").replace("token", "")


def test_missing_secret(mount, sim):
    """No such file: told by name."""
    m = mount(sim, auto=False)
    m.token_file.unlink()
    assert f"{m.token_file}: No such file" in refused(m)


@pytest.mark.parametrize("line, words", [
    ("nonsense", "unknown kind of task"), ("share 5", "wrong number of words"), ("basic", "wrong number of words"),
    ("share 1 2 3", "wrong number of words"), ("basic a/b", "an id is 1 to 64 of"), ("basic " + "x" * 65, "an id is"),
    ("job", "wrong number of words"), ("job 1 2", "wrong number of words"), ("SHARE 1 2", "unknown kind of task"),
    ("basic jobs", "a word of the service's own paths is no id"), ("job Task", "a word of the service's own paths is no id"),
])
def test_bad_watch_list(mount, sim, line, words):
    """A broken line: file, line number, what was expected. "Such a word as the id of a basic task or a job is an error in the
    watch list.\""""
    m = mount(sim, auto=False, watch=["# fine", line])
    error = refused(m)
    assert f"{m.list}:2: " in error and words in error and "expected" in error


def test_missing_watch_list(mount, sim):
    """A watch list that is named must be there."""
    m = mount(sim, auto=False)
    m.list.unlink()
    assert str(m.list) in refused(m)
    m.configure(file="/nowhere/at/all")
    assert "/nowhere/at/all" in refused(m)


def test_no_watch_list(mount, sim):
    """None is named: no tasks, but what is named is found."""
    m = mount(sim, watch=None)
    assert os.listdir(m / "tasks") == []
    m = mount(sim, watch=None, families="share, basic")
    assert m.read("status", IMPORT_TASK) == "completed\n"
    assert (m / "shares" / SHARE / SHARE_TASK / "status").read_text() == "completed\n"


def test_options_override(mount, sim):
    """"Every key but `session-id` also goes after `-o`, as in `-o ttl=2s`, and then wins over the file"; so does ENDPOINT."""
    m = mount(sim, options=["ttl=2s", "deadline=3s", "noatime"], ttl="9s", endpoint="https://example.com",
              arguments=[sim.url])
    config = m.control("config")
    assert "ttl = 2s\n" in config and "deadline = 3s\n" in config and f"endpoint = {sim.url}\n" in config
    assert m.read("status") == "completed\n"
    error = refused(mount(sim, options=["ttl=soon"], auto=False))
    assert "-o: [cache] ttl: 'soon'" in error


def test_defaults(mount, sim):
    """The defaults are those of the documentation; what is not set is left out, as are secrets."""
    config = mount(sim).control("config")
    for line in ("ttl = 5s", "ended-ttl = forever", "negative-ttl = 3s", "max-stale = 5min", "memory = 256M",
                 "deadline = 10s", "concurrency = 64", "rate = 0", "max-response = 64M", "token-scheme = auto",
                 "language = en-US", "time-zone = UTC", "list-ttl = 30s"):
        assert f"\n{line}\n" in config
    assert "proxy" not in config and "koodrive-sim-token" not in config


def test_units(mount, sim):
    """"Times are a whole number with `ms`, `s`, `min`, `h` or `d`, or `forever`; sizes a whole number of bytes, or one
    with `K`, `M` or `G`.\""""
    m = mount(sim, ttl="90s", ended_ttl="2d", negative_ttl="1500ms", max_stale="120min", memory="1G", max_response="2048K",
              deadline="1h")
    config = m.control("config")
    for line in ("ttl = 90s", "ended-ttl = 2d", "negative-ttl = 1500ms", "max-stale = 2h", "memory = 1G",
                 "max-response = 2M", "deadline = 1h"):
        assert f"\n{line}\n" in config


def test_time_zone(mount, sim):
    """"A time of the service without a zone is read in `time-zone`.\""""
    m = mount(sim, time_zone="+08:00")
    assert m.read("created") == "2024-09-30T01:19:32Z\n"


def test_default_place(mount, sim, tmp_path):
    """Without config= it is $XDG_CONFIG_HOME/kootaskfs/kootaskfs.conf."""
    m = mount(sim, auto=False, env={"XDG_CONFIG_HOME": str(tmp_path)})
    (tmp_path / "kootaskfs").mkdir()
    os.rename(m.conf, tmp_path / "kootaskfs" / "kootaskfs.conf")
    m.command = lambda: [BINARY, "-f", str(m.path)]
    assert m.start().read("status") == "completed\n"


def test_no_configuration_file(sim, tmp_path):
    """Everything by -o and the environment; what is missing is told."""

    def check(*arguments):
        """With an empty /etc, as there may be a configuration in this machine's."""
        return run("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /etc && exec "$@"', "sh", BINARY, "--check",
                   "-o", "user-id=7", *arguments, check=False,
                   env=environment(XDG_CONFIG_HOME=str(tmp_path), KOOTASKFS_TOKEN="koodrive-sim-token"))

    done = check(sim.url)
    assert done.returncode == 0 and "ok    sign-in" in done.stdout
    done = check()
    assert done.returncode == 78 and "endpoint: missing" in done.stderr + done.stdout


def test_empty_configuration_file(mount, sim, tmp_path):
    """The same on a mount."""
    m = mount(sim, auto=False, env={"XDG_CONFIG_HOME": str(tmp_path), "KOOTASKFS_TOKEN": "koodrive-sim-token"})
    (tmp_path / "kootaskfs").mkdir()
    (tmp_path / "kootaskfs" / "kootaskfs.conf").touch()
    m.command = lambda: [BINARY, "-f", "-o", "user-id=7", sim.url, str(m.path)]
    m.start()
    assert m.read("status", IMPORT_TASK) == "completed\n"


def test_token_command(mount, sim):
    """token-command prints the token; one that fails or prints nothing is refused."""
    m = mount(sim, token=None, token_command="sleep 0.1; echo koodrive-sim-token; echo more")
    assert m.read("status") == "completed\n"
    for command in ("exit 3", "true", "echo koodrive-sim-token; exit 1"):
        assert "token-command" in refused(mount(sim, auto=False, token=None, token_command=command))


@pytest.mark.parametrize("scheme, token, sent", [
    ("auto", "koodrive-sim-token", "Bearer"), ("auto", "AT koodrive-sim-token", "AT"),
    ("auto", "Bearer+koodrive-sim-token", "Bearer+"), ("Bearer+", "koodrive-sim-token", "Bearer+"),
    ("Bearer", "koodrive-sim-token", "Bearer"), ("raw", "koodrive-sim-token", ""),
])
def test_token_schemes(mount, sim, scheme, token, sent):
    """token-scheme: each form the service's pages write is accepted by it."""
    m = mount(sim, token=token, token_scheme=scheme)
    assert m.read("status") == "completed\n"
    assert sim.log()[0]["headers"]["Authorization"].startswith(sent)


def test_share_token(mount, sim):
    """kdstoken-file: "file with the temporary token of that share"; a readable one is refused."""
    m = mount(sim, auto=False)
    secret = m.directory / "kds"
    secret.write_text("share-secret\n")
    secret.chmod(0o600)
    m.extra = f"[share {SHARE}]\nkdstoken-file = {secret}\n"
    m.configure()
    m.start()
    store(sim, '{"code":13000410,"msg":"no share-secret for you"}')
    assert m.read("status", IMPORT_TASK) == "completed\n"
    assert run("cat", m.task() / "status", check=False).returncode == 1
    assert "share-secret" not in m.log() + m.control("last-error") + m.control("config")
    other = mount(sim, auto=False, extra=m.extra)
    secret.chmod(0o644)
    assert "chmod 600" in refused(other)
