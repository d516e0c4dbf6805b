# SPDX-License-Identifier: MIT
"""Secrets stay secret, and a hostile service can do no harm: every string that it sends is taken for hostile."""

import csv
import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from koodrive_sim import SHARE, TOKEN
from kootaskfs_mount import IMPORT_TASK, SHARE_TASK, Mount, detail, errno_of, imported, read_error, run, store
from raw_service import JSON, RawService
from raw_service import http as http_bytes


def everything(m):
    """All that is to be seen of the daemon: its files, its log, what /proc tells everybody."""
    texts = [path.read_bytes() for path in (m / ".kootaskfs").iterdir()]
    process = Path(f"/proc/{m.pid()}")
    texts += [m.log_file.read_bytes(), (process / "environ").read_bytes(), (process / "cmdline").read_bytes()]
    texts += [os.getxattr(m.task(), name) for name in os.listxattr(m.task())]
    texts += [repr(mount).encode() for mount in Path("/proc/self/mountinfo").read_text().splitlines()]
    return b"\n".join(texts)


@pytest.mark.parametrize("source", ["file", "environment", "command"])
def test_token_is_nowhere(mount, sim, tmp_path, source):
    """The token is nowhere in .kootaskfs/*, log, /proc/PID/environ and cmdline, also when the service says it."""
    echo = json.dumps({"code": 99, "msg": f"bad {TOKEN} and Bearer {TOKEN}!"})
    if source == "file":
        m = mount(sim, arguments=["-d"])
    elif source == "environment":
        m = mount(sim, token_file=None, env={"KOOTASKFS_TOKEN": TOKEN, "BESIDE": "stays"})
        assert b"BESIDE=stays" in Path(f"/proc/{m.pid()}/environ").read_bytes()
    else:
        secret = tmp_path / "secret"
        secret.write_text(TOKEN)
        m = mount(sim, token=None, token_command=f"cat {secret}")
    assert m.read("status") == "completed\n"
    store(sim, echo)
    assert errno_of(os.utime, m.task()) == "EIO"
    assert "bad *** and Bearer ***!" in m.control("last-error") and "***" in m.log()
    error = os.getxattr(m.task(), "user.kootaskfs.error")
    assert TOKEN.encode() not in everything(m) + error
    m.token = TOKEN  # and its end scans the log


def test_no_part_of_a_long_token(mount):
    """A token that is longer than what is kept of the service's message: no beginning of it is seen either."""
    token = "".join(f"{number:x}." for number in range(1000, 1300))
    service = RawService(http_bytes("401 Unauthorized", JSON, body=json.dumps({"code": token, "msg": f"{token} is old"})))
    try:
        m = mount(endpoint=service.url, token=token)
        assert read_error(m.task() / "status") == "EACCES"
        assert "code ***: *** is old" in m.control("last-error") and "***" in m.log()
        assert token[:12].encode() not in everything(m) + os.getxattr(m.task(), "user.kootaskfs.error")
    finally:
        service.close()


def test_no_core_file(mount, sim):
    """A core file would hold the token: none is written."""
    limits = Path(f"/proc/{mount(sim).pid()}/limits").read_text()
    assert re.search(r"^Max core file size +0 +0 ", limits, re.M)


HOSTILE = ["../../../etc/passwd", "..", ".", ".hidden", "a/b", "/", "new\nline", "tab\t", "nul-like\x01", "\x7f", "%2F",
           "x" * 300, "ü" * 200, "%" * 300, "", "", "same", "same", "same", "same.2", "\u202eright", " ", "-rf", "*"]


def test_hostile_file_ids(mount, sim):
    """Names made of service strings are safe, distinct, at most 255 bytes, and what is listed can be opened. "Links are made of
    task ids only, never of names that the service sends.\""""
    store(sim, detail(files=HOSTILE))
    m = mount(sim, ttl="1h")
    names = os.listdir(os.fsencode(m.task() / "files"))
    assert len(names) == len(set(names)) == len(HOSTILE)
    for name in names:
        assert 1 <= len(name) <= 255 and not name.startswith(b".") and name.decode()
        assert not re.search(rb"[\x00-\x1f\x7f/]", name)
        path = os.path.join(os.fsencode(m.task() / "files"), name, b"status")
        with open(path, "rb") as opened:
            assert opened.read() == b"succeeded\n"
    assert run("find", m.task() / "files", "-mindepth", "1", "-maxdepth", "1").stdout.count("\n") == len(HOSTILE)
    assert len(list(csv.reader(m.read("files.csv").splitlines(keepends=True)))) == len(HOSTILE) + 1
    assert run("find", m.task(), "-type", "l").stdout == "", "nothing from the service is a link"


def test_invalid_utf8(mount, sim):
    """What is not UTF-8 is percent-encoded in names; values, CSV and job.json stay UTF-8; the answer itself is kept byte for
    byte."""
    answer = detail(files=["raw"], userId="raw").encode().replace(b"raw", b"a\xff\xc3(")
    store(sim, answer)
    m = mount(sim)
    assert os.listdir(m.task() / "files") == ["a%FF%C3("]
    (m.task() / "files.csv").read_text(encoding="utf-8")
    assert (m.task() / "response.json").read_bytes() == answer
    assert m.read("user") == json.loads(m.read("job.json"))["userId"] + "\n" == "a\ufffd\ufffd(\n"


def test_many_alike(mount, sim):
    """Twenty thousand files, all with one id: listed, distinct, and quickly."""
    store(sim, detail(files=[{"fileId": "same"}] * 20_000))
    m = mount(sim, ttl="1h", deadline="1min")
    names = os.listdir(m.task() / "files")
    assert len(set(names)) == 20_000 and "same.20000" in names
    assert m.read("files/same.20000/status") == ""


def test_values_stay_one_line(mount, sim):
    """"A value file is one line": line ends and control characters in a value are encoded."""
    evil = "a\nb\r\nc\x1b[31m\x7f"
    encoded = "a%0Ab%0D%0Ac%1B[31m%7F\n"
    infos = [{"fileId": "f", "status": evil, "newFileId": evil, "srcContainerId": evil}]
    store(sim, detail(userId=evil, taskStatus=evil, taskType=evil, taskResultCode=evil, createTime=evil, files=infos))
    m = mount(sim)
    assert m.read("user") == encoded and m.read("created") == ""
    for name in ("status", "type", "result", "files/f/status"):
        assert m.read(name) == "unknown-" + encoded
    for name in ("new-file-id", "source-container-id"):
        assert m.read("files/f/" + name) == encoded
    assert "\x1b" not in m.read("summary") and "\x1b" not in m.read("job.json")


def test_hostile_messages(mount, sim):
    """A message cannot forge a line of the log or of last-error, nor drive a terminal; long ones are cut."""
    evil = "oops\nkootaskfs: all is well\r\x1b[2J" + "x" * 5000
    store(sim, json.dumps({"code": "9\n9", "msg": evil}))
    m = mount(sim)
    assert read_error(m.task() / "status") == "EIO"
    assert len(m.log().splitlines()) == 1 and "\x1b" not in m.log() and len(m.log()) < 600
    assert m.control("last-error").count("\n") == 1
    value = os.getxattr(m.task(), "user.kootaskfs.error")
    assert b"\n" not in value and b"\x1b" not in value


def test_formats_in_messages(mount, sim):
    """%s and %n in what the service says are text."""
    store(sim, json.dumps({"code": "%n", "msg": "%s%n%999999d"}))
    m = mount(sim)
    assert read_error(m.task() / "status") == "EIO"
    assert "code %n: %s%n%999999d" in m.log()


def test_huge_answers(mount, sim):
    """Answers over max-response: EIO, asked for once, and the daemon's memory stays bounded."""
    store(sim, detail(padding="x" * 40_000_000))
    m = mount(sim, max_response="1M", negative_ttl="0", deadline="1min")
    before = m.largest_memory()
    assert read_error(m.task() / "status") == "EIO"
    assert m.requests() == 1
    for _ in range(5):
        assert read_error(m.task() / "status") == "EIO"
    assert m.largest_memory() - before < 16_000, "kilobytes, of an answer of 40 megabytes"
    assert "larger than max-response (1048576 bytes)" in m.control("last-error")
    store(sim, detail(padding="x" * 500_000))
    run("touch", m.task())
    assert m.read("status") == "running\n"


def test_max_response_to_the_byte(mount, sim):
    """Just under and just over the limit; test_compressed.py has the same of compressed answers."""
    m = mount(sim, max_response="64K", negative_ttl="0", ended_ttl="0")
    base = len(detail(padding=""))
    store(sim, detail(padding="x" * (65536 - base)))
    assert os.stat(m.task() / "response.json").st_size == 65536
    store(sim, detail(padding="x" * (65537 - base)))
    assert errno_of(os.utime, m.task()) == "EIO"


@pytest.mark.parametrize("body", ["[" * 100_000, '{"jobInfo":' * 100_000, '{"jobInfo":' + "[" * 70 + "]" * 70 + "}",
                                  '{"a":' * 60_000 + "1" + "}" * 60_000], ids=range(4))
def test_deep_json(mount, sim, body):
    """"A response with nesting deeper than 64 is EBADMSG", and the daemon lives."""
    store(sim, body)
    m = mount(sim)
    assert read_error(m.task() / "status") == "EBADMSG"
    assert m.read("status", IMPORT_TASK) == "completed\n"


@pytest.mark.parametrize("depth, result", [(62, None), (63, "EBADMSG")])
def test_depth(mount, sim, depth, result):
    """64 levels are read, the two of the answer itself among them; 65 are refused."""
    store(sim, detail(deep="@@").replace('"@@"', "[" * depth + "]" * depth))
    assert read_error(mount(sim).task() / "status") == result


def test_odd_numbers_and_times(mount, sim):
    """Numbers and times that are none."""
    store(sim, detail(progress="99999999999999999999", createTime="99999999999999", startTime="20241301000000",
                      endTime="yesterday").replace('"u"', "1e999"))
    m = mount(sim)
    assert [m.read(n) for n in ("progress", "created", "started", "ended")] == ["", "", "", ""]
    assert m.read("user") == "1e999\n"
    os.stat(m.task())
    counts = '{"successCount":-1,"failCount":9223372036854775808,"failInfoList":null}'
    store(sim, f'{{"code":0,"status":1,"data":{counts}}}', IMPORT_TASK)
    assert m.read("success-count", IMPORT_TASK) == "" and m.read("status", IMPORT_TASK) == "running\n"


def test_duplicate_fields_and_prototypes(mount, sim):
    """Duplicate names, names that mean something elsewhere."""
    store(sim, '{"jobInfo":{"taskStatus":1,"taskStatus":2,"__proto__":{},"":""},"jobInfo":7,"code":0,"taskInfos":null}')
    assert mount(sim).read("status") == "running\n", "the first one counts"


def test_kernel_names(mount, sim):
    """Names from the outside that are hostile to us: format characters, very long, not UTF-8. None is there, but "Any id is a
    directory in `shares/`", and the service is asked only for what can be the id of a share's task."""
    m = mount(sim)
    assert m.read("status") == "completed\n"
    ids = (b"-", b"_")
    for name in (b"%s%n", b"\xff\xfe", b"a\nb", b"x" * 255, b"\\", b"~", *ids):
        for directory in (m / "tasks", m.task(), m.task() / "files", m / "shares", m / "shares" / SHARE, m.path,
                          m / ".kootaskfs"):
            path = os.path.join(os.fsencode(directory), name)
            assert errno_of(os.stat, path) == (None if directory == m / "shares" and name in ids else "ENOENT"), path
    assert m.requests() == 1 + len(ids)
    assert m.read("status") == "completed\n" and m.log() == ""


@pytest.fixture
def open_directory(sim):
    """A directory that another user can reach, for a mount that he may use."""
    with tempfile.TemporaryDirectory(prefix="kootaskfs-", dir="/tmp") as name:  # TMPDIR may be closed to others
        os.chmod(name, 0o755)
        m = Mount(Path(name), sim, options=["allow_other"]).start()
        yield m
        m.finish()


NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

MAP = """
import mmap, os, sys
opened = os.open(sys.argv[1], os.O_RDWR)
mmap.mmap(opened, 4)[:4] = b"FAIL"
"""


def test_others_may_read_only(open_directory):
    """"With `-o allow_other` every user can read everything", and no more: no other user can change what the kernel holds.

    "With `allow_other` the kernel checks these modes (`default_permissions` is added), so a write by another user is EACCES."

    "With `allow_other` only root and the user who mounted can map a file writable.\""""
    m = open_directory
    assert run(*NOBODY, "cat", m.task() / "status").stdout == "completed\n"
    done = run(*NOBODY, sys.executable, "-c", MAP, m.task() / "status", check=False)
    assert done.returncode == 1 and "PermissionError" in done.stderr
    for script in ('echo x > "$0"', 'rm "$0"', 'touch "$0"', 'chmod 777 "$0"'):
        done = run(*NOBODY, "sh", "-c", script, m.task() / "status", check=False)
        assert done.returncode != 0 and ("Permission denied" in done.stderr or "chmod" in script)
    assert m.read("status") == "completed\n" and m.requests(SHARE_TASK) == 1


def test_only_who_mounted(sim):
    """"Only the user who mounted can read the mount, as FUSE has it.\""""
    with tempfile.TemporaryDirectory(prefix="kootaskfs-", dir="/tmp") as name:  # TMPDIR may be closed to others
        os.chmod(name, 0o755)
        m = Mount(Path(name), sim).start()
        try:
            done = run(*NOBODY, "cat", m.task() / "status", check=False)
            assert done.returncode == 1 and "Permission denied" in done.stderr
            assert subprocess.run([*NOBODY, "ls", m.path], capture_output=True, timeout=30).returncode != 0
        finally:
            m.finish()


def test_redirects_are_not_followed(mount, sim):
    """The token goes to the endpoint only: an answer that sends elsewhere is an error of the service."""

    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_response(307)
            self.send_header("Location", sim.url + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        m = mount(endpoint=f"http://127.0.0.1:{server.server_port}")
        assert read_error(m.task() / "status") == read_error(m.task(IMPORT_TASK) / "status") == "EIO"
        assert len(m.log_lines("HTTP 307")) == 3  # two of them of the basic task
        server.shutdown()
    assert sim.counters()["total"] == 0


def test_errors_of_imports(mount, sim):
    """failInfoList with what it should not hold."""
    for broken in ('{"data":{"failCount":1,"failInfoList":{}}}', '{"data":[]}', '{"data":{"failInfoList":[1]}}'):
        store(sim, broken, IMPORT_TASK)
        m = mount(sim)
        assert read_error(m.task(IMPORT_TASK) / "status") == "EBADMSG"
    store(sim, imported(("=cmd|' /C calc'!A0", "")), IMPORT_TASK)
    assert "=cmd" in mount(sim).read("failures.csv", IMPORT_TASK)
