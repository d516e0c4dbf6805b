# SPDX-License-Identifier: MIT
"""koodrive-sim against docs/koodrive-sim.1.scd: the process, the service, the tasks. Over real sockets."""

import http.client
import json
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from koodrive_sim import (
    BINARY, DEADLINE, DETAIL, IMPORT_TASK, REPO, RESULT, SHARE, SHARE_TASK, TOKEN, service_headers, wait_until,
)

SAMPLES = REPO / "sim" / "data"


def run(*options):
    return subprocess.run([BINARY, *options], capture_output=True, text=True, timeout=DEADLINE)


# Start and end


def test_readiness_line_is_all_of_stdout(sim):
    assert re.fullmatch(r"koodrive-sim: listening on http://127\.0\.0\.1:[1-9][0-9]*\n", sim.ready_line)
    assert sim.result().status == 200
    sim.close()  # asserts that nothing else came


def test_readiness_line_brackets_ipv6(start):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:  # a machine without IPv6: it must say so
        done = run("--bind=::1", "--port=0")
        assert (done.returncode, done.stdout) == (1, "") and "::1" in done.stderr
        return
    sim = start("--bind=::1")
    assert re.fullmatch(r"koodrive-sim: listening on http://\[::1\]:[1-9][0-9]*\n", sim.ready_line)
    assert sim.result().status == 200


@pytest.mark.parametrize(
    "options",
    [
        ["--port=abc"], ["--port=70000"], ["--port=-1"], ["--tasks=-1"], ["--imports=-1"], ["--transfers=-1"],
        ["--jobs=-1"], ["--auth-status=403"], ["--app-id=x"],
        ["--app-secret-file=x"], ["--token-idle=-1"], ["--clock-offset=x"], ["--link-life=-1"],
        ["--package-size=4000000001"], ["--package-host="], ["--latency=-5"],
        ["--duration=-1"], ["--duration=nan"], ["--duration=inf"], ["--bind="], ["--nonsense"], ["argument"],
        ["--port"],
    ],
)
def test_bad_usage_exits_2_with_one_line(options):
    done = run(*options)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"koodrive-sim: .+\n", done.stderr)


def test_port_in_use_exits_1(start):
    sim = start()
    done = run(f"--port={sim.port}")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"koodrive-sim: .*Address already in use\n", done.stderr)


def test_unreadable_files_exit_1(tmp_path):
    for option in ("--token-file", "--session-id-file", "--app-id=x --app-secret-file", "--watch-list"):
        done = run("--port=0", *f"{option}={tmp_path}/no/such/file".split())
        assert (done.returncode, done.stdout) == (1, "")
        assert re.fullmatch(r"koodrive-sim: .*no/such.*\n", done.stderr)
    (tmp_path / "empty").write_text("\n")
    assert run("--port=0", f"--token-file={tmp_path}/empty").returncode == 1


def test_help_version_and_manual():
    """Every option is in the manual, and no other."""
    manual = (REPO / "docs" / "koodrive-sim.1.scd").read_text()
    options = set(re.findall(r"^  --([a-z-]+)", run("--help").stdout, re.MULTILINE))
    assert len(options) > 10
    assert options == set(re.findall(r"\*--([a-z-]+)\*=", manual)) | {"version"}
    assert re.fullmatch(r"koodrive-sim [0-9.]+\n", run("--version").stdout)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_while_a_delayed_request_is_in_flight(start, number):
    sim = start("--latency=3600000")  # the admin interface must not be delayed, or this hangs
    sim.fault(kind="delay", ms=3600000, times=-1)
    answers = []

    def ask():
        try:
            answers.append(sim.result())
        except (http.client.HTTPException, OSError):
            pass

    idle = sim.connect()
    idle.connect()
    asker = threading.Thread(target=ask)
    asker.start()
    try:
        wait_until(lambda: sim.counters()["inFlight"] == 1, "the request to arrive")
        sim.close(number)  # asserts exit status 0
    finally:
        sim.process.kill()
        asker.join()
        idle.close()
    assert answers == []


# Answers of the service


def test_samples_are_answered_byte_for_byte(sim):
    detail, result = sim.detail(), sim.result()
    assert detail.body == (SAMPLES / "share-taskDetail.json").read_bytes()
    assert result.body == (SAMPLES / "task-result.json").read_bytes()
    for answer in (detail, result):
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "application/json;charset=utf-8"
        assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", answer.headers["Date"])
    assert sim.result(key="taskid").body == result.body  # the documents have both spellings


def test_unknown_paths_and_methods(sim):
    for method, target in (("GET", "/koodrive/ose/v1/nothing/here"), ("POST", DETAIL + "/"), ("GET", "/koodrive"),
                           ("GET", "/")):
        answer = sim.request(method, target, None, service_headers())
        assert answer.status == 404
        assert answer.json() == {
            "error_code": "APIGW.0101",
            "error_msg": "The API does not exist or has not been published in the environment",
        }
    for method, target, right in (("GET", DETAIL, "POST"), ("POST", RESULT, "GET")):
        answer = sim.request(method, target, None, service_headers())
        assert (answer.status, answer.headers["Allow"]) == (405, right)
    assert {name: n for name, n in sim.counters()["calls"].items() if n} == {"other": 6}


@pytest.mark.parametrize("form", ["Bearer {}", "Bearer+{}", "AT {}", "{}"])
def test_every_form_of_the_token_is_accepted(sim, form):
    assert sim.detail(headers=service_headers(Authorization=form.format(TOKEN))).status == 200


def test_token_file(start, tmp_path):
    (tmp_path / "token").write_text("  other-token \nsecond line\n")
    sim = start(f"--token-file={tmp_path}/token")
    assert sim.result(headers=service_headers(Authorization="Bearer other-token")).status == 200
    assert sim.result().status == 401


def stamp(offset):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + offset))


@pytest.mark.parametrize(
    "counter, status, code, changes",
    [
        ("authorization", 401, "APIGW.0301", {"Authorization": None}),
        ("authorization", 401, "APIGW.0301", {"Authorization": "Bearer wrong"}),
        ("authorization", 401, "APIGW.0301", {"Authorization": "Basic " + TOKEN}),
        ("authorization", 401, "APIGW.0301", {"Authorization": f"Bearer {TOKEN}x"}),
        ("userId", 400, 13000102, {"X_User_Id": None}),
        ("userId", 400, 13000102, {"X_User_Id": ""}),
        ("date", 400, 13000102, {"X_Date": None}),
        ("date", 400, 13000102, {"X_Date": "2024-09-30T09:19:32Z"}),
        ("date", 400, 13000102, {"X_Date": "20241332T000000Z"}),
        ("date", 400, 13000102, {"X_Date": lambda: stamp(-16 * 60)}),
        ("date", 400, 13000102, {"X_Date": lambda: stamp(+60)}),
        ("traceId", 400, 13000102, {"X_Traceid": "0" * 57}),
        ("traceId", 400, 13000102, {"X_Traceid": "0" * 59}),
        ("contentType", 400, 13000101, {"Content_Type": "text/plain"}),
        ("contentType", 400, 13000101, {"Content_Type": None}),
    ],
)
def test_bad_header_is_refused_and_counted(sim, counter, status, code, changes):
    changes = {name: value() if callable(value) else value for name, value in changes.items()}
    answer = sim.detail(headers=service_headers(**changes))
    assert answer.status == status
    assert code == answer.json().get("code", answer.json().get("error_code"))
    if status == 401:
        assert answer.json()["error_msg"].startswith("Incorrect IAM authentication information: ")
    refused = sim.counters()["refused"]
    assert {name: n for name, n in refused.items() if n} == {counter: 1}


@pytest.mark.parametrize(
    "code, field, body",
    [
        (13000101, "", "not json"),
        (13000101, "", ""),
        (13000101, "", "[]"),
        (13000101, "", json.dumps({"taskId": SHARE_TASK, "shareId": SHARE}) + "x"),
        (13000101, "", b'{"taskId":"\xff","shareId":"1"}'),
        (13000102, "taskId", {"shareId": SHARE}),
        (13000102, "taskId", {"taskId": int(SHARE_TASK), "shareId": SHARE}),
        (13000102, "taskId", {"taskId": "", "shareId": SHARE}),
        (13000102, "shareId", {"taskId": SHARE_TASK}),
        (13000102, "shareId", {"taskId": SHARE_TASK, "shareId": None}),
    ],
)
def test_bad_body_is_refused_and_counted(sim, code, field, body):
    answer = sim.detail(body=json.dumps(body) if isinstance(body, dict) else body)
    assert (answer.status, answer.json()["code"]) == (400, code)
    assert field in answer.json()["msg"]
    assert {name: n for name, n in sim.counters()["refused"].items() if n} == {"body": 1}


def test_result_without_task_id_is_refused(sim):
    for task in (None, ""):
        answer = sim.result(task=task)
        assert (answer.status, answer.json()["code"]) == (400, 13000102)
    assert sim.counters()["refused"]["body"] == 2


def test_good_headers_at_the_edge(sim):
    assert sim.detail(headers=service_headers(X_Traceid="f" * 58)).status == 200
    assert sim.detail(headers=service_headers(X_Date=stamp(-14 * 60))).status == 200
    assert sim.detail(headers=service_headers(Content_Type="Application/JSON; charset=utf-8")).status == 200
    assert not any(sim.counters()["refused"].values())


def test_checks_come_in_order(sim):
    """A request with everything wrong is refused for its token; each thing put right uncovers the next."""
    wrong = {"Authorization": None, "X_User_Id": None, "X_Date": "x", "X_Traceid": "x", "Content_Type": "text/plain"}
    order = ["authorization", "userId", "date", "traceId", "contentType", "body"]
    for counter, right in zip(order, [*wrong, None]):
        sim.detail(body="{", headers=service_headers(**wrong))
        assert sim.counters()["refused"][counter] == 1
        wrong.pop(right, None)


def test_what_is_not_there_is_not_found(sim):
    for answer in (
        sim.detail(task="1"), sim.detail(share="1"), sim.detail(task=IMPORT_TASK), sim.result(task="1"),
        sim.result(task=SHARE_TASK),
    ):
        assert (answer.status, answer.json()["code"]) == (400, 13000309)
    assert sim.counters()["refused"]["notFound"] == 5


# Generated tasks


def check_detail(answer, task):
    """What holds at any moment of a share task's life. Gives its jobInfo."""
    document = answer.json()
    job, files = document["jobInfo"], document["taskInfos"]
    ended = job["taskStatus"] in (2, 3)
    assert document["code"] == 0
    assert job["taskId"] == task["taskId"]
    assert re.fullmatch(r"[0-9]{14}", job["createTime"])
    assert re.fullmatch(r"[0-9]{14}" if job["taskStatus"] else "", job["startTime"])
    assert re.fullmatch(r"[0-9]{14}" if ended else "", job["endTime"])
    assert ("taskResultCode" in job) == (job["taskStatus"] == 2)
    assert ("downloadUrl" in job) == (job["taskType"] == 1 and job.get("taskResultCode") in (1, 2))
    assert 1 <= len(files) <= 5
    for number, file in enumerate(files):
        assert re.fullmatch(r"[A-Za-z0-9_-]{33}", file["fileId"])
        assert (file["status"] == "0") == (job["progress"] * len(files) < 100 * (number + 1))
        assert ("newFileId" in file) == (file["status"] == "1")
    return job


def test_a_task_goes_from_pending_to_completed(start):
    sim = start("--duration=3", "--tasks=8")
    task = sim.generated("share")[-1]  # the last to begin, and one that is not canceled
    seen = []
    connection = sim.connect()

    def ended():
        answer = sim.detail(task["taskId"], task["shareId"], connection=connection)
        job = check_detail(answer, task)
        seen.append((job["taskStatus"], job["progress"]))
        return job["taskStatus"] >= 2

    wait_until(ended, "the task to end")
    connection.close()
    assert seen == sorted(seen)
    assert [status for n, (status, _) in enumerate(seen) if n == 0 or seen[n - 1][0] != status] == [0, 1, 2]
    assert seen[0] == (0, 0) and seen[-1] == (2, 100)
    assert len({progress for status, progress in seen if status == 1}) > 5, "progress grows in steps too big"
    assert all(progress < 100 for status, progress in seen if status == 1)


def test_tasks_are_not_all_in_the_same_state(start):
    sim = start("--duration=1000", "--tasks=16")
    assert {t["status"] for t in sim.generated("share")} == {"running", "pending"}


def test_ended_tasks_show_every_outcome(sim):
    jobs, files = [], []
    for task in sim.generated("share"):
        answer = sim.detail(task["taskId"], task["shareId"])
        jobs.append(check_detail(answer, task))
        files.append({f["status"] for f in answer.json()["taskInfos"]})
        assert task["status"] == {2: "completed", 3: "canceled"}[jobs[-1]["taskStatus"]]
        assert jobs[-1]["startTime"] < jobs[-1]["endTime"] <= time.strftime("%Y%m%d%H%M%S", time.gmtime())
    assert len(jobs) == 8
    assert {(j["taskStatus"], j.get("taskResultCode")) for j in jobs} == {(2, 1), (2, 2), (2, 3), (3, None)}
    assert {j["taskType"] for j in jobs} == {1, 2}
    assert any("downloadUrl" in j for j in jobs)
    for job, statuses in zip(jobs, files):
        if job["taskStatus"] == 2:
            assert statuses == {1: {"1"}, 2: {"1", "2"}, 3: {"2"}}[job["taskResultCode"]]


def test_ids_are_19_digits_and_shares_have_several_tasks(start):
    sim = start("--tasks=100", "--imports=10")
    shares, imports = sim.generated("share"), sim.generated("basic")
    ids = [t["taskId"] for t in shares + imports]
    assert len(shares) == 100 and len(imports) == 10 and len(set(ids)) == 110
    assert all(re.fullmatch(r"[1-9][0-9]{18}", id) for id in ids + [t["shareId"] for t in shares])
    assert 1 < len({t["shareId"] for t in shares}) < 50


def test_import_has_no_counts_before_its_end(start):
    sim = start("--duration=2", "--imports=8")
    task = sim.generated("basic")[-1]["taskId"]
    seen = []

    def ended():
        seen.append(sim.result(task).json())
        return "successCount" in seen[-1]["data"]

    wait_until(ended, "the import to end")
    assert seen[0] == {"code": 0, "msg": "Success.", "data": {}}
    assert all(answer == seen[0] for answer in seen[:-1])


def test_import_counts_and_failures(sim):
    first, second = (sim.result(t["taskId"]).json()["data"] for t in sim.generated("basic"))
    assert second["failCount"] == 0 and second["failInfoList"] == [] and second["successCount"] > 0
    assert first["failCount"] == len(first["failInfoList"]) > 3
    assert all(set(row) == {"userName", "desc"} for row in first["failInfoList"])
    text = [row["desc"] for row in first["failInfoList"]]
    for special in (",", '"', "\n", "用户"):
        assert any(special in desc for desc in text)


def test_same_options_make_the_same_tasks(start):
    one, two = start("--duration=0"), start("--duration=0")
    assert one.admin("GET", "tasks") == two.admin("GET", "tasks")
    for task in one.generated("share"):
        answers = [s.detail(task["taskId"], task["shareId"]).json() for s in (one, two)]
        assert answers[0]["taskInfos"] == answers[1]["taskInfos"]


def test_watch_list_names_every_task(start, tmp_path):
    list_file = tmp_path / "tasks"
    list_file.write_text("old\n")
    sim = start("--duration=0", "--tasks=5", "--imports=3", "--transfers=2", "--jobs=4", f"--watch-list={list_file}")
    lines = [line.split(" ") for line in list_file.read_text().splitlines()]
    assert lines[:2] == [["share", SHARE, SHARE_TASK], ["basic", IMPORT_TASK]]
    assert [kind for kind, *_ in lines[2:]] == ["share"] * 5 + ["basic"] * 5 + ["job"] * 4
    for kind, *ids in lines:
        ask = {"share": lambda share, task: sim.detail(task, share), "basic": sim.result, "job": sim.get}[kind]
        assert ask(*ids).status == 200
    assert [p.name for p in tmp_path.iterdir()] == ["tasks"], "a temporary file is left"


# Connections and waiting


def test_keep_alive_uses_one_connection(sim):
    connection = sim.connect()
    for _ in range(5):
        sim.detail(connection=connection)
        sim.result(connection=connection)
    connection.close()
    counters = sim.counters()
    assert (counters["total"], counters["connections"]) == (10, 1)


def test_64_requests_are_served_at_the_same_time(start):
    sim = start("--latency=2000")
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(sim.detail().status)) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counters = sim.counters()
    assert statuses == [200] * 64
    assert (counters["maxInFlight"], counters["inFlight"], counters["connections"]) == (64, 0, 64)


def test_latency_delays_each_answer_of_the_service(start):
    sim = start("--latency=150")
    begin = time.monotonic()
    sim.result()
    sim.result(headers={})
    assert time.monotonic() - begin >= 0.3
