# SPDX-License-Identifier: MIT
"""docs/semantics.md, "Errors": the table, end to end, what happened → which errno."""

import os
import re
import shutil
import socket
import subprocess

import pytest

from koodrive_sim import wait_until
from kootaskfs_mount import DATA, IMPORT_TASK, SHARE, SHARE_TASK, detail, errno_of, read_error, run, store

BROKEN = (DATA / "task-result.broken.json").read_text()


def check_told(m, name, count=1):
    """The failure is in the log, with its trace id, so many times; in last-error, in health, in the attributes."""
    trace = m.sim.log()[-1]["headers"]["X-Traceid"] if m.sim.log() else None
    lines = m.log_lines(f": {name}: ")
    assert len(lines) == count, m.log()
    last = m.control("last-error")
    assert last.count("\n") == 1 and f": {name}: " in last
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ", last)
    if trace:
        assert f"trace id {trace}" in lines[-1] and f"trace id {trace}" in last
    health = m.control("health")
    assert "service: failing, " in health and f"failures-in-a-row: {count}\n" in health
    assert os.getxattr(m.task(), "user.kootaskfs.error").decode().startswith(name + ": ")


FAULTS = [
    ({"kind": "status", "status": 401}, "EACCES", 1),
    ({"kind": "status", "status": 403}, "EACCES", 1),
    ({"kind": "status", "status": 400}, "EACCES", 1),
    ({"kind": "status", "status": 400, "code": 4711}, "EACCES", 1),
    ({"kind": "status", "status": 401, "code": "APIGW.0301"}, "EACCES", 1),
    ({"kind": "code", "code": 13000410}, "EACCES", 1),
    ({"kind": "code", "code": "13000410"}, "EACCES", 1),
    ({"kind": "code", "status": 400, "code": 13000410}, "EACCES", 1),
    ({"kind": "code", "status": 400, "code": 13000102}, "EIO", 1),
    ({"kind": "code", "code": 13000201}, "EIO", 1),
    ({"kind": "code", "code": 13000407}, "EIO", 1),
    ({"kind": "code", "code": 99}, "EIO", 1),
    ({"kind": "status", "status": 429}, "EBUSY", 4),
    ({"kind": "status", "status": 500}, "EIO", 4),
    ({"kind": "status", "status": 502}, "EIO", 4),
    ({"kind": "status", "status": 503}, "EIO", 4),
    ({"kind": "status", "status": 504}, "EIO", 4),
    ({"kind": "status", "status": 302}, "EIO", 1),
    ({"kind": "truncate"}, "EIO", 4),
    ({"kind": "reset"}, "EIO", 4),
    ({"kind": "garbage"}, "EBADMSG", 1),
    ({"kind": "empty"}, "EBADMSG", 1),
    ({"kind": "garbage", "contentType": "text/html"}, "EBADMSG", 1),
]


@pytest.mark.parametrize("fault, name, attempts", FAULTS, ids=[f"{f}→{n}" for f, n, _ in FAULTS])
def test_faults(mount, sim, fault, name, attempts):
    """Each way the service can fail is one errno; and after it, all is well again. "A request is repeated, at most three
    times, when its trouble may pass"

    "A failure is logged once, however many readers it has." "The log line has the trace id of the request"

    "`.kootaskfs/last-error` shows the last failure." "`user.kootaskfs.error` is the last failure, until a request
    succeeds.\""""
    m = mount(sim, negative_ttl="1h")
    sim.fault(**fault, times=-1)
    assert read_error(m.task() / "status") == name
    assert m.requests(SHARE_TASK) == attempts
    assert read_error(m.task() / "job.json") == name, "remembered for negative-ttl"
    assert errno_of(os.listdir, m.task() / "files") == name
    assert m.requests(SHARE_TASK) == attempts
    check_told(m, name)
    sim.admin("DELETE", "faults")
    run("touch", m.task())
    assert m.read("status") == "completed\n"
    assert "service: ok, " in m.control("health")
    assert errno_of(os.getxattr, m.task(), "user.kootaskfs.error") == "ENODATA"


@pytest.mark.parametrize("arguments", [[], ["-d"]], ids=["", "debug"])
def test_unknown_is_no_news(mount, sim, arguments):
    """"That a task is unknown is logged at debug level only.\""""
    m = mount(sim, families="share, basic", arguments=arguments)
    sim.fault(kind="code", code=13000309, times=-1)
    assert read_error(m.task() / "status") == "ENOENT"
    assert read_error(m.task("4711") / "status") == "ENOENT"
    lines = [m.log_lines(f"{task}: ENOENT: ") for task in (SHARE_TASK, "4711")]
    assert all(lines) if arguments else m.log() == ""


@pytest.mark.parametrize("fault", [
    {"kind": "status", "status": 404}, {"kind": "status", "status": 400, "code": 13000309},
    {"kind": "code", "code": "13000309"},
])
def test_not_there(mount, sim, fault):
    """no such task (13000309, 404): ENOENT; the service did answer, so its health is ok."""
    m = mount(sim, families="share, basic")
    sim.fault(**fault, times=-1)
    assert read_error(m.task() / "status") == "ENOENT"
    assert read_error(m.task("4711") / "status") == "ENOENT"
    assert m.requests(SHARE_TASK) == 1 and m.asked("task/result", "4711") == 1
    assert re.search("task(/result)? 4711: ENOENT: ", m.control("last-error"))
    assert "service: ok, " in m.control("health")


@pytest.mark.parametrize("body", ["[]", "1", '"text"', "null", "", " ", "{", '{"jobInfo":{}', '{"jobInfo":[]}', "{}",
                                  '{"jobInfo":{},"taskInfos":7}', '{"jobInfo":{},"taskInfos":[7]}', "<html></html>",
                                  '{"jobInfo":{"taskId":"1"}}', '{"jobInfo":{"a":01}}', '{"jobInfo":{"a":"\\u12zz"}}',
                                  '{"jobInfo":{"a":"\0"}}', '{"jobInfo":{}}x', '{"jobInfo":{"progress":NaN}}'])
def test_not_of_the_documented_kind(mount, sim, body):
    """answer is not JSON, or not of the documented kind: EBADMSG, for every file."""
    m = mount(sim)
    store(sim, body)
    assert {read_error(m.task() / name) for name in ("status", "progress", "job.json", "response.json")} == {"EBADMSG"}
    check_told(m, "EBADMSG")
    assert m.requests(SHARE_TASK) == 1


def test_broken_sample(mount, sim):
    """The documented sample that is not JSON: EBADMSG on every file, one log line with the trace id a request, and
    right again when the service is. "A failure is never turned into an empty file.\""""
    m = mount(sim, negative_ttl="50ms")
    store(sim, BROKEN, IMPORT_TASK)
    names = sorted(set(os.listdir(m.task(IMPORT_TASK))) - {"files", "events"})
    assert {name: read_error(m.task(IMPORT_TASK) / name) for name in names} == dict.fromkeys(names, "EBADMSG")
    done = run("cat", m.task(IMPORT_TASK) / "status", check=False)
    assert done.returncode == 1 and "Bad message" in done.stderr
    traces = [request["headers"]["X-Traceid"] for request in sim.log() if request["status"] == 200]
    lines = m.log_lines("EBADMSG")
    assert len(lines) == len(traces) > 0 and all(any(trace in line for line in lines) for trace in traces)
    sim.admin("DELETE", f"answers/{IMPORT_TASK}")
    wait_until(lambda: read_error(m.task(IMPORT_TASK) / "status") is None, "the recovery")
    assert m.read("failures.csv", IMPORT_TASK) == "userName,desc\nss,The user already exists.\n"


def test_broken_sample_and_touch(mount, sim):
    """touch does not wait for negative-ttl."""
    m = mount(sim, negative_ttl="1h")
    store(sim, BROKEN, IMPORT_TASK)
    assert read_error(m.task(IMPORT_TASK) / "status") == "EBADMSG"
    sim.admin("DELETE", f"answers/{IMPORT_TASK}")
    assert read_error(m.task(IMPORT_TASK) / "status") == "EBADMSG"
    run("touch", m.task(IMPORT_TASK))
    assert m.read("status", IMPORT_TASK) == "completed\n"


def test_deadline(mount, sim):
    """deadline passed: ETIMEDOUT."""
    m = mount(sim, deadline="300ms")
    sim.fault(kind="delay", ms=60_000, times=-1)
    assert read_error(m.task() / "status") == "ETIMEDOUT"
    check_told(m, "ETIMEDOUT")


def test_deadline_includes_retries(mount, sim):
    """A Retry-After beyond the deadline: "When the next retry would begin after the deadline, the operation fails at
    once.\""""
    m = mount(sim, deadline="1h")
    sim.fault(kind="status", status=429, retryAfter="7200", times=-1)
    assert read_error(m.task() / "status") == "EBUSY"
    assert m.requests() == 1


def test_retry_succeeds(mount, sim):
    """A passing trouble is nobody's errno: 429 with Retry-After, 503, a reset, then the answer."""
    m = mount(sim)
    sim.fault(kind="status", status=429, retryAfter="0")
    sim.fault(kind="status", status=503)
    sim.fault(kind="reset")
    assert m.read("status") == "completed\n"
    assert m.requests() == 4 and m.log_lines(SHARE_TASK) == []


def test_refused(mount):
    """cannot connect: EHOSTUNREACH."""
    with socket.socket() as bound:  # bound, and nobody listens
        bound.bind(("127.0.0.1", 0))
        m = mount(endpoint=f"http://127.0.0.1:{bound.getsockname()[1]}")
        m.sim = type("None", (), {"log": lambda self: []})()
        assert read_error(m.task() / "status") == "EHOSTUNREACH"
        check_told(m, "EHOSTUNREACH")


def test_name_not_resolved(mount):
    """name not resolved: EHOSTUNREACH."""
    m = mount(endpoint="https://nowhere.invalid", deadline="30s")
    assert read_error(m.task() / "status") == "EHOSTUNREACH"


def test_tls_to_a_plain_port(mount, sim):
    """TLS not trusted: EPROTO; here there is no TLS at all."""
    m = mount(sim, endpoint=sim.url.replace("http:", "https:"))
    assert read_error(m.task() / "status") == "EPROTO"
    assert ": EPROTO: " in m.control("last-error")


def test_tls_not_trusted(mount, tmp_path):
    """TLS not trusted: EPROTO; with ca-file it is trusted, and then the HTTP answer counts."""
    assert shutil.which("openssl")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", "127.0.0.1:0", "-key", key, "-cert", cert, "-www", "-naccept", "50"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
    try:
        port = next(line for line in server.stdout if line.startswith("ACCEPT")).strip().rpartition(":")[2]
        m = mount(endpoint=f"https://127.0.0.1:{port}", negative_ttl="50ms")
        assert read_error(m.task() / "status") == "EPROTO"
        assert len(m.log_lines(": EPROTO: ")) == 1
        trusting = mount(endpoint=f"https://127.0.0.1:{port}", ca_file=cert)
        assert read_error(trusting.task(IMPORT_TASK) / "status") == "EBADMSG", "its page is HTML"
        other = mount(endpoint=f"https://127.0.0.2:{port}", ca_file=cert)
        assert read_error(other.task(IMPORT_TASK) / "status") == "EHOSTUNREACH", "nobody listens there"
    finally:
        server.kill()
        server.communicate()


def test_wrong_token(mount, sim):
    """token refused: EACCES."""
    m = mount(sim, token="not-the-right-one")
    assert read_error(m.task() / "status") == "EACCES"
    assert sim.counters()["refused"]["authorization"] == 1
    check_told(m, "EACCES")


WRITES = [
    'echo x > "$1/status"', 'echo x >> "$1/status"', 'echo x > "$1/new"', 'mkdir "$1/new"', 'rm "$1/status"',
    'rm -f "$1/job.json"', 'rmdir "$1/files"', 'mv "$1/status" "$1/other"', 'mv "$1/status" "$1/../../x"',
    'ln "$1/status" "$1/hard"', 'ln -s status "$1/soft"', 'chmod 600 "$1/status"', 'chmod 755 "$1"',
    'chown 1 "$1/status"', 'truncate -s 0 "$1/status"', 'truncate -s 99 "$1/status"', 'touch -d 2020-01-01 "$1/status"',
    'touch -d 2020-01-01 "$1"', 'touch "$1/new"', 'setfattr -n user.x -v y "$1/status"',
    'setfattr -x user.kootaskfs.stale "$1/status"', 'mknod "$1/fifo" p', 'cp /etc/passwd "$1/status"',
    'dd if=/dev/zero of="$1/status" bs=1 count=1 conv=notrunc', 'fallocate -l 10 "$1/status"', 'rm -r "$1/files/f"',
]


@pytest.mark.parametrize("script", WRITES)
def test_writes(mount, sim, script):
    """a write: EROFS, of every kind; and nothing has changed."""
    m = mount(sim, ttl="1h")
    store(sim, detail(files=["f"]))
    before = run("grep", "-r", ".", m.task()).stdout
    done = run("bash", "-euc", script, "bash", m.task(), check=False, env={**os.environ, "LC_ALL": "C"})
    assert done.returncode != 0 and "Read-only file system" in done.stderr, done
    assert run("grep", "-r", ".", m.task()).stdout == before
    assert m.requests(SHARE_TASK) == 1


def test_open_for_writing_keeps_the_content(mount, sim):
    """Opening with O_TRUNC must not empty the kernel's copy."""
    m = mount(sim, ttl="1h")
    store(sim, detail())
    path = m.task() / "status"
    assert path.read_text() == "running\n"
    for flags in (os.O_TRUNC, os.O_RDWR | os.O_TRUNC, os.O_WRONLY | os.O_CREAT | os.O_TRUNC):
        assert errno_of(os.open, path, flags) == "EROFS"
        assert os.stat(path).st_size == 8 and path.read_text() == "running\n"
    opened = os.open(path, os.O_RDWR)
    assert errno_of(os.write, opened, b"failed\n") == "EROFS"
    assert errno_of(os.pwrite, opened, b"failed\n", 100) == "EROFS"
    assert errno_of(os.ftruncate, opened, 0) == "EROFS"
    assert errno_of(os.posix_fallocate, opened, 0, 99) == "EROFS"
    assert os.pread(opened, 99, 0) == b"running\n"
    os.close(opened)


def test_access(mount, sim):
    """What may be written is asked of access(2) too."""
    m = mount(sim)
    assert os.access(m.task() / "status", os.R_OK) and os.access(m.task(), os.R_OK | os.X_OK)
    assert not os.access(m.task() / "status", os.W_OK) and not os.access(m.task(), os.W_OK)
    assert not os.access(m.task() / "status", os.X_OK)


def stale(path):
    return os.getxattr(path, "user.kootaskfs.stale").decode()


def test_stale_answer(mount, sim):
    """"The last good snapshot stands in for `max-stale` (5 min) after its ttl, with `user.kootaskfs.stale` = 1." "After
    `max-stale` the error shows.\""""
    m = mount(sim, ttl="100ms", negative_ttl="100ms", max_stale="2s")
    store(sim, detail(userId="good"))
    assert m.read("user") == "good\n" and stale(m.task()) == "0"
    inode = os.stat(m.task() / "user").st_ino
    sim.fault(kind="garbage", times=-1)
    wait_until(lambda: m.read("user") == "good\n" and stale(m.task()) == "1", "the answer to go stale")
    assert run("getfattr", "--only-values", "-n", "user.kootaskfs.stale", m.task() / "user").stdout == "1"
    assert os.getxattr(m.task(), "user.kootaskfs.error").decode().startswith("EBADMSG: ")
    assert os.stat(m.task() / "user").st_ino == inode
    assert os.listdir(m.task() / "files") == []
    wait_until(lambda: read_error(m.task() / "user") == "EBADMSG", "max-stale to pass")
    sim.admin("DELETE", "faults")
    wait_until(lambda: read_error(m.task() / "user") is None, "the recovery")
    assert m.read("user") == "good\n" and stale(m.task()) == "0"
    assert errno_of(os.getxattr, m.task(), "user.kootaskfs.error") == "ENODATA"


def test_stale_does_not_stand_in_for_gone(mount, sim):
    """"The response that there is no such task is no failure: it shows at once": a task that is gone is not shown from
    memory."""
    m = mount(sim, ttl="100ms", negative_ttl="100ms", max_stale="1h")
    store(sim, detail())
    assert m.read("status") == "running\n"
    sim.fault(kind="code", code=13000309, times=-1)
    wait_until(lambda: read_error(m.task() / "status") == "ENOENT", "the task's end")


def test_failing_service_is_not_hammered(mount, sim):
    """While it fails the service is asked no more than once a negative-ttl, whoever reads."""
    m = mount(sim, ttl="50ms", negative_ttl="1h")
    store(sim, detail())
    m.read("status")
    sim.fault(kind="garbage", times=-1)
    wait_until(lambda: m.read("status") and stale(m.task()) == "1", "the answer to go stale")
    for _ in range(3):
        run("grep", "-r", ".", m.task())
    assert m.requests() == 2 and len(m.log_lines("EBADMSG")) == 1


def test_one_task_fails_alone(mount, sim):
    """A task that fails does not harm another."""
    m = mount(sim)
    sim.fault(kind="garbage", taskId=SHARE_TASK, times=-1)
    assert read_error(m.task() / "status") == "EBADMSG"
    assert m.read("status", IMPORT_TASK) == "completed\n"
    assert read_error(m / "shares" / SHARE / SHARE_TASK / "status") == "EBADMSG"
