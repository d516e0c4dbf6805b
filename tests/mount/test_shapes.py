# SPDX-License-Identifier: MIT
"""docs/semantics.md, "Answers of the service": whatever shape the simulator gives its answers, the mount shows the same
tasks, or exactly so much less as the shape leaves out."""

import csv
import io
import json
import os
import re
import subprocess

import pytest

from koodrive_sim import BINARY, TOKEN, wait_until
from kootaskfs_mount import errno_of, read_error
from test_ctl import write

ALL = "share, basic, job"
VALUES = ("kind type status result progress created started ended user success-count fail-count").split()
LISTED = ("kind", "type", "status", "created", "started", "ended", "user")  # and of jobs result
FILE = {"status": "status", "new-file-id": "newFileId", "source-container-id": "srcContainerId"}

TYPES = {
    "share": {1: "download", 2: "save"},
    "basic": {0: "transfer", 1: "import"},
    "job": dict(enumerate("copy delete move restore unzip package empty-recycle-bin".split(), 1)),
}
STATUSES = {"share": "pending running completed canceled".split(), "basic": "pending running completed failed".split(),
            "job": "pending running completed canceled".split()}
RESULTS = {None: "", 1: "succeeded", 2: "partly-failed", 3: "failed"}
FILE_STATUSES = {"0": "pending", "1": "succeeded", "2": "failed"}


class Truth:
    """What the mount must show of a task: `values` by name of file, `rows` of files.csv, `failures` of failures.csv, the
    bytes of the `package` or an errno, `instead`, what names and values have where rows have U+FFFD, and `error`, why all
    that its list does not tell fails."""

    def __init__(self, sim, known, listed):
        self.id, self.family, self.share = known["taskId"], known["kind"], known["shareId"]
        self.error, self.package, self.instead = None, "ENOENT", "\ufffd"
        info, times, infos, data = {
            "share": self._read_share, "basic": self._read_basic, "job": self._read_job}[self.family](sim, listed)
        self.rows = [[i["fileId"], FILE_STATUSES[i["status"]], i.get("newFileId", ""), i["srcContainerId"]] for i in infos]
        status = STATUSES[self.family][info.get("taskStatus", info.get("status"))]
        if known["generated"]:
            assert status == known["status"] and info["taskType"] == known["taskType"]
            assert self.family == "basic" or info["progress"] == known["progress"]
        self.values = {
            "kind": self.family,
            "type": TYPES[self.family][info["taskType"]],
            "status": status,
            "result": RESULTS[info.get("taskResultCode")],
            "progress": str(info.get("progress", "")),
            "created": iso(times["createTime"]),
            "started": iso(times.get("beginTime", times.get("startTime"))),
            "ended": iso(times["endTime"]),
            "user": info["userId"],
        }
        if self.family == "basic":
            self.failures = [[f["userName"], f["desc"]] for f in data.get("failInfoList", [])]
            self._set_counts(data.get("successCount", ""), data.get("failCount", ""))
            if status in ("completed", "failed"):
                self.values["result"] = RESULTS[1 if not data["failCount"] else 2 if data["successCount"] else 3]
        else:
            self.count_rows()
        if "downloadUrl" in info:
            self.package = sim.download(info["downloadUrl"]).body

    def _read_share(self, sim, listed):
        answer = sim.detail(self.id, self.share).json()
        return answer["jobInfo"], answer["jobInfo"], answer["taskInfos"], None

    def _read_basic(self, sim, listed):
        return sim.get("task/" + self.id).json(), listed[self.id], [], sim.result(self.id).json()["data"]

    def _read_job(self, sim, listed):
        data = sim.get(self.id).json()["data"]
        return data["jobInfo"], data["jobInfo"], data["taskInfos"], None

    def _set_counts(self, succeeded, failed):
        self.values.update({"success-count": str(succeeded), "fail-count": str(failed)})

    def count_rows(self):
        states = [row[1] for row in self.rows]
        known = states and set(states) <= set(FILE_STATUSES.values())
        self._set_counts(*((states.count("succeeded"), states.count("failed")) if known else ("", "")))
        self.failures = [row for row in self.rows if row[1] == "failed"]

    def listed(self):
        return (*LISTED, "result") if self.family == "job" else LISTED if self.family == "basic" else ()


def iso(time):
    return f"{time[:4]}-{time[4:6]}-{time[6:8]}T{time[8:10]}:{time[10:12]}:{time[12:]}Z" if time.isdigit() else time


# ---- what a shape changes of a task


def nothing(truth):
    pass


def first_file_only(truth):
    del truth.rows[1:]
    if truth.family != "basic":
        truth.count_rows()


def no_files(truth):
    truth.rows = []
    if truth.family != "basic":
        truth.count_rows()


def no_files_of_shares(truth):
    if truth.family == "share":
        no_files(truth)


def no_progress(truth):
    truth.values["progress"] = ""


def no_package(truth):
    truth.package = "ENOENT"


def refused_package(truth):
    if truth.package != "ENOENT":
        truth.package = "EACCES"


def unknown_words(truth):
    truth.values.update(type="unknown-99", status="unknown-99")
    if truth.family == "basic":
        truth.values["result"] = ""  # not known to have ended
        return
    truth.values["result"] = truth.values["result"] and "unknown-99"
    truth.rows = [[row[0], "unknown-99", *row[2:]] for row in truth.rows]
    truth.count_rows()


def no_desc(truth):
    if truth.family == "basic":
        truth.failures = [[name, ""] for name, _ in truth.failures]


def cut_strings(truth, instead="\ufffd"):
    """Half a surrogate pair reads as U+FFFD."""
    truth.instead = instead
    truth.values["user"] += instead
    truth.rows = [[cell and cell + "\ufffd" if i != 1 else cell for i, cell in enumerate(row)] for row in truth.rows]
    if truth.family == "basic":
        truth.failures = [[cell + "\ufffd" for cell in row] for row in truth.failures]
    else:
        truth.count_rows()


def nul_strings(truth):
    """NUL is `%00` in names and values, U+FFFD in tables and job.json."""
    cut_strings(truth, "%00")


def no_result(truth):
    if truth.family == "basic":
        truth.error = "EBADMSG"


SHAPES = {
    "code-string": nothing,
    "code-number": nothing,
    "code-absent": nothing,
    "infos-object": first_file_only,
    "infos-null": no_files,
    "infos-absent": no_files,
    "wrapper-2024": no_files_of_shares,
    "names-swapped": nothing,
    "list-dtos": nothing,
    "cursor-number": nothing,
    "cursor-endless": nothing,
    "cursor-same": nothing,
    "page-empty": nothing,
    "page-repeats": nothing,
    "result-bare": nothing,
    "result-no-desc": no_desc,
    "result-broken": no_result,
    "url-absent": no_package,
    "url-empty": no_package,
    "url-expired": refused_package,
    "times-iso": nothing,
    "times-14": nothing,
    "progress-absent": no_progress,
    "progress-negative": no_progress,
    "progress-over": no_progress,
    "enum-unknown": unknown_words,
    "numbers-string": nothing,
    "fields-extra": nothing,
    "numbers-decimal": nothing,
    "times-seconds": nothing,
    "times-milliseconds": nothing,
    "strings-cut": cut_strings,
    "strings-nul": nul_strings,
    "status-203": nothing,
    "error-code": nothing,
    "error-200": nothing,
    "package-no-range": nothing,
    "package-no-length": nothing,
    "package-redirect": nothing,
}

ENDLESS = {
    "cursor-endless": ("basic", "a page comes again"),
    "cursor-same": ("basic", "a cursor comes again"),
    "page-repeats": ("job", "a page comes again"),
}


def simulator_shapes():
    """The shapes this simulator can play, in its own words."""
    text = subprocess.run([BINARY, "--help"], capture_output=True, check=True, text=True).stdout
    section = text.partition("\nShapes:\n")[2].partition("\n\n")[0]
    return [line.split()[0] for line in section.splitlines()]


every_shape = pytest.mark.parametrize("shape", simulator_shapes())


def test_every_shape_is_known(sim):
    names = [row["name"] for row in sim.admin("GET", "shapes")["shapes"]]
    assert names == simulator_shapes() == list(SHAPES)


# ---- what the mount shows


@pytest.fixture
def play(start, mount):
    """Makes a simulator, learns the truth from its answers as documented, gives it the shape and mounts it."""

    def make(shape, *options, truths=True, **settings):
        sim = start(*options)
        known = sim.admin("GET", "tasks")["tasks"]
        if truths:
            listed = {item["taskId"]: item for item in sim.list_tasks()}
            known = [Truth(sim, task, listed) for task in known]
            for truth in known:
                SHAPES[shape](truth)
        sim.admin("POST", "reset")
        sim.shapes(shape)
        shares = [f"share {t.share} {t.id}" for t in known if t.family == "share"] if truths else None
        return sim, mount(sim, watch=shares, families=ALL, ttl="1h", list_ttl="1h", allow_cancel="yes", **settings), known

    return make


def health(m):
    return dict(line.split(": ", 1) for line in m.control("health").splitlines())


def check_lists(m, shape, **sizes):
    """Each list's line of health, and the last error, tell how it went."""
    family, why = ENDLESS.get(shape, (None, None))
    for name, size in sizes.items():
        line = health(m)["list-" + name]
        assert line.startswith("failed: the list does not end: " + why) if name == family else line.startswith(f"ok, {size} tasks; read ")
    assert (f"the list does not end: {why}" in m.control("last-error")) if family else m.control("last-error") == ""


def value(path):
    text = path.read_text()
    assert text == "" or text.endswith("\n")
    return text.removesuffix("\n")


def rows(path):
    with open(path, encoding="utf-8", newline="") as opened:
        return list(csv.reader(io.StringIO(opened.read(), newline="")))


def check_values(m, truth, names):
    assert {name: value(m.task(truth.id) / name) for name in names} == {name: truth.values[name] for name in names}, truth.id


def check_files(m, truth):
    directory = m.task(truth.id)
    if truth.family == "basic":
        assert rows(directory / "failures.csv") == [["userName", "desc"], *truth.failures]
        assert os.listdir(directory / "files") == []
        return
    head = ["fileId", *FILE.values()]
    assert rows(directory / "files.csv") == [head, *truth.rows]
    assert rows(directory / "failures.csv") == [head, *truth.failures]
    shown = [[cell.replace("\ufffd", truth.instead) for cell in row] for row in truth.rows]
    assert sorted(os.listdir(directory / "files")) == sorted(row[0] for row in shown)
    for row in shown:
        assert [value(directory / "files" / row[0] / name) for name in FILE] == row[1:]


def whole(json_value):
    """The value with U+FFFD for each half of a surrogate pair and each NUL."""
    return json.loads(re.sub(r"\\ud83d|\\u0000", r"\\ufffd", json.dumps(json_value)))


def check_json(sim, m, truth):
    """response.json byte for byte, job.json with every field and digit, as the service says them in this very shape.
    "`job.json` of a share task is `jobInfo`, or the `taskInfo` of the 2024 interface.\""""
    if truth.family == "share":
        answer = sim.detail(truth.id, truth.share)
        job = answer.json().get("jobInfo", answer.json().get("taskInfo"))
    elif truth.family == "job":
        answer = sim.get(truth.id)
        job = answer.json()["data"]["jobInfo"]
    else:
        answer, job = sim.result(truth.id), sim.get("task/" + truth.id).json()
    assert (m.task(truth.id) / "response.json").read_bytes() == answer.body
    assert json.loads(m.read("job.json", truth.id)) == whole(job)
    subprocess.run(["jq", "-e", ".", m.task(truth.id) / "job.json"], check=True, stdout=subprocess.DEVNULL)


def check_package(m, truth):
    path = m.task(truth.id) / "package.zip"
    assert ("package.zip" in os.listdir(path.parent)) == (truth.package != "ENOENT")
    if isinstance(truth.package, str):
        assert read_error(path) == truth.package
    else:
        assert path.stat().st_size == len(truth.package) and path.read_bytes() == truth.package


@every_shape
@pytest.mark.parametrize("duration", [0, 1_000_000], ids=["ended", "going-on"])
def test_tasks(play, shape, duration):
    sim, m, truths = play(shape, f"--duration={duration}", "--tasks=9", "--imports=4", "--transfers=2",
                          "--package-size=300000")
    by_family = {family: [t for t in truths if t.family == family] for family in TYPES}
    assert sum(t.package != "ENOENT" for t in truths) == (0 if duration or SHAPES[shape] == no_package else 5)

    assert sorted(os.listdir(m / "tasks")) == sorted(t.id for t in truths)
    check_lists(m, shape, basic=len(by_family["basic"]), job=len(by_family["job"]))
    for truth in truths:
        check_values(m, truth, truth.listed())
    calls = sim.counters()["calls"]
    assert calls["task"] == calls["task/result"] == calls["job"] == 0

    for truth in truths:
        if truth.error is not None:
            for name in ("progress", "fail-count", "failures.csv", "job.json", "response.json", "summary"):
                assert read_error(m.task(truth.id) / name) == truth.error
            assert m.log_lines(f"task/result {truth.id}: {truth.error}: the answer is not JSON")
            check_values(m, truth, truth.listed())
            continue
        assert read_error(m.task(truth.id) / "progress") is None
        check_values(m, truth, VALUES)
        check_files(m, truth)
        check_json(sim, m, truth)
    assert shape in ENDLESS or shape == "result-broken" or m.control("last-error") == ""

    for truth in truths:
        check_package(m, truth)
    asked = [request for request in sim.log() if request["call"] == "package"]
    assert (len(asked) > 0) == any(t.package != "ENOENT" for t in truths)
    hosts = {"127.0.0.1", "localhost"} if asked and shape == "package-redirect" else {"127.0.0.1"} if asked else set()
    assert {request["headers"]["Host"].split(":")[0] for request in asked} == hosts
    if asked and shape == "url-expired":
        assert "EACCES: the download link is answered with HTTP 403" in m.control("last-error")
        assert "sig=" not in m.control("last-error") + m.log()
    check_errors(sim, m, by_family["job"], duration)
    assert sim.counters()["leaks"] == 0


def check_errors(sim, m, jobs, duration):
    """What the service refuses is refused by the same errno in every shape; and what it grants is granted."""
    assert read_error(m.task("7") / "status") == "ENOENT"
    assert read_error(m / "shares" / "5" / "7" / "status") == "ENOENT"
    job = jobs[0]
    if duration == 0:
        known = job.values["status"] != "unknown-99"  # else only the service knows that it has ended
        assert errno_of(write, m.task(job.id) / "ctl", b"cancel\n") == ("EINVAL" if known else "EBUSY")
        assert ("only a pending or running job can be" if known else "code 13000101") in m.control("last-error")
    else:
        write(m.task(job.id) / "ctl", b"cancel\n")
        after = {t["taskId"]: t.get("status") for t in sim.admin("GET", "tasks")["tasks"]}
        assert after[job.id] == "canceled"
        known = job.values["status"] != "unknown-99"
        assert value(m.task(job.id) / "status") == ("canceled" if known else "unknown-99")

    sim.admin("POST", "expire")
    assert errno_of(os.utime, m.task(job.id) / "status") == "EACCES"
    assert "APIGW.0301" in m.control("last-error")
    sim.admin("PUT", "token", TOKEN.encode())
    wait_until(lambda: errno_of(os.utime, m.task(job.id) / "status") is None, "the token to be good again")


# ---- lists of several pages


@every_shape
def test_lists(play, shape):
    """Whole when they have an end; when not they end all the same, and what they brought is there. "A reading of a list is one
    request for each 100 tasks of the list.\""""
    sim, m, known = play(shape, "--duration=0", "--tasks=0", "--imports=209", "--jobs=210", truths=False)
    ids = {family: [t["taskId"] for t in known if t["kind"] == family] for family in ("basic", "job")}
    requests = {"task/list": 6 if shape == "page-empty" else 3, "jobs": 3}
    if shape in ENDLESS:
        family = ENDLESS[shape][0]
        requests["jobs" if family == "job" else "task/list"] = 2
        del ids[family][100:]
    assert sorted(os.listdir(m / "tasks")) == sorted(ids["basic"] + ids["job"])
    check_lists(m, shape, basic=210, job=210)
    words = [value(m.task(task) / "status") for task in ids["basic"] + ids["job"]]
    expected = {t["taskId"]: t.get("status") for t in known}
    for task, word in zip(ids["basic"] + ids["job"], words):
        assert word == ("unknown-99" if shape == "enum-unknown" else expected[task] or "completed")
    calls = sim.counters()["calls"]
    assert {call: calls[call] for call in requests} == requests and sim.counters()["total"] == sum(requests.values())
