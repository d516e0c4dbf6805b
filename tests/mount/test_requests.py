# SPDX-License-Identifier: MIT
"""How often the service is asked."""

import os
import subprocess

import pytest

from koodrive_sim import SHARE_TASK, wait_until
from kootaskfs_mount import IMPORT_TASK, detail, errno_of, imported, run, shell, store


def names(m):
    """All files of the sample task, for one `cat`."""
    return [os.path.join(d, f) for d, _, files in os.walk(m.task()) for f in files]


def test_grep_r_is_one_request(mount, sim):
    """"One response serves a whole task directory for `ttl` (5 s), however many processes read"; after the ttl there is one more
    request."""
    m = mount(sim, ttl="1500ms")
    store(sim, detail(files=["f", "g"]))
    found = run("grep", "-r", ".", m.task()).stdout
    assert "/files/g/status:succeeded" in found
    assert run("grep", "-r", ".", m.task()).stdout == found
    assert m.requests() == 1
    wait_until(lambda: m.read("status") and m.requests() > 1, "the ttl to pass")
    run("grep", "-r", ".", m.task())
    assert m.requests() == 2


def test_ten_readers_are_one_request(mount, start):
    """"One response serves a whole task directory for `ttl` (5 s), however many processes read": ten at once, each reading all
    files, on a slow service."""
    sim = start("--duration=0", "--latency=300")
    m = mount(sim, ttl="1h")
    readers = [m.popen("grep", "-r", ".", m.task()) for _ in range(10)]
    outputs = {tuple(sorted(reader.communicate(timeout=60)[0].splitlines())) for reader in readers}
    assert len(outputs) == 1 and len(outputs.pop()) > 20
    assert m.requests() == 1
    assert m.metric("kootaskfs_cache_lookups_total", outcome="miss") == 1


def test_what_makes_requests(mount, sim):
    """"`ls tasks` requests the lists, and `ls tasks/ID` requests the task. So `find MOUNT` requests all of them.\""""
    m = mount(sim, families="share, basic, job", list_ttl="1h", ttl="1h")

    def calls(*command):
        before = sim.counters()["calls"]
        run(*command)
        return {name: count - before[name] for name, count in sim.counters()["calls"].items() if count != before[name]}

    assert calls("ls", m / "tasks") == {"task/list": 1, "jobs": 1}
    assert calls("ls", m.task()) == {"share/taskDetail": 1}
    kinds = shell('cat "$1"/tasks/*/kind', m.path).stdout.split()
    shares, basic, jobs = (kinds.count(kind) for kind in ("share", "basic", "job"))
    assert calls("find", m.path) == {"task": basic, "task/result": basic, "job": jobs}
    assert shares == 1 and basic > 1 and jobs > 1


def test_ten_readers_after_the_ttl(mount, start):
    """"At most one request for a task is under way at any time", also when the ttl has passed."""
    sim = start("--duration=0", "--latency=100")
    m = mount(sim, ttl="100ms")
    store(sim, detail())
    script = 'for i in 1 2 3 4 5 6 7 8 9 10; do cat "$1"/status "$1"/job.json > /dev/null; done'
    for reader in [m.popen("sh", "-c", script, "sh", m.task()) for _ in range(10)]:
        assert reader.wait(60) == 0
    assert sim.counters()["maxInFlight"] == 1


def test_looking_around_asks_nothing(mount, start, tmp_path):
    """"`stat` and `df`, `ls` of MOUNT, `shares/` and `.kootaskfs/`, and looking up a known task never make a request": with 1,000
    watched tasks."""
    sim = start("--duration=0", "--tasks=1000", "--jobs=0", f"--watch-list={tmp_path}/all")
    m = mount(sim, watch=(tmp_path / "all").read_text().splitlines())
    listing = run("ls", "-l", m / "tasks").stdout.splitlines()
    assert len(listing) == 1 + 1000 + 2 + 2
    assert len(run("find", m / "tasks", "-maxdepth", "1").stdout.splitlines()) == 1 + 1000 + 2 + 2
    run("df", m.path)
    run("df", "-i", m.path)
    run("ls", "-la", m.path)
    run("ls", "-lR", m / "shares")
    shell('cd "$1" && for t in *; do test -d "$t"; done', m / "tasks")
    run("cat", *(m / ".kootaskfs" / name for name in os.listdir(m / ".kootaskfs")))
    run("stat", m.task(), m / "tasks", m / "shares")
    assert m.requests() == 0
    run("ls", m.task())  # who lists a task will read it
    assert m.requests() == 1


@pytest.mark.parametrize("directory", ["", "tasks", "shares", ".kootaskfs", "shares/1537770199275722241"])
def test_impossible_names_ask_nothing(mount, sim, directory):
    """"A name that cannot be an id (anything but 1 to 64 of `A-Z a-z 0-9 _ -`) is ENOENT without a request.\""""
    m = mount(sim)
    for name in (".git", ".Trash-0", "autorun.inf", ".hidden", "a b", "x" * 65, "x" * 300, "ü", "%41", "a.b", "~"):
        path = m / directory / name
        assert errno_of(os.stat, path) == "ENOENT"
        assert errno_of(os.stat, path) == "ENOENT"
    assert m.operations_of(lambda: errno_of(os.stat, m / directory / ".git")) == {}, "the kernel knows it too"
    assert m.requests() == 0


def test_names_inside_a_task(mount, sim):
    """In a task's directory only files/ has names that the service knows."""
    m = mount(sim)
    for name in (".git", "autorun.inf", "nothing"):
        assert errno_of(os.stat, m.task() / name) == "ENOENT"
        assert errno_of(os.stat, m.task(IMPORT_TASK) / name) == "ENOENT"
    assert m.requests() == 0
    assert errno_of(os.stat, m.task() / "files" / "nothing") == "ENOENT"
    assert m.requests() == 1


def test_ids_of_64_and_65(mount, sim):
    """1 to 64 of A-Z a-z 0-9 _ - may be an id and is asked for; 65 is not."""
    m = mount(sim, families="share, basic")
    assert errno_of(os.stat, m.task("x" * 64)) == "ENOENT"
    assert errno_of(os.stat, m.task("A-z_0")) == "ENOENT"
    assert m.requests() == 2 * 2  # two calls each
    assert errno_of(os.stat, m.task("x" * 65)) == "ENOENT"
    assert m.requests() == 2 * 2


@pytest.mark.parametrize("word", ["jobs", "task", "cancel", "share", "session", "list", "result", "Jobs"])
def test_words_of_paths(mount, sim, word):
    """"So is a name in `tasks/` that is a word of the service's own paths (`jobs`, `task`, `list`, `result`, `share`, `session`,
    `cancel` ..., in any case)": ENOENT without a request."""
    m = mount(sim, families="share, basic, job")
    assert errno_of(os.stat, m.task(word)) == "ENOENT"
    assert errno_of(os.stat, m.task(word) / "status") == "ENOENT"
    assert m.requests() == 0


def test_unlisted_import(mount, sim):
    """An id that is not known yet is asked for, once."""
    task = sim.generated("basic")[0]["taskId"]
    m = mount(sim, families="share, basic")
    assert m.read("kind", task) == "basic\n"
    assert m.read("status", task) == "completed\n"
    assert m.asked("task/result", task) == 1
    assert task in os.listdir(m / "tasks")


def test_unknown_is_remembered(mount, sim):
    """ENOENT is remembered for negative-ttl only."""
    m = mount(sim, negative_ttl="1s", families="share, basic")
    for _ in range(3):
        assert errno_of(os.stat, m.task("4711") / "status") == "ENOENT"
    assert m.asked("task/result", "4711") == 1
    assert "4711" not in os.listdir(m / "tasks")
    wait_until(lambda: errno_of(os.stat, m.task("4711")) and m.asked("task/result", "4711") == 2, "the second request")
    store(sim, imported(), "4711")
    wait_until(lambda: errno_of(os.stat, m.task("4711")) is None, "the task to be there")
    assert m.read("status", "4711") == "completed\n"


def test_a_task_that_goes(mount, sim):
    """"A task found by name leaves `tasks/` when the service says that the task is gone.\""""
    m = mount(sim, ttl="100ms", negative_ttl="100ms", families="share, basic")
    store(sim, '{"code":0,"status":1}', "4711")
    assert m.read("status", "4711") == "running\n"
    assert "4711" in os.listdir(m / "tasks")
    sim.admin("DELETE", "answers/4711")
    wait_until(lambda: errno_of(os.stat, m.task("4711") / "status") == "ENOENT", "the task's end")
    wait_until(lambda: errno_of(os.stat, m.task("4711")) == "ENOENT", "the directory's end")
    assert "4711" not in os.listdir(m / "tasks")


def test_headers(mount, sim):
    """Each request has what the service demands, and a trace id of its own."""
    m = mount(sim, language="de-DE", user_id="77")
    m.read("status")
    m.read("status", IMPORT_TASK)
    requests = sim.log()
    for request in requests:
        headers = request["headers"]
        assert headers["Authorization"].startswith("Bearer") and headers["X-User-Id"] == "77"
        assert headers["language"] == "de-DE"
        assert len(headers["X-Traceid"]) == 58
    assert len({request["headers"]["X-Traceid"] for request in requests}) == 3
    assert requests[0]["method"] == "POST"
    assert f"taskId={IMPORT_TASK}" in [request["query"] for request in requests[1:]]


def test_connections_are_reused(mount, sim):
    """A hundred requests one after another go over one connection."""
    m = mount(sim, ttl="1h")
    for _ in range(100):
        os.utime(m.task())
    assert m.requests() == 100 and sim.counters()["connections"] <= 2


def test_memory_bound(mount, start):
    """memory: the least recently used answers go first, and are asked for again when they are wanted."""
    sim = start("--duration=0", "--tasks=20")
    tasks = [(t["shareId"], t["taskId"]) for t in sim.generated("share")]
    m = mount(sim, memory="64K", watch=[f"share {s} {t}" for s, t in tasks])
    for _, task in tasks:
        store(sim, detail(task, padding="x" * 10_000, taskStatus=2), task)
        m.read("job.json", task)
    kept = m.metric("kootaskfs_cache_bytes")
    assert 20_000 < kept <= 65_536
    assert m.requests() == 20
    assert "x" * 10_000 in m.read("job.json", tasks[0][1])
    assert m.requests(SHARE_TASK) == 0


def test_concurrency_and_rate(mount, start):
    """concurrency: there are no more requests at the same time than that."""
    sim = start("--duration=0", "--tasks=12", "--latency=100")
    tasks = [(t["shareId"], t["taskId"]) for t in sim.generated("share")]
    m = mount(sim, concurrency=3, watch=[f"share {s} {t}" for s, t in tasks])
    for reader in [m.popen("cat", m.task(task) / "status") for _, task in tasks]:
        assert reader.communicate(timeout=60)[0] in ("completed\n", "canceled\n")
    assert 2 <= sim.counters()["maxInFlight"] <= 3


def test_large_answers_are_decoded_aside(mount, sim):
    """"Nothing else waits for such an operation": while the answer of a task of 100,000 files is decoded, other
    operations are answered. That it is being decoded is read from .kootaskfs/metrics, which always reaches the
    daemon."""
    m = mount(sim)
    rows = [f'{{"fileId":"F{n:06}","status":"{2 if n % 1000 == 0 else 1}","newFileId":"N{n}"}}' for n in range(100_000)]
    store(sim, f'{{"jobInfo":{{"taskStatus":2}},"taskInfos":[{",".join(rows)}]}}')
    reader = m.popen("cat", m.task() / "files.csv", stdout=subprocess.DEVNULL)
    wait_until(lambda: m.metric("kootaskfs_decoding") == 1, "the decoding to be seen")
    assert m.read("fail-count", IMPORT_TASK) != ""
    assert reader.wait(60) == 0
    assert m.read("files.csv").count("\n") == 100_001 and m.read("failures.csv").count("\n") == 101
    assert m.metric("kootaskfs_decoding") == 0
    assert m.requests(SHARE_TASK) == 1
