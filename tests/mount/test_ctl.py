# SPDX-License-Identifier: MIT
"""docs/semantics.md, "Cancelling": the one thing that can be changed, if the configuration allows it."""
import os
import signal
import stat

import pytest

from koodrive_sim import wait_until
from kootaskfs_mount import errno_of, run, shell
from scripted_service import ScriptedService


def write(path, text):
    """By one write, as the shell's echo does."""
    with open(path, "wb", buffering=0) as file:
        file.write(text)


@pytest.fixture
def jobs(start, mount):
    def make(*options, **settings):
        sim = start("--tasks=0", "--imports=1", "--jobs=7", *options)
        m = mount(sim, watch=None, families="share, basic, job", **settings)
        names = [t["taskId"] for t in sim.admin("GET", "tasks")["tasks"] if t["kind"] == "job"]
        return sim, m, names
    return make


def test_cancel(jobs):
    """"With `allow-cancel = yes`, writing the word `cancel` to `ctl` of a batch job cancels the job"

    "After the request kootaskfs asks for the job again, so the next read shows what became of the job.\""""
    sim, m, names = jobs("--duration=1000", allow_cancel="yes", ttl="1h", ended_ttl="1h")
    job = next(name for name in names if m.read("status", name) in ("running\n", "pending\n"))
    assert m.read("progress", job) != ""
    shell('echo cancel > "$1"', m.task(job) / "ctl")
    assert m.read("status", job) == "canceled\n", "asked again after the cancel, though the ttl is an hour"
    assert sim.counters()["calls"]["cancel"] == 1
    assert (m.task(job) / "ctl").read_bytes() == b""
    assert (m.task(job) / "ctl").stat().st_size == 0, "what was written is no content"


def test_off_by_default(jobs):
    """"Without `allow-cancel`, every write to `ctl` is EPERM, and `.kootaskfs/last-error` says why.\""""
    sim, m, names = jobs("--duration=1000")
    assert errno_of(write, m.task(names[0]) / "ctl", b"cancel\n") == "EPERM"
    assert "allow-cancel" in m.control("last-error")
    assert "service: ok" in m.control("health"), "says nothing of the service"
    assert sim.counters()["calls"]["cancel"] == 0


def test_switched_on_later(jobs):
    sim, m, names = jobs("--duration=1000")
    assert errno_of(write, m.task(names[0]) / "ctl", b"cancel\n") == "EPERM"
    m.configure(allow_cancel="yes")
    m.signal(signal.SIGHUP)
    wait_until(lambda: m.log_lines("configuration read again"), "the reload")
    write(m.task(names[0]) / "ctl", b"cancel")
    assert sim.counters()["calls"]["cancel"] == 1


@pytest.mark.parametrize("text", [b"stop\n", b"cancel it\n", b"\n", b"Cancel\n", b"cancel\0", b"x" * 5000], ids=range(6))
def test_other_words(jobs, text):
    """"Any other word is EINVAL.\""""
    sim, m, names = jobs("--duration=1000", allow_cancel="yes")
    assert errno_of(write, m.task(names[0]) / "ctl", text) == "EINVAL"
    assert "expected cancel" in m.control("last-error")
    assert sim.counters()["calls"]["cancel"] == 0


def test_too_late(jobs):
    """"A job that is known to have ended cannot be cancelled: the write is EINVAL, and no request is sent.\""""
    sim, m, names = jobs("--duration=0", allow_cancel="yes")
    status = m.read("status", names[0]).strip()
    assert errno_of(write, m.task(names[0]) / "ctl", b"cancel\n") == "EINVAL"
    reason = m.control("last-error")
    assert f"ctl {names[0]}: EINVAL: it is {status}, only a pending or running job can be cancelled" in reason
    assert "service: ok" in m.control("health")
    assert sim.counters()["calls"]["cancel"] == 0


@pytest.fixture
def one_job(mount):
    """A job as a test wants it, with allow-cancel, and what POST /cancel says."""
    service = ScriptedService()

    def make(answer, status=1, before=1, **settings):
        """STATUS is what it has when it is cancelled, BEFORE what the mount has seen; a number, or an answer."""
        service.add_job("77", status=before)
        m = mount(service, watch=["job 77"], families="share, job", allow_cancel="yes", ttl="1h", **settings)
        assert m.read("status", "77") != ""
        if isinstance(status, int):
            service.add_job("77", status=status)
        else:
            service.answers["77"] = status
        service.answers["cancel"] = answer
        return m

    make.service = service
    yield make
    service.close()


@pytest.mark.parametrize("status", [0, 1], ids=["pending", "running"])
def test_pending_or_running(one_job, status):
    """"A job that is pending or running can be cancelled.\""""
    m = one_job((200, {"code": "0"}), status=3, before=status)
    write(m.task("77") / "ctl", b"cancel\n")
    assert m.read("status", "77") == "canceled\n"
    assert one_job.service.asked("cancel") == 1


def cancel(m):
    """The errno's name and the reason."""
    name = errno_of(write, m.task("77") / "ctl", b"cancel\n")
    return name, m.control("last-error")


NO = [(400, {"code": 13000101, "msg": "The job has ended."}), (400, {"code": "13000102", "msg": "x"}),
      (400, {"code": 13009999, "msg": "x"}), (400, {"msg": "x"}), (400, ""), (200, {"code": 13009999}),
      (200, {"error_code": "A.1"}), (409, {"code": 1}), (422, "")]


@pytest.mark.parametrize("answer", NO, ids=range(len(NO)))
def test_ended_meanwhile(one_job, answer):
    """"The write is EINVAL if the job has ended", with the reason, whatever the service says; the new status shows."""
    m = one_job(answer, status=2)
    name, reason = cancel(m)
    assert name == "EINVAL" and "ctl 77: EINVAL: it is completed, only a pending or running job" in reason
    assert f"HTTP {answer[0]}" in reason and "trace id " in reason
    assert m.read("status", "77") == "completed\n"
    assert len(m.log_lines("ctl 77")) == 1 and "service: ok" in m.control("health")
    assert one_job.service.asked("cancel") == 1


@pytest.mark.parametrize("answer", NO, ids=range(len(NO)))
def test_not_cancelled(one_job, answer):
    """"The write is EINVAL if the job has ended, else EBUSY."

    "The service declines by the code 13000101, the code 13000102 or a code that is not known, with HTTP 200, HTTP 400, or
    another status from 402 to 499 that the table under Errors does not have."

    "HTTP 400 and such another status decline also without a code."

    "After the service has declined, `.kootaskfs/last-error` has the HTTP status and the words of the service.\""""
    m = one_job(answer)
    name, reason = cancel(m)
    assert name == "EBUSY" and f"ctl 77: EBUSY: the service does not cancel it: HTTP {answer[0]}" in reason
    assert answer[1] == "" or answer[1].get("msg", "") in reason
    assert m.read("status", "77") == "running\n"
    assert one_job.service.asked("cancel") == 1 and "service: ok" in m.control("health")


@pytest.mark.parametrize("answer, name", [
    ((500, {"code": 13000201}), "EIO"), ((200, {"code": 13000201}), "EIO"), ((503, ""), "EIO"),
    ((401, {"code": 1}), "EACCES"), ((403, {"code": 1}), "EACCES"), ((400, {"code": 13000410}), "EACCES"),
    ((400, {"code": 13000309}), "ENOENT"), ((404, ""), "ENOENT"), ((200, "<html>"), "EBADMSG"),
])
def test_other_failures(one_job, answer, name):
    """"Every other response to the request to cancel is the same error as for any other request.\""""
    m = one_job(answer)
    assert cancel(m)[0] == name
    assert one_job.service.asked("cancel") == 1


@pytest.mark.parametrize("answer, name", [((401, {"code": 5}), "EACCES"), ((400, {"code": 13000309}), "ENOENT")])
def test_why_the_service_says_no(one_job, answer, name):
    """HTTP 400 may mean the token, or that there is no such job.

    "When this second request shows that the sign-in is refused, the write is EACCES; when it shows that there is no such
    job, ENOENT.\""""
    m = one_job((400, {"code": 5}), status=answer)
    assert cancel(m)[0] == name


def test_job_cannot_be_asked_for(one_job):
    """The service's no stays one when there is nothing else to go by."""
    m = one_job((400, {"code": 13000101, "msg": "ended?"}), status=(500, {"code": 13000201}), deadline="3s")
    name, reason = cancel(m)
    assert name == "EBUSY" and "ended?" in reason


def test_sent_once(jobs):
    """"The request to cancel is sent once. It is never repeated, even when it may not have arrived.\""""
    sim, m, names = jobs("--duration=1000", allow_cancel="yes")
    sim.fault(kind="reset", call="cancel", times=-1)
    assert errno_of(write, m.task(names[0]) / "ctl", b"cancel\n") == "EIO"
    assert sim.counters()["calls"]["cancel"] == 1


def test_everything_else_stays_read_only(jobs):
    """"Everything else in the mount is read-only.\""""
    sim, m, names = jobs("--duration=0", allow_cancel="yes")
    for name in ("status", "job.json", "files.csv"):
        assert errno_of(write, m.task(names[0]) / name, b"cancel\n") == "EROFS"
    assert errno_of(os.truncate, m.task(names[0]) / "ctl", 5) == "EROFS"
    assert errno_of(os.unlink, m.task(names[0]) / "ctl") == "EROFS"


def test_jobs_only(jobs):
    """And nothing but `ctl` may be written: "Files have mode 0444 and directories 0555; `ctl` has mode 0644. They
    belong to the user who mounted.\""""
    _, m, names = jobs("--duration=0")
    for name, mode in (("ctl", 0o644), ("status", 0o444), ("files", 0o555)):
        found = (m.task(names[0]) / name).stat()
        assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (mode, os.getuid(), os.getgid())
    have = {task.name for task in (m / "tasks").iterdir() if (task / "ctl").exists()}
    kinds = {task.name for task in (m / "tasks").iterdir() if (task / "kind").read_text() == "job\n"}
    assert have == kinds


def test_copies(jobs, tmp_path):
    """"`ctl` reads as an empty file", so tools that copy a task take it for one."""
    _, m, names = jobs("--duration=0")
    run("rsync", "-a", f"{m.task(names[0])}/", tmp_path / "copy")
    assert (tmp_path / "copy" / "ctl").read_bytes() == b""
    assert "cancel" not in shell('grep -r "" "$1"/ctl || true', m.task(names[0])).stdout
