# SPDX-License-Identifier: MIT
"""The tools that people point at files."""

import csv
import filecmp
import mmap
import os
import shutil
import sqlite3
import sys

import pytest

from koodrive_sim import SHARE, wait_until
from kootaskfs_mount import IMPORT_TASK, SHARE_TASK, detail, imported, run, shell, store

COPIES = {
    "rsync -a": 'rsync -a "$1/" "$2/"',
    "rsync -ac twice": 'rsync -ac "$1/" "$2/" && test -z "$(rsync -aci "$1/" "$2/")"',
    "tar": 'tar -C "$1" -c . | tar -C "$2" -x',
    "cp -r": 'cp -r "$1/." "$2/"',
    "cp -a": 'cp -a "$1/." "$2/"',
    "cat": 'cd "$1" && find . -type d -exec mkdir -p "$2/{}" \\; && find . -type f -exec sh -c \'cat "$0" > "$1/$0"\' {} "$2" \\;',
    "dd": 'cd "$1" && find . -type d -exec mkdir -p "$2/{}" \\; && find . -type f -exec dd if={} of="$2/{}" bs=7 status=none \\;',
}


def same(left, right):
    comparison = filecmp.dircmp(left, right, ignore=[])
    assert not comparison.left_only and not comparison.right_only and not comparison.funny_files
    _, mismatch, errors = filecmp.cmpfiles(left, right, comparison.common_files, shallow=False)
    assert not mismatch and not errors
    for name in comparison.common_dirs:
        same(os.path.join(left, name), os.path.join(right, name))


@pytest.fixture
def full(mount, sim):
    """A task that is still running, with some files and an answer of more than one read's size."""
    infos = [{"fileId": f"file-{i}", "status": str(i % 3), "newFileId": f"n{i}", "srcContainerId": "c"} for i in range(40)]
    store(sim, detail(files=infos, padding="x" * 300_000))
    return mount(sim, ttl="1h")


@pytest.mark.parametrize("how", COPIES)
def test_copies(full, tmp_path, how):
    """"rsync, tar, cp and mmap work on every file of a task": a copy is equal byte for byte, and costs one request.
    (The directory's time is that of the task only once that is known: hence the read before it.)"""
    full.read("status")
    target = tmp_path / "copy"
    target.mkdir()
    shell(COPIES[how], full.task(), target)
    same(full.task(), target)
    run("diff", "-r", full.task(), target)
    assert full.requests() == 1
    assert len(os.listdir(target / "files")) == 40


def test_shutil(full, tmp_path):
    """shutil.copytree, which uses sendfile and copy_file_range where it can."""
    shutil.copytree(full.task(), tmp_path / "copy")
    same(full.task(), tmp_path / "copy")
    assert os.stat(tmp_path / "copy" / "job.json").st_size > 300_000


def test_sizes(full):
    """"Sizes are exact, and known before a file is opened": from stat, from reading, from mmap and from the middle."""
    for directory, _, files in os.walk(full.task()):
        for name in files:
            with open(os.path.join(directory, name), "rb") as opened:
                size = os.fstat(opened.fileno()).st_size
                content = opened.read()
                assert len(content) == size == os.stat(opened.name).st_size
                assert os.pread(opened.fileno(), 10, size // 2) == content[size // 2:size // 2 + 10]
                if size:
                    with mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ) as mapped:
                        assert mapped[:] == content
    assert shell('wc -c < "$1/job.json"', full.task()).stdout.strip() == str(os.stat(full.task() / "job.json").st_size)


def test_du_and_blocks(full):
    """du --apparent-size sums sizes; blocks are what they take."""
    path = full.task() / "job.json"
    assert int(run("du", "--apparent-size", "-B1", path).stdout.split()[0]) == os.stat(path).st_size
    assert os.stat(path).st_blocks * 512 >= os.stat(path).st_size


@pytest.fixture
def three(mount, sim):
    """Three tasks that ended in different years, and their mount."""
    ends = {"1001": "2022", "1002": "2024", "1003": "2023"}
    for task, year in ends.items():
        status = "2" if task == "1002" else "1"
        store(sim, detail(task, files=[{"fileId": "f", "status": status}], taskStatus=2, endTime=f"{year}0601120000"), task)
    m = mount(sim, watch=[f"share 7 {task}" for task in ends])
    run("cat", *[m.task(task) / "status" for task in ends])
    return m


def test_ls_sorts_by_end(three):
    """ls -lt tasks and find -newermt answer real questions."""
    assert run("ls", "-t", three / "tasks").stdout.split() == ["1002", "1003", "1001"]
    listing = run("ls", "-lt", "--time-style=+%Y", three / "tasks").stdout
    assert [line.split()[5] for line in listing.splitlines()[1:]] == ["2024", "2023", "2022"]
    found = run("find", three / "tasks", "-mindepth", "1", "-maxdepth", "1", "-newermt", "2023-01-01").stdout
    assert sorted(os.path.basename(line) for line in found.split()) == ["1002", "1003"]
    status = run("find", three / "tasks", "-name", "status", "-path", "*/1???/status", "-newermt", "2023-12-31").stdout
    assert status.split() == [str(three.task("1002") / "status")]


def test_find_failures(three):
    """find -name failures.csv -size +30c: the tasks where something failed."""
    header = len("fileId,status,newFileId,srcContainerId\n")
    found = run("find", three / "tasks", "-name", "failures.csv", "-size", f"+{header}c").stdout.split()
    assert found == [str(three.task("1002") / "failures.csv")]


def test_find_failures_of_imports(mount, sim):
    """The same with the number of the documentation, for import tasks."""
    store(sim, imported(("a-long-user-name", "a long reason")), "2001")
    store(sim, imported(), "2002")
    m = mount(sim, watch=["basic 2001", "basic 2002"])
    found = run("find", m / "tasks", "-name", "failures.csv", "-size", "+30c").stdout.split()
    assert found == [str(m.task("2001") / "failures.csv")]


ROWS = [("plain", "a reason"), ('qu"ote', 'says "no"'), ("comma,", "one,two"), ("line", "first\nsecond\r\nthird"),
        ("ünï", "码"), ("", ""), (" space ", "'single'"), ("=1+1", "\ttab")]


def test_csv_reader(mount, sim):
    """failures.csv as Python's csv reads it."""
    store(sim, imported(*ROWS), IMPORT_TASK)
    with open(mount(sim).task(IMPORT_TASK) / "failures.csv", newline="", encoding="utf-8") as opened:
        rows = list(csv.reader(opened, strict=True))
    assert rows == [["userName", "desc"], *map(list, ROWS)]


def test_sqlite_import(mount, sim, tmp_path):
    """failures.csv as sqlite3 imports it, quotes, commas and line ends included."""
    store(sim, imported(*ROWS), IMPORT_TASK)
    path = mount(sim).task(IMPORT_TASK) / "failures.csv"
    database = tmp_path / "db"
    run("sqlite3", database, ".mode csv", f".import {path} failures")
    connection = sqlite3.connect(database)
    assert connection.execute("SELECT userName, desc FROM failures ORDER BY rowid").fetchall() == ROWS
    connection.close()


def test_jq_and_friends(full):
    """jq on job.json and response.json; test -s; head, tail, sort, wc, sed, awk, md5sum: nothing special."""
    assert run("jq", "-r", ".taskStatus", full.task() / "job.json").stdout == "1\n"
    assert run("jq", "-r", ".taskInfos | length", full.task() / "response.json").stdout == "40\n"
    assert shell('[ -s "$1/result" ] || echo none', full.task()).stdout == "none\n"
    assert shell('[ -s "$1/status" ] && echo some', full.task()).stdout == "some\n"
    assert shell('tail -n +2 "$1/files.csv" | sort -t, -k2 | tail -n 1 | cut -d, -f2', full.task()).stdout == "succeeded\n"
    assert run("awk", "-F,", '$2=="failed"', full.task() / "files.csv").stdout.count("\n") == 13
    assert run("grep", "-rlx", "failed", full.task() / "files").stdout.count("\n") == 13
    assert shell('cat "$1"/files/*/status | sort | uniq -c | wc -l', full.task()).stdout.strip() == "3"
    assert run("sed", "-n", "1p", full.task() / "status").stdout == "running\n"
    assert run("python3", "-m", "json.tool", full.task() / "job.json").returncode == 0


def test_shell_globs(full):
    """The shell's globs and completion see the listing."""
    assert shell('cd "$1" && echo files/file-1?', full.task()).stdout.count("file-1") == 10
    assert shell('echo "$1"/tasks/*/kind', full.path).stdout.split() == [
        str(full.task(task) / "kind") for task in sorted([SHARE_TASK, IMPORT_TASK])]


def test_getcwd_survives(mount, sim):
    """A shell that stands in a task's directory goes on working when values change and after touch."""
    store(sim, detail(userId="@N@"))
    m = mount(sim, ttl="50ms")
    script = 'cd "$1"; for i in 1 2 3 4 5; do touch . user; cat user > /dev/null; ls > /dev/null; /bin/pwd; done'
    assert set(shell(script, m.task()).stdout.splitlines()) == {str(m.task())}


def test_inotifywait_starts(mount, sim):
    """inotifywait starts on a file and does no harm: values change, the mount goes on."""
    m = mount(sim, ttl="50ms")
    store(sim, detail(userId="@N@"))
    watcher = m.popen("inotifywait", "-m", m.task() / "user", m.task())
    wait_until(lambda: "Watches established" in watcher.stderr.readline(), "the watches")
    first = m.read("user")
    wait_until(lambda: m.read("user") != first, "a change")
    assert watcher.poll() is None
    run("touch", m.task(), m.task() / "user")
    assert int(m.read("user")) > int(first)


def test_watch_like_loop(mount, sim):
    """watch -n: a loop of cat sees the value change, and the service is asked about once a ttl."""
    m = mount(sim, ttl="300ms")
    store(sim, detail(progress="@N@"))
    script = """while [ "$(cat "$1/progress")" -lt 4 ]; do sleep 0.02; done; cat "$1/progress\""""
    assert shell(script, m.task()).stdout == "4\n"
    assert m.requests() == 4


def test_watch_itself(mount, sim):
    """watch(1) on the summary, until it changes (-g)."""
    m = mount(sim, ttl="200ms")
    store(sim, detail(progress="@N@"))
    run("watch", "-g", "-n", "0.1", "cat", m.task() / "summary", env={**os.environ, "TERM": "vt100"}, timeout=30)


ABOUT = ("version", "config", "health", "metrics", "last-error")


@pytest.mark.parametrize("command", ["cp", "cp -a", "cp --reflink=auto", "install -m 600", "rsync"])
def test_copies_of_what_is_made_anew(mount, sim, tmp_path, command):
    """"The files of `.kootaskfs/` are made anew each time one of them is looked up." "The inode number and the ctime that stat
    shows for them stay, so that cp and tar work.\""""
    m = mount(sim)
    m.read("status")
    numbers = {name: os.stat(m / ".kootaskfs" / name).st_ino for name in ABOUT}
    times = {name: os.stat(m / ".kootaskfs" / name).st_ctime_ns for name in ABOUT}
    assert m.control("metrics") != m.control("metrics")
    for _ in range(3):
        for name in ABOUT:
            run(*command.split(), m / ".kootaskfs" / name, tmp_path / name)
    assert "kootaskfs_operations_total" in (tmp_path / "metrics").read_text()
    run("cp", "-r", m / ".kootaskfs", tmp_path / "all")
    assert {name: os.stat(m / ".kootaskfs" / name).st_ino for name in ABOUT} == numbers
    assert {name: os.stat(m / ".kootaskfs" / name).st_ctime_ns for name in ABOUT} == times
    everything = [os.lstat(path).st_ino for path in [m.path, *m.path.rglob("*")]]
    assert len(set(everything)) == len(everything), "no two files share a number"


@pytest.mark.parametrize("command", ["tar cf - {}", "tar cf {1} {0}", "tar cf /dev/null {}", "tar cf - {} > /dev/null"])
def test_tar_of_the_whole_mount(mount, sim, tmp_path, command):
    """With what is made anew too. To /dev/null tar reads nothing, and looks at each file twice: then it warns only when a
    counter has grown by a digit between the two."""
    m = mount(sim)
    done = [shell(command.format('"$1"', '"$2"'), m.path, tmp_path / "all", check=False) for _ in range(3)]
    assert 0 in [one.returncode for one in done] if "null" in command else {one.returncode for one in done} == {0}


def test_df_and_statfs(mount, sim):
    """df knows the file system and its type."""
    m = mount(sim)
    lines = run("df", "--output=source,fstype,target", m.path).stdout.splitlines()
    assert lines[1].split() == [sim.url, "fuse.kootaskfs", str(m.path)]
    assert os.statvfs(m.path).f_namemax == 255
    assert run("df", "--output=itotal,iused,iavail", m.path).stdout.split()[3:] == ["0", "0", "0"], "as of /proc"
    assert run("stat", "-f", "-c", "%t", m.path).stdout == "65735546\n"  # whose name differs between coreutils: FUSE


def test_exec_of_python_readers(full):
    """pathlib, open with buffering and readline, os.scandir, glob."""
    script = """
import glob, pathlib, sys
task = pathlib.Path(sys.argv[1])
assert (task / "status").read_text().strip() == "running"
assert len(list((task / "files").iterdir())) == 40 == len(glob.glob(f"{task}/files/*/status"))
with open(task / "files.csv", buffering=16) as f:
    assert sum(1 for _ in f) == 41
assert (task / ".." / ".." / "shares" / sys.argv[2] / task.name / "kind").read_text() == "share\\n"
"""
    run(sys.executable, "-c", script, full.task(), SHARE)
