# SPDX-License-Identifier: MIT
"""koodrive-sim: stored answers, request log, counters and the rest below /_sim/."""

import json
import re
import socket
import struct
import time

import pytest

from koodrive_sim import (
    DEADLINE, DETAIL, IMPORT_TASK, REPO, RESULT, SHARE, SHARE_TASK, service_headers, wait_until,
)

SAMPLES = REPO / "sim" / "data"


# Stored answers


def test_answer_replaces_counts_and_is_undone(sim):
    sim.admin("PUT", f"answers/{SHARE_TASK}", b"a@N@b@N@@N@")
    assert [sim.detail().body for _ in range(2)] == [b"a1b11", b"a2b22"]
    assert sim.result(task=SHARE_TASK).body == b"a3b33"  # either call
    assert sim.detail(share="any").body == b"a4b44"
    sim.admin("PUT", f"answers/{SHARE_TASK}", b"again @N@")
    assert sim.detail().body == b"again 1"
    sim.admin("DELETE", f"answers/{SHARE_TASK}")
    assert sim.detail().body == (SAMPLES / "share-taskDetail.json").read_bytes()
    sim.admin("DELETE", f"answers/{SHARE_TASK}", status=404)


def test_answer_for_a_task_that_does_not_exist_with_status_and_type(sim):
    sim.admin("PUT", "answers/new-task?status=404&contentType=text/plain%3Bcharset=x", b"gone")
    answer = sim.result(task="new-task")
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (404, b"gone", "text/plain;charset=x")
    assert sim.detail(task="new-task", headers=service_headers(X_Date=None)).status == 400  # checks still apply
    for query in ("status=99", "status=x", "contentType="):
        sim.admin("PUT", "answers/new-task?" + query, b"", status=400)
    assert sim.result(task="new-task").body == b"gone"


def test_answer_is_binary_safe(sim):
    body = bytes(range(256)) + b"\0@N@\0\xff@N\0@N" + bytes(range(255, -1, -1))
    sim.admin("PUT", f"answers/{IMPORT_TASK}", body)
    assert sim.result().body == body.replace(b"@N@", b"1")
    sim.admin("PUT", f"answers/{IMPORT_TASK}", b"")
    assert sim.result().body == b""


def test_answer_of_64_mib_and_not_more(sim):
    body = b"@N@" + b"\0x" * (32 * 1024 * 1024 - 2) + b"!"
    assert len(body) == 64 * 1024 * 1024
    assert sim.admin("PUT", f"answers/{IMPORT_TASK}", body)["bytes"] == len(body)
    assert sim.result().body == b"1" + body[3:]
    sim.admin("PUT", f"answers/{IMPORT_TASK}", body + b"!", status=413)


def test_answer_numbers_count_struck_requests_too(sim):
    sim.admin("PUT", f"answers/{IMPORT_TASK}", b"@N@")
    sim.fault(kind="status", status=503, after=1)
    assert [sim.result().body for _ in range(3)][::2] == [b"1", b"3"]


# The log, the counters, the admin interface


def test_log_tells_what_was_asked(sim):
    before = time.time()
    sim.detail(headers=service_headers(X_Traceid="a" * 58))
    sim.result(key="taskid")
    sim.detail(task="9")
    first, second, third = sim.log()
    assert (first["n"], first["method"], first["path"], first["query"], first["call"]) == (
        1, "POST", DETAIL, "", "share/taskDetail",
    )
    assert (first["taskId"], first["shareId"], first["status"], first["fault"]) == (SHARE_TASK, SHARE, 200, None)
    assert first["headers"]["X-Traceid"] == "a" * 58
    assert first["headers"]["Content-Type"] == "application/json"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["at"])
    assert abs(time.mktime(time.strptime(first["at"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone - before) < DEADLINE
    assert (second["call"], second["query"], second["taskId"], second["shareId"]) == (
        "task/result", "taskid=" + IMPORT_TASK, IMPORT_TASK, None,
    )
    assert (third["n"], third["status"], third["taskId"]) == (3, 400, "9")
    assert [entry["n"] for entry in sim.log(f"?taskId={IMPORT_TASK}")] == [2]
    assert sim.log("?taskId=none") == []


@pytest.mark.parametrize(
    "sent, logged",
    [
        ("Bearer SECRET", "Bearer ***"), ("Bearer+SECRET", "Bearer+***"), ("AT SECRET", "AT ***"), ("SECRET", "***"),
        ("HMAC-SHA256 AppId=SECRET", "HMAC-SHA256 ***"), ("SECRET SECRET", "***"),
    ],
)
def test_log_masks_the_token(sim, sent, logged):
    sim.detail(headers=service_headers(Authorization=sent))
    assert sim.log()[0]["headers"]["Authorization"] == logged
    assert "SECRET" not in json.dumps(sim.log())


def test_log_keeps_the_last_10000(sim):
    connection = sim.connect()
    for _ in range(10001):
        sim.request("GET", "/koodrive", connection=connection)
    connection.close()
    log = sim.log()
    assert (len(log), log[0]["n"], log[-1]["n"]) == (10000, 2, 10001)


def test_request_in_flight_is_in_the_log_and_not_answered(sim):
    sim.fault(kind="delay", ms=3600000)
    connection = sim.connect()
    connection.request("GET", f"{RESULT}?taskId={IMPORT_TASK}", None, service_headers(Content_Type=None))
    wait_until(lambda: sim.counters()["inFlight"] == 1, "the request to arrive")
    assert sim.log()[0]["status"] is None
    sim.admin("POST", "reset")
    counters = sim.counters()
    assert (counters["total"], counters["inFlight"], counters["maxInFlight"]) == (0, 1, 1)
    connection.close()


def test_admin_requests_are_not_counted(sim):
    for path in ("counters", "requests", "faults", "tasks"):
        sim.admin("GET", path)
    counters = sim.counters()
    assert (counters["total"], counters["connections"], counters["maxInFlight"]) == (0, 0, 0)
    assert sim.log() == []


def test_counters_by_call(sim):
    sim.detail()
    sim.result()
    sim.result()
    counters = sim.counters()
    assert list(counters["calls"]) == [
        "share/taskDetail", "task/result", "task/list", "jobs", "cancel", "session/refresh", "task", "job", "package",
        "other",
    ]
    assert {name: n for name, n in counters["calls"].items() if n} == {"share/taskDetail": 1, "task/result": 2}
    assert (counters["total"], counters["inFlight"], counters["maxInFlight"], counters["connections"]) == (3, 0, 1, 3)


def test_reset_forgets_all_but_the_tasks(sim):
    tasks = sim.admin("GET", "tasks")
    sim.admin("PUT", f"answers/{SHARE_TASK}", b"stored")
    sim.fault(kind="reset", times=-1)
    sim.result(headers={})
    sim.admin("POST", "reset")
    assert sim.admin("GET", "faults") == {"faults": []} and sim.log() == []
    counters = sim.counters()
    assert counters["total"] == 0 and not any(counters["refused"].values()) and counters["connections"] == 0
    assert sim.detail().body == (SAMPLES / "share-taskDetail.json").read_bytes()
    assert sim.admin("GET", "tasks") == tasks


def test_admin_refuses_what_it_does_not_know(sim):
    sim.admin("GET", "nothing", status=404)
    sim.admin("PUT", "answers/", b"", status=404)
    sim.admin("POST", "counters", status=405)
    assert sim.request("PATCH", "/_sim/faults").headers["Allow"] == "GET, POST, DELETE"


def test_client_that_breaks_off_harms_nobody(sim):
    sim.admin("PUT", f"answers/{SHARE_TASK}", b"x" * 10_000_000)
    for _ in range(20):
        connection = sim.connect()
        connection.request("POST", DETAIL, json.dumps({"taskId": SHARE_TASK, "shareId": SHARE}), service_headers())
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    half = socket.create_connection((sim.host, sim.port), DEADLINE)
    half.sendall(f"POST {DETAIL} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{".encode())
    assert len(sim.detail().body) == 10_000_000
    sim.close()  # with half a request still open
    half.close()
