# SPDX-License-Identifier: MIT
"""What there is to see: the samples of the service's documentation, the names, the formats."""

import json
import os
import re
import stat

import pytest

from kootaskfs_mount import DATA, IMPORT_TASK, SHARE, SHARE_TASK, detail, errno_of, imported, run, store

SAMPLE = DATA / "share-taskDetail.json"
FILES = ("FmvP8my7yGTvCmKhweL1BoY6kWjRt83A7", "FulYbSXt1ovCywA4qda1Fe64BveY4dMvw")
TASK_FILES = {
    "kind", "type", "status", "result", "progress", "created", "started", "ended", "user", "success-count",
    "fail-count", "name", "summary", "task.json", "job.json", "response.json", "failures.csv",
    "events", "files", "files.csv",
}


def test_share_sample(mount, sim):
    """The documented share task, value by value. "A value file is one line, value and newline." "All times are
    UTC, as in `2024-09-30T09:19:32Z`.\""""
    m = mount(sim)
    expected = {
        "kind": "share", "type": "download", "status": "completed", "result": "succeeded", "progress": "100",
        "created": "2024-09-30T09:19:32Z", "started": "2024-09-30T09:19:32Z", "ended": "2024-09-30T09:19:33Z",
        "user": "0929b397a3424384b32cf8f96d9f35e4|1465814559892958208", "success-count": "2", "fail-count": "0",
    }
    assert {name: m.read(name) for name in expected} == {name: value + "\n" for name, value in expected.items()}
    assert set(os.listdir(m.task())) == TASK_FILES


def test_share_sample_files(mount, sim):
    """files/FILEID/: status, new-file-id, source-container-id."""
    m = mount(sim)
    assert sorted(os.listdir(m.task() / "files")) == sorted(FILES)
    for info in json.loads(SAMPLE.read_text())["taskInfos"]:
        directory = m.task() / "files" / info["fileId"]
        assert {p.name: p.read_text() for p in directory.iterdir()} == {
            "status": "succeeded\n", "new-file-id": info["newFileId"] + "\n",
            "source-container-id": info["srcContainerId"] + "\n",
        }


def test_share_sample_json(mount, sim):
    """"`job.json` of a share task is `jobInfo`"; response.json: "the last good response, byte for byte\""""
    m = mount(sim)
    assert (m.task() / "response.json").read_bytes() == SAMPLE.read_bytes()
    job = run("jq", "-S", ".", m.task() / "job.json").stdout
    assert job == run("jq", "-S", ".jobInfo", SAMPLE).stdout
    assert len(job.splitlines()) > 9, "pretty-printed"


def test_share_sample_csv(mount, sim):
    """"A CSV file always has its header line", also without a row; its words are the service's field names."""
    m = mount(sim)
    rows = [",".join((f["fileId"], "succeeded", f["newFileId"], f["srcContainerId"]))
            for f in json.loads(SAMPLE.read_text())["taskInfos"]]
    header = "fileId,status,newFileId,srcContainerId\n"
    assert m.read("files.csv") == header + "".join(row + "\n" for row in rows)
    assert m.read("failures.csv") == header


def test_import_sample(mount, sim):
    """The documented import task: counts, failures.csv, and nothing in files/."""
    m = mount(sim)
    expected = {
        "kind": "basic\n", "type": "import\n", "status": "completed\n", "result": "partly-failed\n",
        "success-count": "1\n", "fail-count": "1\n", "progress": "", "created": "", "started": "", "ended": "",
        "failures.csv": "userName,desc\nss,The user already exists.\n",
    }
    assert {name: m.read(name, IMPORT_TASK) for name in expected} == expected
    assert m.read("user", IMPORT_TASK).strip() == json.loads(m.read("job.json", IMPORT_TASK)).get("userId", "")
    assert set(os.listdir(m.task(IMPORT_TASK))) == TASK_FILES
    assert os.listdir(m.task(IMPORT_TASK) / "files") == []
    assert m.read("files.csv", IMPORT_TASK) == "fileId,status,newFileId,srcContainerId\n"
    assert m.read("response.json", IMPORT_TASK) == (DATA / "task-result.json").read_text()


def test_summary_is_for_people(mount, sim):
    """summary: a few aligned lines and a progress bar."""
    lines = mount(sim).read("summary").splitlines()
    assert {len(re.match(r"[a-z]+ +", line)[0]) for line in lines} == {10}
    assert any(re.search(r"\[#{40}\] 100%$", line) for line in lines)


def test_empty_value_files(mount, sim):
    """"A value file has the size 0 when there is no value, so `[ -s result ]` works"; a task without times and progress."""
    m = mount(sim)
    store(sim, json.dumps({"jobInfo": {"taskId": SHARE_TASK, "taskStatus": 0}}))
    for name in ("result", "progress", "created", "started", "ended", "user", "type", "success-count", "fail-count"):
        assert os.stat(m.task() / name).st_size == 0
        assert m.read(name) == ""
        assert run("test", "-s", m.task() / name, check=False).returncode == 1
    assert m.read("status") == "pending\n"
    assert os.listdir(m.task() / "files") == []
    assert m.read("files.csv").count("\n") == 1


@pytest.mark.parametrize("field, name, code, word", [
    ("taskStatus", "status", 0, "pending"), ("taskStatus", "status", "1", "running"),
    ("taskStatus", "status", 2, "completed"), ("taskStatus", "status", 3, "canceled"),
    ("taskStatus", "status", 77, "unknown-77"), ("taskType", "type", 1, "download"), ("taskType", "type", 2, "save"),
    ("taskType", "type", 9, "unknown-9"), ("taskResultCode", "result", 1, "succeeded"),
    ("taskResultCode", "result", 2, "partly-failed"), ("taskResultCode", "result", 3, "failed"),
    ("taskResultCode", "result", "x\ny", "unknown-x%0Ay"),
])
def test_words(mount, sim, field, name, code, word):
    """"A number that the table of words does not know reads `unknown-N`.\""""
    store(sim, detail(**{field: code}))
    assert mount(sim).read(name) == word + "\n"


def test_numbers_digit_for_digit(mount, sim):
    """"job.json keeps fields that nobody documented, and every number digit for digit.\""""
    number = "123456789012345678901234567890.10"
    store(sim, detail(big="@@").replace('"@@"', number))
    assert f'"big":\t{number}' in mount(sim).read("job.json")


@pytest.mark.parametrize("progress, text", [(-1, ""), (101, ""), ("37", "37\n"), (0, "0\n"), (None, ""), (1.5, "")])
def test_progress(mount, sim, progress, text):
    """"A progress that is not a whole number from 0 to 100 is unknown.\""""
    store(sim, detail(progress=progress))
    assert mount(sim).read("progress") == text


def test_csv_of_awkward_values(mount, sim):
    """"CSV is RFC 4180 with LF line ends, in UTF-8", with quotes where they are needed."""
    store(sim, imported(('a"b', "one,\ntwo"), ("plain", "")), IMPORT_TASK)
    assert mount(sim).read("failures.csv", IMPORT_TASK) == 'userName,desc\n"a""b","one,\ntwo"\nplain,\n'


def test_failures_of_a_share_task(mount, sim):
    """failures.csv: "for the others the failed rows of files.csv"; files/*/status are pending, succeeded, failed. "These
    counts are empty as soon as one file has no known status.\""""
    infos = [{"fileId": f"f{code}", "status": code, "newFileId": "", "srcContainerId": "c"} for code in "0127"]
    store(sim, detail(files=infos))
    m = mount(sim)
    assert m.read("failures.csv") == "fileId,status,newFileId,srcContainerId\nf2,failed,,c\n"
    words = [m.read(f"files/f{code}/status") for code in "0127"]
    assert words == ["pending\n", "succeeded\n", "failed\n", "unknown-7\n"]
    assert m.read("files/f2/new-file-id") == ""
    assert m.read("success-count") == m.read("fail-count") == ""


def test_counts_of_files(mount, sim):
    """"The counts of a share task or a job are counts of its files.\""""
    store(sim, detail(files=[{"fileId": f"f{code}", "status": str(code)} for code in (0, 1, 1, 2)], successCount=7))
    m = mount(sim)
    assert m.read("success-count") == "2\n" and m.read("fail-count") == "1\n"


def test_names_of_files(mount, sim):
    """"In names made of file ids, `/`, NUL, other control characters, `%`, a leading `.` and what is not UTF-8 become `%XX`."
    "The name of an empty file id is `unnamed`." "Of names that are alike, the second and third get `.2` and `.3`.\""""
    names = {"a/b": "a%2Fb", "..": "%2E.", ".git": "%2Egit", "x%y": "x%25y", "tab\there": "tab%09here", "": "unnamed",
             "\0": "%00"}
    store(sim, detail(files=[*names, "twin", "twin", "twin"]))
    m = mount(sim)
    assert sorted(os.listdir(m.task() / "files")) == sorted([*names.values(), "twin", "twin.2", "twin.3"])
    assert m.read("files/twin.2/status") == "succeeded\n"


def test_long_names(mount, sim):
    """"A name that would be longer than 255 bytes is cut, and ends with `~` and a hash.\""""
    store(sim, detail(files=["x" * 255, "x" * 256, "x" * 257, "\u00fc" * 200]))
    names = os.listdir(os.fsencode(mount(sim).task() / "files"))
    whole, = [name for name in names if b"~" not in name]
    assert whole == b"x" * 255
    cut = [name for name in names if re.fullmatch(rb"(x+|(\xc3\xbc)+)~[0-9a-f]{16}", name)]
    assert len(cut) == len(set(cut)) == 3 and all(253 <= len(name) <= 255 for name in cut)


def test_nul_and_what_is_not_utf8(mount, sim):
    """"NUL and bytes that are not UTF-8 become U+FFFD in CSV." "NUL and bytes that are not UTF-8 become U+FFFD in `job.json`." "In
    names made of file ids, `/`, NUL, other control characters, `%`, a leading `.` and what is not UTF-8 become `%XX`.\""""
    store(sim, detail(files=["raw"], userId="raw").encode().replace(b"raw", b"a\xff\\u0000b"))
    m = mount(sim)
    assert os.listdir(m.task() / "files") == ["a%FF%00b"]
    assert (m.task() / "files.csv").read_bytes().splitlines()[1].split(b",")[0] == "a\ufffd\ufffdb".encode()
    assert json.loads((m.task() / "job.json").read_bytes().decode("utf-8", "strict"))["userId"] == "a\ufffd\ufffdb"


def test_modes_and_types(mount, sim):
    """Everything is read-only, and modes say so; what listings say of types is what stat says. "Every directory has the link
    count 1 and the size 0.\""""
    m = mount(sim)
    for directory, names, files in os.walk(m.path):
        assert (os.stat(directory).st_nlink, os.stat(directory).st_size) == (1, 0)
        for name in names + files:
            found = os.lstat(os.path.join(directory, name))
            mode = found.st_mode
            assert (found.st_uid, found.st_gid) == (os.getuid(), os.getgid())
            assert stat.S_IMODE(mode) == (0o777 if stat.S_ISLNK(mode) else 0o555 if stat.S_ISDIR(mode) else 0o444)
        for entry in os.scandir(directory):
            mode = entry.stat(follow_symlinks=False).st_mode
            assert (entry.is_dir(follow_symlinks=False), entry.is_file(follow_symlinks=False), entry.is_symlink()) == (
                stat.S_ISDIR(mode), stat.S_ISREG(mode), stat.S_ISLNK(mode))
    assert sorted(os.listdir(m.path)) == [
        ".kootaskfs", "by-status", "events", "overview", "overview.csv", "overview.json", "shares", "tasks"]


def test_shares(mount, sim):
    """"`shares/` lists the shares of the tasks in `tasks/`." "Looking up `shares/SHAREID/TASKID` asks the service for that
    share task." "A share task that is found in this way is in `tasks/` from then on.\""""
    other = sim.generated("share")[0]
    m = mount(sim)
    assert os.listdir(m / "shares") == [SHARE]
    assert os.listdir(m / "shares" / SHARE) == [SHARE_TASK]
    assert os.readlink(m / "shares" / SHARE / SHARE_TASK) == f"../../tasks/{SHARE_TASK}"
    assert (m / "shares" / SHARE / SHARE_TASK / "status").read_text() == "completed\n"
    assert other["taskId"] not in os.listdir(m / "tasks")
    link = m / "shares" / other["shareId"] / other["taskId"]
    assert os.readlink(link) == f"../../tasks/{other['taskId']}"
    assert m.read("kind", other["taskId"]) == "share\n"
    assert other["taskId"] in os.listdir(m / "tasks")
    assert m.requests(other["taskId"]) == 1
    assert sorted(os.listdir(m / "shares")) == sorted([SHARE, other["shareId"]])


def test_any_share(mount, sim):
    """"Any id is a directory in `shares/`, because the service cannot be asked whether a share exists.\""""
    m = mount(sim)
    for share in ("4711", "A-z_0", "jobs"):
        assert os.path.isdir(m / "shares" / share) and os.listdir(m / "shares" / share) == []
    assert m.requests() == 0
    assert os.listdir(m / "shares") == [SHARE]


def test_wrong_share(mount, sim):
    """A task that is not of that share is not there; what cannot be an id is not there either, without a request."""
    m = mount(sim)
    assert errno_of(os.stat, m / "shares" / "999" / SHARE_TASK / "status") == "ENOENT"
    assert errno_of(os.stat, m / "shares" / SHARE / "1") == "ENOENT"
    requests = m.requests()
    for name in (f"shares/{SHARE}/.x", "shares/.x", f"shares/{SHARE}/a b"):
        assert errno_of(os.stat, m / name) == "ENOENT"
    assert m.requests() == requests
    assert m.read("status") == "completed\n", "the right share's task is untouched"


def test_xattrs(mount, sim):
    """"Every file and directory of a task has extended attributes. Reading them never makes a request."

    "An attribute that is not known is absent." "Every file has its MIME type in `user.mime_type`."

    "`user.kootaskfs.fetched` is the time of the snapshot" "`user.kootaskfs.age` is the age of the snapshot in seconds."

    "`user.kootaskfs.trace-id` is the trace id of the request that brought the snapshot.\""""
    m = mount(sim)
    assert os.listxattr(m.task()) == []
    assert m.requests() == 0, "nothing is known yet, and nothing is asked"
    m.read("status")
    requests = m.requests()
    for path in (m.task(), m.task() / "files", m.task() / "files" / FILES[0] / "status", m.task() / "status"):
        values = {name.rpartition(".")[2]: os.getxattr(path, name).decode() for name in os.listxattr(path)
                  if name.startswith("user.kootaskfs.")}
        assert set(values) == {"fetched", "age", "stale", "trace-id"}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", values["fetched"])
        assert 0 <= int(values["age"]) < 60 and values["stale"] == "0"
        assert errno_of(os.getxattr, path, "user.kootaskfs.error") == "ENODATA"
        assert errno_of(os.getxattr, path, "user.other") == "ENODATA"
    assert values["trace-id"] == sim.log()[0]["headers"]["X-Traceid"]
    for name, mime in (("status", "text/plain"), ("job.json", "application/json"), ("files.csv", "text/csv")):
        assert os.getxattr(m.task() / name, "user.mime_type").decode() == mime
    assert run("getfattr", "--only-values", "-n", "user.kootaskfs.stale", m.task()).stdout == "0"
    assert m.requests() == requests


def test_times(mount, sim):
    """"The mtime of a task's directory is settled once: by a list, by the first response\", here to the task's end. "The mtime
    of a value first seen after the task's end is the task's end.\""""
    m = mount(sim)
    store(sim, detail(endTime="20240930091933", taskStatus=2))
    m.read("status")
    assert os.stat(m.task()).st_mtime == 1727687973
    assert os.stat(m.task() / "status").st_mtime == 1727687973, "of what has ended, the end is its last change"
