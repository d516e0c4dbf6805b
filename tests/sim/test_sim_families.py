# SPDX-License-Identifier: MIT
"""koodrive-sim: basic tasks and batch jobs, their lists, details and cancel, each family with its own names."""

import re

import pytest

from koodrive_sim import IMPORT_TASK, SHARE, SHARE_TASK, service_headers, wait_until

ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
DIGITS = r"\d{14}"
ITEM = {"taskId", "taskName", "taskType", "tenantId", "userId", "status", "initParams", "locale", "createTime",
        "startTime", "endTime"}
DETAIL = {"taskId", "taskName", "taskType", "tenantId", "userId", "status", "code", "msg"}
JOB = {"taskId", "taskName", "taskType", "actionType", "status", "contentNum", "containerId", "tenantId", "userId",
       "beginTime", "endTime", "createTime"}


# Basic tasks


def test_list_has_all_basic_tasks_and_no_other(start):
    sim = start("--duration=0", "--imports=5", "--transfers=4")
    items = sim.list_tasks()
    assert [i["taskId"] for i in items] == [IMPORT_TASK] + [t["taskId"] for t in sim.generated("basic")]
    assert [i["taskType"] for i in items] == [1] * 6 + [0] * 4
    assert {(i["taskType"], i["status"]) for i in items} == {(0, 2), (0, 3), (1, 2), (1, 3)}
    for item in items:
        assert set(item) - {"resultCode"} == ITEM
        assert ("resultCode" in item) == (item["status"] == 3)
        assert item.get("resultCode", 18000000) // 1000000 == 18
        for key in ("createTime", "startTime", "endTime"):
            assert re.fullmatch(ISO, item[key])


def test_detail_is_flat_and_agrees_with_the_list(start):
    sim = start("--duration=0", "--imports=4", "--transfers=2")
    for item in sim.list_tasks():
        detail = sim.get("task/" + item["taskId"]).json()
        assert set(detail) - {"resultCode"} == DETAIL and detail["code"] == 0
        common = set(detail) & set(item)
        assert {k: detail[k] for k in common} == {k: item[k] for k in common}
        failed = sim.result(item["taskId"]).json()["data"]["failCount"]
        assert failed == 0 or item["status"] == 3 or item["taskType"] == 1
    assert sim.get("task/" + IMPORT_TASK).json()["taskId"] == IMPORT_TASK


def test_failed_import_says_why_each_user_failed(start):
    sim = start("--duration=0", "--imports=4")
    failed, = sim.generated("basic", status="failed")
    data = sim.result(failed["taskId"]).json()["data"]
    assert data["successCount"] == 0 and data["failCount"] == len(data["failInfoList"]) > 0


def test_list_filters(start):
    sim = start("--duration=0", "--imports=4", "--transfers=3")
    everything = sim.list_tasks()
    for types, statuses in (([0], [2]), ([1], [3]), ([0, 1], [3]), ([0], [0]), ([1], [0, 2])):
        want = [i["taskId"] for i in everything if i["taskType"] in types and i["status"] in statuses]
        assert [i["taskId"] for i in sim.list_tasks(taskType=types, status=statuses)] == want
    assert sim.list_tasks(taskType="", status="", pageSize="") == everything


def test_list_in_pages(start):
    sim = start("--duration=0", "--imports=250")
    pages, cursor = [], {}
    while True:
        page = sim.get("task/list", **cursor).json()
        pages.append(page["taskList"])
        if "nextCursor" not in page:
            break
        assert isinstance(page["nextCursor"], str)
        cursor = {"pageCursor": page["nextCursor"]}
    assert [len(p) for p in pages] == [100, 100, 51]
    assert len({i["taskId"] for p in pages for i in p}) == 251
    assert len(sim.list_tasks(pageSize=7)) == 251
    assert sim.counters()["calls"]["task/list"] == 3 + 36


def test_running_basic_task(start):
    sim = start("--duration=1000", "--imports=8")
    items = sim.list_tasks()[1:]
    assert {i["status"] for i in items} == {0, 1}
    for item in items:
        assert re.fullmatch(ISO if item["status"] else "", item["startTime"])
        assert item["endTime"] == "" and "resultCode" not in item


# Batch jobs


def test_jobs_have_their_own_names(start):
    sim = start("--duration=0", "--jobs=14")
    answer = sim.get("jobs").json()
    assert set(answer) == {"code", "msg", "data"} and answer["code"] == "0"
    assert [j["taskId"] for j in answer["data"]] == [t["taskId"] for t in sim.generated("job")]
    assert [j["taskType"] for j in answer["data"]] == [1, 2, 3, 4, 5, 6, 7] * 2
    assert {(j["status"], j.get("taskResultCode")) for j in answer["data"]} == {(2, 1), (2, 2), (2, 3), (3, None)}
    for job in answer["data"]:
        assert set(job) - {"taskResultCode", "resultCode"} == JOB
        assert re.fullmatch(r"[1-9]\d{18}", job["taskId"])
        for key in ("createTime", "beginTime", "endTime"):
            assert re.fullmatch(DIGITS, job[key])


def test_job_detail(sim):
    seen = {}
    for item in sim.get("jobs").json()["data"]:
        answer = sim.get(item["taskId"]).json()
        data = answer["data"]
        assert answer["code"] == "0"
        job = data["jobInfo"]
        assert {k: v for k, v in job.items() if k not in ("progress", "downloadUrl")} == item
        assert len(data["taskInfos"]) == item["contentNum"]
        assert ("uncompressedFileList" in data) == (item["taskType"] == 5)
        assert ("downloadUrl" in job) == (item["taskType"] == 6 and item.get("taskResultCode") in (1, 2))
        seen[item["taskType"]] = data
    assert set(seen) == {1, 2, 3, 4, 5, 6, 7} and "downloadUrl" in seen[6]["jobInfo"]
    files = seen[5]["uncompressedFileList"]
    assert [f["type"] for f in files] == ["2"] + ["1"] * (len(files) - 1) and len(files) > 1
    assert all(set(f) == {"code", "name", "type", "updateAt", "fileSize"} for f in files)
    assert all(isinstance(value, str) for f in files for value in f.values())
    assert all(re.fullmatch(r"\d{13}", f["updateAt"]) for f in files)


def test_jobs_filters_and_pages(start):
    sim = start("--duration=0", "--jobs=210")
    ids = [t["taskId"] for t in sim.generated("job")]
    pages = [sim.get("jobs", offset=offset).json()["data"] for offset in (0, 100, 200, 300)]
    assert [len(p) for p in pages] == [100, 100, 10, 0]
    assert [j["taskId"] for p in pages for j in p] == ids
    assert [j["taskId"] for j in sim.get("jobs", offset=3, limit=2).json()["data"]] == ids[3:5]
    packages = sim.get("jobs", type=6, status=2).json()["data"]
    assert packages and {(j["taskType"], j["status"]) for j in packages} == {(6, 2)}
    assert sim.get("jobs", type=6, status=2, offset=len(packages) - 1).json()["data"] == packages[-1:]


@pytest.mark.parametrize(
    "path, query",
    [
        ("task/list", "pageSize=0"), ("task/list", "pageSize=101"), ("task/list", "pageSize=x"),
        ("task/list", "taskType=2"), ("task/list", "status=4"), ("task/list", "pageCursor=nonsense"), ("jobs", "limit=0"), ("jobs", "limit=101"),
        ("jobs", "offset=-1"), ("jobs", "type=0"), ("jobs", "type=8"), ("jobs", "status=4"),
    ],
)
def test_bad_argument_is_refused_and_named(sim, path, query):
    answer = sim.request("GET", f"/koodrive/ose/v1/{path}?{query}", None, service_headers())
    assert (answer.status, answer.json()["code"]) == (400, 13000102)
    assert answer.json()["msg"].startswith(query.split("=")[0] + ": ")
    assert sim.counters()["refused"]["body"] == 1


# Cancel


def test_cancel_takes_effect_for_what_has_not_ended(start):
    sim = start("--duration=10000", "--jobs=8")
    pending, running = sim.generated("job", status="pending")[0], sim.generated("job", status="running")[0]
    for job, begin in ((pending, ""), (running, DIGITS)):
        answer = sim.post("cancel", {"jobId": job["taskId"]})
        assert (answer.status, answer.json()) == (200, {"code": 0, "msg": "Success."})
        info = sim.get(job["taskId"]).json()["data"]["jobInfo"]
        assert info["status"] == 3 and "taskResultCode" not in info
        assert re.fullmatch(begin, info["beginTime"]) and re.fullmatch(DIGITS, info["endTime"])
        again = sim.post("cancel", {"jobId": job["taskId"]})
        assert (again.status, again.json()["code"]) == (400, 13000101)
        assert sim.get(job["taskId"]).json()["data"]["jobInfo"] == info
    assert len(sim.get("jobs", status=3).json()["data"]) == 2
    assert len(sim.generated("job", status="canceled")) == 2


def test_cancel_of_what_has_ended_or_is_no_job(sim):
    before = sim.get("jobs").json()
    assert before["data"] != []
    for job in before["data"]:
        assert sim.post("cancel", {"jobId": job["taskId"]}).json()["code"] == 13000101
    for task in ("1", SHARE_TASK, IMPORT_TASK):
        assert sim.post("cancel", {"jobId": task}).json()["code"] == 13000309
    for body in ({}, {"jobId": 1}, {"jobId": ""}):
        assert sim.post("cancel", body).json()["code"] == 13000102
    assert sim.post("cancel", {"jobId": "1"}, service_headers(Content_Type=None)).json()["code"] == 13000101
    assert sim.get("jobs").json() == before


def test_a_canceled_job_stands_still_and_another_goes_on(start):
    sim = start("--duration=2", "--jobs=16")
    canceled, other = (sim.generated("job")[n]["taskId"] for n in (7, 15))  # begin and end together, last of all
    assert sim.post("cancel", {"jobId": canceled}).status == 200
    before = sim.get(canceled).json()
    wait_until(lambda: sim.get(other).json()["data"]["jobInfo"]["endTime"], "the other job to end")
    job = sim.get(other).json()["data"]["jobInfo"]
    assert (job["status"], job["taskResultCode"], job["progress"]) == (2, 1, 100)
    assert sim.get(canceled).json() == before and before["data"]["jobInfo"]["status"] == 3


# All families


def test_families_do_not_mix(sim):
    job, share = sim.generated("job")[0], sim.generated("share")[0]
    assert sim.detail(job["taskId"], share["shareId"]).json()["code"] == 13000309
    assert sim.result(job["taskId"]).json()["code"] == 13000309
    for path in (SHARE_TASK, IMPORT_TASK, "nothing", "task/" + job["taskId"], "task/" + SHARE_TASK, "task/1"):
        answer = sim.get(path)
        assert (answer.status, answer.json()["code"]) == (400, 13000309)
    shares = {t["taskId"] for t in sim.generated("share")} | {SHARE_TASK}
    listed = sim.list_tasks() + sim.get("jobs").json()["data"]
    assert listed and not shares & {t["taskId"] for t in listed}


def test_methods(sim):
    for method, path, right in (("POST", "jobs", "GET"), ("POST", "task/list", "GET"), ("POST", "task/1", "GET"),
                                ("GET", "cancel", "POST"), ("DELETE", "1", "GET"), ("GET", "session/refresh", "POST")):
        answer = sim.request(method, "/koodrive/ose/v1/" + path, None, service_headers())
        assert (answer.status, answer.headers["Allow"]) == (405, right)


def test_calls_in_log_and_counters(sim):
    job = sim.generated("job")[0]["taskId"]
    sim.get("task/list", status=2)
    sim.get("task/" + IMPORT_TASK)
    sim.get("jobs")
    sim.get(job)
    sim.post("cancel", {"jobId": job})
    log = [(e["call"], e["taskId"]) for e in sim.log()]
    assert log == [("task/list", None), ("task", IMPORT_TASK), ("jobs", None), ("job", job), ("cancel", job)]
    assert {name: n for name, n in sim.counters()["calls"].items() if n} == {name: 1 for name, _ in log}


def test_stored_answers_of_details_and_lists(sim):
    sim.admin("PUT", "answers/any-id", b"@N@")
    answers = [sim.detail(task="any-id"), sim.result("any-id"), sim.get("task/any-id"), sim.get("any-id")]
    assert [answer.body for answer in answers] == [b"1", b"2", b"3", b"4"]
    sim.admin("PUT", "answers/task/list", b"list @N@")
    sim.admin("PUT", "answers/jobs", b"jobs @N@")
    assert [sim.get("task/list").body, sim.get("jobs").body, sim.get("jobs", offset=100).body] == [
        b"list 1", b"jobs 1", b"jobs 2",
    ]
    assert sim.post("cancel", {"jobId": "any-id"}).json()["code"] == 13000309, "not an answer about the task"


def test_faults_of_every_call(sim):
    job = sim.generated("job")[0]["taskId"]
    asks = {
        "task/list": lambda: sim.get("task/list"), "task": lambda: sim.get("task/" + IMPORT_TASK),
        "jobs": lambda: sim.get("jobs"), "job": lambda: sim.get(job), "cancel": lambda: sim.post("cancel", {"jobId": job}),
        "share/taskDetail": lambda: sim.detail(SHARE_TASK, SHARE), "task/result": sim.result,
    }
    for call in asks:
        sim.fault(kind="status", status=503, call=call)
        assert {name: ask().status for name, ask in asks.items() if name != "cancel" or name == call} == {
            name: 503 if name == call else 200 for name in asks if name != "cancel" or name == call
        }
    message = sim.admin("POST", "faults", {"kind": "reset", "call": "x"}, status=400)["error"]
    assert all(call in message for call in asks)
