# SPDX-License-Identifier: MIT
"""Scripts over all tasks need no case by family: every task has the same names, and task.json says all of it."""

import json
import os
import re
import stat
import subprocess

import pytest

from kootaskfs_mount import run, shell
from scripted_service import ScriptedService

ALL = "share, basic, job"
MEMBERS = ["id", "kind", "type", "status", "result", "progress", "created", "started", "ended", "user", "name",
           "successCount", "failCount"]
FILE_OF = {"successCount": "success-count", "failCount": "fail-count"}
HOSTILE = {
    "line ends": "one\ntwo\r\n", "controls": "".join(map(chr, [*range(1, 32), *range(0x7f, 0xa0)])), "quotes": 'say "hi" \\" \\u0041 \\',
    "other letters": "报告 😀 \u2028\u2029 é", "ten thousand": "n" * 10_000, "json": '","id":"7","x":{', "blank": " ", "slash": "../..",
}


@pytest.fixture
def service():
    scripted = ScriptedService()
    yield scripted
    scripted.close()


def add_all(service, name="n", **more):
    """One task of each family with this name: 1, 11 and 21."""
    service.list([service.add_basic("1", taskName=name, failures=[("a", "b")], **more)],
                 [service.add_job("11", files=["F"], taskName=name)])
    service.add_share("21", taskName=name)


def mount_all(mount, service, **settings):
    return mount(service, watch=["share S 21"], families=ALL, **{"ttl": "1h", "list_ttl": "1h", **settings})


def values(mounted, task):
    """task.json as the value files say it."""
    def value(member):
        text = mounted.read(FILE_OF.get(member, member), task).removesuffix("\n") if member != "id" else task
        return None if text == "" else int(text) if member in ("progress", *FILE_OF) else text
    return {member: value(member) for member in MEMBERS}


# ---- the same names


def test_every_task_has_the_same_names(service, mount):
    """"Every task directory has all names of the tree, except `package.zip` and `ctl`.\""""
    add_all(service)
    mounted = mount_all(mount, service)
    names = [sorted(set(os.listdir(mounted.task(task))) - {"package.zip", "ctl"}) for task in ("1", "11", "21")]
    assert names[0] == names[1] == names[2]
    assert {"status", "progress", "job.json", "files", "failures.csv", "files.csv", "task.json", "name"} <= set(names[0])
    for name in names[0]:
        kinds = {stat.S_IFMT(os.stat(mounted.task(task) / name).st_mode) for task in ("1", "11", "21")}
        assert len(kinds) == 1, name


def test_scripts_need_no_case_by_family(service, mount):
    """"All families have the same names, so a script over `tasks/*` needs no case for each family": "`files.csv` of a basic
    task is the header line alone.\""""
    add_all(service)
    service.add_share("21")
    mounted = mount_all(mount, service)
    script = 'cd "$1"; for f in tasks/*/files/*/status; do echo "$f $(cat "$f")"; done; cat tasks/*/files.csv'
    assert shell(script, mounted.path).stdout.splitlines() == [
        "tasks/11/files/F/status succeeded", "fileId,status,newFileId,srcContainerId",
        "fileId,status,newFileId,srcContainerId", "F,succeeded,n,", "fileId,status,newFileId,srcContainerId"]
    assert os.listdir(mounted.task("1") / "files") == []
    assert run("ls", "-d", mounted.task("1") / "files" / "F", check=False).returncode == 2
    heads = shell('cd "$1"; head -qn 1 tasks/*/failures.csv', mounted.path).stdout.splitlines()
    assert heads == ["userName,desc"] + ["fileId,status,newFileId,srcContainerId"] * 2
    assert all(os.path.exists(mounted.task(task) / "progress") for task in ("1", "11", "21"))


def test_no_files_cost_no_request(service, mount):
    """"`files/` of a basic task is empty, and listing it makes no request": a glob over files/ finds the others' beside a basic
    task that cannot be asked for."""
    add_all(service)
    service.answers["task/1"] = (500, {"code": 13000201})
    mounted = mount_all(mount, service)
    assert shell('cd "$1"; echo tasks/*/files/*; ls -R tasks/1/files', mounted.path).stdout == (
        "tasks/11/files/F\ntasks/1/files:\n")
    assert service.paths() == ["11", "jobs", "share/taskDetail/21", "task/list"]


@pytest.mark.parametrize("command", ["find", "ls -R", "du -a"])
def test_walking_a_basic_task_costs_what_it_did(service, mount, command):
    """A walk asks for a task once: the two questions of a basic task."""
    add_all(service)
    mounted = mount_all(mount, service)
    os.listdir(mounted / "tasks")
    service.forget()
    run(*command.split(), mounted.task("1"))
    assert service.asked() == 2


@pytest.mark.parametrize("status", [0, 1, 2, 3])
def test_progress_of_a_basic_task_is_what_the_service_says(service, mount, status):
    """"`progress` is empty even when the task has completed, because the service reports no progress of it.\""""
    service.list([service.add_basic("1", status=status)])
    mounted = mount_all(mount, service)
    assert mounted.read("progress", "1") == ""
    service.add_basic("1", status=status, progress=40)  # which would be new
    os.utime(mounted.task("1") / "progress")
    assert mounted.read("progress", "1") == "40\n"


@pytest.mark.parametrize("kind", [0, 1, 7, None])
def test_failures_of_any_basic_task(service, mount, kind):
    """"`failures.csv` of a basic task has the columns `userName,desc`, whatever the type of the task.\""""
    service.list([service.add_basic("1", taskType=kind, failures=[("a", "b")])])
    assert mount_all(mount, service).read("failures.csv", "1") == "userName,desc\na,b\n"


# ---- task.json


def test_task_json_says_what_the_files_say(service, mount):
    """"task.json is one object with the members `id`, `kind`, `type`, `status`, `result`, `progress`, `created`, `started`,
    `ended`, `user`, `name`, `successCount`, `failCount`, of every task and in this order." "The members of `task.json` say what
    the value files say." "In `task.json` `progress` and the counts are numbers, and all else is a string, ids too.\""""
    add_all(service)
    mounted = mount_all(mount, service)
    assert sorted(os.listdir(mounted / "tasks")) == ["1", "11", "21"]
    for task in ("1", "11", "21"):
        told = json.loads(mounted.read("task.json", task))
        assert list(told) == MEMBERS
        assert told == values(mounted, task)
    assert json.loads(mounted.read("task.json", "1"))["failCount"] == 1
    assert service.asked() == 2 + 2 + 1 + 1


def test_one_filter_for_all_families(service, mount):
    """"So one `jq` filter serves for all tasks.\""""
    add_all(service)
    mounted = mount_all(mount, service)
    out = shell("""jq -r '[.id, .kind, .status, .progress // "-", .name, .ended // "-"] | join(" ")' "$1"/tasks/*/task.json""",
                mounted.path).stdout
    assert out == ("1 basic completed - n 2024-09-30T09:19:34Z\n11 job running 30 n -\n21 share running 50 n -\n")
    counted = shell("""jq -s 'map(.failCount // 0) | add' "$1"/tasks/*/task.json""", mounted.path).stdout
    assert counted == "1\n"
    assert shell('jq -e \'.id | type == "string"\' "$1"/tasks/*/task.json', mounted.path).stdout == "true\n" * 3


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_hostile_names(service, mount, name):
    """"Strings in `task.json` are JSON's: control characters are escaped and not `%XX`." In value files they are `%XX`."""
    add_all(service, name, userId=name)
    mounted = mount_all(mount, service)
    for task in ("1", "11", "21"):
        raw = (mounted.task(task) / "task.json").read_bytes()
        assert json.loads(raw)["name"] == name
        assert subprocess.check_output(["jq", "-j", ".name"], input=raw).decode() == name
        assert min(set(raw) - {0x09, 0x0a}) >= 0x20 and raw.endswith(b"}\n")
        line = (mounted.task(task) / "name").read_bytes().decode()
        encoded = re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda c: "".join(f"%{byte:02X}" for byte in c[0].encode()), name)
        assert line == encoded + "\n"
        summary = (mounted.task(task) / "summary").read_bytes().decode()
        assert summary.isascii() or name == HOSTILE["other letters"]
        if len(encoded) > 70:
            assert f"\nname      {encoded[:69]}+\n" in summary
        elif encoded.isprintable():
            assert f"\nname      {encoded}\n" in summary
        else:
            assert f"\nname      {encoded[:4]} ?? {encoded[-1]}\n" in summary
    assert json.loads(mounted.read("task.json", "1"))["user"] == name


def test_names_that_are_not_utf8(service, mount):
    """"NUL and bytes that are not UTF-8 become U+FFFD in `task.json`." "A control character in a value, NUL too, is written as
    `%XX`." "Bytes of a value that are not UTF-8 are written as U+FFFD.\""""
    add_all(service)
    body = json.dumps(service.answers["task/1"]).encode().replace(b'"n"', b'"\xff\xfea\\u0000"')
    service.answers["task/1"] = body
    mounted = mount_all(mount, service)
    raw = (mounted.task("1") / "task.json").read_bytes()
    assert json.loads(raw.decode("utf-8", "strict"))["name"] == "\ufffd\ufffda\ufffd"
    assert mounted.read("name", "1") == "\ufffd\ufffda%00\n"
    assert subprocess.run(["jq", "-e", "."], input=raw, capture_output=True).returncode == 0


def test_a_task_without_a_name(service, mount):
    """"What is empty as a file is `null` in `task.json`.\""""
    service.add_share("21"), service.list()
    mounted = mount_all(mount, service)
    assert mounted.read("name", "21") == "" and os.stat(mounted.task("21") / "name").st_size == 0
    assert json.loads(mounted.read("task.json", "21"))["name"] is None
    assert "name" not in mounted.read("summary", "21")


def test_lists_tell_names(service, mount):
    """"These values need no request but the list's": the name too."""
    add_all(service)
    mounted = mount_all(mount, service)
    assert shell('cat "$1"/tasks/1/name "$1"/tasks/11/name "$1"/tasks/*/kind', mounted.path).stdout.split()[:2] == ["n", "n"]
    assert service.paths() == ["jobs", "share/taskDetail/21", "task/list"]
