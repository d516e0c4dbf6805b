# SPDX-License-Identifier: MIT
"""koodrive-sim: the faults that tests order with POST /_sim/faults."""

import http.client
import socket
import time

import pytest

from koodrive_sim import DEADLINE, IMPORT_TASK, REPO, RESULT, SHARE_TASK, service_headers

SAMPLES = REPO / "sim" / "data"


def test_fault_status_with_page_and_retry_after(sim):
    sim.fault(kind="status", status=429, retryAfter="7")
    answer = sim.detail()
    assert (answer.status, answer.headers["Retry-After"], answer.headers["Content-Type"]) == (429, "7", "text/html")
    assert b"<html>" in answer.body
    assert sim.detail().status == 200


def test_fault_status_with_code(sim):
    sim.fault(kind="status", status=500, code=13000201)
    answer = sim.detail()
    assert (answer.status, answer.json()["code"]) == (500, 13000201)
    assert "msg" in answer.json() and "Retry-After" not in answer.headers


def test_fault_headers(sim):
    sim.fault(kind="status", status=302, location="/login?x")
    sim.fault(kind="empty", contentEncoding="rot13")
    first, second = sim.detail(), sim.detail()
    assert (first.status, first.headers["Location"]) == (302, "/login?x")
    assert (second.status, second.headers["Content-Encoding"]) == (200, "rot13")


def test_fault_code(sim):
    sim.fault(kind="code", code=13000410)
    sim.fault(kind="code", code="APIGW.0308", status=429, contentType="text/plain")
    first, second = sim.detail(), sim.detail()
    assert (first.status, first.json()["code"]) == (200, 13000410)
    assert (second.status, second.json()["code"]) == (429, "APIGW.0308")
    assert second.headers["Content-Type"] == "text/plain"


def test_fault_delay_gives_the_normal_answer_later(sim):
    sim.fault(kind="delay", ms=200)
    begin = time.monotonic()
    answer = sim.detail()
    assert time.monotonic() - begin >= 0.2
    assert answer.body == (SAMPLES / "share-taskDetail.json").read_bytes()
    assert sim.log()[0]["fault"] == "delay"


def test_fault_reset_is_a_reset_before_any_byte(sim):
    sim.fault(kind="reset")
    with socket.create_connection((sim.host, sim.port), DEADLINE) as connection:
        head = "".join(f"{n}: {v}\r\n" for n, v in service_headers(Content_Type=None).items())
        connection.sendall(f"GET {RESULT}?taskId={IMPORT_TASK} HTTP/1.1\r\nHost: sim\r\n{head}\r\n".encode())
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    assert (sim.log()[0]["fault"], sim.log()[0]["status"]) == ("reset", None)
    assert sim.result().status == 200


def test_fault_truncate_promises_all_and_sends_half(sim):
    sim.fault(kind="truncate")
    whole = (SAMPLES / "share-taskDetail.json").read_bytes()
    with pytest.raises(http.client.IncompleteRead) as caught:
        sim.detail()
    assert caught.value.partial == whole[: len(whole) // 2]
    assert len(caught.value.partial) + caught.value.expected == len(whole)
    assert sim.detail().body == whole


def test_fault_truncate_of_a_large_answer(sim):
    body = bytes(range(256)) * 8000
    sim.admin("PUT", f"answers/{SHARE_TASK}", body)
    sim.fault(kind="truncate")
    with pytest.raises(http.client.IncompleteRead) as caught:
        sim.detail()
    assert caught.value.partial == body[: len(body) // 2]


def test_fault_garbage_is_not_json(sim):
    sim.fault(kind="garbage")
    answer = sim.detail()
    assert answer.status == 200 and answer.body
    with pytest.raises(ValueError):
        answer.json()


def test_fault_empty(sim):
    sim.fault(kind="empty")
    answer = sim.detail()
    assert (answer.status, answer.body, answer.headers["Content-Length"]) == (200, b"", "0")


def test_fault_after_and_times(sim):
    sim.fault(kind="status", status=503, after=2, times=2)
    assert [sim.detail().status for _ in range(6)] == [200, 200, 503, 503, 200, 200]
    assert [entry["fault"] for entry in sim.log()] == [None, None, "status", "status", None, None]


def test_fault_without_end_until_deleted(sim):
    sim.fault(kind="status", status=503, times=-1)
    assert [sim.detail().status for _ in range(5)] == [503] * 5
    assert sim.admin("GET", "faults")["faults"][0]["remaining"] == -1
    sim.admin("DELETE", "faults")
    assert sim.admin("GET", "faults") == {"faults": []}
    assert sim.detail().status == 200


def test_fault_for_one_task_or_one_call(sim):
    sim.fault(kind="status", status=503, taskId=IMPORT_TASK, times=-1)
    sim.fault(kind="status", status=504, call="share/taskDetail", times=-1)
    sim.fault(kind="status", status=500, call="other", times=-1)
    assert (sim.result().status, sim.detail().status) == (503, 504)
    assert sim.request("GET", "/koodrive/x").status == 500
    assert sim.result(task="1").status == 400


def test_faults_follow_each_other_and_are_listed(sim):
    assert sim.fault(kind="status", status=503, times=2) == 1
    assert sim.fault(kind="status", status=429, after=1) == 2
    assert sim.detail().status == 503
    assert [(f["id"], f["kind"], f["after"], f["remaining"]) for f in sim.admin("GET", "faults")["faults"]] == [
        (1, "status", 0, 1), (2, "status", 0, 1),
    ]
    assert [sim.detail().status for _ in range(3)] == [503, 429, 200]
    assert [f["remaining"] for f in sim.admin("GET", "faults")["faults"]] == [0, 0]


def test_fault_never_hides_a_malformed_request(sim):
    sim.fault(kind="status", status=503)
    assert sim.detail(headers=service_headers(Authorization="Bearer wrong")).status == 401
    assert sim.detail().status == 503


@pytest.mark.parametrize(
    "field, body",
    [
        ("body", "no json"), ("body", "[]"), ("kind", {}), ("kind", {"kind": "explode"}), ("kind", {"kind": 3}),
        ("times", {"kind": "reset", "times": "2"}), ("times", {"kind": "reset", "times": 0}),
        ("after", {"kind": "reset", "after": -1}), ("after", {"kind": "reset", "after": 1.5}),
        ("ms", {"kind": "delay"}), ("ms", {"kind": "delay", "ms": "5"}), ("status", {"kind": "status", "status": 42}),
        ("code", {"kind": "code"}), ("code", {"kind": "code", "code": []}), ("taskId", {"kind": "reset", "taskId": 1}),
        ("call", {"kind": "reset", "call": "nothing"}), ("retryAfter", {"kind": "status", "retryAfter": 1}),
        ("location", {"kind": "status", "location": "/\n"}), ("contentEncoding", {"kind": "empty", "contentEncoding": 1}),
        ("contentType", {"kind": "empty", "contentType": "a\r\nb: c"}), ("taskID", {"kind": "reset", "taskID": "1"}),
    ],
)
def test_bad_fault_names_the_field_and_what_was_expected(sim, field, body):
    message = sim.admin("POST", "faults", body, status=400)["error"]
    assert message.startswith(field + ": ") and "expected" in message
    assert sim.admin("GET", "faults") == {"faults": []}
