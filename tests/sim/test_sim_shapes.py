# SPDX-License-Identifier: MIT
"""koodrive-sim: the forms an answer can take where the service's documents contradict each other."""

import calendar
import re
import subprocess
import time

import pytest

from koodrive_sim import BINARY, IMPORT_TASK, REPO, SHARE, SHARE_TASK, service_headers

SAMPLES = REPO / "sim" / "data"


class Answers:
    """One answer of every call; of share tasks and jobs one with a package."""

    def __init__(self, sim):
        share = sim.generated("share", taskType=1, status="completed")[0]
        job = sim.generated("job", taskType=6)[0]
        self.share = sim.detail(share["taskId"], share["shareId"]).json()
        self.sample = sim.detail().json()
        self.result = sim.result().json()
        self.task = sim.get("task/" + IMPORT_TASK).json()
        self.tasks = sim.get("task/list", pageSize=1).json()
        self.jobs = sim.get("jobs").json()
        self.job = sim.get(job["taskId"]).json()

    def all(self):
        return list(vars(self).values())


@pytest.fixture
def ask(start):
    sim = start("--duration=0", "--tasks=4", "--jobs=7", "--imports=2")

    def asked(*shapes):
        sim.shapes(*shapes)
        return Answers(sim)

    asked.sim = sim
    return asked


def test_every_shape_is_listed_documented_and_tested(sim):
    manual = (REPO / "docs" / "koodrive-sim.1.scd").read_text()
    rows = sim.admin("GET", "shapes")["shapes"]
    section = manual[manual.index("# SHAPES"):manual.index("# EXAMPLES")]
    assert re.findall(r"^\|  (\S+)$", section, re.MULTILINE) == [row["name"] for row in rows]
    texts = re.findall(r"^:  (.+)$", section, re.MULTILINE)
    assert [text.replace("\\_", "_").replace("\\\\", "\\") for text in texts] == [row["what"] for row in rows]
    tests = "".join(path.read_text() for path in (REPO / "tests" / "sim").glob("test_*.py"))
    assert not [row["name"] for row in rows if not re.search(f'["=]{row["name"]}"', tests)]


def test_option_admin_and_reset(start):
    sim = start("--duration=0", "--shape=code-string,url-empty")

    def on():
        return [row["name"] for row in sim.admin("GET", "shapes")["shapes"] if row["on"]]

    assert on() == ["code-string", "url-empty"] and sim.result().json()["code"] == "0"
    sim.shapes("infos-null")
    assert on() == ["infos-null"] and sim.result().json()["code"] == 0
    sim.admin("POST", "reset")
    assert on() == ["code-string", "url-empty"]
    sim.shapes()
    assert on() == [] and sim.detail().body == (SAMPLES / "share-taskDetail.json").read_bytes()
    for bad in ([1], ["nothing"], {}, b"", ["code-string", None]):
        sim.admin("PUT", "shapes", bad, status=400)


def test_bad_shape_is_bad_usage():
    done = subprocess.run([BINARY, "--shape=code-string,nonsense"], capture_output=True, text=True)
    assert done.returncode == 2 and re.fullmatch(r"koodrive-sim: nonsense: .+\n", done.stderr)


def test_code(ask):
    assert {a["code"] for a in ask("code-string").all()} == {"0"}
    assert {a["code"] for a in ask("code-number").all()} == {0}
    assert not [a for a in ask("code-absent").all() if "code" in a]


def test_infos(ask):
    plain = ask()
    for shape, change in (("infos-object", lambda i: i[0]), ("infos-null", lambda i: None)):
        shaped = ask(shape)
        assert shaped.share["taskInfos"] == change(plain.share["taskInfos"])
        assert shaped.job["data"]["taskInfos"] == change(plain.job["data"]["taskInfos"])
        assert shaped.result == plain.result
    shaped = ask("infos-absent")
    assert "taskInfos" not in shaped.share and "taskInfos" not in shaped.job["data"]


def test_wrapper_2024(ask):
    plain, shaped = ask(), ask("wrapper-2024")
    info = plain.share["jobInfo"] | {"resultCode": "0"}
    assert shaped.share == {"taskInfo": info, "code": "0", "msg": plain.share["msg"]}
    assert set(shaped.sample) == {"taskInfo", "code", "msg"}
    assert (shaped.job, shaped.result, shaped.task) == (plain.job, plain.result, plain.task)


def test_names_swapped(ask):
    share, job = ask("names-swapped").share["jobInfo"], ask("names-swapped").job["data"]["jobInfo"]
    assert {"status", "beginTime"} <= set(share) and not {"taskStatus", "startTime"} & set(share)
    assert {"taskStatus", "startTime"} <= set(job) and not {"status", "beginTime"} & set(job)


def test_list_names_and_cursor(ask):
    plain = ask()
    assert isinstance(plain.tasks["nextCursor"], str)
    shaped = ask("list-dtos", "cursor-number").tasks
    assert "taskList" not in shaped and shaped["taskListDtos"] == plain.tasks["taskList"]
    assert shaped["nextCursor"] == int(plain.tasks["nextCursor"])


def pages(sim, limit=20):
    """The pages of task/list as lists of ids, and the cursors, until there is none or LIMIT pages have been read."""
    ids, cursors = [], []
    while len(ids) < limit:
        page = sim.get("task/list", pageSize=2, **({"pageCursor": cursors[-1]} if cursors else {})).json()
        ids.append([t["taskId"] for t in page["taskList"]])
        if "nextCursor" not in page:
            break
        cursors.append(page["nextCursor"])
    return ids, cursors


def test_pages(start):
    sim = start("--duration=0", "--imports=4")
    plain, _ = pages(sim)
    assert [len(page) for page in plain] == [2, 2, 1]
    sim.shapes("page-empty")
    assert pages(sim)[0] == [[], plain[0], [], plain[1], [], plain[2]]
    sim.shapes("cursor-endless")
    ids, cursors = pages(sim)
    assert ids == [plain[0]] * 20 and len(set(cursors)) == 20
    sim.shapes("cursor-same")
    ids, cursors = pages(sim)
    assert ids == [plain[0]] * 20 and len(set(cursors)) == 1
    sim.shapes("cursor-same", "cursor-number", "page-empty")
    ids, cursors = pages(sim)
    assert ids == [[], plain[0]] * 10 and {type(c) for c in cursors} == {int}


def test_page_repeats(start):
    sim = start("--duration=0", "--jobs=3")
    sim.shapes("page-repeats")
    pages_seen = [sim.get("jobs", offset=offset, limit=4).json()["data"] for offset in (0, 4, 8, 1000)]
    assert len(pages_seen[0]) == 4 and all(page == pages_seen[0] for page in pages_seen)
    assert len(sim.get("jobs").json()["data"]) == 100
    assert sim.get("jobs", type=7).json()["data"] == []


def test_result(ask):
    plain = ask()
    assert ask("result-bare").result == {"data": plain.result["data"]}
    assert ask("result-bare").task == plain.task
    assert ask("result-no-desc").result["data"]["failInfoList"] == [{"userName": "ss"}]
    ask.sim.shapes("result-broken")
    assert ask.sim.result().body == (SAMPLES / "task-result.broken.json").read_bytes()
    with pytest.raises(ValueError):
        ask.sim.result().json()
    assert ask.sim.result("1").json()["code"] == 13000309


def test_download_url(ask):
    for shape, url in (("url-absent", None), ("url-empty", "")):
        shaped = ask(shape)
        assert shaped.share["jobInfo"].get("downloadUrl") == shaped.job["data"]["jobInfo"].get("downloadUrl") == url
        assert "downloadUrl" not in shaped.sample["jobInfo"]


def times(answer):
    """All values of answer whose key ends in Time."""
    if isinstance(answer, list):
        return [t for item in answer for t in times(item)]
    if isinstance(answer, dict):
        return [t for k, v in answer.items() for t in ([v] if k.endswith("Time") else times(v))]
    return []


def test_times(ask):
    iso, digits = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", r"\d{14}"
    plain = [t for a in ask().all() for t in times(a)]
    for shape, form in (("times-iso", iso), ("times-14", digits)):
        shaped = [t for a in ask(shape).all() for t in times(a)]
        assert all(re.fullmatch(form, t) for t in shaped)
        assert [re.sub(r"\D", "", t) for t in shaped] == [re.sub(r"\D", "", t) for t in plain]
    assert ask("times-iso").sample["jobInfo"]["createTime"] == "2024-09-30T09:19:32Z"


def test_empty_times_stay_empty(start):
    sim = start("--duration=10000", "--jobs=8", "--shape=times-iso,times-14")
    assert "" in times(sim.get("jobs").json())


def test_progress(ask):
    assert ask().sample["jobInfo"]["progress"] == 100
    for shape, value in (("progress-absent", None), ("progress-negative", -1), ("progress-over", 250)):
        shaped = ask(shape)
        assert shaped.sample["jobInfo"].get("progress") == shaped.job["data"]["jobInfo"].get("progress") == value
        assert "progress" not in shaped.task


def test_enum_unknown(ask):
    shaped = ask("enum-unknown")
    job = shaped.share["jobInfo"]
    assert (job["taskType"], job["taskStatus"], job["taskResultCode"]) == (99, 99, 99)
    assert shaped.share["taskInfos"][0]["status"] == "99"
    assert (shaped.task["status"], shaped.task["taskType"], shaped.tasks["taskList"][0]["status"]) == (99, 99, 99)
    assert {(j["status"], j["taskType"]) for j in shaped.jobs["data"]} == {(99, 99)}


def numbers(answer):
    if isinstance(answer, (list, dict)):
        return [n for item in (answer.values() if isinstance(answer, dict) else answer) for n in numbers(item)]
    return [answer] if isinstance(answer, (int, float)) else []


def test_numbers_string(ask):
    assert not [n for a in ask("numbers-string").all() for n in numbers(a)]
    assert ask("numbers-string").sample["jobInfo"]["progress"] == "100"


def test_numbers_decimal(ask):
    """The same numbers, written as Gson and others write them."""
    plain, shaped = ask(), ask("numbers-decimal")
    assert [numbers(a) for a in plain.all()] == [numbers(a) for a in shaped.all()]
    text = ask.sim.detail().body
    assert b'"progress":10.0E+1' in text and b'"code":0.0' in text and b'"taskStatus":2.0' in text


def test_times_since_1970(ask):
    plain = [t for a in ask("times-14").all() for t in times(a)]
    seconds = [calendar.timegm(time.strptime(t, "%Y%m%d%H%M%S")) for t in plain]
    assert [t for a in ask("times-seconds").all() for t in times(a)] == seconds
    assert [t for a in ask("times-milliseconds").all() for t in times(a)] == [f"{t}123" for t in seconds]


@pytest.mark.parametrize("shape, end", [("strings-cut", "\ud83d"), ("strings-nul", "\0")])
def test_bad_strings(ask, shape, end):
    plain, shaped = ask(), ask(shape)
    assert shaped.sample["jobInfo"]["userId"] == plain.sample["jobInfo"]["userId"] + end
    assert shaped.sample["taskInfos"][0]["fileId"] == plain.sample["taskInfos"][0]["fileId"] + end
    assert shaped.result["data"]["failInfoList"][0]["userName"] == "ss" + end
    assert shaped.job["data"]["jobInfo"]["taskId"] == plain.job["data"]["jobInfo"]["taskId"]


def test_status(ask):
    ask("status-203")
    assert ask.sim.detail().status == ask.sim.get("jobs").status == 203
    assert ask.sim.detail("7").status == 400


def test_fields_extra(ask):
    plain, shaped = ask(), ask("fields-extra")

    def check(a, b):
        if isinstance(a, dict):
            assert set(b) == set(a) | {"newField", "newObject"}
            for key in a:
                check(a[key], b[key])
        elif isinstance(a, list):
            for x, y in zip(a, b, strict=True):
                check(x, y)
        else:
            assert a == b

    for a, b in zip(plain.all(), shaped.all()):
        check(a, b)
    assert shaped.job["newObject"]["id"] == 1521827471237047552


def test_errors(start):
    sim = start("--duration=0")
    sim.shapes("error-code")
    answer = sim.result("1")
    body = {"error_code": "13000309", "error_msg": "The requested resource does not exist."}
    assert (answer.status, answer.json()) == (400, body)
    sim.shapes("error-200")
    for answer in (sim.result("1"), sim.detail(headers=service_headers(X_Date=None)),
                   sim.post("cancel", {"jobId": "1"})):
        assert answer.status == 200 and answer.json()["code"] in (13000309, 13000102)
    sim.shapes("error-200", "error-code")
    answer = sim.result(headers=service_headers(Authorization=None))
    assert answer.status == 200 and answer.json()["error_code"] == "APIGW.0301"
    assert sim.result("1").json()["error_code"] == "13000309" and sim.result("1").status == 200
    assert [e["status"] for e in sim.log()][:2] == [400, 200]


def test_shapes_leave_stored_answers_and_faults_alone(sim):
    sim.shapes("code-string", "numbers-string", "error-200", "error-code")
    sim.admin("PUT", f"answers/{SHARE_TASK}?status=400", b'{"code":1}')
    answer = sim.detail(SHARE_TASK, SHARE)
    assert (answer.status, answer.body) == (400, b'{"code":1}')
    sim.fault(kind="status", status=500, code=13000201)
    assert (sim.result().status, sim.result().json()["code"]) == (500, "0")
