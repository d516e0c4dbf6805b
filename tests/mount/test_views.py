# SPDX-License-Identifier: MIT
"""The views of all tasks: by-status/, overview, overview.csv and overview.json, with the tools that people have."""

import csv
import io
import json
import os
import re
import time
import unicodedata

import pytest

from kootaskfs_mount import errno_of, run, shell
from koodrive_sim import wait_until
from scripted_service import ScriptedService

ALL = "share, basic, job"
MEMBERS = ["id", "kind", "type", "status", "result", "progress", "created", "started", "ended", "user", "name",
           "successCount", "failCount"]
STATUSES = {"pending", "running", "completed", "canceled", "failed"}
LISTS = ["jobs", "task/list"]


@pytest.fixture
def service():
    scripted = ScriptedService()
    yield scripted
    scripted.close()


@pytest.fixture
def account(service, mount):
    """5 basic tasks (1 to 5) and 7 jobs (11 to 17) that are listed, and 2 watched share tasks (21, 22), one of which the
    service does not know. What the mount is told lasts, so every request counts."""
    service.add_share("21")
    basic = [service.add_basic(str(n), status=n % 4) for n in range(1, 6)]
    service.list(basic, [service.add_job(str(n), taskType=n - 10, status=n % 4) for n in range(11, 18)])
    return mount(service, watch=["share S 21", "share S 22"], ttl="1h", list_ttl="1h", families=ALL)


def rows(mounted):
    return {row["id"]: row for row in csv.DictReader(io.StringIO((mounted / "overview.csv").read_text(), newline=""))}


def objects(mounted):
    return {task["id"]: task for task in json.loads((mounted / "overview.json").read_text())}


def lines(mounted):
    return (mounted / "overview").read_text().splitlines()


def width(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


# ---- by-status/


def test_by_status(service, account):
    """"`pending`, `running`, `completed`, `canceled` and `failed` are always there." "A task whose status is not known is in none
    of them: nobody has asked for it yet, or the service says that there is no such task." "The first look of all reads the
    lists, as `ls tasks` does.\""""
    assert set(os.listdir(account / "by-status")) == STATUSES
    links = run("find", account / "by-status", "-type", "l", "-printf", "%P %l\n").stdout.splitlines()
    expected = {f"{account.read('status', str(n)).strip()}/{n}" for n in [*range(1, 6), *range(11, 18)]}
    assert {link.split()[0] for link in links} == expected
    assert all(link.split()[1] == "../../tasks/" + link.split()[0].split("/")[1] for link in links)
    assert service.asked() == 2 and service.paths() == LISTS
    assert account.read("status", "21") == "running\n"
    assert errno_of((account.task("22") / "status").read_text) == "ENOENT"
    assert run("readlink", account / "by-status" / "running" / "21").stdout == "../../tasks/21\n"
    assert not [name for status in STATUSES for name in os.listdir(account / "by-status" / status) if name == "22"]
    listed = shell("cd $1; ls by-status/*/ | grep -c '^[0-9]'", account.path).stdout
    assert listed == "13\n"


def test_by_status_says_what_the_task_says(service, account):
    """"`by-status/failed/ID` means that `tasks/ID/status` is `failed`", by every link."""
    run("ls", account / "tasks")
    found = shell("cd $1/by-status; for f in */*; do test ${f%/*} = $(cat $f/status); echo $f; done", account.path).stdout
    assert len(found.split()) == 12
    assert run("find", "-L", account / "by-status", "-name", "status", "-newermt", "2024-01-01").stdout.count("\n") == 12


def test_names_move_at_once(service, account):
    """"A name in `by-status/STATUS` comes and goes at the moment the status changes: the kernel keeps none of them." And the
    mtime: "The mtime of `by-status/STATUS` moves when a task comes to have that status or ceases to have it\""""
    directories = {status: account / "by-status" / status for status in STATUSES}
    run("ls", account / "tasks")
    assert account.read("status", "21") == "running\n"
    before = {status: os.stat(path).st_mtime_ns for status, path in directories.items()}
    assert (directories["running"] / "21").is_symlink() and not os.path.lexists(directories["canceled"] / "21")
    service.add_share("21", taskStatus=3)
    run("touch", account.task("21"))
    assert (directories["canceled"] / "21").is_symlink() and not os.path.lexists(directories["running"] / "21")
    moved = {status for status, path in directories.items() if os.stat(path).st_mtime_ns != before[status]}
    assert moved == {"running", "canceled"}
    reference = directories["completed"]
    newer = run("find", account / "by-status", "-maxdepth", "1", "-newer", reference, "-printf", "%f\n").stdout.split()
    assert set(newer) == {"by-status", "running", "canceled"}
    service.add_share("21", taskStatus="4/7")
    run("touch", account.task("21"))
    assert set(os.listdir(account / "by-status")) == STATUSES | {"unknown-4%2F7"}
    assert os.listdir(account / "by-status" / "unknown-4%2F7") == ["21"]


def test_task_that_cannot_be_asked_for_stays(service, mount):
    """"When a task cannot be asked for any more, it stays where it was last, and its `user.kootaskfs.error` says why." "Links have
    none, as the kernel has it.\""""
    service.add_share("21")
    m = mount(service, watch=["share S 21"], ttl="0", negative_ttl="0", max_stale="0")
    m.read("status", "21")
    service.answers["share/taskDetail/21"] = (401, {})
    assert errno_of((m.task("21") / "status").read_text) == "EACCES"
    link = m / "by-status" / "running" / "21"
    assert os.listdir(m / "by-status" / "running") == ["21"]
    assert os.getxattr(link, "user.kootaskfs.error").startswith(b"EACCES")
    assert os.listxattr(link, follow_symlinks=False) == []


# ---- the overview


def test_overview_fits_a_terminal(service, mount):
    """"No line is wider than 80 columns of a terminal", with what the service may say. "What does not fit into its column is cut,
    and ends with `+`. `overview.csv` has it whole." "Wide characters count as two columns. Characters that do not print are
    `?`. There is no colour." "What is not known is `-`.\""""
    long = "A" * 30 + "-" + "z" * 33
    hostile = "\u65e5\u672c\u8a9e\u65e5\u672c\u8a9e\x1b[31m\u202e\n"
    service.list([], [service.add_job(long, taskType=hostile, status=hostile), service.add_job("12", taskType=2),
                      service.add_job("13", taskType=7, status=1)])
    m = mount(service, watch=["share S " + "9" * 64], ttl="1h", list_ttl="1h", families=ALL)
    table = lines(m)
    assert re.fullmatch(r"ID +KIND +TYPE +STATUS +PROGRESS +OK +FAIL +AGE", table[0]) and len(table) == 5
    assert {width(line) for line in table} == {79}
    text = (m / "overview").read_text()
    assert all(c == "\n" or c.isprintable() for c in text)
    cut = next(line for line in table if line.startswith("AAA"))
    assert cut.split()[0] == long[:18] + "+" and cut.split()[2].endswith("+")
    assert next(line for line in table if line.startswith("999")).split() == ["9" * 18 + "+", "share"] + ["-"] * 6
    assert table[1].split()[0] == "13", "running first"
    assert rows(m)[long]["type"].startswith("unknown-\u65e5\u672c\u8a9e\u65e5\u672c\u8a9e")


def test_overview_order_and_values(service, account):
    """"`overview` has a header line and a line for each task: running tasks first, and in both groups the newest first.\""""
    service.add_job("18", files=["a", "b"], createTime="20300930091932")
    account.read("progress", "18")
    table = [line.split() for line in lines(account)[1:]]
    assert table[0][:6] == ["18", "job", "copy", "running", "[##......]", "30%"] and table[0][6:8] == ["2", "0"]
    statuses = [words[3] for words in table]
    running = statuses.count("running")
    assert statuses[:running] == ["running"] * running and len(table) == 15
    assert re.fullmatch(r"\d+[smhdy]", table[1][-1])


def test_scripts_read_what_task_json_says(service, account):
    """"Both have the members of `task.json` in their order, and `error`, in the order of `tasks/`." "A task that cannot be read is
    there with its `error`, and with the values of the last good snapshot, if there is one.\""""
    tasks = os.listdir(account / "tasks")
    for task in tasks:
        errno_of((account.task(task) / "task.json").read_text)
    table, array = rows(account), objects(account)
    assert list(table) == list(array) == tasks and len(tasks) == 14
    assert list(table["1"]) == list(array["1"]) == MEMBERS + ["error"]
    for task in set(tasks) - {"22"}:
        whole = json.loads((account.task(task) / "task.json").read_text())
        assert array[task] == whole | {"error": None}
        assert table[task] == {name: "" if value is None else str(value) for name, value in array[task].items()}
    assert array["22"] == dict.fromkeys(MEMBERS) | {"id": "22", "kind": "share", "error": "ENOENT"}
    assert next(line for line in lines(account) if line.startswith("22 ")).split()[4] == "ENOENT"


def test_tools(service, account, tmp_path):
    """"`overview.json` is one array with a line for each task." So jq, grep and sqlite3 take them as they are."""
    running = run("jq", "-r", '.[] | select(.status == "running") | .id', account / "overview.json").stdout.split()
    assert set(running) == set(os.listdir(account / "by-status" / "running")) and running
    assert run("grep", "-c", '"status":"running"', account / "overview.json").stdout == f"{len(running)}\n"
    database = tmp_path / "db"
    run("sqlite3", database, "-cmd", ".mode csv", f".import {account / 'overview.csv'} t")
    count = run("sqlite3", database, "select count(*) from t where status = 'running'").stdout
    assert count == f"{len(running)}\n"
    run("cp", account / "overview.csv", account / "overview", account / "overview.json", tmp_path)
    assert (tmp_path / "overview.csv").read_text() == (account / "overview.csv").read_text()
    for name, mime in (("overview", "text/plain"), ("overview.csv", "text/csv"), ("overview.json", "application/json")):
        assert os.getxattr(account / name, "user.mime_type").decode() == mime


# ---- what it costs


def test_one_look_asks_nothing(service, account):
    """"`by-status/`, `overview`, `overview.csv` and `overview.json` are made from memory: one look makes no request." "Until then
    a view would not show tasks that exist", so the first one is not empty. "Listing MOUNT does not make them.\""""
    run("ls", account.path)
    assert service.asked() == 0
    assert len(lines(account)) == 15
    assert service.paths() == LISTS
    rows(account), objects(account)
    shell("cd $1; ls -l . by-status by-status/*; find . -maxdepth 1 -newer tasks; stat overview*", account.path)
    assert service.asked() == 2


def test_first_look_when_lists_fail(service, mount):
    """The first look waits for the lists, and does not fail with them: `.kootaskfs/health` says so. The next asks for nothing."""
    service.add_share("21")
    m = mount(service, watch=["share S 21"], families=ALL)
    assert [line.split()[0] for line in lines(m)] == ["ID", "21"]
    assert len(service.paths()) == 2
    assert "list-job: failed" in m.control("health")


def test_unchanged_costs_nothing(service, account):
    """"While nothing that they show changes, reading one of them again makes nothing and reads nothing from kootaskfs." "Their size
    is exact, and their content stays the same from open to close." "They keep their inode number\""""
    first = (account / "overview.json").read_bytes()
    before = os.stat(account / "overview.json")
    with open(account / "overview.json", "rb") as opened:
        cost = account.operations_of((account / "overview.json").read_bytes)
        assert set(cost) <= {"lookup", "getattr"} and cost["lookup"] == 1, cost
        account.read("progress", "11")
        second = (account / "overview.json").read_bytes()
        after = os.stat(account / "overview.json")
        assert len(first) == before.st_size and len(second) == after.st_size
        assert first != second and before.st_ino == after.st_ino and before.st_mtime_ns < after.st_mtime_ns
        assert opened.read() == first


def test_archive_and_rsync(service, account, tmp_path):
    """tar, rsync and find walk a mount with views in it and complain about nothing."""
    run("ls", account / "tasks")
    done = run("tar", "cf", "/dev/null", "-C", account.path, "by-status", "overview", "overview.csv", "overview.json")
    assert done.stderr == ""
    run("rsync", "-a", f"{account.path}/by-status", account / "overview.csv", tmp_path)
    assert len(list((tmp_path / "by-status").glob("*/*"))) == 12
    done = run("tar", "cf", tmp_path / "tar", "--exclude=22", "-C", account.path, "tasks", "by-status")
    assert done.stderr == ""


def test_ten_thousand_tasks(start, mount):
    """"Of more than 1,000 tasks, the content is rendered in a thread, and only who looks waits for it." All looks at one moment
    are of one content."""
    sim = start("--tasks=0", "--imports=0", "--jobs=10000", "--duration=0")
    m = mount(sim, families="job", watch=(), ttl="1h", list_ttl="1h")
    assert len(lines(m)) == 10001
    asked = m.requests()
    children = [m.popen("md5sum", m / name) for name in ("overview.csv", "overview.json") * 4]
    sums = {child.communicate()[0] for child in children}
    assert len(sums) == 2
    table, array = rows(m), objects(m)
    assert len(table) == len(array) == 10000 and list(table) == list(array) == sorted(table)
    assert sum(len(os.listdir(m / "by-status" / status)) for status in STATUSES) == 10000
    assert m.requests() == asked


# ---- who looks again and again


def look_until(look, condition, what):
    """Looks every 0.6 s, as `watch -n 0.6` does."""
    def again():
        time.sleep(0.6)
        look()
        return condition()
    wait_until(again, what)


@pytest.mark.parametrize("command", [["cat", "overview"], ["cat", "overview.csv"], ["ls", "by-status/running"]])
def test_watching_is_live(service, mount, command):
    """"So `watch -n2 cat overview` and `watch ls by-status/running` are live within a `ttl`." "Listing `by-status/` or a directory in it,
    and reading or `stat` of an overview, is a look at all tasks." That ends: "three of the intervals between two readings have
    passed without another one\""""
    service.list([], [service.add_job("11", status=1, progress=1), service.add_job("12", status=2)])
    m = mount(service, watch=(), families="job", ttl="200ms", list_ttl="200ms")
    shown = []

    def look():
        shown.append(run(*command, cwd=m.path).stdout)

    look()
    assert "11" in shown[0]
    first = service.asked()
    assert first == 1, "a list of one page: one look alone asks for no more"
    look_until(look, lambda: "11" in service.paths(), "polls of the task that runs")
    assert "12" not in service.paths(), "which has ended"
    service.list([], [service.add_job("11", status=2), service.add_job("12", status=2), service.add_job("13", status=1)])
    look_until(look, lambda: "13" in shown[-1] and not re.search(r"11 .*running|11,.*running|^11$", shown[-1], re.M),
               "what has become of both")

    def is_silent():
        before = service.asked()
        time.sleep(1)
        return service.asked() == before
    wait_until(is_silent, "nobody looks any more, and nothing is asked")


def test_a_walk_is_not_watching(service, account):
    """"Looking up one task in `by-status/STATUS` is a look at that task alone, so walking over many is not watching.\""""
    tasks = [(task["status"], task["id"]) for task in objects(account).values() if task["status"]]
    before = service.asked()
    for status, task in tasks:
        assert (account / "by-status" / status / task).is_symlink()
        time.sleep(0.1)
    assert len(tasks) == 12 and service.asked() == before
    status, task = next((status, task) for status, task in tasks if status == "running")
    wait_until(lambda: (account / "by-status" / status / task).is_symlink() and service.asked() > before, "who looks again")
    assert {path for path, _ in service.log[before:]} <= {f"task/{task}", "task/result", task}


# ---- what stat says


def test_newer_tasks(service, mount):
    """`ls -lt tasks` and `find tasks -newer` answer real questions: the directory of a task gets newer when anything in it does,
    and never because somebody asked. "It moves when a response differs from the one before, to the time when that was seen.\""""
    for n in range(21, 24):
        service.add_share(str(n))
    m = mount(service, watch=[f"share S {n}" for n in range(21, 24)], ttl="0")
    for n in range(21, 24):
        m.read("status", str(n))
    run("ls", "-l", m / "tasks")
    mark = m.directory / "mark"
    mark.touch()
    service.add_share("22", progress=70)
    assert m.read("progress", "22") == "70\n" and m.read("progress", "21") == "50\n"
    wait_until(lambda: run("ls", "-t", m / "tasks").stdout.split()[0] == "22", "the one that has changed comes first")
    newer = run("find", m / "tasks", "-mindepth", "1", "-maxdepth", "1", "-newer", mark, "-printf", "%f\n").stdout.split()
    assert newer == ["22"]
    newer = run("find", m / "tasks" / "22", "-newer", mark, "-name", "progress", "-printf", "%f\n").stdout.split()
    assert newer == ["progress"]


def test_summary_fits(service, mount):
    """"**summary** is a few aligned lines of at most 80 columns. What is longer is cut, and ends with `+`.\""""
    service.add_share("21", taskName="\u65e5\u672c\u8a9e" * 60, userId="u" * 200, taskType="x" * 99)
    m = mount(service, watch=["share " + "S" * 64 + " 21"])
    text = m.read("summary", "21").splitlines()
    assert max(width(line) for line in text) == 80 and {line[:10].rstrip().isalpha() for line in text} == {True}
    assert sum(line.endswith("+") for line in text) == 3
