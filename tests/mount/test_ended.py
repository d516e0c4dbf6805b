# SPDX-License-Identifier: MIT
"""Times that only a list tells."""

import json
import os
import threading
import time

import pytest

from koodrive_sim import wait_until
from kootaskfs_mount import errno_of, read_error, shell
from scripted_service import ScriptedService

ALL = "share, basic, job"
END = "2024-09-30T09:19:34Z\n"


@pytest.fixture
def service():
    scripted = ScriptedService()
    scripted.list()
    yield scripted
    scripted.close()


def run_tasks(service, *tasks, status=1):
    """Basic tasks with this status, the list's only ones."""
    items = [service.add_basic(str(task), status=status) for task in tasks]
    service.list(items)
    return items


def watched(*tasks):
    return [f"basic {task}" for task in tasks]


WAYS = {"listed": None, "watched": ["basic 1"], "found": None}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", [2, 3])
def test_ended_is_known_with_status(service, mount, way, status):
    """"As soon as `status` says that the task has ended, `ended` is known", whichever way the task was found."""
    run_tasks(service, 1)
    mounted = mount(service, watch=WAYS[way], ttl="20ms", list_ttl="1h", families=ALL)
    if way == "listed":
        assert os.listdir(mounted / "tasks") == ["1"]
    assert mounted.read("status", "1") == "running\n"
    assert mounted.read("success-count", "1") == "1\n"  # so the list alone is not asked for the status below
    run_tasks(service, 1, status=status)
    word = {2: "completed\n", 3: "failed\n"}[status]
    before = time.time_ns()
    os.utime(mounted.task("1") / "status")
    assert mounted.read("status", "1") == word
    assert mounted.read("ended", "1") == END
    assert mounted.read("created", "1") == "2024-09-30T09:19:32Z\n"
    assert json.loads(mounted.read("task.json", "1"))["ended"] == END.strip()
    assert "ended     " + END in mounted.read("summary", "1")
    assert os.stat(mounted.task("1")).st_mtime_ns >= before, "when that was seen"
    assert service.asked("task/list") <= 2


@pytest.mark.parametrize("name", ["ended", "task.json", "summary", "created", "started"])
def test_each_file_that_tells_times(service, mount, name):
    """"When the snapshot lacks a time, and the list has not shown the task since it got its status, reading `created`,
    `started`, `ended`, `summary` or `task.json` reads that list first": each may be the first."""
    run_tasks(service, 1)
    mounted = mount(service, watch=watched(1), ttl="1h", list_ttl="1h", families=ALL)
    os.listdir(mounted / "tasks")
    run_tasks(service, 1, status=2)
    assert mounted.read("progress", "1") == ""
    assert service.asked("task/list") == 1
    text = mounted.read(name, "1")
    assert END.strip() in text or name in ("created", "started")
    assert service.asked("task/list") == 2


def test_what_tells_no_time_costs_no_list(service, mount):
    """"No other file waits for a list or requests one.\""""
    run_tasks(service, 1)
    mounted = mount(service, watch=watched(1), ttl="1h", list_ttl="1h", families=ALL)
    run_tasks(service, 1, status=2)
    for name in ("status", "result", "progress", "user", "name", "failures.csv", "job.json", "response.json", "kind"):
        mounted.read(name, "1")
    os.listdir(mounted.task("1"))
    assert service.asked() == 2


def test_many_ends_are_one_list(service, mount):
    """"All readers that wait for the same list share one reading of it": forty tasks that end at the same time are one list
    more, of one page."""
    tasks = range(1, 41)
    run_tasks(service, *tasks)
    mounted = mount(service, watch=None, ttl="1h", list_ttl="1h", families=ALL)
    assert len(os.listdir(mounted / "tasks")) == 40
    run_tasks(service, *tasks, status=2)
    assert set(shell('cat "$1"/tasks/*/progress "$1"/tasks/*/ended', mounted.path).stdout.split()) == {END.strip()}
    assert service.asked("task/list") == 2
    assert service.asked() == 3 + 2 * 40


def test_ends_one_after_another(service, mount):
    """"Such a reading begins at most once a second": tasks that end one after another, each asked about at once."""
    tasks = range(1, 6)
    run_tasks(service, *tasks)
    mounted = mount(service, watch=None, ttl="20ms", list_ttl="1h", families=ALL)
    os.listdir(mounted / "tasks")
    begin = time.monotonic()
    done = []
    for task in tasks:
        done.append(task)
        service.list([service.add_basic(str(n), status=2 if n in done else 1) for n in tasks])
        os.utime(mounted.task(str(task)))
        assert mounted.read("status", str(task)) == "completed\n"
        assert mounted.read("ended", str(task)) == END
    assert service.asked("task/list") <= 2 + time.monotonic() - begin


def fails(service):
    service.answers["task/list"] = (403, {"code": 13000410})


def still_running(service):
    run_item = service.answers["task/list"]["taskList"][0]
    service.answers["task/list"] = {"code": 0, "taskList": [{**run_item, "status": 1, "endTime": ""}]}


def without_end(service):
    item = {**service.answers["task/list"]["taskList"][0]}
    del item["endTime"]
    service.answers["task/list"] = {"code": 0, "taskList": [item]}


def not_there(service):
    service.answers["task/list"] = {"code": 0, "taskList": []}


def not_json(service):
    service.answers["task/list"] = "<html>"


@pytest.mark.parametrize("trouble", [fails, still_running, without_end, not_there, not_json])
def test_trouble_with_the_list(service, mount, trouble):
    """"When the list fails, or does not know the end, the time is empty and the read succeeds." "The time is there as soon as
    a list has it.\""""
    run_tasks(service, 1, status=2)
    right = service.answers["task/list"]
    mounted = mount(service, watch=watched(1), ttl="1h", list_ttl="50ms", negative_ttl="50ms", families=ALL)
    trouble(service)
    assert mounted.read("status", "1") == "completed\n"
    assert mounted.read("ended", "1") == ""
    assert json.loads(mounted.read("task.json", "1"))["ended"] is None
    service.answers["task/list"] = right
    wait_until(lambda: mounted.read("ended", "1") == END, "the end")
    assert json.loads(mounted.read("task.json", "1"))["ended"] == END.strip()
    assert service.asked("task/1") == 1, "of an ended task the list alone is asked for"


def test_a_known_end_is_not_asked_for_again(service, mount):
    """Each of these files, again and again: one list."""
    run_tasks(service, 1, status=2)
    mounted = mount(service, watch=watched(1), ttl="0", list_ttl="0", negative_ttl="0", families=ALL)
    for _ in range(3):
        for name in ("created", "started", "ended", "summary", "task.json"):
            mounted.read(name, "1")
    assert service.asked("task/list") == 1


def test_an_end_nobody_knows_is_asked_for_at_the_pace_of_lists(service, mount):
    """"For the same task a list that did not fail is not read again before `list-ttl`": a task that the list does not have."""
    run_tasks(service, 1, status=2)
    not_there(service)
    mounted = mount(service, watch=watched(1), ttl="0", list_ttl="1h", families=ALL)
    for _ in range(3):
        assert [mounted.read(name, "1") for name in ("created", "started", "ended")] == ["", "", ""]
    os.listdir(mounted / "tasks")
    assert service.asked("task/list") == 1


def test_a_list_that_failed_is_read_again_for_the_same_task(service, mount):
    """"For the same task a list that failed is read again after `negative-ttl`", and not before."""
    run_tasks(service, 1, status=2)
    fails(service)
    mounted = mount(service, watch=watched(1), ttl="1h", list_ttl="1h", negative_ttl="500ms", families=ALL)
    begin = time.monotonic()
    while service.asked("task/list") < 2:
        assert mounted.read("ended", "1") == ""
    assert time.monotonic() - begin >= 0.5


def test_a_list_that_hangs_keeps_nobody_beyond_the_deadline(service, mount):
    """"Such a reader waits at most `deadline`", and nobody who wants no time waits."""
    run_tasks(service, 1, status=2)
    mounted = mount(service, watch=watched(1), ttl="1h", deadline="1s", families=ALL)
    gate = service.hold("task/list")
    assert mounted.read("status", "1") == "completed\n"
    assert mounted.read("ended", "1") == ""
    assert mounted.read("status", "1") == "completed\n"
    gate.set()
    wait_until(lambda: mounted.read("ended", "1") == END, "the end")


def test_a_waiting_reader_can_be_interrupted(service, mount):
    run_tasks(service, 1, status=2)
    mounted = mount(service, watch=watched(1), ttl="1h", deadline="1h", families=ALL)
    gate = service.hold("task/list")
    reader = mounted.popen("cat", mounted.task("1") / "ended")
    wait_until(lambda: service.asked("task/list") == 1, "the list's request")
    reader.terminate()
    assert reader.wait(60) == -15
    other = mounted.popen("cat", mounted.task("1") / "ended")
    gate.set()
    assert other.communicate(timeout=60)[0] == END
    assert service.asked("task/list") == 1


def test_the_page_that_tells_is_enough(service, mount):
    """"Such a reader waits until the page that has the task has come, and not for the pages after it.\""""
    item = service.add_basic("1")
    more = threading.Event()

    def page(query):
        if "pageCursor" in query:
            more.wait(60)
            return {"taskList": [{"taskId": "2", "status": 1}]}
        return {"taskList": [item], "nextCursor": "x"}

    service.answers["task/list"] = page
    mounted = mount(service, watch=watched(1), ttl="1h", deadline="1h", families=ALL)
    assert mounted.read("ended", "1") == END
    more.set()
    assert sorted(os.listdir(mounted / "tasks")) == ["1", "2"]


def test_families_that_are_not_chosen_are_not_listed(service, mount):
    """"No list is requested of a family that `families` leaves out.\""""
    run_tasks(service, 1, status=2)
    mounted = mount(service, watch=watched(1), families="share, job")
    assert mounted.read("status", "1") == "completed\n" and mounted.read("ended", "1") == ""
    assert mounted.operations_of(lambda: [mounted.read("ended", "1") for _ in range(3)]) == {}
    assert service.asked() == 2


@pytest.mark.parametrize("status", [0, 1, 2])
def test_times_of_a_task_found_by_its_id(service, mount, status):
    """`created` and `started` too: a task that nobody has listed."""
    run_tasks(service, 1, status=status)
    mounted = mount(service, watch=None, ttl="1h", families="basic")
    assert mounted.read("created", "1") == "2024-09-30T09:19:32Z\n"
    assert mounted.read("started", "1") == "2024-09-30T09:19:33Z\n"
    assert mounted.read("ended", "1") == (END if status == 2 else "")
    assert service.asked() == 3


def test_created_later_than_the_list(service, mount):
    """A task younger than the last list, while that is fresh."""
    run_tasks(service, 1)
    mounted = mount(service, watch=None, ttl="1h", list_ttl="1h", families="basic")
    assert os.listdir(mounted / "tasks") == ["1"]
    run_tasks(service, 1, 2)
    assert mounted.read("created", "2") == "2024-09-30T09:19:32Z\n"
    assert service.asked("task/list") == 2


def test_a_job_whose_own_answer_lacks_its_end(service, mount):
    """The same of any family that has a list."""
    item = service.add_job("11", status=2, taskResultCode=1)
    service.list([], [{**item, "endTime": "20240930091934"}])
    mounted = mount(service, watch=["job 11"], ttl="1h", families=ALL)
    assert mounted.read("status", "11") == "completed\n"
    assert mounted.read("ended", "11") == END
    assert service.asked() == 2 and service.asked("jobs") == 1


def test_what_only_a_list_tells(service, mount):
    """"What the task's own snapshot lacks of them comes from the list": name and user of a basic task that only task/result
    knows."""
    service.list([service.add_basic("1")])
    del service.answers["task/1"]
    mounted = mount(service, watch=watched(1), ttl="1h", families=ALL)
    assert mounted.read("success-count", "1") == "1\n"
    os.listdir(mounted / "tasks")
    assert [mounted.read(name, "1") for name in ("name", "user", "ended")] == ["n\n", "u\n", END]


def test_task_fails_like_before(service, mount):
    """A task that cannot be asked for is asked for once, and no list for it."""
    service.answers["task/1"] = service.answers["task/result/1"] = (403, {"code": 13000410})
    mounted = mount(service, watch=watched(1), negative_ttl="1h", families=ALL)
    assert read_error(mounted.task("1") / "ended") == "EACCES"
    assert errno_of(os.listdir, mounted.task("1")) is None
    assert service.asked("task/list") == 0


def test_a_live_service(start, mount):
    """The simulator's import tasks: whenever status is read as the end, ended is there and no sooner than created."""
    sim = start("--duration=2", "--imports=6", "--transfers=2", "--tasks=0", "--jobs=0")
    mounted = mount(sim, watch=None, ttl="100ms", list_ttl="1h", families="basic")
    waiting = set(os.listdir(mounted / "tasks"))
    assert len(waiting) >= 8
    end = time.monotonic() + 100
    while waiting:
        assert time.monotonic() < end
        for task in sorted(waiting):
            os.utime(mounted.task(task) / "status")
            if mounted.read("status", task) in ("completed\n", "failed\n"):
                created, ended = mounted.read("created", task), mounted.read("ended", task)
                if created != "":  # the documented sample has none
                    assert ended >= created > "2", task
                waiting.remove(task)
