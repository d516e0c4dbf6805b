# SPDX-License-Identifier: MIT
"""docs/cookbook.md: each script is run as it stands there."""

import datetime
import os
import re

import pytest

from koodrive_sim import IMPORT_TASK, REPO, SHARE, SHARE_TASK, wait_until
from kootaskfs_mount import detail, imported, run, store

SCRIPTS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECTIONS = re.compile(r"^## (.*)\n((?:(?!^## ).*\n)*)", re.MULTILINE)
BOOK = {title: SCRIPTS.findall(text)
        for title, text in SECTIONS.findall((REPO / "docs" / "cookbook.md").read_text())}
TASKS = [f"72{i:017d}" for i in range(6)]


def environment(mounted, task="", **more):
    return {**os.environ, "MOUNT": str(mounted.path), "ID": task, **more}


def follow(mounted, title, task=""):
    """Starts the one script of a section; the result is a function that gives the lines it has written so far."""
    script, = BOOK[title]
    output = open(mounted.directory / "output", "w+")
    mounted.popen("sh", "-c", script, env=environment(mounted, task), stdout=output)

    def lines():
        output.seek(0)
        return output.read().splitlines()

    return lines


@pytest.fixture
def tasks(mount, sim):
    """A mount of some share tasks."""
    for task in TASKS:
        store(sim, detail(task), task)
    return mount(sim, watch=[f"share {SHARE} {task}" for task in TASKS], ttl="1s")


def test_all_are_run():
    """A script that is added comes with a test."""
    assert {title: len(scripts) for title, scripts in BOOK.items()} == {
        "Wait for an import, then write to whom it failed for": 1,
        "Follow all tasks": 1,
        "List the tasks that failed today": 2,
        "All tasks in a database": 1,
        "The longest running task": 1,
        "Do something when a task changes": 1,
        "The same with systemd": 0,
    }


def test_mail_merge(mount, sim, tmp_path):
    """The script waits, then writes to each whose import failed, whatever characters the reason has."""
    sendmail = tmp_path / "sendmail"
    sendmail.write_text(f'#!/bin/sh\ncat > "{tmp_path}/$$.letter"\n')
    sendmail.chmod(0o755)
    store(sim, '{"data": {}, "code": 0, "taskType": 1, "status": 1}', IMPORT_TASK)
    mounted = mount(sim, ttl="1s")
    script, = BOOK["Wait for an import, then write to whom it failed for"]
    merge = mounted.popen("sh", "-c", script, env=environment(mounted, IMPORT_TASK, SENDMAIL=str(sendmail)))
    wait_until(lambda: sim.log(f"?taskId={IMPORT_TASK}"), "the first poll")
    assert merge.poll() is None
    store(sim, imported(("ann@example.com", 'name, "taken"'), ("bob@example.com", "no\nlicence")), IMPORT_TASK)
    out, err = merge.communicate(timeout=60)
    assert (merge.returncode, err) == (0, "")
    assert out == f"import {IMPORT_TASK}: completed, 1 users, 4 lines of failures\n"
    letters = sorted(letter.read_text() for letter in tmp_path.glob("*.letter"))
    assert [letter.splitlines()[0] for letter in letters] == ["To: ann@example.com", "To: bob@example.com"]
    assert letters[0].endswith('could not be made: name, "taken"\n') and letters[1].endswith("made: no licence\n")


def test_follow(tasks, sim):
    """Each end is told once, though nobody reads the tasks themselves."""
    lines = follow(tasks, "Follow all tasks")
    wait_until(lambda: (tasks / "events").read_text().count(" seen ") == len(TASKS), "polls of all tasks")
    store(sim, detail(TASKS[1], taskStatus=2, progress=100), TASKS[1])
    wait_until(lambda: len(lines()) == 1, "the first line")
    store(sim, detail(TASKS[2], taskStatus=3), TASKS[2])
    wait_until(lambda: len(lines()) == 2, "the second line")
    assert lines()[0].endswith(f"Z: {TASKS[1]} is done")
    assert re.fullmatch(rf"\S+Z: {TASKS[2]}: \w+, was running", lines()[1])


def test_failed_today(tasks, sim):
    now = datetime.datetime.now(datetime.timezone.utc)
    for task, ended in ((TASKS[1], now), (TASKS[2], now - datetime.timedelta(days=3))):
        store(sim, detail(task, taskStatus=3, taskResultCode="3", endTime=f"{ended:%Y%m%d%H%M%S}"), task)
        tasks.read("status", task)
    failed, partly = BOOK["List the tasks that failed today"]
    status = tasks.read("status", TASKS[1]).strip()
    assert run("sh", "-c", failed.replace("by-status/failed", f"by-status/{status}"),
               env=environment(tasks)).stdout == f"{TASKS[1]}\n"


def test_by_failures(tasks, sim):
    for task, failed in ((TASKS[1], 2), (TASKS[2], 11)):
        files = [{"fileId": f"f{i}", "status": "2"} for i in range(failed)] + [{"fileId": "good", "status": "1"}]
        store(sim, detail(task, files=files, taskStatus=2, taskResultCode="2"), task)
    _, partly = BOOK["List the tasks that failed today"]
    assert run("sh", "-c", partly, env=environment(tasks)).stdout == f"11 {TASKS[2]}\n2 {TASKS[1]}\n"


def test_database(tasks, sim):
    store(sim, detail(TASKS[1], taskStatus=2), TASKS[1])
    for task in TASKS:
        tasks.read("status", task)
    script, = BOOK["All tasks in a database"]
    assert run("sh", "-c", script, env=environment(tasks)).stdout == "share|completed|1\nshare|running|5\n"


def test_longest_running(tasks, sim):
    store(sim, detail(TASKS[3], startTime="20230101000000"), TASKS[3])
    for task in TASKS:
        tasks.read("status", task)
    script, = BOOK["The longest running task"]
    assert run("sh", "-c", script, env=environment(tasks)).stdout == f"{TASKS[3]}\n"


def test_inotify(tasks, sim):
    """The script sees a change that the service made, though nothing else reads the task."""
    lines = follow(tasks, "Do something when a task changes", TASKS[1])
    before = len(sim.log(f"?taskId={TASKS[1]}"))
    wait_until(lambda: len(sim.log(f"?taskId={TASKS[1]}")) > before + 1, "the watched task's polls")
    store(sim, detail(TASKS[1], taskStatus=2, progress=100), TASKS[1])
    wait_until(lambda: "completed" in lines(), "the new status")
