# SPDX-License-Identifier: MIT
"""How long a response serves, what the kernel does alone, and that nobody ever sees two responses at once."""

import json
import os
import subprocess
import time

import pytest

from koodrive_sim import wait_until
from kootaskfs_mount import IMPORT_TASK, SHARE_TASK, detail, errno_of, imported, run, shell, store


def test_fresh_means_kernel_alone(mount, sim):
    """"While a snapshot is fresh, the kernel serves lookup, stat, open, read and close without the daemon.\""""
    m = mount(sim, ttl="1h")
    store(sim, detail(files=["f"]))
    names = ["status", "job.json", "response.json", "files/f/status", "failures.csv"]
    files = [m.task() / name for name in names]
    run("cat", *files)
    requests = m.requests()
    assert m.operations_of(lambda: run("cat", *files)) == {}
    assert m.operations_of(lambda: [os.stat(f) for f in files]) == {}
    assert m.requests() == requests == 1


def test_expiry_unchanged_keeps_pages(mount, sim):
    """The same content is the same inode, and its pages stay valid: one request, and READ is not sent again."""
    m = mount(sim, ttl="200ms")
    store(sim, detail())
    path = m.task() / "job.json"
    before, inode = path.read_text(), os.stat(path).st_ino
    costs = []

    def read_until_asked():
        asked = m.requests()
        while m.requests() == asked:
            assert path.read_text() == before
    costs.append(m.operations_of(read_until_asked))
    assert "read" not in costs[0] and costs[0]["lookup"] > 0
    assert os.stat(path).st_ino == inode


def test_expiry_changed_is_a_new_file(mount, sim):
    """"A change is a new file under the same name, with another inode number, as after a rename.\" What did not change
    keeps its inode."""
    m = mount(sim, ttl="200ms")
    store(sim, detail(progress=10, userId="same"))
    changed, same = m.task() / "progress", m.task() / "user"
    inodes = os.stat(changed).st_ino, os.stat(same).st_ino
    assert changed.read_text() == "10\n"
    store(sim, detail(progress=20, userId="same"))
    wait_until(lambda: changed.read_text() == "20\n", "the new value")
    assert same.read_text() == "same\n"
    assert os.stat(changed).st_ino != inodes[0]
    assert os.stat(same).st_ino == inodes[1]


def test_open_file_keeps_its_version(mount, sim):
    """"The content of an open file never changes: a process that has it open reads it to its end.\""""
    m = mount(sim, ttl="200ms")
    store(sim, detail(userId="old", taskStatus=1, padding="x" * 500_000))
    with open(m.task() / "job.json", "rb", buffering=0) as job, open(m.task() / "user") as user:
        start = job.read(100)
        store(sim, detail(userId="new", taskStatus=1))
        wait_until(lambda: m.read("user") == "new\n", "the new value")
        old = start + job.readall()
        assert json.loads(old)["userId"] == "old" and len(old) > 500_000 == len(json.loads(old)["padding"])
        assert os.fstat(job.fileno()).st_size == len(old), "its size is its content's"
        assert user.read() == "old\n"
        assert os.pread(job.fileno(), 10, len(old) - 10) == old[-10:]
        assert os.pread(job.fileno(), 10, len(old)) == b""
        assert json.loads(m.read("job.json"))["userId"] == "new"
        assert os.stat(m.task() / "job.json").st_ino != os.fstat(job.fileno()).st_ino
        os.posix_fadvise(job.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # not only in pages: the daemon has it too
        assert os.pread(job.fileno(), len(old), 0) == old


def test_tail_reads_one_version(mount, sim):
    """tail and dd read by offset: pieces of one version."""
    m = mount(sim, ttl="200ms")
    store(sim, detail(userId="old", padding="x" * 300_000))
    script = 'read -r line; tail -c +1 | md5sum; echo "$line"'
    whole = (m.task() / "job.json").read_text()
    with open(m.task() / "job.json", "rb") as opened:
        store(sim, detail(userId="new"))
        wait_until(lambda: m.read("user") == "new\n", "the new value")
        done = run("sh", "-c", script, stdin=opened)
    rest = subprocess.run(["md5sum"], input=whole[2:].encode(), capture_output=True, timeout=60).stdout.decode()
    assert done.stdout == rest + "{\n"
    assert shell('tail -n 1 "$1"', m.task() / "job.json").stdout == "}\n"
    assert shell('dd if="$1" bs=1 skip=2 count=1 status=none', m.task() / "user").stdout == "w"


READER = """
import sys, pathlib, re
task, names, answers = pathlib.Path(sys.argv[1]), sys.argv[2].split(","), int(sys.argv[3])
number = re.compile(r"<(\\d+)>")
def read(name):
    found = set(number.findall((task / name).read_text()))
    if len(found) != 1:
        sys.exit(f"{name} holds {found}")
    return int(found.pop())
seen, compared, last, i = set(), 0, 0, 0
while len(seen) < answers:
    i += 1
    a, b = names[i % len(names)], names[(i // len(names) + 1) % len(names)]
    first, other, again = read(a), read(b), read(a)
    if not last <= first <= other <= again:
        sys.exit(f"going back: {last} {a} {first} {b} {other} {again}")
    last = again
    if first == again:
        compared += 1
        if other != first:
            sys.exit(f"{a} is of answer {first}, {b} of {other}")
    seen.add(first)
print(compared)
"""


@pytest.mark.parametrize("ttl", ["50ms", "25ms", "0"])
def test_files_of_one_answer(mount, sim, ttl):
    """"All files of one task directory come from one response of the service": read A, B, A; when both A are alike, B
    must be of the same response. Every response is another one here. "No file goes back to an older response than one that
    was shown.\""""
    infos = [{"fileId": "f", "status": "1", "newFileId": "<@N@>", "srcContainerId": "<@N@>"}]
    store(sim, detail(userId="<@N@>", taskStatus="<@N@>", taskType="<@N@>", files=infos))
    m = mount(sim, ttl=ttl)
    names = "user,status,type,job.json,response.json,files.csv,files/f/new-file-id,files/f/source-container-id"
    failures = []
    # The kernel counts a name's timeout from when the reader runs again, so on a loaded machine a reader that was kept off its
    # CPU may keep an old name for as long. That happens seldom; without the margin it happens every time.
    for _ in range(3):
        readers = [m.python(READER, m.task(), names, 60) for _ in range(3)]
        results = [(reader, *reader.communicate(timeout=100)) for reader in readers]
        failures = [err for reader, _, err in results if reader.returncode != 0]
        if not failures:
            break
    assert not failures, failures
    assert all(int(out) > 30 or ttl == "0" for _, out, _ in results), "the same answer was read three times"


def test_listing_and_rows_of_one_answer(mount, sim):
    """A file of a task that is gone in the next answer is ENOENT, one that came is there; nothing is half."""
    m = mount(sim, ttl="200ms")
    store(sim, detail(files=["first", "second"]))
    assert m.read("files/first/status") == "succeeded\n"
    held = os.open(m.task() / "files" / "first", os.O_PATH)
    store(sim, detail(files=["second", "third"]))
    wait_until(lambda: errno_of(os.stat, m.task() / "files" / "first") == "ENOENT", "the file's end")
    assert sorted(os.listdir(m.task() / "files")) == ["second", "third"]
    assert errno_of(os.stat, f"/proc/self/fd/{held}/status") == "ENOENT"
    assert m.read("files/third/status") == "succeeded\n"
    os.close(held)


def test_ended_is_asked_once(mount, sim):
    """"A task that has ended is asked for again only after `ended-ttl` (default: never).\""""
    m = mount(sim, ttl="50ms")
    first = m.read("status")
    assert first == "completed\n" and m.read("status", IMPORT_TASK) == "completed\n"
    other = sim.generated("share")[0]
    link = m / "shares" / other["shareId"] / other["taskId"]
    store(sim, detail(other["taskId"]), other["taskId"])  # a running one beside it shows that the ttl does pass
    wait_until(lambda: (link / "status").read_text() and m.requests(other["taskId"]) > 3, "three more requests")
    assert m.read("status") == first
    assert m.requests(SHARE_TASK) == 1 and m.asked("task/result", IMPORT_TASK) == 1


def test_ended_ttl(mount, sim):
    """"A task that has ended is asked for again only after `ended-ttl`": with a short one it is."""
    m = mount(sim, ended_ttl="100ms")
    wait_until(lambda: m.read("status") and m.requests(SHARE_TASK) == 3, "a third request")


def test_mtime_is_when_the_value_changed(mount, sim):
    """"The mtime of a file is the time when its value last changed, as far as known." "The mtime of a value that changed after
    it was first seen is the time of the response that brought the new value.\""""
    m = mount(sim, ttl="100ms")
    store(sim, detail(progress=1, userId="u@N@"))
    path = m.task() / "progress"
    first = os.stat(path).st_mtime_ns
    asked = m.requests()
    wait_until(lambda: m.read("user") and m.requests() > asked + 2, "more answers")
    assert os.stat(path).st_mtime_ns == first, "other values changed, this one did not"
    before = time.time_ns()
    store(sim, detail(progress=2))
    wait_until(lambda: path.read_text() == "2\n", "the new value")
    assert first < before <= os.stat(path).st_mtime_ns <= time.time_ns()


@pytest.mark.parametrize("look", ["", "files", "../../tasks", "../../shares"])
def test_directories_do_not_change_when_asked_about(mount, sim, look):
    """"It never moves because somebody asked.\""""
    m = mount(sim, families="share, basic, job", list_ttl="1h")
    store(sim, detail(endTime="20240930091933", taskStatus=2, files=["f"]))
    before = os.stat(m.task() / look)
    os.listdir(m / "tasks")
    run("find", m.path)
    run("grep", "-r", ".", m.task())
    after = os.stat(m.task() / look)
    assert (after.st_mtime_ns, after.st_ctime_ns) == (before.st_mtime_ns, before.st_ctime_ns)


def test_directory_changes_with_its_task(mount, sim):
    """"It moves when a response differs from the one before, to the time when that was seen." "`files/`, and every directory in
    it, has the mtime of the task's directory.\""""
    m = mount(sim, ttl="100ms")
    store(sim, detail(progress=1, files=["f"]))
    m.read("progress")
    first = os.stat(m.task()).st_mtime_ns
    assert first == 1727687972 * 10**9, "its start"
    requests = m.requests()
    wait_until(lambda: m.read("progress") and m.requests() > requests + 2, "more answers")
    assert os.stat(m.task()).st_mtime_ns == first
    store(sim, detail(progress=2, files=["f"]))
    before = time.time_ns()
    wait_until(lambda: m.read("progress") == "2\n", "the change")
    wait_until(lambda: before <= os.stat(m.task()).st_mtime_ns <= time.time_ns(), "the new time")
    for below in ("files", "files/f"):
        wait_until(lambda: os.stat(m.task() / below).st_mtime_ns == os.stat(m.task()).st_mtime_ns, "the same time")


@pytest.mark.parametrize("families", ["share", "share, basic, job"])
def test_cold_tar_and_rsync_twice(mount, sim, tmp_path, families):
    """"So tar, and rsync a second time, find nothing changed that has not changed." "A copy of MOUNT has views of what was cached when
    they were copied", so the second one may have more in them."""
    m = mount(sim, families=families, list_ttl="1h")
    done = run("tar", "cf", tmp_path / "x.tar", "-C", m.path, "--exclude=.kootaskfs", ".", check=False)
    assert (done.returncode, done.stderr) == (0, "")
    fresh = mount(sim, families=families, list_ttl="1h")
    copy = ["rsync", "-ai", "--exclude=.kootaskfs", "--exclude=/by-status", "--exclude=/overview*", f"{fresh.path}/",
            tmp_path / "copy"]
    assert "status" in run(*copy).stdout
    assert run(*copy).stdout == ""


def test_directory_of_a_task_nobody_asked_for(mount, sim):
    """"A directory whose task was never asked for has the time when names last came or went in `tasks/`"; the first
    response does not move it, as it has been looked at."""
    m = mount(sim)
    store(sim, detail(files=["f"]))
    first = os.stat(m.task()).st_mtime_ns
    assert first == os.stat(m / "tasks").st_mtime_ns
    m.read("status")
    assert os.stat(m.task()).st_mtime_ns == first


def test_directories_change_with_their_names(mount, sim):
    """"The mtime of `tasks/`, `shares/` and `shares/SHAREID/` moves when names come or go.\""""
    m = mount(sim, watch=["share 5 77"])
    directories = [m / "tasks", m / "shares", m / "shares" / "5"]
    for lines in (["share 5 77", "share 5 78"], ["share 5 78"]):
        before, written = [os.stat(directory).st_mtime_ns for directory in directories], time.time_ns()
        m.write_list(*lines)
        wait_until(lambda: len(os.listdir(m / "tasks")) == len(lines), "the new list")
        for directory, old in zip(directories, before):
            wait_until(lambda: os.stat(directory).st_mtime_ns != old, "the new time")
            assert written <= os.stat(directory).st_mtime_ns <= time.time_ns()


def test_value_that_was_dropped_is_new(mount, sim):
    """"A value that was dropped for want of `memory` is first seen again.\""""
    m = mount(sim, memory="64K", watch=[f"share 5 {task}" for task in range(1, 10)])
    for task in range(1, 10):
        store(sim, detail(str(task), padding="x" * 20_000), str(task))
    first = os.stat(m.task("1") / "progress").st_mtime_ns
    assert os.stat(m.task("1") / "progress").st_mtime_ns == first
    for task in range(2, 10):
        m.read("job.json", str(task))
    wait_until(lambda: os.stat(m.task("1") / "progress").st_mtime_ns > first, "the new time")
    assert m.requests("1") == 2


# touch

@pytest.mark.parametrize("what", ["progress", "", "files", "files/f/status", "files/f"])
def test_touch_asks_again(mount, sim, what):
    """"`touch` on a task's directory, or on anything in it, asks the service again now", though the ttl has not passed."""
    m = mount(sim, ttl="1h")
    store(sim, detail(progress=1, files=["f"]))
    assert m.read("progress") == "1\n" and m.read("files/f/status") == "succeeded\n"
    store(sim, detail(progress=2, files=[{"fileId": "f", "status": "2"}]))
    assert m.read("progress") == "1\n"
    asked = m.requests()
    run("touch", m.task() / what)
    assert m.requests() == asked + 1
    assert run("cat", m.task() / "progress").stdout == "2\n"
    assert run("cat", m.task() / "files/f/status").stdout == "failed\n"
    assert m.requests() == asked + 1


def test_touch_then_read_at_once(mount, sim):
    """"After `touch` of a file returns, every read shows the new response", every time."""
    m = mount(sim, ttl="1h")
    store(sim, detail(userId="@N@"))
    last = int(m.read("user"))
    for number in range(last + 1, last + 200):
        os.utime(m.task() / "user")
        assert int(m.read("user")) == number and f'"{number}"' in m.read("job.json")


def test_touch_is_not_content_with_an_older_request(mount, start):
    """"`touch` waits for a request that begins after it": one that is under way is not enough."""
    sim = start("--duration=0", "--latency=500")
    m = mount(sim, ttl="1h")
    store(sim, detail(progress=1))
    assert m.read("progress") == "1\n" and m.read("status") == "running\n"
    first = m.popen("touch", m.task() / "status")
    wait_until(lambda: sim.counters()["inFlight"] == 1, "the first request")
    store(sim, detail(progress=2))
    run("touch", m.task() / "progress")
    assert m.read("progress") == "2\n" and m.requests() == 3
    assert first.wait(60) == 0


def test_touch_of_a_directory_again_and_again(mount, sim):
    """"After `touch` of a directory the kernel drops the old names right after the return": soon the new response shows, and
    no response but that one."""
    m = mount(sim, ttl="1h")
    store(sim, detail(userId="@N@"))
    last = int(m.read("user"))
    for number in range(last + 1, last + 200):
        os.utime(m.task())
        wait_until(lambda: m.read("user") == f"{number}\n", "the new answer")
    assert m.requests() == last + 199


def test_touch_of_an_ended_task(mount, sim):
    """ended tasks too are asked for again by touch, and go on being served from memory."""
    m = mount(sim)
    assert m.read("status") == "completed\n"
    run("touch", m.task() / "status", m.task() / "result", m.task() / "job.json")
    assert m.requests() == 4
    assert m.read("status") == "completed\n"
    assert m.requests() == 4


def test_touch_while_failing(mount, sim):
    """"`touch` fails when that request fails"; the last good response goes on being served."""
    m = mount(sim, ttl="1h", deadline="5s")
    store(sim, detail())
    assert m.read("status") == "running\n"
    sim.fault(kind="garbage", times=2)
    assert errno_of(os.utime, m.task() / "status") == "EBADMSG"
    assert errno_of(os.utime, m.task()) == "EBADMSG"
    assert m.read("status") == "running\n"
    assert errno_of(os.utime, m.task() / "status") is None
    assert errno_of(os.getxattr, m.task(), "user.kootaskfs.error") == "ENODATA"


def test_touch_of_nothing(mount, sim):
    """touch of a name that is not there would make a file: EROFS; of what is of no task: EROFS."""
    m = mount(sim)
    m.read("status")
    for path in (m.task() / "nothing", m.path, m / "tasks", m / ".kootaskfs" / "version", m / "shares"):
        done = run("touch", path, check=False)
        assert done.returncode == 1 and "Read-only file system" in done.stderr, path
    assert errno_of(os.utime, m.task() / "status", (1, 1)) == "EROFS"


def test_import_that_is_under_way(mount, sim):
    """An import that is running is asked for again; one that has completed is kept."""
    m = mount(sim, ttl="100ms")
    store(sim, '{"code":0,"msg":"ok","status":1}', IMPORT_TASK)
    assert m.read("status", IMPORT_TASK) == "running\n" and m.read("fail-count", IMPORT_TASK) == ""
    store(sim, imported(succeeded=3), IMPORT_TASK)
    wait_until(lambda: m.read("status", IMPORT_TASK) == "completed\n", "the end")
    assert m.read("result", IMPORT_TASK) == "succeeded\n" and m.read("success-count", IMPORT_TASK) == "3\n"
