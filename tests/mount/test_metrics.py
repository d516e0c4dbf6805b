# SPDX-License-Identifier: MIT
"""`.kootaskfs/metrics` as Prometheus' own tools take it, what it counts, `health`, and examples/ at work."""

import json
import os
import re
import resource
import shlex
import signal
import subprocess
import time
import urllib.request
from collections import Counter

import pytest
from prometheus_client.parser import text_string_to_metric_families

from koodrive_sim import IMPORT_TASK, REPO, SHARE_TASK, wait_until
from kootaskfs_mount import detail, mounts_at, read_error, run, shell, store

EXAMPLES = REPO / "examples"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \|([^|]*)\|", re.MULTILINE)
ALL_HAVE = {"endpoint", "mountpoint"}


def parse(text):
    """The metrics as Prometheus' client library for Python reads them, by name, a counter's with its _total."""
    families = {}
    for family in text_string_to_metric_families(text):
        families[family.name + ("_total" if family.type == "counter" else "")] = family
    return families


def check(text):
    """promtool, which also knows rules of style."""
    done = run("promtool", "check", "metrics", input=text, check=False)
    assert done.returncode == 0 and done.stdout + done.stderr == "", done.stdout + done.stderr


def test_prometheus_takes_it(mount, sim):
    """"`.kootaskfs/metrics` is in the Prometheus text format 0.0.4, with the metrics of monitoring.md and no others.\""""
    documented = {name: (kind, set(re.findall(r"`(\w+)`", labels)))
                  for name, kind, labels in ROW.findall((REPO / "docs/monitoring.md").read_text())}
    m = mount(sim, families="share, basic, job")
    check(m.control("metrics"))
    run("ls", "-l", m / "tasks")
    assert m.read("status") != ""
    text = m.control("metrics")
    check(text)
    assert "# EOF" not in text
    found = parse(text)
    assert not found.keys() ^ documented.keys()
    for name, (kind, labels) in documented.items():
        assert found[name].type == kind and found[name].documentation, name
        for sample in found[name].samples:
            assert sample.labels.keys() - {"le"} == labels | ALL_HAVE, sample
            assert sample.labels["endpoint"] == sim.url and sample.labels["mountpoint"] == str(m.path)


def test_counts_are_those_of_the_journal(mount, sim):
    """Each attempt is counted as the simulator logged it, with failures, retries and a connection that broke."""
    m = mount(sim, families="share, basic, job", negative_ttl="0")
    sim.fault(kind="status", status=503, call="jobs")
    sim.fault(kind="status", status=429, retryAfter="0", call="share/taskDetail")
    sim.fault(kind="reset", call="task/list")
    run("ls", "-l", m / "tasks")
    shell('cat "$1"/tasks/*/status', m.path)
    assert read_error(m / "tasks/12345/status") == "ENOENT"  # whoever it is asked of
    journal = Counter((r["call"], str(r["status"] or "none")) for r in sim.log())
    counted = {(labels["call"], labels["status"]): int(value)
               for labels, value in m.series("kootaskfs_requests_total") if value > 0}
    assert {"503", "429", "none"} <= {status for _, status in counted}
    assert counted == journal
    assert m.metric("kootaskfs_request_duration_seconds_count") == sum(journal.values())
    assert m.metric("kootaskfs_request_retries_total") == 3


def test_operations_take_time(mount, sim):
    """Each operation's duration is counted when it ends, what it waited for included: a parked one's is no other's."""
    store(sim, detail(taskStatus=1))
    m = mount(sim, deadline="1h")
    run("ls", "-lR", m / "shares")
    sim.fault(kind="delay", ms=300)
    m.read("status")
    text = m.control("metrics")
    took, counted, reached = (
        {labels["operation"]: value for labels, value in m.series("kootaskfs_operation" + name, text) if value > 0}
        for name in ("_duration_seconds_sum", "_duration_seconds_count", "s_total"))
    assert counted["lookup"] == reached["lookup"] - 1  # that of the metrics is not at its end
    assert counted | {"lookup": 0} == reached | {"lookup": 0}
    short = [value for labels, value in m.series("kootaskfs_operation_duration_seconds_bucket", text)
             if labels["operation"] == "lookup" and labels["le"] == "0.25"]
    assert took["lookup"] >= 0.3 and short == [counted["lookup"] - 1]


def test_operations_that_are_interrupted(mount, sim):
    """They end too."""
    store(sim, detail(taskStatus=1))
    m = mount(sim, deadline="1h")
    m.read("status")
    sim.fault(kind="delay", ms=3_600_000)
    toucher = m.popen("touch", m.task() / "status")
    wait_until(lambda: m.metric("kootaskfs_parked_operations") == 1, "the touch to wait")
    assert m.metric("kootaskfs_waiters") == m.metric("kootaskfs_flights") == 1
    assert not [labels for labels, _ in m.series("kootaskfs_operation_duration_seconds_count")
                if labels["operation"] == "setattr"]
    toucher.kill()
    wait_until(lambda: m.metric("kootaskfs_parked_operations") == 0, "the end of the touch")
    assert m.metric("kootaskfs_operation_duration_seconds_count", operation="setattr") == 1
    assert m.metric("kootaskfs_waiters") == 0 and m.metric("kootaskfs_flights") == 1


def test_process(mount, sim):
    """The figures of the process are those of the kernel."""
    m = mount(sim)
    status = dict(line.split(":", 1) for line in open(f"/proc/{m.pid()}/status"))
    assert m.metric("process_virtual_memory_bytes") == pytest.approx(int(status["VmSize"].split()[0]) * 1024, rel=0.5)
    assert m.metric("process_resident_memory_bytes") == pytest.approx(int(status["VmRSS"].split()[0]) * 1024, rel=0.5)
    assert m.metric("process_open_fds") == len(os.listdir(f"/proc/{m.pid()}/fd"))
    assert m.metric("process_max_fds") == resource.prlimit(m.pid(), resource.RLIMIT_NOFILE)[0]
    assert 0 < m.metric("process_cpu_seconds_total") < 60
    assert abs(m.metric("process_start_time_seconds") - m.log_file.stat().st_ctime) < 60


def test_failures_by_errno(mount, sim):
    m = mount(sim, negative_ttl="0")
    assert m.metric("kootaskfs_request_failures_total", errno="EACCES") == 0
    sim.fault(kind="status", status=403, times=2)
    assert read_error(m.task() / "status") == "EACCES"
    assert m.metric("kootaskfs_up") == 0
    failed = m.metric("kootaskfs_request_failures_total", errno="EACCES")
    assert failed >= 1 and m.metric("kootaskfs_request_failures_total") == failed


def test_tasks_by_status(mount, start):
    """"`kootaskfs_tasks` counts each task of `tasks/` once, by kind, status and result", without a request; those that end
    are counted once more, as ended."""
    sim = start("--tasks=3", "--imports=1", "--duration=3600")
    store(sim, detail(taskStatus=1))
    m = mount(sim, families="share, basic, job", list_ttl="0", ttl="100ms")

    def shown():
        return Counter(tuple((task / name).read_text().strip() or "none" for name in ("kind", "status", "result"))
                       for task in (m / "tasks").iterdir())

    def counted():
        return {(labels["kind"], labels["status"], labels["result"]): int(value)
                for labels, value in m.series("kootaskfs_tasks") if value > 0}

    assert counted() == {("share", "unknown", "none"): 1, ("basic", "unknown", "none"): 1}
    assert m.requests() == 0
    before = shown()
    assert counted() == before and len(before) > 2
    store(sim, detail(taskStatus=2, taskResultCode=2))
    wait_until(lambda: m.read("result") == "partly-failed\n", "the end")
    assert counted()["share", "completed", "partly-failed"] == 1
    ended = m.metric("kootaskfs_ended_tasks_total", kind="share", status="completed", result="partly-failed")
    assert ended == m.metric("kootaskfs_ended_tasks_total") == 1


def test_reading_asks_nothing(mount, sim):
    """"Reading `.kootaskfs/` asks the service nothing.\""""
    m = mount(sim, families="share, basic, job")
    for path in (m / ".kootaskfs").iterdir():
        path.read_text()
    assert m.requests() == 0


def test_health_is_of_the_past(mount, sim):
    """"`service` in `.kootaskfs/health` says how the last request ended, how long ago the last success was, and when nothing was
    asked since.\""""
    store(sim, detail(taskStatus=1))
    m = mount(sim, negative_ttl="0", ttl="0", max_stale="0", deadline="1h")
    assert m.control("health").startswith("service: not asked yet\n")
    assert not m.series("kootaskfs_up") and not m.series("kootaskfs_last_success_timestamp_seconds")
    assert not m.series("kootaskfs_clock_skew_seconds")
    m.read("status")
    assert re.match(r"service: ok, last success \d+ s ago; nothing asked since\n", m.control("health"))
    assert m.metric("kootaskfs_up") == 1 and m.metric("kootaskfs_clock_skew_seconds") == 0
    assert 0 <= time.time() - m.metric("kootaskfs_last_success_timestamp_seconds") < 150
    sim.fault(kind="status", status=403, times=-1)
    assert read_error(m.task() / "status") == "EACCES"
    assert re.match(r"service: failing, last success \d+ s ago\n", m.control("health"))
    sim.admin("DELETE", "faults")
    m.read("status")
    sim.fault(kind="delay", ms=3_600_000)
    reader = m.popen("cat", m.task() / "status")
    wait_until(lambda: "; 1 request under way\n" in m.control("health"), "the request to be seen")
    assert m.control("health").startswith("service: ok, last success ")
    reader.send_signal(signal.SIGINT)


# ---- examples/


def cron_line(m, directory, name):
    """The command of the line for cron, for this mount and directory."""
    lines = [line for line in (EXAMPLES / "kootaskfs.cron").read_text().splitlines() if not line.startswith("#")]
    assert len(lines) == 2 and lines[0] == 'MAILTO=""' and "%" not in lines[1]
    command = lines[1].split(None, 6)[6].replace("kootaskfs.prom", name).replace("kootaskfs.tmp", name + ".tmp")
    assert "/var/lib/prometheus/node-exporter" in command and "/mnt/koodrive" in command
    return command.replace("/var/lib/prometheus/node-exporter", str(directory)).replace("/mnt/koodrive", str(m.path))


def unit(name, key):
    return re.search(rf"^{key}=(.*)$", (EXAMPLES / name).read_text(), re.MULTILINE)[1]


def of_service(m, instance):
    """The words of what the service runs, for this mount and instance."""
    words = shlex.split(unit("kootaskfs-metrics@.service", "ExecStart"))
    return [word.replace("$$", "$").replace("%f", str(m.path)).replace("%i", instance) for word in words]


def scrape(url):
    with urllib.request.urlopen(url + "/metrics", timeout=60) as answer:
        return parse(answer.read().decode())


def test_node_exporter_has_several_mounts(mount, sim, tmp_path):
    """"Each series has the labels `endpoint` and `mountpoint`: those of several mounts can be collected in one place." One by
    cron, one by systemd, and node_exporter's own metrics beside them."""
    one, two = mount(sim), mount(sim)
    directory = tmp_path / "collected"
    directory.mkdir()
    one.read("status")
    shell(cron_line(one, directory, "one.prom"))
    run(*of_service(two, r"mnt-koo\x2dtwo"), cwd=directory)
    assert {path.name for path in directory.iterdir()} == {"one.prom", r"kootaskfs-mnt-koo\x2dtwo.prom"}
    exporter = one.popen("prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile",
                         f"--collector.textfile.directory={directory}", "--web.listen-address=127.0.0.1:0", stderr=subprocess.PIPE)
    for line in exporter.stderr:
        found = re.search(r"Listening on.*address=(127\.0\.0\.1:\d+)", line)
        if found:
            break
    shown = scrape("http://" + found[1])
    assert shown["node_textfile_scrape_error"].samples[0].value == 0
    mounts = [str(one.path), str(two.path)]
    assert [s.labels["mountpoint"] for s in shown["kootaskfs_build_info"].samples] == mounts
    assert [s.labels["mountpoint"] for s in shown["kootaskfs_up"].samples] == mounts[:1]
    assert sorted(s.labels.get("mountpoint", "") for s in shown["process_open_fds"].samples) == ["", *mounts]
    assert all(s.labels["file"].endswith(".prom") for s in shown["node_textfile_mtime_seconds"].samples)


def test_old_metrics_stay(mount, sim, tmp_path):
    """A mount that is gone leaves what was collected before, whose age raises the alarm."""
    m = mount(sim)
    line, service = cron_line(m, tmp_path, "a.prom"), of_service(m, "b")
    shell(line)
    run(*service, cwd=tmp_path)
    before = (tmp_path / "a.prom").read_text(), (tmp_path / "kootaskfs-b.prom").read_text()
    m.unmount()
    assert not mounts_at(m.path)
    assert shell(line, check=False).returncode != 0
    assert run(*service, cwd=tmp_path, check=False).returncode != 0
    assert ((tmp_path / "a.prom").read_text(), (tmp_path / "kootaskfs-b.prom").read_text()) == before


def test_units_are_good(tmp_path):
    """systemd finds nothing to say; the timer is of the service, each minute."""
    for name in ("kootaskfs-metrics@.service", "kootaskfs-metrics@.timer"):
        (tmp_path / name.replace("@", "@mnt-koodrive")).write_text((EXAMPLES / name).read_text())
    done = run("systemd-analyze", "verify", *sorted(tmp_path.iterdir()))
    assert done.stdout + done.stderr == ""
    assert unit("kootaskfs-metrics@.timer", "OnCalendar") == "minutely"


def test_rules():
    """The alert rules do what their tests say, and each has one."""
    run("promtool", "check", "rules", EXAMPLES / "kootaskfs.rules.yml")
    run("promtool", "test", "rules", "kootaskfs.rules.test.yml", cwd=EXAMPLES)
    names = re.findall(r"alert: (\w+)", (EXAMPLES / "kootaskfs.rules.yml").read_text())
    assert len(names) > 5
    assert set(names) == set(re.findall(r"alertname: (\w+)", (EXAMPLES / "kootaskfs.rules.test.yml").read_text()))


def test_dashboard(tmp_path):
    """Each panel has its place and expressions that Prometheus understands."""
    panels = json.loads((EXAMPLES / "kootaskfs-dashboard.json").read_text())["panels"]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    cells = Counter((x, y) for panel in panels for place in [panel["gridPos"]]
                    for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"]))
    assert max(cells.values()) == 1 and max(x for x, _ in cells) < 24
    rules = [{"record": f"r{i}", "expr": expression} for i, expression in enumerate(expressions)]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "g", "rules": rules}]}))
    assert len(rules) > 20 and f"{len(rules)} rules found" in run("promtool", "check", "rules", tmp_path / "rules.yml").stdout
