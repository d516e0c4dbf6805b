# SPDX-License-Identifier: MIT
"""koodrive-sim: the token and its life, the session that renews it, the app that signs, and the server's clock."""

import calendar
import email.utils
import http.client
import json
import re
import time
import urllib.parse

import pytest

from koodrive_sim import (
    API, DEADLINE, DETAIL, IMPORT_TASK, REPO, RESULT, SHARE, SHARE_TASK, TOKEN, Answer, app_headers, service_headers,
    sign, wait_until,
)

VECTORS = json.loads((REPO / "tests" / "data" / "hmac-vectors.json").read_text())
VECTOR_TIME = 1725852805  # of the X-Date of all vectors
APP, SECRET = "the-app", "s3cret of the app"
YEAR = 365 * 24 * 3600


@pytest.fixture
def secrets(tmp_path):
    """Options for an app and a session."""
    (tmp_path / "secret").write_text(SECRET + "\n")
    (tmp_path / "session").write_text("the-session\n")
    return [f"--app-id={APP}", f"--app-secret-file={tmp_path}/secret", f"--session-id-file={tmp_path}/session"]


def bearer(token):
    return service_headers(Authorization="Bearer " + token)


def refresh(sim, token=TOKEN, session="the-session", **changes):
    headers = service_headers(Authorization=f"Bearer {token}", x_session_id=session, **changes)
    return sim.post("session/refresh", None, headers)


def refused(answer, status=401):
    assert (answer.status, answer.json()["error_code"]) == (status, "APIGW.0301")
    return answer.json()["error_msg"].removeprefix("Incorrect IAM authentication information: ")


# The token


def test_expired_token_is_refused_until_a_new_one_is_set(sim):
    sim.admin("POST", "expire")
    assert refused(sim.result()) == "token expired"
    assert refused(sim.result()) == "token expired", "asking does not bring it back"
    sim.admin("PUT", "token", b"second\n")
    assert sim.result(headers=bearer("second")).status == 200
    assert refused(sim.result()) == "verify token failed", "the old one is dead"
    sim.admin("POST", "reset")
    assert sim.result(headers=bearer("second")).status == 200, "no matter of reset"
    for body in (b"", b" \n", b"a\nb"):
        assert sim.admin("PUT", "token", body, status=400)
    assert sim.counters()["refused"]["authorization"] == 0


def test_each_call_prolongs_the_token(start):
    sim = start("--duration=0", "--token-idle=1000")

    def remaining():
        return sim.admin("GET", "token")["remaining"]

    for call in (sim.result, lambda: sim.result("no-such-task"), lambda: sim.get("jobs")):
        wait_until(lambda: remaining() < 999.95, "a part of its life to pass")
        before = remaining()
        call()
        assert before < remaining() <= 1000
    before = remaining()
    sim.result(headers=bearer("wrong"))
    assert remaining() <= before, "only its own calls do"


def test_idle_token_dies(start):
    sim = start("--duration=0", "--token-idle=0.05")
    wait_until(lambda: not sim.admin("GET", "token")["valid"], "the token to die")
    assert sim.admin("GET", "token") == {"valid": False, "remaining": 0}
    assert refused(sim.result()) == "token expired"
    sim = start("--duration=0", "--token-idle=0")
    assert sim.admin("GET", "token") == {"valid": True, "remaining": None}


def test_auth_status(start):
    sim = start("--auth-status=400")
    assert refused(sim.result(headers=bearer("wrong")), 400) == "verify token failed"


# The session


def test_refresh_gives_a_new_token(start, secrets):
    sim = start("--duration=0", *secrets)
    answer = refresh(sim)
    assert answer.status == 200 and set(answer.json()) == {"code", "msg", "accessToken"}
    assert answer.json()["code"] == "0"
    value = answer.json()["accessToken"]
    assert re.fullmatch(r"Bearer \S+", value)
    assert sim.result(headers=service_headers(Authorization=value)).status == 200
    assert refused(sim.result()) == "verify token failed"
    sim.admin("POST", "expire")
    third = refresh(sim, value.removeprefix("Bearer ")).json()["accessToken"]
    assert third not in (value, "Bearer " + TOKEN)
    fourth = refresh(sim).json()["accessToken"]
    assert sim.result(headers=service_headers(Authorization=fourth)).status == 200
    assert sim.counters()["calls"]["session/refresh"] == 3
    assert "the-session" not in json.dumps(sim.log()) and value[7:] not in json.dumps(sim.log())


def test_refresh_is_refused(start, secrets):
    sim = start("--duration=0", *secrets)
    for session in ("wrong", "", None):
        assert refused(refresh(sim, session=session)) == "session not found"
    assert refused(refresh(sim, "never-a-token")) == "verify token failed"
    assert refused(refresh(start("--duration=0"), session="x")) == "session not found"
    signed = app_headers(APP, SECRET, "POST", API + "session/refresh", x_session_id="the-session")
    assert refused(sim.post("session/refresh", None, signed)) == "session calls do not take app authentication"
    assert refresh(sim, X_User_Id=None).status == 400
    assert sim.result().status == 200, "the token still holds"


# The app


def ask_vector(sim, vector, authorization=None, body=None):
    """Sends a vector exactly as it is written, header by header."""
    target = urllib.parse.quote(vector["path"])
    if vector["query"]:
        pairs = [tuple(pair) for pair in vector["query"]]
        target += "?" + urllib.parse.urlencode(pairs, quote_via=urllib.parse.quote, safe="")
    connection = http.client.HTTPConnection(sim.host, sim.port, timeout=DEADLINE)
    names = [name.lower() for name, _ in vector["headers"]]
    connection.putrequest(vector["method"], target, skip_host="host" in names, skip_accept_encoding=True)
    for name, value in vector["headers"]:
        connection.putheader(name, value)
    connection.putheader("Authorization", authorization or vector["authorization"])
    body = (vector["body"] if body is None else body).encode()
    if body:
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = Answer(connection.getresponse())
    connection.close()
    return answer


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"].split()[0])
def test_vector(start, tmp_path, vector):
    """The verifier takes every vector, at the time when it was made, and none with a bit changed."""
    (tmp_path / "secret").write_text(vector["app_secret"])
    sim = start(f"--app-id={vector['app_id']}", f"--app-secret-file={tmp_path}/secret",
                f"--clock-offset={VECTOR_TIME + 1 - int(time.time())}")
    asked = ask_vector(sim, vector)
    assert asked.status in (200, 400) and "error_code" not in asked.json()
    assert not any(n for name, n in sim.counters()["refused"].items() if name not in ("notFound", "contentType"))

    good = vector["authorization"]
    head, signature = good.rsplit("=", 1)
    for bad in (good[:-1] + "0123456789abcdef"[int(good[-1], 16) ^ 1], f"{head}={signature.upper()}",
                good.replace("AppId=0", "AppId=1"), good.replace(",", ", "), good.replace("x-date;", "")):
        refused(ask_vector(sim, vector, bad))
    if vector["body"]:
        refused(ask_vector(sim, vector, body=vector["body"] + " "))
    signed, signature = sign(vector["app_secret"], vector["method"], vector["path"], vector["query"], vector["headers"],
                             vector["body"].encode())
    assert (signed, signature) == (good.split("SignedHeaders=")[1].split(",")[0], vector["signature"]), "our own signer"


def test_vectors_are_those_we_know():
    assert len(VECTORS) == 8 and {dict(v["headers"])["X-Date"].strip() for v in VECTORS} == {"20240909T033325Z"}


def test_app_may_do_all_that_the_token_may(start, secrets):
    sim = start("--duration=0", *secrets)
    body = json.dumps({"taskId": SHARE_TASK, "shareId": SHARE}).encode()
    assert sim.detail(body=body, headers=app_headers(APP, SECRET, "POST", DETAIL, body=body)).status == 200
    query = [("taskId", IMPORT_TASK)]
    assert sim.result(headers=app_headers(APP, SECRET, "GET", RESULT, query)).status == 200
    headers = app_headers(APP, SECRET, "GET", API + "jobs", [("type", "6"), ("limit", "5")])
    assert sim.get("jobs", headers, type=6, limit=5).status == 200
    assert sim.result().status == 200, "the token is as good"


def test_app_is_refused(start, secrets):
    sim = start("--duration=0", *secrets)
    query = [("taskId", IMPORT_TASK)]
    right = app_headers(APP, SECRET, "GET", RESULT, query)
    for wrong in (
        app_headers(APP, "other secret", "GET", RESULT, query), app_headers("other-app", SECRET, "GET", RESULT, query),
        app_headers(APP, SECRET, "POST", RESULT, query), app_headers(APP, SECRET, "GET", RESULT),
        right | {"X-User-Id": "another"}, right | {"X-Date": service_headers(time.time() - 5)["X-Date"]},
        right | {"Authorization": "HMAC-SHA256 nonsense"},
        right | {"Authorization": "HMAC-SHA256 AppId=,SignedHeaders=,Signature="},
        right | {"Authorization": right["Authorization"].replace("x-date;x-user-id", "x-user-id;x-date")},
    ):
        refused(sim.result(headers=wrong))
    refused(start("--duration=0").result(headers=right))
    for date in (time.time() - 16 * 60, time.time() + 60):
        answer = sim.result(headers=app_headers(APP, SECRET, "GET", RESULT, query, date=date))
        assert (answer.status, answer.json()["code"]) == (400, 13000102), "right signature, wrong time"
    assert sim.counters()["refused"]["date"] == 2


# The clock


@pytest.mark.parametrize("offset", [-YEAR, -3600, 0, 3600, YEAR])
def test_the_servers_clock(start, offset):
    sim = start("--duration=0", f"--clock-offset={offset}")
    now = time.time() + offset
    answers = [sim.result(headers=service_headers(now)), sim.result(headers={}), sim.request("GET", "/"),
               sim.request("GET", "/_sim/counters")]
    assert [a.status for a in answers[:3]] == [200, 401, 404]
    for answer in answers:
        assert len(answer.headers.get_all("Date")) == 1
        assert abs(email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp() - now) < DEADLINE
    if offset:
        assert sim.result(headers=service_headers()).json()["code"] == 13000102
    ended = sim.get("task/list", service_headers(now)).json()["taskList"][1]["endTime"]
    assert abs(calendar.timegm(time.strptime(ended, "%Y-%m-%dT%H:%M:%SZ")) - now) < 120, "so do the tasks"
