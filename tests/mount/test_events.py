# SPDX-License-Identifier: MIT
"""Event logs: what stands in them, that they grow as plain tools expect, and who is polled while they are followed."""

import datetime
import os
import pty
import re
import subprocess
import time

import pytest

from koodrive_sim import SHARE, SHARE_TASK, wait_until
from kootaskfs_mount import detail, errno_of, run, shell, store
from scripted_service import NOT_FOUND, ScriptedService

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S+ \S+ \S+ -> \S+")
WATCH = (f"share {SHARE} {SHARE_TASK}",)
QUIET = 3  # seconds without a request that show that nobody is polled; a poll comes each 0.3 s


@pytest.fixture
def service():
    scripted = ScriptedService()
    yield scripted
    scripted.close()


def lines_of(text):
    """The lines of a log, each whole, in words; blanks before a line are what was lost."""
    lines = [line.strip() for line in text.split("\n")]
    assert lines[-1] == "" and text[-1:] in ("", "\n"), f"half a line at the end: {text[-100:]}"
    for line in lines[:-1]:
        assert not line or LINE.fullmatch(line), f"no line: {line!r}"
    return [line.split() for line in lines[:-1] if line]


def events(m, task=None):
    """The lines of the log of all tasks, or of one, without time, id and arrow: WHAT OLD NEW."""
    path = m.task(task) / "events" if task else m / "events"
    return [f"{what} {old} {new}" for _, _, what, old, _, new in lines_of(path.read_text())]


def again(m, task=SHARE_TASK):
    """The service is asked again, now."""
    os.utime(m.task(task))


def quiet(m):
    """Waits until nobody is polled any more."""
    last = [m.requests(), time.monotonic()]

    def is_quiet():
        if m.requests() != last[0]:
            last[:] = [m.requests(), time.monotonic()]
        return time.monotonic() - last[1] > QUIET

    wait_until(is_quiet, "the end of the polls")
    return last[0]


# ---- what stands in a log


def test_lines(mount, sim):
    """"A line stands in both logs, or in neither." "The first response about a task is one line, `seen`, whatever else it
    says." "Each later response is a line for each value that it has and that differs from what was known." "The lines of one
    response stand in the order of the table." "An empty value is `-`." "`TIME` is that of the response, in UTC." "After the
    end of a task its last progress and its last counts are there.\""""
    m = mount(sim, watch=WATCH)
    log = m.task() / "events"
    assert (log.read_bytes(), (m / "events").read_bytes()) == (b"", b"")
    store(sim, detail(progress=10))
    before = datetime.datetime.now(datetime.timezone.utc)
    assert m.read("status") == "running\n"
    after = datetime.datetime.now(datetime.timezone.utc)
    assert events(m) == events(m, SHARE_TASK) == ["seen - running"]
    said = datetime.datetime.fromisoformat(lines_of(log.read_text())[0][0].replace("Z", "+00:00"))
    assert before - datetime.timedelta(milliseconds=1) <= said <= after
    store(sim, detail(progress=60))
    again(m)
    store(sim, detail(taskStatus=2, taskResultCode=1, progress=100, files=["F"], downloadUrl="https://h.example/p"))
    again(m)
    again(m)
    assert events(m) == [
        "seen - running", "progress 10 60", "status running completed", "result - succeeded", "progress 60 100",
        "success-count - 1", "fail-count - 0", "package absent present",
    ]
    assert log.read_bytes() == (m / "events").read_bytes()
    words = shell('while read -r time id what old _ new; do echo "$id $what $old $new"; done < "$1"', log).stdout
    assert words.splitlines()[2] == f"{SHARE_TASK} status running completed"
    assert run("grep", "-c", " -> completed$", log).stdout == "1\n"


def test_errors_and_the_end(mount, sim):
    """"Another failure, and that a failure is overcome, is a line; the same failure again is none." "Who has the log of a task
    open can read it to its end after the task is gone.\""""
    m = mount(sim, watch=WATCH)
    store(sim, detail())
    again(m)
    fault = sim.fault(kind="status", status=503, times=-1)
    for _ in range(2):
        assert errno_of(again, m) == "EIO"
    sim.admin("DELETE", "faults")
    again(m)
    assert fault and events(m) == ["seen - running", "error - EIO", "error EIO -"]
    with open(m.task() / "events") as log:
        m.write_list()
        wait_until(lambda: not m.task().exists(), "the task to go")
        assert events(m)[-1] == "gone running -"
        assert lines_of(log.read())[-1][2:] == ["gone", "running", "->", "-"]


def test_begins_with_the_mount(mount, sim):
    """"The logs begin and end with the mount.\""""
    m = mount(sim, watch=WATCH)
    again(m)
    assert events(m)
    m.unmount()
    m.start()
    assert (events(m), events(m, SHARE_TASK)) == ([], [])


# ---- a log grows


def test_sizes_are_true(mount, sim):
    """"A log is one file, and its size only grows." "`stat` shows the true size, and as the mtime the time of the last line."
    "A new line moves the time of no directory that the change itself does not move.\""""
    m = mount(sim, watch=WATCH)
    logs = [m / "events", m.task() / "events"]
    inodes = [log.stat().st_ino for log in logs]
    store(sim, detail(progress="@N@"))
    sizes = [0, 0]
    for _ in range(20):
        again(m)
        for i, log in enumerate(logs):
            stat, text = log.stat(), log.read_text()
            assert stat.st_size == len(text) == int(run("wc", "-c", log).stdout.split()[0]) > sizes[i]
            assert stat.st_ino == inodes[i]
            last = datetime.datetime.fromisoformat(lines_of(text)[-1][0].replace("Z", "+00:00")).timestamp()
            assert abs(stat.st_mtime - last) < 0.002
            sizes[i] = stat.st_size
    times = [path.stat().st_mtime_ns for path in (m.path, m / "tasks", m.task())]
    sim.fault(kind="status", status=503, times=-1)
    assert errno_of(again, m) == "EIO"
    assert events(m)[-1] == "error - EIO"
    assert times == [path.stat().st_mtime_ns for path in (m.path, m / "tasks", m.task())]
    sim.admin("DELETE", "faults")
    m.read("status")
    assert run("tar", "cf", "/dev/null", "-C", m.task(), "status", "events").stderr == ""


READER = """
import sys, time
log = open(sys.argv[1])
while True:
    sys.stdout.write(log.read())
    sys.stdout.flush()
    time.sleep(0.1)
"""


def follow(m, directory, log):
    """Starts all that follow a log from its start, and gives the files that they write to."""
    commands = {
        "tail -f": ["tail", "-n", "+1", "-f", log],
        "tail -F": ["tail", "-n", "+1", "-F", log],
        "tail -s": ["tail", "-n", "+1", "-s", "0.1", "-f", log],
        "while read": ["sh", "-c", 'tail -n +1 -f "$0" | while read -r line; do echo "$line"; done', log],
        "grep": ["sh", "-c", 'tail -n +1 -f "$0" | grep --line-buffered .', log],
        "python": ["python3", "-c", READER, log],
    }
    files = {}
    for name, command in commands.items():
        files[name] = directory / name
        with open(files[name], "w") as out:
            m.popen(*command, stdout=out)
    return files


@pytest.mark.parametrize("whose", ["task", "mount"])
def test_followers(mount, sim, tmp_path, whose):
    """"`tail -f`, `tail -F`, `less +F` and a process that reads on where it has stopped get each line once." "While a process
    reads the log of a task again and again, the task is polled every `ttl` until it has ended." "While a process reads the log
    of all tasks again and again, the lists and all tasks that have not ended are polled." "A process that has read a log and
    then asks for its size again and again, as `tail -f` does, reads it again and again.\""""
    m = mount(sim, watch=WATCH, ttl="300ms")
    log = m / "events" if whose == "mount" else m.task() / "events"
    store(sim, detail(progress="@N@"))
    m.read("status")
    files = follow(m, tmp_path, log)
    wait_until(lambda: all(path.read_text().count(" progress ") >= 10 for path in files.values()), "ten lines for each")
    store(sim, detail(taskStatus=2, taskResultCode=1, progress=100))
    wait_until(lambda: all(" -> completed" in path.read_text() for path in files.values()), "the end")
    wait_until(lambda: all(path.read_text() == log.read_text() for path in files.values()), "what stands in the log")
    progress = [line[3:] for line in lines_of(log.read_text()) if line[2] == "progress"]
    assert all(one[2] == next_one[0] for one, next_one in zip(progress, progress[1:])), "none is missing, none is there twice"
    assert progress[-1][2] == "100"
    count = m.requests()
    assert quiet(m) == count, "a task that has ended is polled no more"


@pytest.mark.parametrize("is_empty", [False, True])
def test_only_new_lines(mount, sim, tmp_path, is_empty):
    """`tail -n 0 -f events | while read`: the recipe for scripts that act on what happens from now on."""
    m = mount(sim, watch=WATCH, ttl="300ms")
    store(sim, detail(progress=1))
    if not is_empty:
        m.read("status")
    script = 'tail -n 0 -f "$0" | while read -r time id what old _ new; do echo "$id $what $old $new"; done'
    with open(tmp_path / "out", "w") as out:
        m.popen("sh", "-c", script, m / "events", stdout=out)
    asked = m.requests()
    wait_until(lambda: m.requests() > asked + 1, "polls")
    store(sim, detail(progress=2))
    wait_until(lambda: "progress" in (tmp_path / "out").read_text(), "a line")
    seen = f"{SHARE_TASK} seen - running\n" if is_empty else ""
    assert (tmp_path / "out").read_text() == seen + f"{SHARE_TASK} progress 1 2\n"


def test_less(mount, sim):
    """"`tail -f`, `tail -F`, `less +F` and a process that reads on where it has stopped get each line once": less, on a
    terminal."""
    m = mount(sim, watch=WATCH, ttl="300ms")
    store(sim, detail(progress="@N@"))
    m.read("status")
    ours, theirs = pty.openpty()
    less = subprocess.Popen(["less", "+F", str(m.task() / "events")], stdin=theirs, stdout=theirs, stderr=theirs,
                            env={**os.environ, "TERM": "vt100", "LESS": "-S"}, start_new_session=True)
    m.children.append(less)
    os.close(theirs)
    os.set_blocking(ours, False)
    shown = []

    def shows_ten():
        try:
            shown.append(os.read(ours, 65536).decode(errors="replace"))
        except BlockingIOError:
            pass
        return "".join(shown).count(" progress ") >= 10

    try:
        wait_until(shows_ten, "less to show what is new")
    finally:
        os.close(ours)


def test_reading_on(mount, sim):
    """What one descriptor has read is never read again, and never changes: sizes and offsets agree at every moment."""
    m = mount(sim, watch=WATCH)
    store(sim, detail(progress="@N@"))
    descriptor = os.open(m.task() / "events", os.O_RDONLY)
    try:
        read = b""
        for _ in range(50):
            again(m)
            size = os.fstat(descriptor).st_size
            while len(read) < size:
                read += os.read(descriptor, 37)
            assert read == os.pread(descriptor, size, 0)
            assert os.read(descriptor, 37) == b""
        assert [line[5] for line in lines_of(read.decode())][1:] == [str(n) for n in range(2, 51)]
    finally:
        os.close(descriptor)


# ---- what was lost


def jobs(ids, status):
    """A function that gives the pages of the list of jobs."""
    def pages(query):
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", 100))
        return {"code": "0", "data": [{"taskId": id_, "taskType": 1, "status": status} for id_ in ids[offset:offset + limit]]}
    return pages


def test_ring(mount, service):
    """"Of the log of all tasks the last part is kept, of the size `events-memory` (1M); of a task's a sixteenth of that."
    "Offsets stay valid: what was lost reads as blanks." "Right before the oldest line that is kept stands `TIME - lost N ->
    -`, with the time of the last of the N lines lost so far." No line of blanks is longer than 1 MiB."""
    m = mount(service, watch=None, families="job", list_ttl="1ms", events_memory="64K")
    ids = [str(10**18 + n) for n in range(3000)]
    service.answers["jobs"] = jobs(ids, 2)
    assert len(os.listdir(m / "tasks")) == 3000
    text = (m / "events").read_text()
    lines = lines_of(text)
    assert lines[0][1:3] == ["-", "lost"] and lines[0][3:] == [str(3001 - len(lines)), "->", "-"]
    assert len(text.lstrip()) < 64 * 1024 and lines[-1][1] == ids[-1]
    assert text.split("\n")[0].strip(" ") == "" and all(text.split("\n")[1:-1]), "one line of blanks, then lines"
    start = text.index("\n") + 1
    service.answers["jobs"] = jobs(ids, 3)
    os.listdir(m / "tasks")
    now = (m / "events").read_text()
    assert len(now) > len(text) > start
    lost = lines_of(now)[0]
    assert int(lost[3]) + len(lines_of(now)) - 1 == 6000
    last = lines_of(now)[-1]
    offset = len(now) - len(" ".join(last)) - 1
    with open(m / "events") as log:
        log.seek(offset)
        assert log.read().split() == last
    assert events(m, ids[0]) == ["seen - completed", "status completed canceled"]


def test_lagging_reader(mount, service):
    """"A reader that has fallen behind gets whole lines, but for the one that it stopped in if that one was lost: this may be
    cut off." "The line `lost` never shares its line with blanks or with half a line": several readers, with reads of each size, while
    thousands of lines come and go."""
    m = mount(service, watch=None, families="job", list_ttl="100ms", events_memory="64K")
    ids = [str(10**18 + n) for n in range(1000)]
    sizes = (1000, 4096, 8192, 20000, 100000)
    service.answers["jobs"] = jobs(ids, 2)
    os.listdir(m / "tasks")
    descriptors = [os.open(m / "events", os.O_RDONLY) for _ in sizes]
    read = [[] for _ in sizes]
    try:
        for turn in range(12):
            service.answers["jobs"] = jobs(ids, 3 - turn % 2)
            before = os.fstat(descriptors[0]).st_size
            wait_until(lambda before=before: os.listdir(m / "tasks") and os.fstat(descriptors[0]).st_size > before, "lines")
            for i, size in enumerate(sizes):
                read[i] += [os.read(descriptors[i], size) for _ in range(3)]
        for i, size in enumerate(sizes):
            while part := os.read(descriptors[i], size):
                read[i].append(part)
            text = b"".join(read[i]).decode()
            assert text.endswith("\n")
            stops = {sum(map(len, read[i][:n])) for n in range(len(read[i]))}
            lost, end = False, 0
            for line in text.split("\n"):
                begin, end = end, end + len(line) + 1
                words = line.split()
                assert LINE.fullmatch(" ".join(words)) or not words or (
                    len(words) < 6 and any(begin < stop < end for stop in stops)), line
                lost = lost or words[2:3] == ["lost"]
            assert lost
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def test_begins_anew(mount, service):
    """"A log that has lost more than 16 MiB becomes another file under the same name, which begins with the oldest line kept,
    as soon as nobody has the old one open.\""""
    m = mount(service, watch=None, families="job", list_ttl="1ms", events_memory="64K")
    ids = [f"{n:064}" for n in range(4000)]
    statuses = [2, 3]
    log = m / "events"

    def lose(megabytes):
        while loss[0] < megabytes * 1024 * 1024:
            statuses.reverse()
            service.answers["jobs"] = jobs(ids, statuses[0])
            before = log_size()
            os.listdir(m / "tasks")
            loss[0] += log_size() - before

    def log_size():
        return os.fstat(descriptor).st_size

    loss = [0]
    descriptor = os.open(log, os.O_RDONLY)
    try:
        inode = os.fstat(descriptor).st_ino
        lose(18)
        assert log.stat().st_ino == inode and log_size() > 18 * 1024 * 1024
        os.lseek(descriptor, -100, os.SEEK_END)
        assert os.read(descriptor, 200).endswith(b"\n")
        text = log.read_text()
        assert max(len(line) for line in text.split("\n")) < 1024 * 1024
    finally:
        os.close(descriptor)

    def is_another():
        statuses.reverse()
        service.answers["jobs"] = jobs(ids, statuses[0])
        os.listdir(m / "tasks")
        return log.stat().st_ino != inode

    wait_until(is_another, "another file")
    assert log.stat().st_size < 4 * 1024 * 1024
    assert lines_of(log.read_text())


# ---- who is polled


def test_nobody_is_polled(mount, sim):
    """"Reading a log never makes a request by itself." "`ls -l` and `find` of a log have nothing polled." "That ends when three of the
    intervals between two readings have passed without another one, and three `ttl`s at least.\""""
    m = mount(sim, watch=WATCH, ttl="300ms")
    store(sim, detail(progress="@N@"))
    m.read("status")
    asked = m.requests()
    assert events(m, SHARE_TASK) == events(m) == ["seen - running"]
    assert m.requests() == asked
    m.unmount()
    m.start()
    m.read("status")
    asked = m.requests()
    for _ in range(3):
        run("ls", "-l", m / "events", m.task() / "events")
        run("find", m / "events", m.task() / "events", "-size", "+0")
        time.sleep(0.6)
    assert quiet(m) == asked
    m.read("events")
    time.sleep(0.6)
    m.read("events")
    wait_until(lambda: m.requests() >= asked + 3, "polls")
    quiet(m)


def test_who_only_asks_once_a_second(mount, sim):
    """"While a process reads the log of all tasks again and again, the lists and all tasks that have not ended are polled":
    a task that nobody has ever asked for, and one that a list brings later, are seen."""
    m = mount(sim, watch=WATCH, ttl="300ms", list_ttl="300ms", families="share, job")
    sim.admin("PUT", "answers/jobs", '{"code":"0","data":[]}')
    store(sim, detail(progress="@N@"))
    tail = m.popen("tail", "-n", "+1", "-f", m / "events")
    assert tail.stdout.readline().split()[1:] == [SHARE_TASK, "seen", "-", "->", "running"]
    sim.admin("PUT", "answers/jobs", '{"code":"0","data":[{"taskId":"77","taskType":1,"status":0}]}')
    while (line := tail.stdout.readline().split())[1] != "77":
        assert line[2] == "progress"
    assert line[2:] == ["seen", "-", "->", "pending"]
    tail.kill()
    tail.wait()
    quiet(m)


def test_fifty_tasks(mount, start, tmp_path):
    """50 tasks that change each second, and several who follow: no line lost, none doubled, at most one request for a task and
    interval."""
    sim = start("--duration=12", "--tasks=50", "--imports=0", "--jobs=0", f"--watch-list={tmp_path}/all")
    watch = [line for line in (tmp_path / "all").read_text().splitlines() if line.startswith("share")]
    ids = [line.split()[2] for line in watch]
    m = mount(sim, watch=watch, ttl="1s")
    began = time.monotonic()
    (tmp_path / "out").mkdir()
    files = follow(m, tmp_path / "out", m / "events")
    of_tasks = []
    for id_ in ids[:5]:
        of_tasks.append((id_, tmp_path / id_))
        with open(tmp_path / id_, "w") as out:
            m.popen("tail", "-n", "+1", "-f", m.task(id_) / "events", stdout=out)
    ended = re.compile(r"status \S+ -> (completed|canceled)|seen - -> (completed|canceled)")

    def have_ended():
        return len({line.split()[1] for line in (m / "events").read_text().splitlines() if ended.search(line)}) == len(ids)

    wait_until(have_ended, "the end of all tasks")
    took = time.monotonic() - began
    wait_until(lambda: all(path.read_text() == (m / "events").read_text() for path in files.values()), "all followers")
    lines = lines_of((m / "events").read_text())
    known = {}
    for _, id_, what, old, _, new in lines:
        assert known.get((id_, what), old) == old, f"{id_} {what}: {known[id_, what]}, then {old} -> {new}"
        assert old != new
        known[id_, what] = new
    assert sum(line[2] == "seen" for line in lines) == len(ids)
    assert sum(line[2] == "progress" for line in lines) > 5 * 50 / 2
    for id_, path in of_tasks:
        own = "".join(line + "\n" for line in (m / "events").read_text().splitlines() if line.split()[1] == id_)
        assert (m.task(id_) / "events").read_text() == own
        wait_until(lambda path=path, own=own: path.read_text() == own, f"who follows {id_}")
    for id_ in ids:
        assert m.requests(id_) <= took + 2, "one request an interval"


def test_failing_tasks_are_watched_on(mount, service):
    """A task that cannot be asked for is polled on while its log is followed, and the log says when it can."""
    m = mount(service, watch=("job 7",), families="job", ttl="300ms", negative_ttl="300ms")
    service.answers["7"] = (503, {"code": 13000201, "msg": "not now"})
    service.answers["jobs"] = {"code": "0", "data": []}
    tail = m.popen("tail", "-n", "+1", "-f", m.task("7") / "events")
    assert tail.stdout.readline().split()[2:] == ["error", "-", "->", "EIO"]
    service.answers["7"] = {"code": "0", "data": {"jobInfo": {"taskType": 1, "status": 1, "progress": 5}}}
    assert tail.stdout.readline().split()[2:] == ["error", "EIO", "->", "-"]
    assert tail.stdout.readline().split()[2:] == ["seen", "-", "->", "running"]
    service.answers["7"] = NOT_FOUND
    assert tail.stdout.readline().split()[2:] == ["error", "-", "->", "ENOENT"]
