# SPDX-License-Identifier: MIT
"""A name that is known never vanishes: whatever keeps the service from being asked, the files of a known task are there, and
reading one fails, with every tool and without a byte."""

import os
import signal
import socket
import subprocess
import time

import pytest

from koodrive_sim import wait_until
from kootaskfs_mount import IMPORT_TASK, SHARE_TASK, detail, errno_of, read_error, run, shell, store
from scripted_service import ScriptedService

TASKS = 46
NAMES = {"kind", "type", "status", "result", "progress", "created", "started", "ended", "user", "success-count",
         "fail-count", "name", "summary", "task.json", "job.json", "response.json", "files.csv", "failures.csv"}
OUTAGES = [({"kind": "status", "status": 401}, "EACCES"), ({"kind": "code", "code": 13000410}, "EACCES"),
           ({"kind": "delay", "ms": 60_000}, "ETIMEDOUT"), ({"kind": "status", "status": 429}, "EBUSY"),
           ({"kind": "status", "status": 500}, "EIO"), ({"kind": "garbage"}, "EBADMSG"), ({"kind": "reset"}, "EIO"),
           ({"kind": "code", "code": 13000309}, "ENOENT")]
IDS = [f"{fault.get('status', fault.get('code', fault['kind']))}" for fault, _ in OUTAGES]


@pytest.fixture
def crowd(start, tmp_path):
    """(simulator, watch list) of many share tasks, all running."""
    sim = start("--duration=3600", f"--tasks={TASKS - 1}", "--imports=0", "--jobs=0", f"--watch-list={tmp_path}/all")
    watch = [line for line in (tmp_path / "all").read_text().splitlines() if line.startswith("share")]
    for line in watch:
        store(sim, detail(line.split()[2], taskStatus=1), line.split()[2])
    assert len(watch) == TASKS
    return sim, watch


@pytest.fixture
def service():
    scripted = ScriptedService()
    yield scripted
    scripted.close()


def failing(mount, sim, fault, **settings):
    """A mount whose answers are past max-stale, and whose service fails."""
    m = mount(sim, ttl="100ms", ended_ttl="100ms", max_stale="0s", negative_ttl="1h", deadline="1s", **settings)
    m.read("status")
    sim.fault(**fault, times=-1)
    wait_until(lambda: read_error(m.task() / "status") is not None, "the failure")
    return m


@pytest.mark.parametrize("fault, name", OUTAGES, ids=IDS)
def test_every_name_of_a_known_task(mount, sim, fault, name):
    """"The files of a known task's directory are always there." "A failure shows when a file is read: the read fails with the
    errno of the table under Errors." "A file that cannot be read has the size 1." "Its mtime is the time since when it fails in
    this way\" "While a failure is remembered, no name of the task's directory makes a request.\""""
    m = failing(mount, sim, fault)
    asked, begin = m.requests(), time.time_ns()
    assert NAMES < set(os.listdir(m.task()))
    times = {path: os.stat(m.task() / path).st_mtime_ns for path in NAMES - {"status"}}
    for path in sorted(NAMES):
        stat = os.stat(m.task() / path)
        assert (stat.st_size, stat.st_mode & 0o777) == (1, 0o444)
        assert read_error(m.task() / path) == name
        assert path == "status" or (begin - 30 * 10**9 < stat.st_mtime_ns == times[path] <= time.time_ns())
    assert m.requests() == asked


@pytest.mark.parametrize("fault, name", OUTAGES, ids=IDS)
def test_never_asked_before(mount, sim, fault, name):
    """The same of a task that the service never answered for: "When that request fails, the names are listed all the same.\""""
    sim.fault(**fault, times=-1)
    m = mount(sim, negative_ttl="1h", deadline="1s")
    assert errno_of(os.stat, m.task() / "status") is None
    assert read_error(m.task() / "status") == name
    done = run("ls", "-l", m.task(), env={**os.environ, "LC_ALL": "C"})
    assert done.stderr == "" and NAMES < {line.split()[-1] for line in done.stdout.splitlines()}


GREP = "grep -lx running tasks/*/status"


@pytest.mark.parametrize("fault, name", OUTAGES[:4], ids=IDS[:4])
def test_counting_running_tasks(mount, crowd, fault, name):
    """"So a count over `tasks/*/status` is right, or the command that counts fails.\""""
    sim, watch = crowd
    m = mount(sim, watch=watch, ttl="300ms", max_stale="0s", negative_ttl="1h", deadline="2s")
    assert len(run("sh", "-c", GREP, cwd=m.path).stdout.splitlines()) == TASKS
    sim.fault(**fault, times=-1)
    wait_until(lambda: read_error(m.task() / "status") is not None, "the outage to be noticed")
    done = run("sh", "-c", GREP, cwd=m.path, check=False, env={**os.environ, "LC_ALL": "C"})
    assert done.returncode == 2
    assert len(done.stdout.splitlines()) + len(done.stderr.splitlines()) == TASKS, "who is not counted is named"
    assert run("sh", "-c", "echo tasks/*/status | wc -w", cwd=m.path).stdout.strip() == str(TASKS)


READERS = [
    ("cat", 'cat "$1/status"'), ("head", 'head -n1 "$1/status"'), ("tail", 'tail -n1 "$1/status"'),
    ("grep", 'grep -q . "$1/status"'), ("cp", 'cp "$1/status" "$2/x"'), ("cp -r", 'cp -r "$1" "$2/x"'),
    ("tar", 'tar c "$1" >"$2/x.tar"'), ("rsync", 'rsync -a "$1/status" "$2/x"'), ("rsync -a", 'rsync -a "$1/" "$2/x"'),
    ("dd", 'dd if="$1/status" of="$2/x"'), ("read", 'read -r word <"$1/status"'), ("sort", 'sort "$1/status"'),
    ("jq", 'jq . "$1/job.json"'), ("md5sum", 'md5sum "$1/status"'), ("cmp", 'cmp "$1/status" "$1/progress"'),
    ("python", '/usr/bin/python3 -c "import sys; open(sys.argv[1]).read()" "$1/status"'),
    ("mmap", '/usr/bin/python3 -c "import mmap, sys; print(mmap.mmap(open(sys.argv[1]).fileno(), 0, prot=1)[0])" "$1/status"'),
    ("sendfile", '/usr/bin/python3 -c "import os, sys; os.sendfile(os.open(sys.argv[2] + \'/x\', 65), '
                 'os.open(sys.argv[1], 0), 0, 9)" "$1/status" "$2"'),
]


@pytest.mark.parametrize("script", [script for _, script in READERS], ids=[name for name, _ in READERS])
def test_tools_fail(mount, sim, tmp_path, script):
    """"cat, grep, cp, tar, rsync, tail, Python and the shell's `read` fail with exactly that errno.\""""
    m = failing(mount, sim, {"kind": "status", "status": 401})
    done = run("bash", "-c", script, "bash", m.task(), tmp_path, check=False, env={**os.environ, "LC_ALL": "C"})
    assert done.returncode != 0, done
    if "mmap" in script:
        return  # SIGBUS says nothing
    if "read -r" not in script and "jq" not in script:  # which say nothing
        assert "ermission denied" in done.stderr or "Errno 13" in done.stderr, done
    for name in ("x", "x/status", "x/job.json"):
        copy = tmp_path / name
        assert not copy.is_file() or copy.stat().st_size == 0, "no byte of it was copied"


def test_rsync_keeps_the_last_good_copy(mount, sim, tmp_path):
    """What was copied before the outage is not replaced by something else."""
    m = mount(sim, ttl="100ms", max_stale="0s", negative_ttl="1h")
    store(sim, detail(taskStatus=1, files=["f"]))
    run("rsync", "-a", f"{m.task()}/", tmp_path / "copy")
    assert (tmp_path / "copy/files/f/status").read_text() == "succeeded\n"
    sim.fault(kind="garbage", times=-1)
    wait_until(lambda: read_error(m.task() / "status") is not None, "the failure")
    done = run("rsync", "-a", "--delete", f"{m.task()}/", tmp_path / "copy", check=False)
    assert done.returncode == 23
    assert (tmp_path / "copy/status").read_text() == "running\n"
    assert (tmp_path / "copy/files/f/status").read_text() == "succeeded\n"


def test_files_of_the_last_answer(mount, sim):
    """"`files/` has the names of the last good snapshot, whatever its age." "Reading the files below a name in `files/` fails
    as the task does.\""""
    m = mount(sim, ttl="100ms", max_stale="0s", negative_ttl="1h")
    store(sim, detail(taskStatus=1, files=["f", "g"]))
    assert m.read("files/f/status") == "succeeded\n"
    sim.fault(kind="garbage", times=-1)
    wait_until(lambda: read_error(m.task() / "status") is not None, "the failure")
    assert sorted(os.listdir(m.task() / "files")) == ["f", "g"]
    assert shell('echo "$1"/files/*/status | wc -w', m.task()).stdout.strip() == "2"
    assert read_error(m.task() / "files/g/new-file-id") == "EBADMSG"
    assert errno_of(os.stat, m.task() / "files/other") == "EBADMSG", "whether there is one cannot be told"
    done = run("find", m.task(), "-type", "f", check=False)
    assert done.stderr == ""


def test_files_never_known(mount, sim):
    """"When there was never a good snapshot, listing `files/` fails": that is an error, and no empty directory."""
    m = mount(sim, negative_ttl="1h")
    sim.fault(kind="garbage", times=-1)
    assert errno_of(os.listdir, m.task() / "files") == "EBADMSG"
    assert run("find", m.task() / "files", check=False).returncode == 1


def test_kernel_keeps_no_failure(mount, sim):
    """"The kernel keeps no failure: a file can be read the moment kootaskfs knows better.\""""
    m = failing(mount, sim, {"kind": "garbage"})
    opened = os.open(m.task() / "status", os.O_RDONLY)
    assert errno_of(os.pread, opened, 99, 0) == "EBADMSG"
    sim.admin("DELETE", "faults")
    run("touch", m.task() / "progress")
    assert m.read("status") == "completed\n"
    assert errno_of(os.pread, opened, 99, 0) == "EBADMSG", "an open file goes on showing what it was"
    os.close(opened)


def test_the_rest_of_the_directory_does_not_wait(mount, sim):
    """"A failure is remembered for `negative-ttl` (3 s): the rest of the directory makes no request and does not wait.\""""
    sim.fault(kind="delay", ms=60_000, times=-1)
    m = mount(sim, negative_ttl="1h", deadline="1s")
    assert read_error(m.task() / "status") == "ETIMEDOUT"
    asked, begin = m.requests(), time.monotonic()
    assert {read_error(m.task() / name) for name in NAMES} == {"ETIMEDOUT"}
    assert time.monotonic() - begin < len(NAMES) / 2 and m.requests() == asked


def test_recovery_after_negative_ttl(mount, sim):
    """And no longer than for `negative-ttl`."""
    m = mount(sim, negative_ttl="200ms")
    sim.fault(kind="garbage", times=-1)
    assert read_error(m.task() / "status") == "EBADMSG"
    sim.admin("DELETE", "faults")
    wait_until(lambda: read_error(m.task() / "status") is None, "the recovery")
    assert m.read("status") == "completed\n"


def test_one_failing_task_among_others(mount, crowd):
    """One task that cannot be asked is named; the others are counted."""
    sim, watch = crowd
    task = watch[7].split()[2]
    m = mount(sim, watch=watch, negative_ttl="1h")
    sim.fault(kind="garbage", taskId=task, times=-1)
    done = run("sh", "-c", GREP, cwd=m.path, check=False)
    assert done.returncode == 2 and len(done.stdout.splitlines()) == TASKS - 1
    assert len(done.stderr.splitlines()) == 1 and task in done.stderr


def test_basic_tasks_too(mount, sim):
    m = mount(sim, negative_ttl="1h")
    sim.fault(kind="garbage", times=-1)
    for name in ("status", "failures.csv", "success-count"):
        assert os.stat(m.task(IMPORT_TASK) / name).st_size == 1
        assert read_error(m.task(IMPORT_TASK) / name) == "EBADMSG"


def test_no_service_at_all(mount):
    """Nobody listens, and nobody ever has."""
    with socket.socket() as bound:  # bound, and nobody listens
        bound.bind(("127.0.0.1", 0))
        m = mount(endpoint=f"http://127.0.0.1:{bound.getsockname()[1]}", negative_ttl="1h")
        assert NAMES < set(os.listdir(m.task()))
        assert run("sh", "-c", "echo tasks/*/status", cwd=m.path).stdout.split() == sorted(
            f"tasks/{task}/status" for task in (SHARE_TASK, IMPORT_TASK))
        assert read_error(m.task() / "status") == "EHOSTUNREACH"


def test_a_name_nobody_has_listed(mount, sim):
    """"A task that nobody has listed is ENOENT only when the service says so; another failure is that failure.\""""
    m = mount(sim, families="share, basic, job", negative_ttl="50ms")
    assert errno_of(os.stat, m.task("4711")) == "ENOENT"
    sim.fault(kind="garbage", times=-1)
    wait_until(lambda: errno_of(os.stat, m.task("4711")) == "EBADMSG", "the failure")


def test_wc_looks_at_the_size_alone(mount, sim):
    """"Programs that look at the size alone see 1 byte: `wc -c`, `test -s`, `ls -l`.\""""
    m = failing(mount, sim, {"kind": "garbage"})
    assert run("wc", "-c", m.task() / "status").stdout.split()[0] == "1"
    assert run("test", "-s", m.task() / "status").returncode == 0
    assert run("ls", "-l", m.task() / "status").stdout.split()[4] == "1"


CARELESS = {  # each prints 0 for an empty file
    "mapfile": 'mapfile -t lines <"$1"; echo "${#lines[@]}"', "$(<FILE)": 'x=$(<"$1"); echo "${#x}"',
    "while read": 'n=0; while read -r line; do n=1; done <"$1"; echo $n',
    "perl -n": """perl -ne '$n++; END { print $n + 0, "\\n" }' "$1\"""",
    "zip": 'zip -q "$2/x.zip" "$1" && unzip -p "$2/x.zip" | wc -c',
    "cksum": '{ cksum "$1" || echo fails 0; } | cut -d " " -f 2',
}


@pytest.mark.parametrize("script", CARELESS.values(), ids=CARELESS)
def test_careless_programs_see_an_empty_file(mount, sim, tmp_path, script):
    """"Programs that ignore a failed read see an empty file, as on a broken disk: bash's `mapfile` and `$(<FILE)`, `while read`,
    `perl -n`, zip, cksum.\""""
    m = failing(mount, sim, {"kind": "status", "status": 401})
    assert run("bash", "-c", script, "bash", m.task() / "status", tmp_path).stdout == "0\n"


def test_command_substitution_of_cat_fails(mount, sim):
    """"`$(cat FILE)` fails when the read of the file fails.\""""
    m = failing(mount, sim, {"kind": "status", "status": 401})
    done = run("bash", "-c", 'x=$(cat "$1"); echo "$? <$x>"', "bash", m.task() / "status")
    assert done.stdout == "1 <>\n"


def test_names_of_files_go_with_the_task(mount, sim):
    """"`files/` loses its names when the service says that the task is gone.\""""
    m = mount(sim, ttl="100ms", max_stale="1h", negative_ttl="1h")
    store(sim, detail(taskStatus=1, files=["f", "g"]))
    assert sorted(os.listdir(m.task() / "files")) == ["f", "g"]
    sim.fault(kind="code", code=13000309, times=-1)
    wait_until(lambda: errno_of(os.listdir, m.task() / "files") == "ENOENT", "the task's end")
    assert errno_of(os.stat, m.task() / "files/f") == "ENOENT"


@pytest.mark.parametrize("link", ["http://127.0.0.1:1/p", ""])
def test_package_of_a_task_that_cannot_be_asked_for(mount, sim, link):
    """"`package.zip` of a task that cannot be asked for is found by its name, because nobody can say whether there is one."
    "Such a `package.zip` is listed when the last response has a link.\""""
    m = mount(sim, ttl="100ms", max_stale="0s", negative_ttl="1h")
    store(sim, detail(taskStatus=1, downloadUrl=link))
    m.read("status")
    sim.fault(kind="garbage", times=-1)
    wait_until(lambda: read_error(m.task() / "status") == "EBADMSG", "the failure")
    assert os.stat(m.task() / "package.zip").st_size == 1
    assert read_error(m.task() / "package.zip") == "EBADMSG"
    assert ("package.zip" in os.listdir(m.task())) == (link != "")


def test_one_read_each(mount, sim):
    """A failure costs one READ each time, no more: the kernel does not try again."""
    m = failing(mount, sim, {"kind": "garbage"})
    cost = m.operations_of(lambda: subprocess.run(["cat", m.task() / "status"], stderr=subprocess.DEVNULL, check=False))
    assert cost.get("read") == 1 and set(cost) <= {"read", "lookup"}


def test_never_empty_nor_shortened(mount, sim):
    """"A failure never shows as an empty or shortened file": many readers while the service fails and recovers all the
    time."""
    m = mount(sim, ttl="20ms", max_stale="0s", negative_ttl="20ms")
    store(sim, detail(taskStatus=1, files=["f"] * 40))
    good = {name: m.read(name) for name in ("status", "progress", "files.csv", "job.json")}
    reader = """
import os, sys, time
end, seen = time.monotonic() + 3, [0, 0]
wanted = eval(sys.argv[2])
while time.monotonic() < end:
    for name, text in wanted.items():
        try:
            with open(f"{sys.argv[1]}/{name}") as opened:
                got = opened.read()
        except OSError as error:
            assert error.errno != 2, "the name vanished"
            seen[1] += 1
        else:
            assert got == text, (name, got)
            seen[0] += 1
print(*seen)
"""
    readers = [m.python(reader, m.task(), repr(good)) for _ in range(4)]
    while any(child.poll() is None for child in readers):
        sim.fault(kind="garbage", times=3)
        requests = m.requests()
        wait_until(lambda: m.requests() > requests + 5 or all(child.poll() is not None for child in readers), "requests")
    for child in readers:
        out, err = child.communicate()
        assert child.returncode == 0, err
        succeeded, failed = map(int, out.split())
        assert succeeded > 0 and failed > 0


def refused_all(mount, service, **settings):
    """A mount to which the service has refused every task of every family, and both lists."""
    service.list([service.add_basic("1", status=1)], [service.add_job("11")])
    service.add_share("21")
    answers, service.answers = service.answers, {}
    paths = ["task/list", "jobs", "task/1", "task/result/1", "11", "share/taskDetail/21"]
    service.answers.update({path: (401, {"code": 1}) for path in paths})
    m = mount(service, watch=["basic 1", "job 11", "share S 21"], families="share, basic, job", negative_ttl="1h", **settings)
    os.listdir(m / "tasks")
    for task in ("1", "11", "21"):
        assert read_error(m.task(task) / "status") == "EACCES"
    assert m.control("health").count("failed: ") == 2
    service.answers = answers
    return m


@pytest.mark.parametrize("way", ["SIGHUP", "token file"])
def test_another_token_ends_refusals(mount, service, way):
    """"A failure is remembered for `negative-ttl`, or until SIGHUP, or until a file has another token": of every family, and
    of lists."""
    m = refused_all(mount, service)
    if way == "SIGHUP":
        m.signal(signal.SIGHUP)
    else:
        m.token_file.write_text("another\n")
    for task in ("1", "11", "21"):
        wait_until(lambda: read_error(m.task(task) / "status") is None, "the token")
        assert m.read("status", task) == "running\n"
    os.listdir(m / "tasks")
    assert "failed: " not in m.control("health")


def test_another_token_ends_standing_in(mount, service):
    """The kernel, too, holds no old answer that stood in for what was refused."""
    service.add_share("21", taskStatus=1)
    m = mount(service, watch=["share S 21"], ttl="50ms", max_stale="1h", negative_ttl="1h")
    assert m.read("progress", "21") == "50\n"
    good = service.answers.copy()
    service.answers["share/taskDetail/21"] = (401, {"code": 1})
    wait_until(lambda: m.read("progress", "21") and os.getxattr(m.task("21"), "user.kootaskfs.stale") == b"1", "refusal")
    service.answers = good
    service.add_share("21", taskStatus=1, progress=60)
    m.token_file.write_text("another\n")
    wait_until(lambda: m.read("progress", "21") == "60\n", "the token")
