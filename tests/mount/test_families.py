# SPDX-License-Identifier: MIT
"""Basic tasks and batch jobs beside share tasks: found by the service's lists, by the watch list, or by their ids."""

import json
import os
import re
import signal
import time

import pytest

from kootaskfs_mount import LIMIT, errno_of, read_error, run, shell
from koodrive_sim import wait_until
from scripted_service import NOT_FOUND, ScriptedService

LISTS = ["jobs", "task/list"]
ALL = "share, basic, job"


@pytest.fixture
def service():
    scripted = ScriptedService()
    yield scripted
    scripted.close()


@pytest.fixture
def account(service, mount):
    """A mount of an account with 5 basic tasks (1 to 5), 7 jobs (11 to 17) and 3 watched share tasks (21 to 23). What it is
    told lasts, so every request counts."""
    for n in range(21, 24):
        service.add_share(str(n))
    basic = [service.add_basic(str(n), status=n % 4) for n in range(1, 6)]
    service.list(basic, [service.add_job(str(n), taskType=n - 10) for n in range(11, 18)])
    return mount(service, watch=[f"share S {n}" for n in range(21, 24)], ttl="1h", list_ttl="1h", families=ALL)


def names(mounted):
    return sorted(os.listdir(mounted / "tasks"))


def health(mounted):
    return dict(line.split(": ", 1) for line in mounted.control("health").splitlines())


# ---- lists


def test_listing_has_all_in_order(service, account):
    """"`tasks/` lists the tasks of the watch list, the tasks of the service's lists, and the tasks found by name." "The names in
    `tasks/` are listed in the order of their bytes.\""""
    service.add_job("9")
    service.add_job("B"), service.add_job("a")
    assert [account.read("kind", task) for task in ("a", "9", "B")] == ["job\n"] * 3
    assert os.listdir(account / "tasks") == sorted(
        [*map(str, [*range(1, 6), *range(11, 18), *range(21, 24)]), "9", "B", "a"])


def test_ls_shows_all_families_for_two_requests(service, account):
    """"`.kootaskfs/health` has a line for each list, `list-basic` and `list-job`, and the number of tasks by family.\""""
    ids = [str(n) for n in [*range(1, 6), *range(11, 18), *range(21, 24)]]
    assert names(account) == sorted(ids)
    assert service.asked() == 2 and service.paths() == LISTS
    kinds = shell("cd $1/tasks; cat */kind | sort | uniq -c", account.path).stdout.split()
    assert kinds == ["5", "basic", "7", "job", "3", "share"]
    assert health(account)["tasks"] == "15 (3 share, 5 basic, 7 job)"
    assert health(account)["list-basic"].startswith("ok, 5 tasks; read ")
    assert health(account)["list-job"].startswith("ok, 7 tasks; read ")
    assert run("ls", account / "tasks").stdout.split() == names(account)
    assert service.asked(*LISTS) == 2


def test_what_lists_tell_is_not_asked_for(service, account):
    """"These values need no request but the list's: `kind`, `type`, `status`, `created`, `started`, `ended`, `user`, `name`, and
    of jobs `result`." "So `cat tasks/*/status` makes no request for a basic task or a job." "All other files make a request for
    the task itself.\""""
    out = shell("cd $1/tasks; cat */status */created", account.path).stdout.split()
    assert out.count("2024-09-30T09:19:32Z") == 15
    assert out.count("failed") == 1 and out.count("pending") == 1
    shell("cd $1/tasks; cat */type */started */ended */user */name >/dev/null; cat 1?/result", account.path)
    assert service.paths() == sorted(LISTS + [f"share/taskDetail/{n}" for n in range(21, 24)])
    assert service.asked() == 2 + 3
    assert account.read("progress", "11") == "30\n"
    assert service.asked("11") == 1
    assert account.read("result", "2") == "succeeded\n"  # of a basic task it follows from the counts
    assert service.asked("task/2") == 1


def test_times_of_lists_are_those_of_directories(service, account):
    """"The mtime of a task's directory is settled once: by a list": here to the end of 2, and to the start of 11."""
    names(account)
    assert int(os.stat(account.task("2")).st_mtime) == 1727687974
    assert int(os.stat(account.task("11")).st_mtime) == 1727687973
    assert account.read("success-count", "2") == "1\n"
    assert account.read("ended", "2") == "2024-09-30T09:19:34Z\n"  # which only the list knows
    assert int(os.stat(account.task("2")).st_mtime) == 1727687974


def test_attributes_of_what_a_list_told(service, account):
    names(account)
    path = account.task("11") / "status"
    assert os.getxattr(path, "user.kootaskfs.stale") == b"0"
    assert "user.kootaskfs.fetched" in os.listxattr(path)
    assert "user.kootaskfs.trace-id" not in os.listxattr(path)
    account.read("progress", "11")
    assert len(os.getxattr(path, "user.kootaskfs.trace-id")) == 58
    assert service.asked() == 3


def test_ls_of_a_task_asks_for_it(service, account):
    """"Listing `tasks/ID` asks for the task first, so `grep . tasks/ID/*` is of one response.\""""
    names(account)
    service.forget()
    assert "ctl" in os.listdir(account.task("11")) and "ctl" not in os.listdir(account.task("1"))
    assert service.paths() == ["11", "task/1", "task/result"]
    assert account.read("progress", "11") == "30\n"
    assert "/progress:30\n" in shell('grep . "$1"/*', account.task("11"), check=False).stdout
    assert service.asked() == 3


def test_a_touch_asks_for_the_task_itself(service, account):
    names(account)
    assert account.read("status", "11") == "running\n"
    service.add_job("11", status=2)
    os.utime(account.task("11") / "status")
    assert account.read("status", "11") == "completed\n"
    assert service.asked("11") == 1 and service.asked(*LISTS) == 2


def pages(service, query):
    """A list of 250 basic tasks in pages of 100, an empty page before each."""
    at = int(query.get("pageCursor", "0"))
    if at % 2 == 0:
        return {"taskList": [], "nextCursor": at + 1}
    first = (at - 1) // 2 * 100
    page = {"taskList": [{"taskId": str(n), "status": 2} for n in range(first, min(first + 100, 250))]}
    return page | ({"nextCursor": str(at + 1)} if first + 100 < 250 else {})


def test_all_who_list_share_one_reading(service, mount):
    """"All processes that list `tasks/` at the same time share one reading of the lists.\""""
    service.list([], [service.add_job("11")])
    gate = service.hold("jobs")
    mounted = mount(service, watch=None, list_ttl="0", deadline="1h", families="job")
    listings = [mounted.popen("ls", mounted / "tasks") for _ in range(5)]
    wait_until(lambda: mounted.metric("kootaskfs_parked_operations") == 5, "all to wait")
    gate.set()
    assert [listing.communicate(timeout=LIMIT)[0] for listing in listings] == ["11\n"] * 5
    assert service.asked() == 1


def test_own_snapshot_goes_before_a_newer_list(service, mount):
    """"While the task's own snapshot is fresh, these files come from the snapshot." "The times, `type`, `user` and `name` come from
    the task's own snapshot." "Files that a list suffices for may come from the list. Once the task itself was asked for, they
    are of its response too.\""""
    service.list([], [service.add_job("11", status=1, taskName="n")])
    mounted = mount(service, watch=None, ttl="1h", list_ttl="0", families=ALL)
    assert names(mounted) == ["11"] and mounted.read("progress", "11") == "30\n"
    service.list([], [{"taskId": "11", "taskType": 2, "status": 1, "userId": "other", "taskName": "other",
                       "createTime": "20200101000000", "beginTime": "20200101000000"}])
    assert names(mounted) == ["11"]
    own = {"type": "copy", "user": "u", "name": "n", "created": "2024-09-30T09:19:32Z", "started": "2024-09-30T09:19:33Z"}
    assert {name: mounted.read(name, "11").strip() for name in own} == own
    service.list([], [{"taskId": "11", "taskType": 1, "status": 2, "userId": "other"}])
    assert names(mounted) == ["11"] and mounted.read("status", "11") == "running\n"
    assert service.asked("11") == 1


def test_newer_list_goes_before_an_old_snapshot(service, mount):
    """"Otherwise they come from the snapshot or from the list's item, whichever was requested later.\""""
    service.list([], [service.add_job("11", status=1)])
    mounted = mount(service, watch=["job 11"], ttl="100ms", list_ttl="1h", families=ALL)
    assert mounted.read("progress", "11") == "30\n"
    service.list([], [{"taskId": "11", "taskType": 1, "status": 2}])
    assert names(mounted) == ["11"]
    wait_until(lambda: mounted.read("status", "11") == "completed\n", "the ttl to pass")
    assert service.asked("11") == 1


def test_an_item_of_a_list_is_used_for_its_ttl(service, mount):
    """"A list's item is used for `list-ttl`": after that the task itself is asked for."""
    service.list([], [service.add_job("11", status=1)])
    mounted = mount(service, watch=None, ttl="1h", list_ttl="500ms", families=ALL)
    begin = time.monotonic()
    assert names(mounted) == ["11"]
    wait_until(lambda: mounted.read("status", "11") == "running\n" and service.asked("11") == 1, "the ttl to pass")
    assert time.monotonic() - begin >= 0.5


def test_first_list_does_not_move_times(service, mount):
    """"The names that the first reading of a list brings do not move it"; those of a later one do."""
    service.list([service.add_basic("1")], [service.add_job("11")])
    mounted = mount(service, watch=None, list_ttl="0", families=ALL)
    first = os.stat(mounted / "tasks").st_mtime_ns
    assert names(mounted) == ["1", "11"] and os.stat(mounted / "tasks").st_mtime_ns == first
    service.list([service.add_basic("1")], [service.add_job("11"), service.add_job("12")])
    assert names(mounted) == ["1", "11", "12"]
    wait_until(lambda: os.stat(mounted / "tasks").st_mtime_ns > first, "the new time")


def test_lists_of_many_pages(service, mount):
    """"Listing `tasks/` reads the lists of the chosen families, page after page\""""
    everything = [{"taskId": str(n), "status": 1} for n in range(1000, 1300)]
    service.answers["task/list"] = lambda query: pages(service, query)
    service.answers["jobs"] = lambda query: {"data": everything[int(query["offset"]):][:int(query["limit"])]}
    mounted = mount(service, watch=None, families=ALL)
    assert names(mounted) == sorted(str(n) for n in [*range(250), *range(1000, 1300)])
    assert service.asked("task/list") == 6 and service.asked("jobs") == 4
    assert health(mounted)["tasks"] == "550 (0 share, 250 basic, 300 job)"


def cursor_again(query):
    n = {"": 1, "a": 2, "b": 3}[query.get("pageCursor", "")]
    return {"taskList": [{"taskId": str(n)}], "nextCursor": ["a", "b", "a"][n - 1]}


def page_again(query):
    return {"taskList": [{"taskId": "1"}], "nextCursor": query.get("pageCursor", "") + "x"}


def empty_again(query):
    return {"taskList": [], "nextCursor": query.get("pageCursor", "") + "x"}


@pytest.mark.parametrize("call, answer, tasks, why", [
    ("task/list", cursor_again, ["1", "2", "3"], "a cursor comes again"),
    ("task/list", page_again, ["1"], "a page comes again"),
    ("task/list", empty_again, [], "empty pages without end"),
    ("jobs", {"data": [{"taskId": str(n)} for n in range(100)]}, [str(n) for n in range(100)], "a page comes again"),
])
def test_a_list_without_end_ends(service, mount, call, answer, tasks, why):
    """"A list that does not end is an error (EBADMSG): a cursor or a page comes again, or more than 100 pages in a row are empty."
    "The tasks that a list brought before it failed are there.\""""
    service.list([service.add_basic("900")], [service.add_job("901")])
    service.answers[call] = answer
    mounted = mount(service, watch=None, families=ALL)
    other = "900" if call == "jobs" else "901"
    assert names(mounted) == sorted(tasks + [other])
    family = "job" if call == "jobs" else "basic"
    assert health(mounted)["list-" + family].startswith("failed: the list does not end: " + why)
    assert f" {call}: EBADMSG: the list does not end: {why}" in mounted.control("last-error")
    assert len(mounted.log_lines("the list does not end")) == 1
    assert mounted.read("status", other) in ("completed\n", "running\n")
    assert answer is not empty_again or service.asked(call) == 101


def test_ls_waits_for_the_deadline_at_most(service, mount):
    """"`ls tasks` waits at most `deadline`, and then shows the tasks that are known by then.\""""
    service.list([service.add_basic("1")], [service.add_job("11")])
    service.add_job("12")
    gate = service.hold("task/list")
    mounted = mount(service, watch=["job 12"], deadline="500ms", list_ttl="1h", families=ALL)
    assert mounted.read("status", "12") == "running\n"  # so it knows how to ask several things at a time
    assert names(mounted) == ["11", "12"]  # what is known by then
    gate.set()


def test_a_list_that_goes_on_does_not_keep_the_end(service, mount):
    """"After that `deadline` the lists are read on.\""""
    def fresh(query):
        n = int(query.get("pageCursor", "0"))
        return {"taskList": [{"taskId": str(n)}], "nextCursor": n + 1}

    service.list()
    service.answers["task/list"] = fresh
    mounted = mount(service, watch=None, deadline="500ms", families=ALL)
    assert "0" in names(mounted)
    assert re.fullmatch(r"being read, \d+ so far", health(mounted)["list-basic"])
    asked = service.asked("task/list")
    wait_until(lambda: service.asked("task/list") > asked + 3, "more pages")
    assert health(mounted)["list-job"].startswith("ok, 0 tasks; read ")
    mounted.unmount()


@pytest.mark.parametrize("refused, shown", [("task/list", "11"), ("jobs", "1")])
@pytest.mark.parametrize("answer, errno", [
    ((403, {"error_code": "APIGW.0301", "error_msg": "who?"}), "EACCES"),
    ({"code": 13000410, "msg": "no"}, "EACCES"),
    ((500, {"code": 13000201}), "EIO"),
    ("[1,", "EBADMSG"),
    ({"taskList": {}, "data": {}}, "EBADMSG"),
    ({"taskList": [{"taskId": "../x"}], "data": [{"taskId": "../x"}]}, "EBADMSG"),
])
def test_a_refused_list_does_not_spoil_the_other(service, mount, refused, shown, answer, errno):
    """"A list that fails does not hold up the other list." "A list that has nothing but such items is an error (EBADMSG).\""""
    service.list([service.add_basic("1")], [service.add_job("11")])
    service.answers[refused] = answer
    mounted = mount(service, watch=["share S 21"], negative_ttl="1h", families=ALL)
    assert names(mounted) == sorted(["21", shown])
    family, other = ("job", "basic") if refused == "jobs" else ("basic", "job")
    assert health(mounted)["list-" + family].startswith("failed: ")
    assert health(mounted)["list-" + other].startswith("ok, 1 tasks; read ")
    assert f" {refused}: {errno}: " in mounted.control("last-error")
    before = service.asked()
    assert names(mounted) == sorted(["21", shown])
    assert service.asked() == before  # remembered


def test_a_list_that_failed_is_read_again(service, mount):
    """"A list that failed is requested again after `negative-ttl`.\""""
    service.list([], [service.add_job("11")])
    right = service.answers["jobs"]
    service.answers["jobs"] = (403, {})
    mounted = mount(service, watch=None, list_ttl="1h", negative_ttl="500ms", families=ALL)
    begin = time.monotonic()
    assert names(mounted) == []
    service.answers["jobs"] = right
    wait_until(lambda: names(mounted) == ["11"], "the next reading")
    assert time.monotonic() - begin >= 0.5 and service.asked("jobs") == 2 and service.asked("task/list") == 1


def test_items_that_cannot_be_tasks(service, mount):
    """"An item whose id cannot be an id is left out of the list, and the log says how many were." "The other items of such a list
    are there.\""""
    service.list([service.add_basic("1"), {"taskId": "../x"}, {"taskId": "jobs"}, service.add_basic("2")])
    mounted = mount(service, watch=None, families=ALL)
    assert names(mounted) == ["1", "2"]
    assert health(mounted)["list-basic"].startswith("ok, 2 tasks; read ")
    assert len(mounted.log_lines("the list of basic tasks has 2 with an id that cannot be one")) == 1


def test_gone_tasks_vanish(service, mount):
    """"A task is there as long as the watch list names it, a list has it, or it was found by its name." "A task that a complete
    list no longer has is gone.\""""
    service.list([service.add_basic("1")], [service.add_job("11"), service.add_job("12")])
    service.add_job("13")
    mounted = mount(service, watch=["job 12", "basic 1"], list_ttl="0", families=ALL)
    assert mounted.read("kind", "13") == "job\n"
    assert names(mounted) == ["1", "11", "12", "13"]
    assert mounted.read("status", "11") == "running\n"
    service.list()
    del service.answers["11"]
    assert names(mounted) == ["1", "12", "13"]  # the watched ones stay, and the one found by its name
    wait_until(lambda: read_error(mounted.task("11") / "status") == "ENOENT", "the kernel to forget it")
    assert mounted.read("status", "12") == "running\n"


def test_new_tasks_come(service, mount):
    service.list()
    mounted = mount(service, watch=None, list_ttl="0", families=ALL)
    assert names(mounted) == []
    service.list([], [service.add_job("11")])
    assert names(mounted) == ["11"]


def test_a_failing_list_keeps_what_it_had(service, mount):
    """"A list that fails takes no task away: the tasks that it had before stay.\""""
    service.list([], [service.add_job("11")])
    mounted = mount(service, watch=None, list_ttl="0", families=ALL)
    assert names(mounted) == ["11"]
    service.answers["jobs"] = (403, {})
    assert names(mounted) == ["11"]
    assert health(mounted)["list-job"].startswith("failed: HTTP 403")


# ---- families


def test_share_alone_asks_for_no_list(service, mount):
    """"The key `families` chooses which families are listed and which are asked for an id." "A watched task is there whatever
    `families` says." "The lookup is ENOENT without a request when neither family is chosen.\""""
    service.list([service.add_basic("1")], [service.add_job("11")])
    mounted = mount(service, watch=["share S 21", "job 11"], families="share")
    assert names(mounted) == ["11", "21"]
    assert [read_error(mounted.task(task) / "status") for task in ("1", "12")] == ["ENOENT", "ENOENT"]
    assert service.asked() == 0
    assert not [key for key in health(mounted) if key.startswith("list-")]
    assert mounted.read("status", "11") == "running\n"  # watched tasks are there whatever is chosen


def test_one_family_is_one_list(service, mount):
    """"The key `families` chooses which families are listed and which are asked for an id.\""""
    service.list([service.add_basic("1")], [service.add_job("11")])
    mounted = mount(service, watch=None, families="job")
    assert names(mounted) == ["11"]
    assert read_error(mounted.task("1") / "status") == "ENOENT"
    assert read_error(mounted / "shares" / "S" / "21") == "ENOENT"
    assert service.paths() == ["1", "jobs"]  # 1 might have been a job


def test_families_are_read_again(service, mount):
    service.list([service.add_basic("1")], [service.add_job("11")])
    mounted = mount(service, watch=None, families="job", list_ttl="0")
    assert names(mounted) == ["11"]
    mounted.configure(families="basic")
    mounted.signal(signal.SIGHUP)
    wait_until(lambda: "families = basic\n" in mounted.control("config"), "the new configuration")
    assert names(mounted) == ["1", "11"]  # what had been listed stays
    assert service.asked("jobs") == 1 and service.asked("task/list") == 1


def test_options_take_blanks_for_commas(service, mount):
    service.list([service.add_basic("1")], [service.add_job("11")])
    mounted = mount(service, watch=None, options=["families=share job"])
    assert names(mounted) == ["11"]
    assert "families = share, job\n" in mounted.control("config")


@pytest.mark.parametrize("family, task, status", [("basic", "1", "completed\n"), ("job", "11", "running\n")])
def test_an_id_nobody_listed_is_found_in_its_family(service, mount, family, task, status):
    """"Looking up `tasks/TASKID` asks the service for a basic task and for a job at the same time, as far as `families` has
    them.\""""
    service.list()
    service.add_basic("1"), service.add_job("11")
    mounted = mount(service, watch=None, ttl="1h", families=ALL)
    assert mounted.read("status", task) == status
    assert mounted.read("kind", task) == family + "\n"
    wait_until(lambda: service.asked() == 3, "all three questions")  # the other family's may still come
    assert service.paths() == sorted([task, "task/" + task, "task/result"])
    assert names(mounted) == [task]
    assert mounted.read("progress", task) is not None
    assert service.asked() == 3 + 2


@pytest.mark.parametrize("family, held", [("job", "task/7"), ("basic", "7")])
def test_the_first_that_knows_an_id_decides(service, mount, family, held):
    """"The first response that knows the id decides, and the lookup does not wait for the other.\""""
    service.add_job("7") if family == "job" else service.add_basic("7")
    gate = service.hold(held)
    mounted = mount(service, watch=None, deadline="1h", families=ALL)
    assert mounted.read("kind", "7") == family + "\n"
    wait_until(lambda: service.asked(held) == 1, "the other question")  # which may still be on its way
    assert not gate.is_set()
    gate.set()


def test_an_id_nobody_knows(service, mount):
    """"The lookup is ENOENT when the service knows the id in no family.\""""
    mounted = mount(service, watch=None, negative_ttl="1h", families=ALL)
    assert read_error(mounted.task("7") / "status") == "ENOENT"
    assert service.asked() == 3
    assert read_error(mounted.task("7") / "status") == "ENOENT"
    assert service.asked() == 3  # remembered
    assert mounted.log_lines("WARNING") == []


def test_trouble_in_one_family_is_not_taken_for_no(service, mount):
    """"A task that nobody has listed is ENOENT only when the service says so; another failure is that failure.\""""
    service.answers["7"] = (403, {"code": 13000410})
    mounted = mount(service, watch=None, families=ALL)
    assert read_error(mounted.task("7") / "status") == "EACCES"


def test_a_known_task_that_the_service_denies_stays(service, mount):
    """"A watched or listed task stays in `tasks/` then, and reading its files is ENOENT.\""""
    service.list([], [service.add_job("11")])
    del service.answers["11"]
    mounted = mount(service, watch=["basic 1"], families=ALL)
    for _ in range(2):
        assert names(mounted) == ["1", "11"]
        assert [read_error(mounted.task(task) / "progress") for task in ("1", "11")] == ["ENOENT", "ENOENT"]


# ---- basic tasks


def test_a_basic_task_is_made_of_two_answers(service, mount):
    """"Its snapshot comes from two responses: one of `GET task/ID` and one of `GET task/result`." "`status`, `type` and `user` come
    from the response of `task/ID`." "The counts and `failures.csv` come from the response of `task/result`." "`job.json` is the
    object of `task/ID`, and `response.json` is the response of `task/result`.\""""
    service.add_basic("1", succeeded=2, failures=[("a", "x"), ("b,c", "y")], resultCode=18000001, status=2)
    service.answers["task/result/1"].update(status=1, taskType=0, userId="other")
    service.answers["task/1"].update(data={"successCount": 7, "failCount": 8})
    mounted = mount(service, watch=["basic 1"], ttl="1h", families=ALL)
    assert json.loads(mounted.read("job.json", "1")) == service.answers["task/1"]
    assert json.loads(mounted.read("response.json", "1")) == service.answers["task/result/1"]
    assert mounted.read("status", "1") == "completed\n" and mounted.read("type", "1") == "import\n"
    assert mounted.read("result", "1") == "partly-failed\n"
    assert mounted.read("user", "1") == "u\n"
    assert mounted.read("success-count", "1") == "2\n" and mounted.read("fail-count", "1") == "2\n"
    assert mounted.read("failures.csv", "1") == 'userName,desc\na,x\n"b,c",y\n'
    assert service.asked() == 2


def test_two_responses_of_one_moment(service, mount):
    """"Both requests are sent at the same time": each arrives before the other is answered. "All files of one task directory come
    from one response of the service; those of a basic task come from its two responses of one moment.\""""
    service.add_basic("1", status=1)
    gates = [service.hold("task/1"), service.hold("task/result")]
    mounted = mount(service, watch=["basic 1"], ttl="1h", families=ALL)
    reader = mounted.popen("cat", mounted.task("1") / "status", mounted.task("1") / "success-count")
    wait_until(lambda: service.asked() == 2, "both requests")
    for gate in gates:
        gate.set()
    assert reader.communicate(timeout=LIMIT)[0] == "running\n1\n"
    service.add_basic("1", status=2, succeeded=5)
    assert mounted.read("user", "1") == "u\n" and mounted.read("failures.csv", "1") == "userName,desc\n"
    assert json.loads(mounted.read("job.json", "1"))["status"] == 1
    assert json.loads(mounted.read("response.json", "1"))["data"]["successCount"] == 1
    assert service.asked() == 2


@pytest.mark.parametrize("status, counts, result", [
    (0, (3, 0), ""), (1, (3, 2), ""), (2, (3, 0), "succeeded"), (2, (3, 2), "partly-failed"), (2, (0, 2), "failed"),
    (3, (3, 2), "partly-failed"), (3, (3, 0), "failed"), (2, None, "succeeded"), (3, None, "failed"),
])
def test_result_of_a_basic_task(service, mount, status, counts, result):
    """"`result` of a basic task is empty until the task has ended." "After that `result` follows from the counts: `succeeded`,
    `partly-failed` or `failed`." "Without counts, `result` of an ended basic task follows from `status`." "When the task has
    failed and its counts show no failure, `result` follows from `status` too.\""""
    service.add_basic("1", status=status)
    data = {} if counts is None else {"data": dict(zip(("successCount", "failCount"), counts))}
    service.answers["task/result/1"] = {"code": 0, **data}
    mounted = mount(service, watch=["basic 1"], families=ALL)
    assert mounted.read("result", "1").strip() == result


def test_an_import_that_only_its_result_knows(service, mount):
    """"When only `task/result` knows the task, `status` is `running` until the response has counts, and then `completed`.\""""
    service.answers["task/result/1"] = {"code": 0}
    mounted = mount(service, watch=["basic 1"], ttl="50ms", families=ALL)
    assert mounted.read("status", "1") == "running\n" and mounted.read("success-count", "1") == ""
    service.answers["task/result/1"] = {"code": 0, "data": {"successCount": 3, "failCount": 0, "failInfoList": []}}
    wait_until(lambda: mounted.read("status", "1") == "completed\n", "the end")
    assert mounted.read("success-count", "1") == "3\n"


def test_a_basic_task_with_one_answer(service, mount):
    """"When the service knows the task in one of the two calls only, that response is the whole snapshot." "When only
    `task/result` knows the task, `job.json` is its `data` and `type` is `import`.\""""
    service.add_basic("1"), service.add_basic("2", taskType=0, status=3)
    del service.answers["task/1"], service.answers["task/result/2"]
    mounted = mount(service, watch=["basic 1", "basic 2", "basic 3"], ttl="1h", families=ALL)
    assert json.loads(mounted.read("job.json", "1")) == service.answers["task/result/1"]["data"]
    assert mounted.read("status", "1") == "completed\n" and mounted.read("type", "1") == "import\n"
    assert json.loads(mounted.read("response.json", "2")) == service.answers["task/2"]
    assert [mounted.read(name, "2") for name in ("type", "status", "result")] == ["transfer\n", "failed\n", "failed\n"]
    assert mounted.read("failures.csv", "2") == "userName,desc\n"
    assert read_error(mounted.task("3") / "status") == "ENOENT"


def test_half_a_basic_task_is_none(service, mount):
    """"Any other failure of one of the two calls is a failure of the task.\""""
    service.add_basic("1"), service.add_basic("2")
    service.answers["task/1"] = (403, {})
    service.answers["task/result/2"] = "{"
    mounted = mount(service, watch=["basic 1", "basic 2"], families=ALL)
    assert read_error(mounted.task("1") / "fail-count") == "EACCES"
    assert read_error(mounted.task("2") / "status") == "EBADMSG"


# ---- jobs


def test_a_watched_job(service, mount):
    """"`job.json` of a job is the `jobInfo` of its response." "`uncompressedFileList` of an unzip job is in `response.json`
    only.\""""
    service.add_job("11", files=["F1", "F2"], taskType=5, status=3, taskResultCode=2, endTime="20240930092000")
    service.answers["11"]["data"]["uncompressedFileList"] = [{"code": "x", "name": "in the zip"}]
    mounted = mount(service, watch=["job 11"], ttl="1h", families=ALL)
    values = [mounted.read(name, "11").strip() for name in ("kind", "type", "status", "result", "ended", "success-count")]
    assert values == ["job", "unzip", "canceled", "partly-failed", "2024-09-30T09:20:00Z", "2"]
    assert sorted(os.listdir(mounted.task("11") / "files")) == ["F1", "F2"]
    assert mounted.read("files/F1/status", "11") == "succeeded\n"
    assert mounted.read("files.csv", "11").splitlines()[1].startswith("F1,")
    assert json.loads(mounted.read("job.json", "11")) == service.answers["11"]["data"]["jobInfo"]
    assert "in the zip" in mounted.read("response.json", "11")
    found = shell('grep -rl "in the zip" "$1"', mounted.task("11")).stdout.split()
    assert found == [str(mounted.task("11") / "response.json")]
    assert service.asked() == 1


def moving(service, steps):
    """A job that moves by one step at each request, be it of the list or of itself; 11 is its id."""
    step = {"n": 0}

    def info():
        step["n"] += 1
        n = step["n"]
        status, progress = (0, 0) if n < steps else (1, n - steps) if n < steps + 100 else (2, 100)
        return {"taskId": "11", "taskType": 1, "status": status, "progress": progress}

    service.answers["jobs"] = lambda query: {"code": "0", "data": [info()]}
    service.answers["11"] = lambda query: {"code": "0", "data": {"jobInfo": info(), "taskInfos": []}}
    service.answers["task/list"] = {"code": 0}


@pytest.mark.parametrize("ttl", ["0", "20ms"])
@pytest.mark.parametrize("list_ttl", ["0", "20ms", "1h"])
def test_no_way_back(service, mount, ttl, list_ttl):
    """"No file goes back to an older response than one that was shown": a job that moves while its list and it are read by
    turns."""
    moving(service, steps=20)
    mounted = mount(service, watch=["job 11"], ttl=ttl, list_ttl=list_ttl, max_stale="0", families=ALL)
    ranks, seen, rounds = ["pending", "running", "completed"], 0, 0
    end = time.monotonic() + LIMIT
    while seen < 2:
        assert time.monotonic() < end
        rounds += 1
        if rounds % 3 == 0:
            names(mounted)
        for name in ("status", "progress", "status") if rounds % 2 else ("status",):
            value = mounted.read(name, "11").strip()
            if name == "status":
                rank = ranks.index(value)
            else:
                rank = 0 if value == "0" else 2 if value == "100" else 1
            assert rank >= seen or (name == "progress" and value == "0" and seen == 1), (name, value, rounds)
            seen = max(seen, rank)


def test_a_slow_list_does_not_bring_back_the_past(service, mount):
    """"Otherwise they come from the snapshot or from the list's item, whichever was requested later": the list was requested
    before the job ran on, and its response comes after."""
    service.list([], [service.add_job("11", status=0)])
    gate = service.hold("jobs")
    mounted = mount(service, watch=["job 11"], ttl="0", deadline="30s", list_ttl="1h", families=ALL)
    listing = mounted.popen("ls", mounted / "tasks")
    wait_until(lambda: service.asked("jobs") == 1, "the list's request")
    service.add_job("11", status=1)
    assert mounted.read("status", "11") == "running\n"
    gate.set()
    assert listing.communicate()[0] == "11\n"
    assert mounted.read("status", "11") == "running\n"


# ---- the contradictions of the service's documents


def changed(path, change):
    """A shape: the answer at the path is changed."""
    def apply(service):
        answer = service.answers[path]
        service.answers[path] = change(answer) or answer
    return apply


def both(*changes):
    def apply(service):
        for change in changes:
            change(service)
    return apply


def without(*keys):
    def change(answer):
        for key in keys:
            del answer[key]
    return change


def setting(**fields):
    return lambda answer: answer.update(fields)


def in_job(**fields):
    return lambda answer: answer["data"]["jobInfo"].update(fields)


def in_item(key, **fields):
    return lambda answer: answer[key][0].update(fields)


BASIC = {"kind": "basic", "type": "import", "status": "completed", "result": "succeeded", "success-count": "1",
         "created": "2024-09-30T09:19:32Z"}
JOB = {"kind": "job", "type": "copy", "status": "running", "result": "", "progress": "30", "success-count": "2",
       "created": "2024-09-30T09:19:32Z", "started": "2024-09-30T09:19:33Z", "ended": ""}

SHAPES = {
    "code-number": (both(*(changed(p, setting(code=0)) for p in ("jobs", "task/list", "11", "task/1"))), {}, {}),
    "code-string": (both(*(changed(p, setting(code="0")) for p in ("jobs", "task/list", "11", "task/1"))), {}, {}),
    "code-absent": (both(*(changed(p, without("code")) for p in ("jobs", "task/list", "11", "task/1", "task/result/1"))),
                    {}, {}),
    "infos-object": (changed("11", lambda a: a["data"].update(taskInfos={"fileId": "F", "status": "2"})), {},
                     {"success-count": "0", "fail-count": "1"}),
    "infos-null": (changed("11", lambda a: a["data"].update(taskInfos=None)), {}, {"success-count": ""}),
    "infos-absent": (changed("11", lambda a: a["data"].pop("taskInfos") and None), {}, {"success-count": ""}),
    "list-dtos": (changed("task/list", lambda a: {"taskListDtos": a["taskList"]}), {}, {}),
    "result-bare": (changed("task/result/1", lambda a: {"data": a["data"]}), {}, {}),
    "result-no-desc": (changed("task/result/1", lambda a: a["data"].update(failInfoList=[{"userName": "x"}])), {}, {}),
    "names-swapped": (both(changed("11", lambda a: a["data"]["jobInfo"].update(
        taskStatus=a["data"]["jobInfo"].pop("status"), startTime=a["data"]["jobInfo"].pop("beginTime"))),
        changed("jobs", lambda a: a["data"][0].update(
            taskStatus=a["data"][0].pop("status"), startTime=a["data"][0].pop("beginTime")))), {}, {}),
    "status-3": (both(changed("11", in_job(status=3)), changed("jobs", in_item("data", status=3)),
                      changed("task/1", setting(status=3)), changed("task/list", in_item("taskList", status=3))),
                 {"status": "failed", "result": "failed"}, {"status": "canceled"}),
    "url-empty": (changed("11", in_job(downloadUrl="", taskType=6)), {}, None),
    "times-iso": (changed("11", in_job(createTime="2024-09-30T09:19:32Z", beginTime="2024-09-30T09:19:33Z")), {}, {}),
    "times-14": (changed("task/list", in_item("taskList", createTime="20240930091932")), {}, {}),
    "progress-absent": (changed("11", lambda a: a["data"]["jobInfo"].pop("progress") and None), {}, {"progress": ""}),
    "progress-negative": (changed("11", in_job(progress=-1)), {}, {"progress": ""}),
    "progress-over": (changed("11", in_job(progress=250)), {}, {"progress": ""}),
    "numbers-string": (both(changed("11", in_job(taskType="1", status="1", progress="30")),
                            changed("jobs", in_item("data", taskType="1", status="1")),
                            changed("task/1", setting(taskType="1", status="2")),
                            changed("task/list", in_item("taskList", taskType="1", status="2"))), {}, {}),
    "ids-numbers": (both(changed("jobs", in_item("data", taskId=11)), changed("task/list", in_item("taskList", taskId=1)),
                         changed("11", in_job(taskId=11)), changed("task/1", setting(taskId=1))), {}, {}),
    "enum-unknown": (both(changed("11", in_job(taskType=99, status=98, taskResultCode=97)),
                          changed("jobs", in_item("data", taskType=99, status=98, taskResultCode=97)),
                          changed("task/1", setting(taskType=99, status=98)),
                          changed("task/list", in_item("taskList", taskType=99, status=98))),
                     {"type": "unknown-99", "status": "unknown-98", "result": ""},
                     {"type": "unknown-99", "status": "unknown-98", "result": "unknown-97"}),
    "fields-extra": (both(changed("11", in_job(newField={"a": [1]})), changed("jobs", in_item("data", newField=1)),
                          changed("task/1", setting(newField=1)), changed("task/list", setting(newField=[]))), {}, {}),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(service, mount, shape):
    """Whatever shape the answers have, the files are the same; read from lists first, then from the tasks themselves."""
    apply, basic, job = SHAPES[shape]
    service.list([service.add_basic("1")], [service.add_job("11", files=["F", "G"])])
    apply(service)
    mounted = mount(service, watch=None, ttl="1h", list_ttl="1h", families=ALL)
    assert names(mounted) == ["1", "11"]
    for task, expected, more in (("1", BASIC, basic), ("11", JOB, job)):
        for name, value in {**expected, **more}.items() if more is not None else ():
            assert mounted.read(name, task).rstrip("\n") == value, (task, name)
        assert read_error(mounted.task(task) / "response.json") is None
        for name, value in {**expected, **more}.items() if more is not None else ():
            assert mounted.read(name, task).rstrip("\n") == value, (task, name, "of its own answer")


ERRORS = {
    "broken": ("[1,", "EBADMSG"),
    "authentication-400": ((400, {"code": "APIGW.0301"}), "EACCES"),
    "error-200": ({"code": 13000410, "msg": "no"}, "EACCES"),
    "error-code": ((500, {"error_code": "13000201", "error_msg": "x"}), "EIO"),
    "not-found-200": ({"code": "13000309"}, "ENOENT"),
}


@pytest.mark.parametrize("shape", ERRORS)
def test_errors(service, mount, shape):
    answer, errno = ERRORS[shape]
    service.answers.update({"task/1": answer, "task/result/1": answer, "11": answer})
    mounted = mount(service, watch=["basic 1", "job 11"], families=ALL)
    assert [read_error(mounted.task(task) / "progress") for task in ("1", "11")] == [errno, errno]
    assert errno_of(os.listdir, mounted.task("11")) is None  # names do not depend on it


def test_nothing_is_asked_for_what_is_no_id(service, mount):
    mounted = mount(service, watch=None, families=ALL)
    assert [read_error(mounted / "tasks" / name) for name in (".git", "a b", "x" * 65)] == ["ENOENT"] * 3
    assert service.asked() == 0
    assert NOT_FOUND[0] == 400
