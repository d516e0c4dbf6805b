# SPDX-License-Identifier: MIT
"""README.md and docs/getting-started.md: what they say to type is typed, as it stands there."""

import http.server
import json
import os
import re
import signal
import textwrap
import threading
from pathlib import Path

import pytest

from koodrive_sim import IMPORT_TASK, REPO, SHARE, SHARE_TASK, TOKEN, wait_until
from kootaskfs_mount import BINARY, environment, mounts_at, run
from test_kootask_wait import PROGRAM
from scripted_service import ScriptedService

ENDPOINT = "https://intl.myhuaweicloud-koodrive.com"


def blocks(document):
    """The indented blocks of a document, in order, without their indentation; an empty line does not end one."""
    found, before = [], ""
    for line in (REPO / document).read_text().splitlines():
        if line.startswith("    "):
            if not found or not found[-1] or not before:
                found.append([])
            found[-1].append(line)
        elif line or not found or not found[-1]:
            before = ""
            found.append([])
            continue
        else:
            found[-1].append("")
        before = "block"
    return [textwrap.dedent("\n".join(lines)).strip("\n") + "\n" for lines in found if lines]


def shell(script, home, text="", **variables):
    """Runs lines of a document as a user would who has that home directory and types TEXT."""
    # no login, no profile: only what the document says
    env = environment(HOME=str(home), PATH=f"{Path(BINARY).parent}:{os.environ['PATH']}", **variables)
    env.pop("XDG_CONFIG_HOME", None)
    return run("sh", "-eu", "-c", "umask 022\n" + script, check=False, cwd=home, env=env, input=text)


# how the README waits

SESSION = next(block for block in blocks("README.md") if "/wait " in block)
CAT, = re.findall(r"^\$ (cat \S+/wait) ", SESSION, re.M)
WAIT, = re.findall(r"^\$ (kootask-wait .*?) +#", SESSION, re.M)


@pytest.fixture
def service():
    scripted = ScriptedService()
    yield scripted
    scripted.close()


def wait_for(m, command, task):
    """The README's command for this task."""
    assert command.count("1790000000000002957") == 1
    path = f"{Path(PROGRAM).parent}:{os.environ['PATH']}"
    return m.popen("sh", "-c", command.replace("1790000000000002957", task), cwd=m.path, env=environment(PATH=path))


ENDS = [("share", 2, "completed"), ("share", 3, "canceled"), ("job", 2, "completed"), ("job", 3, "canceled"),
        ("basic", 2, "completed"), ("basic", 3, "failed")]


@pytest.mark.parametrize("before", ["already", "meanwhile"])
@pytest.mark.parametrize("kind, status, word", ENDS, ids=[f"{kind}-{word}" for kind, _, word in ENDS])
def test_waiting_ends(mount, service, kind, status, word, before):
    """Both ways to wait end when the task has, however it has; the second goes on when it went well."""
    add = {"share": lambda s: service.add_share("77", taskStatus=s), "job": lambda s: service.add_job("77", status=s),
           "basic": lambda s: service.add_basic("77", status=s)}[kind]
    add(status if before == "already" else 1)
    m = mount(service, watch=["share 5 77" if kind == "share" else f"{kind} 77"], ttl="100ms")
    waiting = [wait_for(m, command, "77") for command in (CAT, WAIT)]
    if before == "meanwhile":
        wait_until(lambda: m.metric("kootaskfs_watched_tasks") == 1, "somebody who waits")
        assert all(child.poll() is None for child in waiting)
        add(status)
    (word_read, _), (told, _) = (child.communicate(timeout=60) for child in waiting)
    assert word_read == word + "\n" and told.split()[:2] == ["77", word]
    assert (word == "completed" and waiting[1].returncode == 0) == told.endswith("\ndone\n")


@pytest.mark.parametrize("trouble", ["refused", "unknown", "dead"])
def test_waiting_does_not_hang(mount, service, trouble):
    """What cannot be read is not waited for for ever: both say why, and fail."""
    service.add_job("77", status=1)
    m = mount(service, watch=["job 77"], ttl="100ms", max_stale="0", negative_ttl="0", deadline="1s")
    waiting = [wait_for(m, command, "78" if trouble == "unknown" else "77") for command in (CAT, WAIT)]
    if trouble != "unknown":
        wait_until(lambda: m.metric("kootaskfs_watched_tasks") == 1, "somebody who waits")
    if trouble == "refused":
        service.answers["77"] = (401, {"code": 1})
    elif trouble == "dead":
        m.signal(signal.SIGKILL)
        m.process.wait()
        run("umount", "-l", m.path)
        m.ended = True
    for child, name in zip(waiting, ("cat: tasks/7", "kootask-wait: 7")):
        out, told = child.communicate(timeout=60)
        assert child.returncode != 0 and "done" not in out and told.startswith(name), told


# first use

def is_file(block):
    """Where a block of the documents that is a file's content goes, None for one to type."""
    first = re.match(r"# ([~/]\S+/\S+?)(?::.*)?\n", block)
    return first.group(1) if first else None


def write_file(block, place, home, endpoint):
    place = Path(place.replace("~", str(home)))
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(block.replace(ENDPOINT, endpoint))
    place.chmod(0o600)


@pytest.fixture
def home(tmp_path):
    yield tmp_path
    if mounts_at(tmp_path / "koodrive"):
        run("fusermount3", "-u", tmp_path / "koodrive")


def test_readme_first_use(home, sim):
    """From an empty home directory to a listing."""
    block, = [block for block in blocks("README.md") if "kootaskfs --check" in block]
    before, conf, tasks, after = re.split(r"\n\n", block.strip("\n"))
    assert shell(before, home, TOKEN + "\n").returncode == 0
    assert (home / ".config/kootaskfs/token").stat().st_mode & 0o777 == 0o600
    for file in (conf, tasks):
        write_file(file + "\n", is_file(file + "\n"), home, sim.url)
    done = shell(after, home)
    assert (done.returncode, done.stderr) == (0, "")
    assert "FAIL" not in done.stdout and SHARE_TASK in done.stdout.splitlines()
    assert not mounts_at(home / "koodrive")


class Sessions(http.server.BaseHTTPRequestHandler):
    """POST session/ and GET session/auth as documented."""

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.command, self.path, self.headers.get("Authorization"), body))
        if self.path.endswith("/session/"):
            data = {"accessToken": "Bearer " + TOKEN, "sessionId": "c17c8903", "userId": "1505084218764547200"}
        else:
            data = {"innerUserId": "1505084218764547200", "role": 1}
        text = json.dumps({"code": 0, "msg": "success", "data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


@pytest.fixture
def sessions():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sessions)
    server.requests, server.url = [], f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


NOT_RUN = ("[Unit]", "fuse.kootaskfs config=", "[share ")  # need systemd, a boot; a group of the configuration


def test_getting_started(home, sim, sessions):
    """docs/getting-started.md from its first command to its last, in order; what is not run is known by name."""
    left = blocks("docs/getting-started.md")

    def take(word):
        assert word in left[0], f"{left[0]} comes where {word} should"
        return left.pop(0)

    first = take("endpoint=").replace(ENDPOINT, sessions.url)
    assert shell(first, home).returncode == 0
    assert shell(take("umask 077; cat"), home, TOKEN + "\n").returncode == 0
    token = home / ".config/kootaskfs/token"
    assert (token.read_text(), token.stat().st_mode & 0o777) == (TOKEN + "\n", 0o600)

    token.unlink()
    done = shell(first + take("jq -nR"), home, "a-code\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "user-id = 1505084218764547200\nsession-id = c17c8903\n"
    assert (token.read_text(), token.stat().st_mode & 0o777) == (f"Bearer {TOKEN}\n", 0o600)
    assert not (home / "session.json").exists()
    method, path, authorization, body = sessions.requests.pop()
    assert (method, path, authorization) == ("POST", "/koodrive/ose/v1/session/", None)
    assert json.loads(body) == {"code": "a-code"}

    ask = first + take("session/auth")
    for text in (f"Bearer {TOKEN}\n", f"{TOKEN}\n"):
        token.write_text(text)
        assert shell(ask, home).stdout == "1505084218764547200\n"
        assert sessions.requests.pop() == ("GET", "/koodrive/ose/v1/session/auth", f"Bearer {TOKEN}", b"")

    token.chmod(0o644)
    assert shell(take("chmod 600"), home).returncode == 0 and token.stat().st_mode & 0o777 == 0o600
    conf = take("[service]")
    write_file(conf, is_file(conf), home, sim.url)
    done = shell(take("--check"), home)
    assert (done.returncode, done.stderr) == (0, "") and "FAIL" not in done.stdout
    *start, end = take("kootaskfs ~/koodrive").splitlines()
    done = shell("\n".join(start), home)
    assert (done.returncode, done.stderr) == (0, "") and IMPORT_TASK in done.stdout
    done = shell(take("echo 'share"), home)
    assert (done.returncode, done.stdout, done.stderr) == (0, "completed\n", "")
    wait_until(lambda: SHARE_TASK in shell("ls ~/koodrive/tasks", home).stdout, "the watch list to be read")
    assert f"share {SHARE} {SHARE_TASK}" in (home / ".config/kootaskfs/tasks").read_text()
    assert shell(end, home).returncode == 0 and not mounts_at(home / "koodrive")
    assert [any(word in block for word in NOT_RUN) for block in left] == [True] * 3, left
